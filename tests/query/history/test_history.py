"""Questions are in the dataset `bellwether` of their environment, and no other one reads them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system
OTHER = "elsewhere"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("up"), "--small") as found:
        receipt = found.send("shop", [{"data": {"n": i, "service": "web"}} for i in range(10)])
        found.ask("shop", {"calculations": [{"op": "COUNT"}]}, after=receipt)
        yield found


def history(system: System, key: str, parameters: str = "") -> list[dict[str, Any]]:
    answer = system.http("GET", f"/bw/1/queries?{parameters}", headers={"X-Honeycomb-Team": key})
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json()["queries"]
    return found


def test_each_environment_has_the_history_of_its_own_questions(system: System) -> None:
    data = ("--data", str(system.data))
    assert system.run("environments", "create", OTHER, *data).returncode == 0
    other = system.run(
        "keys", "create", "theirs", "--set", f"up.environment={OTHER}", *data
    ).stdout.strip()
    mine = system.run("query", "shop", "COUNT, MAX(n) WHERE service = 'web' GROUP BY service")
    assert mine.returncode == 0, mine.stderr
    body = {"query": {"calculations": [{"op": "COUNT"}], "breakdowns": ["secret of theirs"]}}
    headers = {"X-Honeycomb-Team": other}
    assert system.http("POST", "/1/events/shop", {"a": 1}, headers).status == 200
    assert system.http("POST", "/1/query_results/shop", body, headers).status == 201
    assert system.http("POST", "/bw/1/rows", {"dataset": "shap"}, headers).status == 404
    system.wait_until(lambda: len(history(system, other)) >= 2, "their questions")
    system.wait_until(lambda: len(history(system, system.key)) >= 2, "our questions")
    ours, theirs = history(system, system.key), history(system, other)
    assert {one["key_name"] for one in theirs} == {"theirs"}
    assert "secret of theirs" in str(theirs)
    assert "secret of theirs" not in str(ours)
    assert {one["status"] for one in history(system, other, "failed=true")} == {404}
    (found,) = history(system, other, "search=secret%20of")
    assert found["kind"] == "query"
    assert history(system, other, "search=service") == []
    everything = system.http("POST", "/bw/1/rows", {"dataset": "bellwether", "limit": 1_000})
    assert "secret of theirs" not in everything.body.decode()
    assert other not in everything.body.decode()
    texts = [one["text"] or "" for one in ours if one["kind"] == "query"]
    asked = 'COUNT, MAX(n) WHERE service = "web" GROUP BY service'
    assert any(text.startswith(asked) for text in texts)
    slow = history(system, system.key, "view=slow&kind=query")
    assert slow == sorted(slow, key=lambda one: -one["slowest_ms"])
    (by_key,) = history(system, other, "view=keys")
    assert (by_key["key_name"], by_key["times"]) == ("theirs", 2)


def test_the_command_shows_questions_as_texts_that_can_be_asked_again(system: System) -> None:
    text = "COUNT, MAX(n) WHERE service = 'web' GROUP BY service"
    assert system.run("query", "shop", text).returncode == 0
    asked = 'COUNT, MAX(n) WHERE service = "web" GROUP BY service'
    system.wait_until(lambda: asked in system.run("queries").stdout, "the question")
    shown = system.run("queries", "--dataset", "shop").stdout
    assert shown.split()[:9] == [
        "time", "took", "rows", "read", "status", "key", "kind", "dataset", "asked",
    ]  # fmt: skip
    assert asked in system.run("queries", "--slow", "--last", "1h").stdout
    assert "first key" in system.run("queries", "--by-key").stdout
    lines = system.run("queries", "--json").stdout.splitlines()
    assert any(json.loads(line)["rows_read"] >= 10 for line in lines)
    nobody = system.run("queries", "--by", "nobody")
    assert "nothing was asked" in nobody.stderr
    assert system.run("queries", "--slow", "--by-key").returncode == 2
    wrong = system.http("GET", "/bw/1/queries?vew=slow")
    assert wrong.status == 422
    assert wrong.json()["type_detail"][0]["field"] == "vew"
