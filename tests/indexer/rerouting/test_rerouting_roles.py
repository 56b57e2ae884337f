"""Rerouted batches through real indexers, their messages, HTTP and queries (I2, I3, I7).

What a shepherd would write is written by hand, so that copies land when the test says so.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec
import pytest

from common.errors import LogUnavailable
from common.log import Appended, Log
from common.log.watch import LogWatch
from common.model.names import dataset_id
from common.model.record import Marker, Record, heartbeat_record, marker_record
from common.process.members import list_members, list_partition_holders
from common.process.role import RoleContext
from common.process.web import INTERNAL_TOKEN_HEADER
from indexer.server import serve
from query.config import QueryConfig
from query.plan.planner import build_request
from query.plan.read.spec import read_spec
from query.results.answer import Answer
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import QueryRunner
from query.scatter.hedging import HedgingPolicy
from query.scatter.reconcile import Reconciler
from query.scatter.replicas import Replicas
from query.scatter.scatter import Scatter
from query.share.view.rerouted import BatchLookup, BatchLookupRequest, BatchLookupResponse
from snapshot.bootstrap.bootstrap import read_history
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Manifest
from snapshot.verify.verify import verify
from tests.indexer.harness import DATASET, QUICK, TIME_NS, open_context, record
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.slow

P, Q, R = 0, 1, 2
FILLERS = itertools.count(10_000)
FILLER = dataset_id("t", "e", "filler")
CUT = marker_record(Marker(hour=None, reason="test"))
TIME_S = TIME_NS // 10**9
SPEC = {
    "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": "n"}],
    "breakdowns": ["n"],
    "start_time": TIME_S,
    "end_time": TIME_S + 60,
    "granularity": 60,
}


class Severed:
    """A log that cannot be appended to in some partitions, over a real one."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.unreachable: set[int] = set()

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, partition: int, item: Record) -> Appended:
        if partition in self.unreachable:
            raise LogUnavailable(f"partition {partition} is not reached")
        return await self._log.append(partition, item)


