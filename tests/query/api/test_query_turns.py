"""Queries of one key do not keep those of another waiting: turns, rooms and refusals, over HTTP."""

import asyncio
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest

from common.metadata import StoredQuery
from common.metadata.sqlite import SqliteMetadata
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from query.cancellation import WorkCancelled
from query.config import QueryConfig, QueryLimits, ResultLimits
from query.plan.plan import Plan
from query.plan.planner import QueryRequest
from query.results import runner as run
from query.results.merge.merge import Answers, merge
from query.results.totals.totals import merge_totals
from query.share.compute.answer import ShareAnswer
from query.share.compute.computation import Computation
from query.share.compute.errors import ShareCancelled
from tests.query.harness import TIMES, QueryHarness, query_harness
from tests.waiting import PATIENCE_S, eventually

CONFIG = QueryConfig(running_max=2, waiting_max=6)
PATH = "/1/query_results/shop"


async def start(running: QueryHarness, key: str) -> tuple[int, Any, str | None]:
    """An asynchronous query: status, answer, Retry-After."""
    headers = {"X-Honeycomb-Team": key}
    body = {"query": {**TIMES}, "disable_series": True}
    async with running.http.post(running.url + PATH, json=body, headers=headers) as answer:
        return (
            answer.status,
            await answer.json(content_type=None),
            answer.headers.get("Retry-After"),
        )


