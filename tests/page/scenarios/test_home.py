"""What is around the questions, in a real browser: the API's description, long numbers, events that
are followed, a server that dies and comes back, the history, sessions and rights.
"""

import json
from typing import Any

import pytest

from tests.page.driven import drive_script
from tests.page.running import page_setting
from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]
LONG = 9_007_199_254_740_993  # a double has 9007199254740992
LEAST = -9_223_372_036_854_775_807
FIELDS = 2_000


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script saw."""
    with running(tmp_path_factory.mktemp("home"), *page_setting()) as system:
        fill(system)
        made = system.run("keys", "create", "reader", "--read-only", "--data", str(system.data))
        deeds = {"stop": system.kill_everything, "start": system.start}
        reader = made.stdout.split()[-1]
        found: dict[str, Any] = drive_script(
            "scenarios/home.mjs", deeds, system.url, system.key, reader
        )
    return found


def fill(system: System) -> None:
    exact = [{"data": {"id": LONG + at, "least": LEAST, "meta": {"id": LONG}}} for at in (-1, 0)]
    wide = [
        {"data": {f"field.{at:04d}": at for at in range(first, first + 200)}}
        for first in range(0, FIELDS, 200)
    ]
    for name, events in {"shop": [{"data": {"service": "web"}}], "exact": exact}.items():
        receipt = system.send(name, events)
        system.ask(name, {"calculations": [{"op": "COUNT"}]}, after=receipt)
    system.send("wide", wide)


def test_the_description_of_the_api_is_read_without_a_key(seen: dict[str, Any]) -> None:
    docs = seen["docs"]
    assert docs["operations"] > 70
    assert '"dataset":"checkout"' in docs["curl"]
    assert [text.split()[:2] for text in docs["found"]] == [
        ["GET", "/bw/1/tail/{dataset}"],
        ["POST", "/bw/1/tail/{dataset}"],
    ]


def test_a_click_on_a_long_number_asks_for_this_number(seen: dict[str, Any]) -> None:
    exact = seen["exact"]
    assert json.loads(exact["selection"])["groups"] == [{"id": LONG}]
    assert f"WHERE id = {LONG}" in exact["group"]
    assert f"{LONG:,}" in exact["rows"]
    assert exact["event"].count(str(LONG)) + exact["event"].count(str(LONG - 1)) == 2
    assert f"WHERE least = {LEAST}" in exact["value"]
    assert f"WHERE id = {LONG}" in exact["field"]


def test_followed_events_wait_while_one_is_read(seen: dict[str, Any]) -> None:
    follow = seen["follow"]
    assert "wanted 1" in follow["held"]
    assert "wanted 2" not in follow["held"]
    assert "wanted 2" in follow["events"]
    assert "not this" not in follow["events"]


def test_old_results_stay_while_the_server_is_away_and_it_goes_on_by_itself(
    seen: dict[str, Any],
) -> None:
    away = seen["away"]
    assert away["kept"] == 1
    assert away["graphs"] >= 1
    assert away["events"].count("wanted 1") == 1  # it is not followed a second time
    assert "Not followed from" in away["events"]
    assert away["alerts"] == []


def test_what_was_asked_is_found_by_its_value(seen: dict[str, Any]) -> None:
    assert seen["history"] == f"COUNT, MAX(id) WHERE id = {LONG} GROUP BY id LAST 2h"
    assert "exact" in seen["start"]


def test_a_session_that_ended_leads_back_to_the_same_address(seen: dict[str, Any]) -> None:
    assert seen["ended"].endswith("/ui/fields/wide?search=field")
    assert seen["fields"] == 100  # of 2,000


def test_a_description_that_may_not_be_saved_is_kept(seen: dict[str, Any]) -> None:
    words, text = seen["refused"]
    assert "may not manage columns" in words
    assert text == "what it counts"


def test_nothing_foreign_is_loaded_and_nothing_fails_unseen(seen: dict[str, Any]) -> None:
    assert seen["foreign"] == []
    assert seen["errors"] == []
