"""Shares that rely on others, or are fetched from a twin: what the answer then says (I2, I7)."""

from collections.abc import Callable, Sequence
from typing import cast

import aiohttp
import msgspec
import pyarrow as pa

from common.process.members import Member
from common.process.versions import OWN
from query.plan.plan import Need, Plan, State
from query.scatter.partial_results import AnsweredPartition, PartialResults
from query.scatter.reconcile import ReconciledTotals, Reconciler
from query.scatter.scatter import Scatter
from query.scatter.state_room import QuestionStates, StateRoom
from query.share.compute.answer import PartitionCovered
from query.share.view.rerouted import UndecidedBatch

PLAN = Plan(dataset="d", start_ns=0, end_ns=1, needs=(Need(State.COUNT),))
INDEXER = Member("indexer", "ix", "http://127.0.0.1:1", "a", 1, 1, "1")
WHOLE = PartitionCovered(
    partition=0,
    epoch="aa",
    end_offset=10,
    watermark_ns=0,
    gaps=(),
    unserved=0,
    complete=True,
    reason="",
)
UNDECIDED = UndecidedBatch("00" * 16, (1, 5), 0, (7,))  # nobody holds partition 7: it counts here
OF_VERSION_1 = "bb"  # epoch of shares of an earlier indexer


class Shares:
    """A scatter whose shares a test makes up."""

    def __init__(self, answer: Callable[[Plan], PartitionCovered]) -> None:
        self._answer = answer

    async def run(
        self,
        plan: Plan,
        partitions: Sequence[int],
        states: QuestionStates,
        *,
        version_max: int = OWN.plan,
    ) -> PartialResults:
        covered = self._answer(plan)
        return PartialResults(
            [{"main": pa.table({"n": [1]})}],
            {covered.partition: AnsweredPartition(covered, INDEXER)},
            version=min(version_max, 1 if covered.epoch == OF_VERSION_1 else OWN.plan),
        )


async def reconciled(answer: Callable[[Plan], PartitionCovered]) -> ReconciledTotals:
    async with aiohttp.ClientSession() as http:
        reconciler = Reconciler(cast(Scatter, Shares(answer)), http, "token")
        return await reconciler.totals(PLAN, [0], StateRoom(3 * 2**20).question("e", "k"))


async def incomplete(answer: Callable[[Plan], PartitionCovered]) -> dict[int, str]:
    return (await reconciled(answer)).incomplete


async def test_drop_in_favour_of_a_partition_that_was_just_added_is_not_called_complete() -> None:
    relying = msgspec.structs.replace(WHOLE, relies_on={3: (1, 0)})
    assert list(await incomplete(lambda _: relying)) == [0]
    assert not await incomplete(lambda _: WHOLE)


async def test_undecided_batches_of_a_twin_that_lacks_a_segment_are_not_called_complete() -> None:
    waiting = msgspec.structs.replace(WHOLE, undecided=(UNDECIDED,))
    lacking = msgspec.structs.replace(WHOLE, unserved=1, complete=False)
    assert not await incomplete(lambda plan: WHOLE if plan.only_counted else waiting)
    assert list(await incomplete(lambda plan: lacking if plan.only_counted else waiting)) == [0]


async def test_undecided_batches_in_states_of_an_earlier_version_are_not_merged() -> None:
    waiting = msgspec.structs.replace(WHOLE, undecided=(UNDECIDED,))
    early = msgspec.structs.replace(WHOLE, epoch=OF_VERSION_1)
    alike = await reconciled(lambda plan: WHOLE if plan.only_counted else waiting)
    assert len(alike.gathered.states) == 2
    mixed = await reconciled(lambda plan: early if plan.only_counted else waiting)
    assert len(mixed.gathered.states) == 1
    assert list(mixed.incomplete) == [0]
