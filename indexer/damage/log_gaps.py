"""Going on after offsets that the log does not give: dropped by it, or in a lost file (I5).

Offsets dropped before they were indexed are a gap for ever. A lost file may be restored: the
partition waits, and answers report that, until it is back or an operator counts it as lost.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from common.errors import LogLost
from indexer.damage.reports import report_gap
from indexer.damage.tracker import DamageTracker
from indexer.seal.pipeline import SealingPipeline
from indexer.state.partition_state import PartitionState
from indexer.state.resync import Resync
from indexer.state.view import PartitionView
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Gap
from snapshot.threads import to_store_thread

_LOST_CHECK_S = 1.0  # between checks for a lost file and for an operator's settlement


class GapPartition(Protocol):
    """A partition as it reads its log."""

    number: int
    chain: Chain
    damage: DamageTracker

    @property
    def pipeline(self) -> SealingPipeline | None:
        """Its cuts that are not published yet."""

    async def change(self, change: Callable[[PartitionView], PartitionView]) -> PartitionView:
        """Serve the changed view from now on, in one step, and wake all waiters."""

    def notify(self) -> None:
        """Wake all who wait for this partition to advance."""


async def pass_gap(
    partition: GapPartition, state: PartitionState, view: PartitionView, start: int
) -> None:
    """The log dropped unread offsets: another indexer's manifest covers them, or they are lost.

    Raises Resync if a manifest covers it.
    """
    after = partition.pipeline.predecessor if partition.pipeline is not None else None
    keys = await to_store_thread(partition.chain.manifest_keys, after or "")
    if keys:
        raise Resync(f"the log dropped offset {state.next_offset}, manifest {keys[-1]} goes on")
    lost = LogLost("the log no longer holds them", state.next_offset, start)
    if await partition.damage.settled_end(lost) is not None:
        await _skip(partition, state, start, str(lost))
        return
    why = "the log dropped records not yet indexed"
    gap = Gap(view.epoch.log, state.next_offset, start, why)
    report_gap(partition.number, gap)

    def passed(now: PartitionView) -> PartitionView:
        state.skip_to(start)
        return replace(now, gaps=(*now.gaps, gap), live=now.live.reached(start))

    await partition.change(passed)


async def pass_lost(partition: GapPartition, state: PartitionState, error: LogLost) -> None:
    """Check once whether an operator has given up what the log has lost, and wait a moment."""
    end = await partition.damage.report_lost(error)
    partition.notify()
    if end is None:
        await asyncio.sleep(_LOST_CHECK_S)
        return
    await _skip(partition, state, end, str(error))
    partition.damage.lost = None


async def _skip(partition: GapPartition, state: PartitionState, end: int, why: str) -> None:
    """Go on at `end`; the offsets before it are damaged, and settled already."""

    def skipped(now: PartitionView) -> PartitionView:
        state.quarantine.add_lost(state.next_offset, end, why, state.watermark_ns)
        state.quarantine.give_up(partition.damage.settlements.given_up)
        state.skip_to(end)
        return replace(now, live=now.live.reached(end), damage=state.quarantine.view)

    await partition.change(skipped)
