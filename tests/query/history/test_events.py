"""Every question leaves one event for its own environment, whatever came of it; no key is in it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from common.process.telemetry import Owner
from query.api.document.build import OPERATIONS
from query.asking.events import KINDS
from query.config import QueryConfig
from tests.query.harness import TIMES, QueryHarness, query_harness
from tests.waiting import eventually

COUNT = {"calculations": [{"op": "COUNT"}], **TIMES}
MANY = 300


class Kept:
    """Telemetry that is kept."""

    def __init__(self) -> None:
        self.owned: list[tuple[Owner, dict[str, Any]]] = []

    def emit(self, name: str, **fields: Any) -> None:
        raise AssertionError(f"{name} would be read by every environment")

    def emit_for(self, owner: Owner, name: str, **fields: Any) -> None:
        self.owned.append((owner, {"name": name, **fields}))


async def test_an_event_says_who_asked_what_and_what_it_read(tmp_path: Path) -> None:
    kept = Kept()
    async with query_harness(tmp_path, telemetry=kept) as role:
        spec = {**COUNT, "breakdowns": ["service"],
                "filters": [{"column": "status", "op": ">", "value": 200}]}  # fmt: skip
        await role.ask(spec)
        await role.post("/bw/1/rows", {"dataset": "shop", **TIMES, "limit": 3}, "MATE")
        await role.post("/bw/1/fields", {"dataset": "shop"})
        await role.post("/bw/1/traces", {"query": "WHERE error = true"})
        await role.get("/bw/1/traces/ff")
        await role.post("/1/query_results/shop", {"query": {"calculations": [{"op": "COUN"}]}})
        await role.post("/1/query_results/shap", {"query": COUNT}, "OTHER")
        await role.get("/1/datasets")  # asks nothing about events
        await role.post("/1/query_results/shop", {"query": COUNT}, "WRONG")
        await eventually(lambda: len(kept.owned) >= 7)
    owners = [owner.environment_name for owner, _ in kept.owned]
    events = [event for _, event in kept.owned]
    assert owners == ["e"] * 6 + ["f"]
    assert [one["kind"] for one in events] == [
        "query", "rows", "fields", "traces", "trace", "query", "query",
    ]  # fmt: skip
    assert {one["name"] for one in events} == {"query"}
    asked = events[0]
    assert (asked["status"], asked["complete"], asked["dataset"]) == (200, True, "shop")
    assert (asked["key_name"], asked["key_id"]) == ("K", "k0")
    assert asked["fields"] == "service, status"
    assert asked["asked"].startswith('{"calculations":[{"op":"COUNT"}]')
    assert asked["rows_read"] >= 100
    assert asked["bytes_read"] > 0
    assert (asked["groups"], asked["range_s"]) == (2, 100)
    assert events[1]["key_name"] == "MATE"
    assert (events[4]["asked"], events[4]["complete"]) == ("ff", False)
    assert events[5]["status"] == 422
    assert "'COUN' is not one of" in events[5]["error"]
    assert (events[6]["status"], events[6]["dataset"]) == (404, "shap")


def test_every_kind_of_question_belongs_to_a_route() -> None:
    routes = {(one.method.upper(), one.path) for one in OPERATIONS}
    assert {(method, path.removeprefix("/zipkin")) for method, path in KINDS} <= routes


async def test_a_long_question_is_kept_in_part(tmp_path: Path) -> None:
    kept = Kept()
    async with query_harness(tmp_path, telemetry=kept) as role:
        values = [f"value {i}" for i in range(1_000)]
        await role.ask({**COUNT, "filters": [{"column": "service", "op": "in", "value": values}]})
        await eventually(lambda: len(kept.owned) == 1)
    event = kept.owned[0][1]
    assert event["asked_chars"] > len(event["asked"])
    assert event["asked"].endswith("…")


async def test_a_key_may_ask_so_often_in_a_minute_and_others_are_not_held_up(
    tmp_path: Path,
) -> None:
    kept, config = Kept(), QueryConfig(questions_per_minute=2)
    async with query_harness(tmp_path, telemetry=kept, config=config) as role:
        rows = {"dataset": "shop", **TIMES}
        assert (await role.post("/bw/1/rows", rows))[0] == 200
        assert (await role.post("/1/query_results/shop", {"query": COUNT}))[0] == 201
        headers = {"X-Honeycomb-Team": "K"}
        async with role.http.post(role.url + "/bw/1/rows", json=rows, headers=headers) as refused:
            assert refused.status == 429
            assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert (await role.post("/bw/1/rows", rows, "MATE"))[0] == 200
        assert (await role.get("/1/datasets"))[0] == 200  # is no question


@pytest.mark.parametrize("most", [0, 1])
async def test_hundreds_at_once_are_answered_or_refused_in_words(tmp_path: Path, most: int) -> None:
    kept, config = Kept(), QueryConfig(key_running_max=most, running_max=4, waiting_max=32)
    async with query_harness(tmp_path, telemetry=kept, config=config) as role:
        statuses = Counter(
            await asyncio.gather(*(_ask(role, "K" if i % 3 else "OTHER") for i in range(MANY)))
        )
        assert statuses.keys() <= {201, 429, 503}
        assert statuses.total() == MANY
        assert statuses[201] >= 1 + 32
        assert (await role.ask(COUNT))["complete"]
        await eventually(lambda: len(kept.owned) == MANY + 1)
    told = Counter(event["status"] for _, event in kept.owned)
    assert told[200] == statuses[201] + 1
    assert told[429] + told[503] == statuses[429] + statuses[503]
    environments = {owner.environment_name: event["key_name"] for owner, event in kept.owned}
    assert environments == {"e": "K", "f": "OTHER"}


async def _ask(role: QueryHarness, key: str) -> int:
    body = {"query": COUNT, "wait_s": 60, "disable_series": True}
    headers = {"X-Honeycomb-Team": key}
    async with role.http.post(
        f"{role.url}/1/query_results/shop", json=body, headers=headers
    ) as answer:
        if answer.status != 201:
            assert int(answer.headers["Retry-After"]) > 0
            assert "try again later" in await answer.text()
        else:
            assert (await answer.json())["complete"]
        return answer.status
