"""`GET /bw/1/fields/{dataset}` and its values: of segments and of live rows, over real roles."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.clock import SystemClock
from common.process.versions import OWN
from ops.admin import create_dataset, ensure_scope
from tests.query.fields.real import real_roles
from tests.query.harness import query_harness

SOLD = [
    {"item": f"item-{n % 5}", "price": n % 7 + 0.5, "status": 200 + n % 2, "id": f"{n:08x}"}
    for n in range(100)
]
LIVE = [{"item": "Late", "status": "broken", "note": "a pump failed"} for _ in range(20)]


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in answer["fields"]}


async def test_fields_of_segments_and_live_rows_are_told_together(tmp_path: Path) -> None:
    async with real_roles(tmp_path) as running:
        await running.append(0, SOLD[:60])
        await running.append(1, SOLD[60:])
        await running.cut()
        await running.append(1, LIVE)
        status, answer = await running.get("/bw/1/fields/shop")
        assert status == 200, answer
        assert (answer["stored"], answer["live"], answer["next"]) == (120, 20, None)
        assert answer["coverage"]["complete"] is True, answer["coverage"]
        assert answer["bytes"] > 0
        found = by_name(answer)
        assert list(found) == ["id", "item", "note", "price", "status"]
        item = found["item"]
        assert (item["stored"], item["share"], item["distinct"]) == (120, 1.0, 6)
        assert item["values"][0] == {"value": "Late", "stored": 20}, item["values"]
        assert sum(one["stored"] for one in item["values"]) == 120
        assert (item["least"], item["greatest"]) == ("Late", "item-4")
        assert found["status"]["type_shares"] == {"integer": 0.833333, "string": 0.166667}
        assert (found["status"]["least"], found["status"]["greatest"]) == (200, 201)
        assert (found["price"]["least"], found["price"]["greatest"]) == (0.5, 6.5)
        assert found["id"]["distinct"] == 100
        assert found["note"]["share"] == round(20 / 120, 6)
        assert found["price"]["bytes"] > 0
        assert found["note"]["bytes"] == 0
        assert found["id"]["first_indexed"] <= found["id"]["last_indexed"]


async def test_fields_of_all_datasets_are_told_as_those_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FIELDS_DATASETS_AT_ONCE", 1)  # then pages are put together at once
    async with real_roles(tmp_path) as running:
        place = ensure_scope(running.metadata, "T", "e")
        create_dataset(running.metadata, place, "bank", 0, "", SystemClock())
        ids = {one.name: one.id for one in running.metadata.list_datasets(place.environment.id)}
        bank = replace(running, dataset=ids["bank"])
        await running.append(0, SOLD[:60])
        await bank.append(0, [{"item": "item-1", "rate": 2}, {"item": 7}])
        await bank.append(1, LIVE)
        status, answer = await running.get("/bw/1/fields/__all__")
        assert (status, answer["stored"], answer["next"]) == (200, 82, None), answer
        assert answer["coverage"]["complete"] is True
        assert [one["stored"] for one in answer["coverage"]["partitions"]] == [62, 20]
        found = by_name(answer)
        assert list(found) == ["id", "item", "note", "price", "rate", "status"]
        assert (found["item"]["stored"], found["item"]["types"]) == (82, ["integer", "string"])
        assert found["rate"]["share"] == round(1 / 82, 6)
        _, page = await running.get("/bw/1/fields/__all__", limit="4")
        assert (list(by_name(page)), page["next"]) == (["id", "item", "note", "price"], "price")
        _, values = await running.get("/bw/1/fields/__all__/values/item", prefix="ITEM-1")
        assert values["values"] == [{"value": "item-1", "stored": 13}]
        _, alone = await running.get("/bw/1/fields/shop")
        assert (alone["stored"], "rate" in by_name(alone)) == (60, False)


async def test_a_list_looks_at_a_bounded_number_of_live_columns_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wide events have few values in each of many columns, whose facts cost as much."""
    monkeypatch.setattr(
        limits, "FIELD_FACTS_VALUES_READ", 40 * (limits.FIELD_FACTS_COLUMN_VALUES + 1)
    )
    async with real_roles(tmp_path) as running:
        for n in range(3):  # a block each
            await running.append(0, [{f"f{n}-{at}": at for at in range(30)}])
        seen = []
        for _ in range(3):
            _, answer = await running.get("/bw/1/fields/shop")
            assert len(answer["fields"]) == 90
            assert all(one["stored"] == 1 for one in answer["fields"])
            seen.append(sum(bool(one["values"]) for one in answer["fields"]))
        assert seen == [30, 60, 90]


