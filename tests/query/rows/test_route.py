"""`POST /bw/1/rows` of a running query role, over indexers that answer shares."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from common.model.reroute import EpochOffset
from common.process.versions import OWN
from query.share.view.rerouted import UndecidedBatch
from tests.query.harness import ROWS, TIMES, QueryHarness, query_harness
from tests.waiting import eventually


async def rows_of(running: QueryHarness, expected: int = 200, **body: Any) -> Any:
    status, answer = await running.post("/bw/1/rows", {"dataset": "shop", **TIMES, **body})
    assert status == expected, answer
    return answer


async def test_every_event_comes_once_newest_first_over_pages(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        seen: list[Any] = []
        cursor = None
        while True:
            answer = await rows_of(running, limit=17, **({"cursor": cursor} if cursor else {}))
            assert answer["coverage"]["complete"] is True
            seen += answer["rows"]
            cursor = answer["next"]
            if cursor is None:
                break
        assert [row["data"] for row in seen] == [row.data for row in reversed(ROWS)]
        assert seen[0]["time"] == "2023-11-14T22:14:59.000000000Z"
        assert seen[0]["samplerate"] == 1
        assert (answer["start"], answer["end"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:15:00Z")


async def test_as_many_events_come_as_a_count_of_the_same_conditions_says(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        some = {"filters": [{"column": "status", "op": ">", "value": 200}]}
        counted = await running.ask({"calculations": [{"op": "COUNT"}], **some, **TIMES})
        answer = await rows_of(running, limit=1_000, **some)
        assert len(answer["rows"]) == counted["data"]["results"][0]["data"]["COUNT"] == 66


async def test_a_twin_gives_the_pages_that_its_pair_began(tmp_path: Path) -> None:
    async with query_harness(tmp_path, zones=("a", "b")) as running:
        first = await rows_of(running, limit=30)
        running.indexers["a"].refuse = True
        second = await rows_of(running, limit=100, cursor=first["next"])
        assert {p["zone"] for p in second["coverage"]["partitions"]} == {"b"}
        given = [row["data"] for row in [*first["rows"], *second["rows"]]]
        assert given == [row.data for row in reversed(ROWS)]


async def test_an_answer_that_lacks_a_partition_says_so_or_is_refused(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].views.held.pop(1)
        answer = await rows_of(running)
        assert answer["coverage"]["complete"] is False
        assert len(answer["rows"]) == 60
        refused = await rows_of(running, 503, coverage="require")
        assert "not every partition" in refused["error"]


async def test_a_field_that_no_event_has_is_named_with_those_near_to_it(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        wrong = {"filters": [{"column": "statsu", "op": "exists"}]}
        answer = await rows_of(running, **wrong)
        assert answer["rows"] == []
        assert answer["notes"] == ["no event has a field `statsu`; did you mean `status`?"]
        assert (await rows_of(running, fields=["ms"]))["notes"] == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"dataset": ""}, 422, "dataset"),
        ({"dataset": 5}, 422, "dataset"),
        ({"order": "sideways"}, 422, "newest, oldest"),
        ({"filters": [{"column": "x", "op": "like", "value": 1}]}, 422, "filters[0].op"),
        ({"coverage": "maybe"}, 422, "coverage"),
        ({"calculations": [{"op": "COUNT"}]}, 422, "not groups"),
    ],
)
async def test_a_question_that_cannot_be_asked_says_what_is_wrong(
    tmp_path: Path, body: dict[str, Any], status: int, told: str
) -> None:
    async with query_harness(tmp_path) as running:
        assert told in str(await rows_of(running, status, **body))


async def test_keys_without_the_right_to_query_see_no_event(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for key, expected in (("NOQUERY", 403), ("INGEST", 403), ("nobody", 401)):
            status, answer = await running.post("/bw/1/rows", {"dataset": "shop"}, key)
            assert (status, "rows" in answer) == (expected, False)


async def test_a_caller_that_hangs_up_frees_its_turn(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        indexer = running.indexers["a"]
        indexer.held_keys.add("k0")
        async with aiohttp.ClientSession() as http:
            asking = asyncio.create_task(
                http.post(
                    running.url + "/bw/1/rows",
                    json={"dataset": "shop", **TIMES},
                    headers={"X-Honeycomb-Team": "K"},
                )
            )
            await eventually(lambda: indexer.waiting == 1)
            asking.cancel()
        await eventually(lambda: indexer.waiting == 0)
        indexer.held_keys.clear()
        assert len((await rows_of(running))["rows"]) == 100


async def test_undecided_batches_are_shown_once_where_a_count_counts_them(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        held = running.indexers["a"].views.held
        here = UndecidedBatch(
            "00" * 16, (1, 5), 0, (7,)
        )  # nobody holds partition 7: it counts here
        unknown = UndecidedBatch(
            "11" * 16, (1, 6), 0, (1,)
        )  # whether partition 1 has it is not known
        held[0] = replace(held[0], undecided=(here, unknown), dropped=(EpochOffset(1, 9),))
        counted = await running.ask({"calculations": [{"op": "COUNT"}], **TIMES})
        answer = await rows_of(running, limit=1_000)
        given = [row["data"] for row in answer["rows"]]
        assert len(given) == counted["data"]["results"][0]["data"]["COUNT"] == 98
        left_out = (ROWS[6].data, ROWS[9].data)
        assert given == [row.data for row in reversed(ROWS) if row.data not in left_out]
        assert answer["coverage"]["complete"] is False
        pages: list[Any] = []
        cursor = None
        while True:
            one = await rows_of(running, limit=7, **({"cursor": cursor} if cursor else {}))
            pages += [row["data"] for row in one["rows"]]
            if (cursor := one["next"]) is None:
                break
        assert pages == given


async def test_a_searched_text_selects_events_and_names_the_fields_that_hold_it(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].announce(OWN)
        search = {"filters": [{"op": "search", "value": "B"}]}
        answer = await rows_of(running, limit=2, **search)
        assert [row["matches"] for row in answer["rows"]] == [["service"]] * 2
        counted = await running.ask({"calculations": [{"op": "COUNT"}], **search, **TIMES})
        assert counted["data"]["results"][0]["data"]["COUNT"] == 50
        bad = {"filters": [{"op": "search", "value": "B", "column": "service"}]}
        assert "column" in str(await rows_of(running, expected=422, **bad))
