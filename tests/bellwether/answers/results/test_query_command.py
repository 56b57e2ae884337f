"""What `bellwether query` makes of its arguments, without a server: `--explain` asks nothing."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from bellwether.client import run_query
from bellwether.commands.ask.query import query


def explained(*arguments: str, **environ: str) -> Any:
    done = CliRunner().invoke(query, [*arguments, "--explain"], env={"TZ": None, **environ})
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(query, [*arguments, "--explain"])
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    return done.output


def test_a_question_may_name_its_dataset_itself() -> None:
    for arguments in (("SELECT COUNT(*) FROM web;",), ("web", "COUNT FROM web"), ("web", "COUNT")):
        assert explained(*arguments) == {"calculations": [{"op": "COUNT"}]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("web",), "say what to ask"),
        (("COUNT LAST 1h",), "which dataset?"),
        (("SELECT COUNT FORM web",), "did you mean FROM?"),
        (("web", "COUNT FROM api"), "FROM names api, and web is to be asked"),
        (("web", "COUNT LAST 5"), "             ^"),
        (("web", "COUNT", "--zone", "Europe/Nowhere"), "unknown time zone 'Europe/Nowhere'"),
        (("web", "COUNT", "--format", "xml"), "'xml' is not one of"),
    ],
)
def test_what_is_missing_or_contradicts_is_told(arguments: tuple[str, ...], told: str) -> None:
    assert told in refused(*arguments)


def test_times_without_a_zone_are_in_the_zone_asked_for() -> None:
    text = "COUNT SINCE 2026-01-31 UNTIL 2026-02-01"
    at = {name: explained("web", text, **env)["start_time"] for name, env in {
        "utc": {}, "tz": {"TZ": ":Europe/Berlin"}, "posix": {"TZ": "CET-1CEST,M3.5.0,M10.5.0"},
    }.items()}  # fmt: skip
    option = explained("web", text, "--zone", "Europe/Berlin", TZ="Asia/Tokyo")["start_time"]
    assert at["utc"] == at["posix"] == 1_769_817_600
    assert at["tz"] == option == at["utc"] - 3600


class Caller:
    """Answers at once, and keeps what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def json(self, method: str, path: str, body: dict[str, Any]) -> Any:
        self.bodies.append(body)
        return {"complete": True}


@pytest.mark.parametrize(("limit", "series", "without"), [(1000, False, False), (1001, False, True),
                         (1001, True, False)])  # fmt: skip
def test_more_groups_than_series_allow_are_asked_for_without_them(
    limit: int, series: bool, without: bool
) -> None:
    caller: Any = Caller()
    run_query.run_query(caller, "web", {"limit": limit}, series=series)
    assert ("disable_series" in caller.bodies[0]) is without