async def finished(running: QueryHarness, result_id: str, key: str) -> tuple[int, Any]:
    """A result, once it is complete or has failed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status, answer = await running.get(f"{PATH}/{result_id}", key=key)
            if status != 200 or answer["complete"]:
                return status, answer
            await asyncio.sleep(0.02)


async def test_another_environment_is_answered_while_one_has_filled_slots_and_waiting_room(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, config=CONFIG) as running:
        indexer = running.indexers["a"]
        indexer.held_keys.add("k0")
        begun = [await start(running, "K") for _ in range(20)]
        accepted = [answer["id"] for status, answer, _ in begun if status == 201]
        refused = [(status, after) for status, _, after in begun if status != 201]
        assert len(accepted) == 7  # one runs: the other slot is kept free for newcomers
        assert set(refused) == {(429, "1")}
        for _ in range(5):
            status, answer = await running.post(
                PATH, {"query": {**TIMES}, "wait_s": 20}, key="OTHER"
            )
            assert (status, answer["complete"]) == (201, True)
        indexer.release.set()
        for result_id in accepted:
            assert (await finished(running, result_id, "K"))[0] == 200


async def test_another_key_of_the_environment_is_answered_while_one_has_filled_its_slots(
    tmp_path: Path,
) -> None:
    config = QueryConfig(running_max=4, waiting_max=6)
    async with query_harness(tmp_path, config=config) as running:
        indexer = running.indexers["a"]
        indexer.held_keys.add("k0")
        begun = [(await start(running, "K"))[1]["id"] for _ in range(6)]
        for key in ("MATE", "OTHER", "MATE"):
            body = {"query": {**TIMES}, "wait_s": 20}
            status, answer = await running.post(PATH, body, key=key)
            assert (status, answer["complete"]) == (201, True)
        assert indexer.waiting == 2  # of the four slots: one more for a key, one for an environment
        indexer.release.set()
        assert [(await finished(running, one, "K"))[0] for one in begun] == [200] * 6


async def test_a_full_waiting_room_makes_room_and_who_was_pushed_out_is_told_to_run_it_again(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, config=CONFIG) as running:
        indexer = running.indexers["a"]
        indexer.held_keys |= {"k0", "k1"}
        begun = [(await start(running, "K"))[1]["id"] for _ in range(7)]
        mine = [await start(running, "OTHER") for _ in range(4)]
        assert [status for status, _, _ in mine] == [201] * 4
        pushed_out = [await running.get(f"{PATH}/{result_id}") for result_id in begun]
        assert [status for status, _ in pushed_out] == [200] * 4 + [410] * 3
        assert "run it again" in pushed_out[-1][1]["error"]
        indexer.release.set()
        for _, answer, _ in mine:
            assert (await finished(running, answer["id"], "OTHER"))[0] == 200


async def test_abandoned_queries_end_and_give_their_slots_back(tmp_path: Path) -> None:
    bounds = QueryLimits(results=ResultLimits(unpolled_s=0.5), upkeep_s=0.05)
    async with query_harness(tmp_path, config=CONFIG, bounds=bounds) as running:
        indexer = running.indexers["a"]
        indexer.held_keys.add("k0")
        begun = [(await start(running, "K"))[1]["id"] for _ in range(7)]
        await asyncio.sleep(1)
        assert {(await finished(running, one, "K"))[0] for one in begun} == {410}
        indexer.held_keys.clear()
        assert (await running.ask({**TIMES}))["complete"]


async def test_results_of_one_environment_push_out_none_of_another(tmp_path: Path) -> None:
    bounds = QueryLimits(results=ResultLimits(count_max=5))
    async with query_harness(tmp_path, bounds=bounds) as running:
        _, mine = await running.post(PATH, {"query": {**TIMES}, "wait_s": 20}, key="OTHER")
        for _ in range(15):
            await running.ask({**TIMES})
        assert (await running.get(f"{PATH}/{mine['id']}", key="OTHER"))[0] == 200


async def test_merges_of_one_key_take_turns_and_leave_one_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, release = list[str](), threading.Event()

    def held(query: QueryRequest, plan: Plan, shares: Answers) -> Any:
        began.append(query.key)
        if query.key == "k0":
            release.wait(PATIENCE_S)
        return merge_totals(query, plan, shares)

    monkeypatch.setattr(run, "merge_totals", held)
    async with query_harness(tmp_path, config=QueryConfig(running_max=4)) as running:
        mine = [(await start(running, "K"))[1]["id"] for _ in range(3)]
        body = {"query": {**TIMES}, "wait_s": 20}
        for key in ("OTHER", "MATE") * 3:
            status, answer = await running.post(PATH, body, key=key)
            assert (status, answer["complete"]) == (201, True)
        assert began.count("k0") <= 1
        release.set()
        assert [(await finished(running, one, "K"))[0] for one in mine] == [200] * 3


async def test_a_merge_ends_when_its_caller_hangs_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), threading.Event()

    def endless(query: QueryRequest, plan: Plan, shares: Answers) -> Any:
        began.set()
        try:
            while True:
                merge(plan, shares)
        except WorkCancelled:
            ended.set()
            raise

    monkeypatch.setattr(run, "merge_totals", endless)
    async with query_harness(tmp_path) as running:
        asking = asyncio.create_task(running.ask({**TIMES}, disable_series=True))
        assert await asyncio.to_thread(began.wait, PATIENCE_S)
        asking.cancel()
        assert await asyncio.to_thread(ended.wait, PATIENCE_S)


async def test_storing_queries_of_one_key_leaves_threads_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, release = SqliteMetadata.put_query, threading.Event()

    def held(metadata: SqliteMetadata, stored: StoredQuery) -> None:
        if b"held" in stored.spec_json:
            release.wait(PATIENCE_S)
        put(metadata, stored)

    monkeypatch.setattr(SqliteMetadata, "put_query", held)
    bounds = QueryLimits(metadata_calls_max=4)  # of the few threads in a test
    async with query_harness(tmp_path, bounds=bounds) as running:
        attack = [
            asyncio.create_task(running.post("/1/queries/shop", {"breakdowns": [f"held{n}"]}))
            for n in range(40)
        ]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE_S / 2):
            status, stored = await running.post("/1/queries/shop", {**TIMES}, key="OTHER")
            assert status == 200
            found = await running.get(f"/1/queries/shop/{stored['id']}", key="OTHER")
            assert found[0] == 200
        release.set()
        assert {status for status, _ in await asyncio.gather(*attack)} == {200}


async def test_a_caller_that_hangs_up_ends_the_computation_at_the_indexer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), threading.Event()

    def endless(computation: Computation) -> ShareAnswer:
        began.set()
        if computation._cancelled.wait(PATIENCE_S):
            ended.set()
        raise ShareCancelled

    monkeypatch.setattr(Computation, "run", endless)
    async with query_harness(tmp_path) as running:
        asking = asyncio.create_task(running.ask({"calculations": [{"op": "COUNT"}], **TIMES}))
        assert await asyncio.to_thread(began.wait, PATIENCE_S)
        asking.cancel()
        assert await asyncio.to_thread(ended.wait, PATIENCE_S)


async def test_a_caller_that_hangs_up_interrupts_its_statement_and_frees_its_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real statement, without end; the next query needs the only turn of either role."""
    compute, interrupted = Computation._run, threading.Event()
    running: list[Computation] = []

    def endless(computation: Computation) -> ShareAnswer:
        if interrupted.is_set():
            return compute(computation)
        with computation._named_errors(), computation._open() as connection:
            running.append(computation)
            try:
                connection.execute(
                    "SELECT max(a + b) FROM range(10000000) t(a), range(10000000) u(b)"
                )
            except duckdb.InterruptException:
                interrupted.set()
                raise
        raise AssertionError

    monkeypatch.setattr(Computation, "_run", endless)
    async with query_harness(tmp_path, config=QueryConfig(running_max=1)) as there:
        endpoint = there.indexers["a"].endpoint
        endpoint._slots = FairSlots(FairLimits(1, 8), "queries")
        asking = asyncio.create_task(there.ask({**TIMES}, disable_series=True))
        await eventually(lambda: running)
        assert endpoint._slots.running == endpoint._inside.running == 1
        asking.cancel()
        assert await asyncio.to_thread(interrupted.wait, PATIENCE_S)
        await eventually(lambda: endpoint._slots.running == endpoint._inside.running == 0)
        assert (await there.ask({**TIMES}))["complete"]


