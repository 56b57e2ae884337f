"""Skips offsets that cannot be read: the log dropped them, or a file of it is lost (I5).

Offsets dropped before they were indexed are a permanent gap. A lost file may be restored: the
partition waits, and answers report that, until the file is restored or an operator settles the
loss (counts the records as lost).
"""

import asyncio
from dataclasses import replace

from common.errors import LogLost
from indexer.damage.reports import report_gap
from indexer.damage.tracker import DamageTracker
from indexer.state.current_view import CurrentView
from indexer.state.partition_state import PartitionState
from indexer.state.resync import Resync
from indexer.state.view import PartitionView
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Gap
from snapshot.threads import to_store_thread

_LOST_CHECK_S = 1.0  # between checks for a lost file and for an operator's settlement


class LogGaps:
    """Skips unreadable offsets of one partition, from one resumption to the next."""

    def __init__(
        self, chain: Chain, damage: DamageTracker, views: CurrentView, state: PartitionState
    ) -> None:
        self._chain = chain
        self._damage = damage
        self._views = views
        self._state = state

    async def pass_dropped(self, start: int, predecessor: str | None) -> None:
        """Continue at `start`: the log dropped records that were not indexed here.

        predecessor: key of the newest manifest that is known here. Raises Resync if a later
        manifest covers the dropped records.
        """
        state = self._state
        keys = await to_store_thread(self._chain.manifest_keys, predecessor or "")
        if keys:
            raise Resync(f"the log dropped offset {state.next_offset}, manifest {keys[-1]} goes on")
        lost = LogLost("the log no longer holds them", state.next_offset, start)
        if await self._damage.settled_end(lost) is not None:
            await self._skip(start, str(lost))
            return
        why = "the log dropped records not yet indexed"
        gap = Gap(self._views.present.epoch.log, state.next_offset, start, why)
        report_gap(self._chain.partition, gap)

        def passed(now: PartitionView) -> PartitionView:
            state.skip_to(start)
            return replace(now, gaps=(*now.gaps, gap), live=now.live.reached(start))

        await self._views.change(passed)

    async def pass_lost(self, error: LogLost) -> None:
        """Skip the lost offsets if an operator has settled them, else wait until the next check."""
        end = await self._damage.report_lost(error)
        self._views.notify()
        if end is None:
            await asyncio.sleep(_LOST_CHECK_S)
            return
        await self._skip(end, str(error))
        self._damage.lost = None

    async def _skip(self, end: int, why: str) -> None:
        """Continue at `end`; the skipped offsets are recorded as damaged and settled."""
        state = self._state

        def skipped(now: PartitionView) -> PartitionView:
            state.quarantine.add_lost(state.next_offset, end, why, state.watermark_ns)
            state.quarantine.give_up(self._damage.settlements.settled)
            state.skip_to(end)
            return replace(now, live=now.live.reached(end), damage=state.quarantine.view)

        await self._views.change(skipped)