async def test_fields_are_found_by_patterns_and_by_words_and_come_in_pages(tmp_path: Path) -> None:
    async with real_roles(tmp_path) as running:
        await running.append(0, SOLD)
        await running.append(0, LIVE)
        _, answer = await running.get("/bw/1/fields/shop", match="*i*", limit="2")
        assert (list(by_name(answer)), answer["next"]) == (["id", "item"], "item")
        _, answer = await running.get("/bw/1/fields/shop", match="*i*", cursor="item")
        assert (list(by_name(answer)), answer["next"]) == (["price"], None)
        _, answer = await running.get("/bw/1/fields/shop", search="FAILED pump")
        assert list(by_name(answer)) == ["note"]
        _, answer = await running.get("/bw/1/fields/shop", search="nothing")
        assert (answer["fields"], answer["notes"]) == ([], [])
        status, answer = await running.get("/bw/1/fields/shop", serch="x")
        assert (status, answer["type_detail"][0]["field"]) == (422, "serch")


async def test_values_are_completed_in_any_case_the_most_frequent_first(tmp_path: Path) -> None:
    async with real_roles(tmp_path) as running:
        await running.append(0, SOLD)
        await running.cut()
        await running.append(1, LIVE)
        _, answer = await running.get("/bw/1/fields/shop/values/item", prefix="LA")
        assert answer["values"] == [{"value": "Late", "stored": 20}]
        _, answer = await running.get("/bw/1/fields/shop/values/item", prefix="it", limit="2")
        assert (len(answer["values"]), answer["more"]) == (2, True)
        assert answer["values"][0]["stored"] == 20
        _, answer = await running.get("/bw/1/fields/shop/values/status", prefix="2")
        assert sorted(one["value"] for one in answer["values"]) == [200, 201]
        _, answer = await running.get("/bw/1/fields/shop/values/none%2Fsuch")
        assert answer["notes"] == ["no stored event has a field `none/such`"]


async def test_where_no_indexer_can_tell_it_is_said(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:  # its indexers announce an earlier version
        status, answer = await running.get("/bw/1/fields/shop")
        assert (status, "does not know such questions yet" in answer["error"]) == (503, True)
    (tmp_path / "second").mkdir()
    async with query_harness(tmp_path / "second") as running:
        running.indexers["a"].announce(OWN)
        running.indexers["a"].tells_facts = False
        status, answer = await running.get("/bw/1/fields/shop/values/status")
        assert (status, "no indexer answered for it" in answer["error"]) == (503, True)


async def test_an_indexer_that_is_silent_about_one_dataset_is_not_waited_for_at_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FIELDS_DATASETS_AT_ONCE", 1)
    names = ("shop", "bank", "mail")
    async with query_harness(tmp_path, ("a", "b"), datasets=names) as running:
        twins = running.indexers
        for one in twins.values():
            one.announce(OWN)
        asked = []
        for silent in twins.values():
            for one in twins.values():
                one.tells_facts, one.facts_asked = one is not silent, 0
            status, answer = await running.get("/bw/1/fields/__all__")
            assert (status, answer["coverage"]["complete"]) == (200, True)
            asked.append((silent.facts_asked, sum(one.facts_asked for one in twins.values())))
        # the one that is asked first is asked once, the other one never; three answers are given
        assert sorted(asked) == [(0, 3), (1, 4)]
