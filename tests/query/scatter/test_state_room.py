"""Memory for states: bounded per question and in all, shared fairly, free when nobody uses it."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from common.errors import BellwetherError, TooManyRequests, Unavailable, Unprocessable
from common.process.members import Member
from query.config import QueryConfig, QueryLimits
from query.plan.plan import ShareRequest
from query.scatter.partial_results import PartialResults
from query.scatter.scatter import Scatter
from query.scatter.share_request import ShareFailed, VersionedPlan
from query.scatter.state_room import QuestionStates, StateRoom
from tests.query.fake_indexer import FakeIndexer
from tests.query.harness import TIMES, query_harness
from tests.waiting import eventually

MIB = 2**20
FREE = limits.STATES_UNCOUNTED_BYTES


def test_one_question_may_have_a_third_and_is_told_the_limit_beyond_it() -> None:
    room = StateRoom(30 * MIB)
    question = room.question("e", "k")
    kept = [question.reserve(4 * MIB), question.reserve(6 * MIB)]
    assert room.used == 10 * MIB - FREE
    with pytest.raises(Unprocessable, match=r"10 MiB, a third of `query\.states_mb`"):
        question.reserve(1)
    del kept
    question.reserve(10 * MIB)


def test_bytes_count_until_the_last_reference_to_them_is_gone() -> None:
    room = StateRoom(30 * MIB)
    data = room.question("e", "k").reserve(5 * MIB)
    view = memoryview(data)
    del data
    assert room.used == 5 * MIB - FREE
    view.release()
    del view
    assert room.used == 0


def test_a_newcomer_has_room_beside_an_environment_with_many_large_questions() -> None:
    room = StateRoom(60 * MIB)
    kept: list[bytearray] = []

    def fill(key: str) -> None:
        while True:
            kept.append(room.question("e", key).reserve(4 * MIB))

    with pytest.raises(TooManyRequests, match="environment or key"):
        fill("k")
    of_one_key = room.used
    with pytest.raises(TooManyRequests, match="environment or key"):
        fill("another")
    assert of_one_key < room.used <= 30 * MIB
    kept.append(room.question("f", "k").reserve(8 * MIB))
    kept.append(room.question("e", "k").reserve(FREE))  # small ones are never refused
    with pytest.raises(Unavailable, match="other queries fill"):
        room.question("g", "k").reserve(20 * MIB)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("efg"), st.sampled_from("kl"), st.integers(0, 9 * MIB))))
def test_the_room_is_never_overdrawn_and_always_leaves_some_for_another(
    asked: list[tuple[str, str, int]],
) -> None:
    room = StateRoom(30 * MIB)
    kept: list[bytearray] = []
    for number, (env, key, size) in enumerate(asked):
        try:
            kept.append(room.question(env, key).reserve(size))
        except BellwetherError:
            kept = kept[number % 3 :]
        assert 0 <= room.used < 30 * MIB
    kept.clear()
    assert room.used == 0


def padded(indexer: FakeIndexer, size: int) -> None:
    """Add a state of so many bytes to each of its shares, which nothing reads."""
    answer = indexer.endpoint._answer
    more = pa.table({"z": pa.array([bytes(size)])}).replace_schema_metadata(
        {"bellwether.state": "more"}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, more.schema) as writer:
        writer.write_table(more)
    encoded: bytes = sink.getvalue().to_pybytes()

    async def long(
        wanted: ShareRequest, abandoned: Callable[[], bool], keys: Sequence[pa.Table]
    ) -> bytes | bytearray:
        return bytes(await answer(wanted, abandoned, keys)) + encoded

    indexer.endpoint._answer = long  # type: ignore[method-assign]


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StateRoom]]:
    """The rooms that are made. Nothing is freed because the collector happens to run."""
    made: list[StateRoom] = []
    init = StateRoom.__init__

    def kept(room: StateRoom, bytes_max: int) -> None:
        init(room, bytes_max)
        made.append(room)

    monkeypatch.setattr(StateRoom, "__init__", kept)
    gc.disable()
    yield made
    gc.enable()


@pytest.mark.parametrize("route", ["/1/query_results/shop", "/bw/1/rows"])
async def test_a_refusal_that_is_kept_for_its_caller_holds_no_states(
    route: str, tmp_path: Path, rooms: list[StateRoom]
) -> None:
    config = QueryConfig(hedge_ms=0, states_mb=12)
    async with query_harness(tmp_path, ("a", "b"), config) as running:
        del running.indexers["a"].views.held[1]
        del running.indexers["b"].views.held[0]
        padded(running.indexers["a"], 3 * MIB)
        padded(running.indexers["b"], 2 * MIB)  # together more than a third
        spec: dict[str, Any] = {"query": {**TIMES}, "wait_s": 20, "disable_series": True}
        status, refused = await running.post(
            route, spec if "results" in route else {**TIMES, "dataset": "shop"}
        )
        assert (status, "a third of `query.states_mb`" in str(refused)) == (422, True)
        assert rooms[0].used == 0


async def test_each_round_of_a_question_lets_go_of_the_states_of_the_one_before(
    tmp_path: Path, rooms: list[StateRoom], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUANTILE_EXACT_PAIRS_MAX", 3)  # else totals and series are merged
    held: list[int] = []
    reserve = StateRoom.reserve

    def seen(room: StateRoom, question: QuestionStates, size: int) -> None:
        reserve(room, question, size)
        held.append(question.held - size)

    monkeypatch.setattr(StateRoom, "reserve", seen)
    p99 = {"calculations": [{"op": "P99", "column": "ms"}]}
    async with query_harness(tmp_path, ("a",), QueryConfig(hedge_ms=0)) as running:
        await running.ask({**TIMES, **p99})
        assert held == [0, 0, 0]  # totals and series at once, the totals alone, the series alone
        held.clear()
        by = {"breakdowns": ["service"]}
        await running.ask({**TIMES, **p99, **by}, disable_total_by_aggregate=False)
        assert held == [0, 0, 0]  # the totals, the series of groups, the series of all


async def test_a_question_whose_states_are_too_many_is_refused_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    config = QueryConfig(hedge_ms=0, states_mb=3)
    async with query_harness(tmp_path, ("a",), config) as running:
        endpoint = running.indexers["a"].endpoint
        answer = endpoint._answer
        padded(running.indexers["a"], MIB)
        spec = {"query": {**TIMES}, "wait_s": 20, "disable_series": True}
        status, refused = await running.post("/1/query_results/shop", spec)
        assert status == 422
        assert "1 MiB, a third of `query.states_mb`" in str(refused)
        endpoint._answer = answer  # type: ignore[method-assign]
        assert (await running.ask({**TIMES}))["complete"]
        metrics = await (await running.http.get(running.url + "/metrics")).text()
        assert "\nbellwether_query_state_bytes 0.0\n" in metrics


async def test_an_incomplete_answer_is_not_refused_because_the_other_one_has_no_room_beside_it(
    tmp_path: Path,
) -> None:
    config = QueryConfig(hedge_ms=0, states_mb=12)
    async with query_harness(tmp_path, ("a", "b"), config) as running:
        for indexer in running.indexers.values():
            padded(indexer, 3 * MIB)  # two of them are more than a third
        first = running.indexers["a"].views
        first.held[0] = replace(first.held[0], unserved=("s",))
        answer = await running.ask({**TIMES}, disable_series=True)
        assert not answer["coverage"]["complete"]
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert running.indexers["b"].asked == 1


@pytest.mark.parametrize("found", [True, False])
async def test_a_twin_answers_where_its_states_leave_no_room_for_the_first(
    found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, refused = asyncio.Event(), asyncio.Event()
    request = Scatter._request_share

    async def ask(
        one: Scatter, asked: VersionedPlan, partitions: tuple[int, ...], member: Member
    ) -> PartialResults:
        if member.zone == "a":
            await twin.wait()
            refused.set()
            raise Unprocessable("no room for both")
        twin.set()
        await refused.wait()
        if not found:
            raise ShareFailed("gone", "the twin is gone")
        return await request(one, asked, partitions, member)

    monkeypatch.setattr(Scatter, "_request_share", ask)
    async with query_harness(tmp_path, ("a", "b"), QueryConfig(hedge_ms=1)) as running:
        body = {"query": {**TIMES}, "wait_s": 20, "disable_series": True}
        status, answer = await running.post("/1/query_results/shop", body)
        assert status == (201 if found else 422), answer
        if found:
            assert {p["zone"] for p in answer["coverage"]["partitions"]} == {"b"}


async def test_the_metric_forgets_states_that_are_gone_without_another_question(
    tmp_path: Path,
) -> None:
    bounds = QueryLimits(upkeep_s=0.01)
    config = QueryConfig(hedge_ms=0, states_mb=30)
    async with query_harness(tmp_path, ("a",), config, bounds=bounds) as running:
        padded(running.indexers["a"], 5 * MIB)
        body = {"query": {**TIMES}, "wait_s": 20, "disable_series": True}
        status, answer = await running.post("/1/query_results/shop", body)
        assert (status, answer["coverage"]["state_bytes"] > 5 * MIB) == (201, True)

        async def is_zero() -> bool:
            metrics = await (await running.http.get(running.url + "/metrics")).text()
            return "\nbellwether_query_state_bytes 0.0\n" in metrics

        await eventually(is_zero)


def test_bytes_that_there_is_no_memory_for_do_not_count() -> None:
    room = StateRoom(2**62)
    with pytest.raises(MemoryError):
        room.question("e", "k").reserve(2**60)
    assert room.used == 0


async def test_a_caller_that_hangs_up_leaves_no_states(
    tmp_path: Path, rooms: list[StateRoom]
) -> None:
    config = QueryConfig(hedge_ms=0, states_mb=30)
    async with query_harness(tmp_path, ("a", "b"), config) as running:
        del running.indexers["a"].views.held[1]
        del running.indexers["b"].views.held[0]
        padded(running.indexers["a"], 3 * MIB)
        running.indexers["b"].delay_s = 3_600
        body = {"query": {**TIMES}, "wait_s": 20, "disable_series": True}
        asking = asyncio.create_task(running.post("/1/query_results/shop", body))
        await eventually(lambda: rooms[0].used > MIB)
        asking.cancel()
        await eventually(lambda: rooms[0].used == 0)
