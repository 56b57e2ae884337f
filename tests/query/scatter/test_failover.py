"""A replica that is slow, stopped or gone: its twin answers, or the answer is incomplete."""

from dataclasses import replace
from pathlib import Path

import pytest

from query.config import ProbeTiming, QueryConfig, QueryLimits
from tests.query.harness import TIMES, query_harness

NO_HEDGES = QueryConfig(hedge_ms=0)  # on a slow machine the twin is asked by chance


async def test_twin_answers_when_the_first_refuses(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a", "b"), NO_HEDGES) as running:
        first, twin = running.indexers["a"], running.indexers["b"]
        await running.ask({**TIMES}, disable_series=True)
        assert twin.asked == 0
        first.refuse = True
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert {p["indexer"] for p in answer["coverage"]["partitions"]} == {"ix-b"}


async def test_twin_answers_when_the_first_is_slow(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a", "b"), QueryConfig(hedge_ms=3_000)) as running:
        await running.ask({**TIMES}, disable_series=True)
        running.indexers["a"].delay_s = 3_600
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert {p["indexer"] for p in answer["coverage"]["partitions"]} == {"ix-b"}


async def test_slow_one_is_asked_last_for_a_while(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a", "b"), QueryConfig(hedge_ms=400)) as running:
        first = running.indexers["a"]
        first.delay_s = 30
        for _ in range(3):
            answer = await running.ask({**TIMES}, disable_series=True)
            assert {p["zone"] for p in answer["coverage"]["partitions"]} == {"b"}
        assert first.asked < 3


@pytest.mark.parametrize("zones", [("a",), ("a", "b")])
async def test_indexer_that_takes_connections_and_says_nothing_holds_nobody_up(
    tmp_path: Path, zones: tuple[str, ...]
) -> None:
    bounds = QueryLimits(probing=ProbeTiming(0.3, 0.3))
    async with query_harness(tmp_path, zones, NO_HEDGES, bounds=bounds) as running:
        indexer = running.indexers["a"]
        indexer.delay_s = indexer.health_delay_s = 1_000
        answer = await running.ask({**TIMES}, disable_series=True)
        complete = answer["coverage"]["complete"]
        assert complete is (len(zones) == 2)
        if complete:
            assert {p["zone"] for p in answer["coverage"]["partitions"]} == {"b"}
        else:
            assert "answered" in answer["coverage"]["partitions"][0]["reason"]


async def test_heavy_share_is_waited_for_while_its_process_answers(tmp_path: Path) -> None:
    bounds = QueryLimits(probing=ProbeTiming(every_s=0.02))
    async with query_harness(tmp_path, ("a",), bounds=bounds) as running:
        running.indexers["a"].delay_s = 1.0
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["coverage"]["complete"] is True


async def test_partition_that_moved_is_asked_of_its_new_holder(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a", "b"), NO_HEDGES) as running:
        del running.indexers["a"].views.held[1]
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert [p["indexer"] for p in answer["coverage"]["partitions"]] == ["ix-a", "ix-b"]


async def test_partitions_nobody_answers_for_make_the_answer_incomplete(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        del running.indexers["a"].views.held[1]
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 60}}]
        assert answer["coverage"]["complete"] is False
        assert answer["coverage"]["partitions"][1]["reason"]
        body = {"query": {**TIMES}, "wait_s": 20, "coverage": "require"}
        status, refused = await running.post("/1/query_results/shop", body)
        assert (status, "partition" in refused["error"]) == (503, True)


async def test_positions_not_yet_indexed_make_the_answer_incomplete(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        epoch = (await running.log.open()).epoch
        for views in (i.views for i in running.indexers.values()):
            views.held[0] = replace(views.held[0], epoch=epoch, end_offset=60)
        seen = await running.ask({**TIMES}, disable_series=True, after=f"{epoch}:0:59")
        assert seen["coverage"]["complete"] is True
        unseen = await running.ask({**TIMES}, disable_series=True, after=f"{epoch}:0:60")
        assert unseen["coverage"]["complete"] is False