class Remembering:
    """A log that knows where it appended last in each partition."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.last: dict[int, Appended] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, partition: int, item: Record) -> Appended:
        self.last[partition] = await self._log.append(partition, item)
        return self.last[partition]


@dataclass
class Harness:
    """Indexers of three partitions, what they append through, and what asks them."""

    context: RoleContext
    severed: list[Severed]
    runner: QueryRunner

    def __post_init__(self) -> None:
        """The real log, as a shepherd has it."""
        self.log = Remembering(self.context.backends.log)

    def sever(self, *partitions: int) -> None:
        """From now on the indexers cannot append to these partitions only."""
        for one in self.severed:
            one.unreachable = set(partitions)

    async def ask(self, after: Appended | None = None) -> Answer:
        question = build_request(read_spec(SPEC), DATASET, TIME_NS, with_total=True)
        wanted = {} if after is None else self.log.last | {after.position.partition: after}
        positions = tuple(one.position for one in wanted.values())  # an answer has all of them
        return await self.runner.run(question, CoverageRequirement(positions))

    async def times(self, after: Appended | None = None) -> dict[int, int]:
        """How often each number is counted, in an answer that says that it is complete."""
        answer = await self.ask(after)
        assert answer.coverage["complete"], answer.coverage
        found = {row["data"]["n"]: row["data"]["COUNT"] for row in answer.data["results"]}
        assert answer.data["total_by_aggregate"]["COUNT"] == sum(found.values())
        series = [row["data"] for row in msgspec.json.decode(answer.data["series"].json)]
        assert {data["n"]: data["COUNT"] for data in series} == found
        return found

    async def undecided(self) -> int | None:
        """How many questions are open; None: not every partition answered."""
        covered = (await self.ask(await self.beat())).coverage["partitions"]
        known = [one["undecided"] for one in covered if "undecided" in one]
        return sum(known) if len(known) == len(covered) else None

    async def beat(self) -> Appended:
        return await self.log.append(Q, heartbeat_record())

    async def settled(self) -> None:
        await eventually(self.all_decided)

    async def all_decided(self) -> bool:
        return await self.undecided() == 0

    async def cut(self, partitions: int = 3) -> dict[int, Manifest]:
        """The newest manifests after a cut of every partition, with all that was dropped so far."""
        for partition in range(partitions):  # a marker cuts only where there are rows
            await self.log.append(partition, record([next(FILLERS)], dataset=FILLER))
        ends = {p: (await self.log.append(p, CUT)).position.offset + 1 for p in range(partitions)}
        newest: dict[int, Manifest] = {}
        async with asyncio.timeout(PATIENCE_S):
            for partition, end in ends.items():
                chain = Chain(self.context.backends.objects, partition, None)
                while partition not in newest or newest[partition].next_offset < end:
                    await asyncio.sleep(0.05)
                    history = await asyncio.to_thread(read_history, chain, 0)
                    if history.newest is not None:
                        newest[partition] = msgspec.structs.replace(
                            history.newest, conditionals_dropped=list(history.dropped)
                        )
        return newest


@asynccontextmanager
async def harness(folder: Path, zones: str = "a") -> AsyncIterator[Harness]:
    """Real indexer roles over the data in `folder`, one in each zone."""
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(open_context(folder, "query", 3))
        severed = []
        for zone in zones:
            indexer = await stack.enter_async_context(open_context(folder, zone, 3))
            log = Severed(indexer.backends.log)
            object.__setattr__(indexer.backends, "log", log)
            severed.append(log)
            await stack.enter_async_context(indexing(indexer))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        replicas = Replicas(context.backends.locks, context.clock, "a")
        scatter = Scatter(replicas, http, "token", HedgingPolicy(context.clock, 0))
        reconciler = Reconciler(scatter, http, "token")
        identity = await context.backends.log.open()
        watch = LogWatch(context.backends.log, identity, context.clock)
        runner = QueryRunner(scatter, reconciler, watch, context.clock, QueryConfig())
        await eventually(lambda: all_ready(context, len(zones)))
        yield Harness(context, severed, runner)
        await replicas.close()


async def all_ready(context: RoleContext, copies: int) -> bool:
    held = await asyncio.to_thread(list_partition_holders, context.backends.locks)
    ready = [sum(member.ready for member in members) for members in held.values()]
    return ready == [copies] * 3


@asynccontextmanager
async def indexing(context: RoleContext) -> AsyncIterator[None]:
    role = asyncio.create_task(serve(context, QUICK))
    try:
        yield
    finally:
        context.stop.set()
        await role


async def test_copy_that_lands_late_counts_once_before_during_and_after_the_decision(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as one:
        one.sever(P)  # no question comes through: it stays open
        await one.log.append(P, record([7]))
        acked = await one.log.append(Q, record([1], unless=(P,)))
        assert await one.times(acked) == {7: 1, 1: 1}
        assert await one.undecided() == 1
        late = await one.log.append(P, record([1]))
        assert await one.times(late) == {7: 1, 1: 1}
        assert await one.undecided() == 1
        manifests = await one.cut()  # rows of an open question are sealed in place
        assert [item.offset for item in manifests[Q].conditionals_open] == [acked.position.offset]
        assert await one.times(late) == {7: 1, 1: 1}
        one.sever()
        await one.settled()
        assert await one.times() == {7: 1, 1: 1}
        manifests = await one.cut()
        assert [item.offset for item in manifests[Q].conditionals_dropped] == [
            acked.position.offset
        ]
        assert not manifests[Q].conditionals_open
        assert await one.times() == {7: 1, 1: 1}
        assert len(manifests[P].voids) == 1
    async with harness(tmp_path, "c") as other:  # a new machine, from the manifests
        assert await other.times() == {7: 1, 1: 1}
        report = await verify(other.context.backends.objects, other.context.backends.log, [P, Q, R])
        assert report.clean, report.problems
        assert (report.undecided, report.dropped) == (0, 1)


async def test_copy_that_lands_after_the_void_never_counts(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        acked = await one.log.append(Q, record([1], unless=(P,)))
        await one.settled()
        assert await one.times(acked) == {1: 1}
        late = await one.log.append(P, record([1]))
        assert await one.times(late) == {1: 1}
        await one.cut()
        assert await one.times(late) == {1: 1}
    async with harness(tmp_path, "c") as other:
        late = await other.log.append(P, record([1]))
        assert await other.times(late) == {1: 1}


async def test_unreachable_partition_keeps_the_question_open_and_the_answer_right(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as one:
        one.sever(P, Q)
        await one.log.append(Q, record([1], unless=(P,)))
        await one.log.append(Q, record([2]))
        acked = await one.log.append(R, record([1], unless=(P, Q)))
        assert await one.times(acked) == {1: 1, 2: 1}
        assert await one.undecided() == 2
        await one.cut()
        assert await one.times(acked) == {1: 1, 2: 1}
    async with harness(tmp_path, "c") as other:  # and after a restart of everything
        await other.settled()
        assert await other.times() == {1: 1, 2: 1}
        manifests = await other.cut()
        assert len(manifests[R].conditionals_dropped) == 1
        assert manifests[Q].conditionals_dropped == []


async def test_twins_agree_about_rerouted_batches(tmp_path: Path) -> None:
    async with harness(tmp_path, "ab") as one:
        for number in range(1, 21):
            if number % 2:
                await one.log.append(P, record([number]))
            await one.log.append(Q, record([number], unless=(P,)))
        await one.settled()
        expected = dict.fromkeys(range(1, 21), 1)
        assert await one.times(await one.beat()) == expected
        manifests = await one.cut()
        assert len(manifests[Q].conditionals_dropped) == 10
        assert len(manifests[P].voids) == 20
        assert await one.times() == expected
    async with harness(tmp_path, "cd") as other:
        assert await other.times() == expected
        assert not list(other.context.backends.objects.list("divergence/"))


async def test_missing_list_leaves_the_question_open_and_says_so(tmp_path: Path) -> None:
    """Only a partition whose lists are whole can promise that it holds no copy."""
    async with harness(tmp_path) as one:
        await one.log.append(P, record([3]))
        await hours(one.context.backends.log, P, 3)
        manifests = await one.cut()
    async with harness(tmp_path, "c") as other:
        for path in (tmp_path / "objects" / "manifests").rglob("*.json"):
            if not path.match(f"*{manifests[P].key.rsplit('/', 1)[1]}"):
                path.unlink()
        await other.log.append(Q, record([1], unless=(P,)))
        answer = await other.ask(await other.beat())
        assert not answer.coverage["complete"]
        reasons = [p["reason"] for p in answer.coverage["partitions"]]
        assert "rerouted batches are left out" in reasons[Q]


async def hours(log: Log, partition: int, count: int) -> None:
    """So many hour markers, of hours long over."""
    for hour in range(1, count + 1):
        await log.append(partition, marker_record(Marker(hour=hour)))


async def test_as_many_batches_as_a_query_may_ask_about_fit_one_request(tmp_path: Path) -> None:
    async with harness(tmp_path) as one:
        await one.log.append(P, record([1]))
        await one.times(await one.log.append(P, heartbeat_record()))
        many = tuple(BatchLookup(n.to_bytes(16, "big").hex(), TIME_NS) for n in range(50_000))
        ends = {P: (1, 2)}
        [member] = await asyncio.to_thread(list_members, one.context.backends.locks, "indexer")
        async with aiohttp.ClientSession(headers={INTERNAL_TOKEN_HEADER: "token"}) as http:
            body = msgspec.json.encode(BatchLookupRequest(ends, {P: many}))
            assert len(body) > 2**20
            async with http.post(f"{member.url}/internal/held", data=body) as answer:
                assert answer.status == 200
                told = msgspec.json.decode(await answer.read(), type=BatchLookupResponse)
        assert told.held == {P: [many[1].batch]}