async def test_a_result_may_be_asked_for_after_one_that_polled_it_has_hung_up(
    tmp_path: Path,
) -> None:
    """Whoever has its id may want it; one that nobody asks for ends (above)."""
    async with query_harness(tmp_path) as there:
        indexer = there.indexers["a"]
        indexer.held_keys.add("k0")
        one = (await start(there, "K"))[1]["id"]
        await eventually(lambda: indexer.waiting == 1)
        address = urlsplit(there.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = f"GET {PATH}/{one} HTTP/1.1\r\nHost: h\r\nX-Honeycomb-Team: K\r\n\r\n"
        writer.write(head.encode())
        assert b"200 OK" in await reader.readline()
        writer.close()
        await writer.wait_closed()
        status, answer = await there.get(f"{PATH}/{one}", key="MATE")
        assert (status, answer["complete"], indexer.waiting) == (200, False, 1)
        indexer.release.set()
        assert (await finished(there, one, "MATE"))[0] == 200


async def test_a_query_is_ended_by_who_asked_it_and_by_nobody_else(tmp_path: Path) -> None:
    async with query_harness(tmp_path, config=CONFIG) as running:
        running.indexers["a"].held_keys.add("k0")
        _, begun, _ = await start(running, "K")
        path = f"{PATH}/{begun['id']}"
        assert (await running.delete(path, key="MATE"))[0] == 403
        assert (await running.get(path))[1]["complete"] is False
        assert (await running.delete(path))[0] == 204
        assert (await finished(running, begun["id"], "K"))[0] == 410
        assert (await running.delete(path))[0] == 204
        running.indexers["a"].held_keys.clear()
        _, other, _ = await start(running, "K")
        assert (await finished(running, other["id"], "K"))[0] == 200
        assert (await running.delete(f"{PATH}/{other['id']}"))[0] == 204
        assert (await running.get(f"{PATH}/{other['id']}"))[1]["complete"] is True
        assert (await running.delete(f"{PATH}/nothing"))[0] == 404
