"""Tracks one partition's damaged records for its operator: counts, reports, settlements (I7, I13).

It does not affect which rows are served. Settled: an operator has counted a record as lost.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from common import limits
from common.clock import Clock
from common.errors import LogLost
from common.log import Log
from common.logs import log_event
from common.metrics import damaged_records, given_up_records
from common.model.reroute import EpochOffset
from indexer.damage.publish_gate import Peers, PublishGate
from indexer.damage.reports import report_quarantined
from indexer.shred import Accepted
from indexer.state.current_view import CurrentView
from indexer.state.cut_rules import CutRules
from indexer.state.partition_state import PartitionState
from indexer.state.quarantine import DamageView, unreadable_entry
from snapshot.bootstrap.bootstrap import ResumedPartition
from snapshot.damage.damage import records
from snapshot.damage.settlements import SettlementBook
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Damaged, QuarantinedRecord
from snapshot.documents.next_cut import newest_next_cut
from snapshot.threads import to_store_thread

logger = logging.getLogger(__name__)


class DamageTracker:
    """The damaged records of one partition, for as long as the process holds it.

    total: records that this process could not read.
    newest: the last of these records.
    settlements: records and ranges that operators have settled.
    in_cut: unreadable records of the cut that is growing, found while shredding.
    lost: the range that the log cannot read at all now; None: there is none.
    publish_gate: searches whole copies; it outlives resumptions of the partition.
    """

    def __init__(
        self,
        chain: Chain,
        views: CurrentView,
        log: Log,
        peers: Peers,
        clock: Clock,
        wait_s: float,
    ) -> None:
        """wait_s: the longest delay of a cut that lacks damaged records."""
        self.total = 0
        self.newest: list[QuarantinedRecord] = []
        self.settlements = SettlementBook(chain)
        self.in_cut: list[QuarantinedRecord] = []
        self.lost: LogLost | None = None
        self.publish_gate = PublishGate(chain, log, peers, clock, wait_s, self.is_given_up)
        self._chain = chain
        self._views = views
        self._partition = chain.partition
        self._epoch_number = 0

    async def _begin(self, state: PartitionState, epoch_number: int) -> None:
        self._epoch_number = epoch_number
        await to_store_thread(self.settlements.refresh)
        state.quarantine.give_up(self.settlements.settled)
        self.in_cut = []
        self.update_metrics(state.quarantine.view)

    async def make_state(
        self, resumed: ResumedPartition, dropped: Iterable[EpochOffset], rules: CutRules
    ) -> PartitionState:
        """The state from which the partition resumes. Raises ObjectsUnavailable."""
        number = resumed.epoch.number
        heading = await to_store_thread(newest_next_cut, self._chain, number, resumed.predecessor)
        excluded = frozenset(() if heading is None else heading.set_aside)
        state = PartitionState(resumed.carried, number, dropped, excluded, rules)
        await self._begin(state, number)
        return state

    async def report_lost(self, error: LogLost) -> int | None:
        """Record the loss. Returns the offset to continue at if an operator has settled it."""
        if self.lost is None:
            log_event(
                logger,
                logging.ERROR,
                "a file of the log is lost: waiting for it, or for an operator's word",
                partition=self._partition,
                why=str(error),
            )
        self.lost = error
        return await self.settled_end(error)

    async def settled_end(self, error: LogLost) -> int | None:
        """The offset to continue at; None while no operator has settled the loss."""
        await to_store_thread(self.settlements.refresh)
        ends = [
            one.end
            for one in self.settlements.skips
            if one.epoch_number == self._epoch_number and one.first <= error.first < one.end
        ]
        return max(ends, default=None)

    @property
    def unreadable_reason(self) -> str:
        """Why the log cannot be read; empty if it can."""
        if self.lost is None:
            return ""
        return (
            f"offsets from {self.lost.first} to {self.lost.end - 1} cannot be read: {self.lost}; "
            "or count them as lost: see `bellwether damage`"
        )

    def is_given_up(self, offset: int) -> bool:
        """Whether an operator has settled this offset of the present epoch."""
        return any(
            one.epoch_number == self._epoch_number and one.first <= offset < one.end
            for one in self.settlements.settled
        )

    def add_damaged(self, entry: Damaged) -> None:
        """Count and report a record that could not be read."""
        self._report(QuarantinedRecord(entry.first, entry.reason))

    def add_unreadable(
        self,
        state: PartitionState,
        epoch_number: int,
        batch: Sequence[Accepted],
        found: Iterable[QuarantinedRecord],
    ) -> None:
        """Count and report records that are stored whole but whose events cannot be read."""
        by_offset = {one.offset: one for one in batch}
        for entry in found:
            state.quarantine.add_unreadable(
                (unreadable_entry(epoch_number, by_offset[entry.offset], entry.reason),)
            )
            self.in_cut.append(entry)
            self._report(entry)

    async def apply_settlements(self, state: PartitionState) -> None:
        """Apply operators' settlements to the view."""
        state.quarantine.give_up(self.settlements.settled)
        self.update_metrics(state.quarantine.view)
        await self._views.change(lambda view: replace(view, damage=state.quarantine.view))

    def take_in_cut(self) -> tuple[QuarantinedRecord, ...]:
        """Take the entries that were found while shredding the cut that ends now."""
        found, self.in_cut = tuple(self.in_cut), []
        return found

    def _report(self, entry: QuarantinedRecord) -> None:
        self.total += 1
        report_quarantined(self._partition, entry)
        self.newest = [*self.newest, entry][-limits.SET_ASIDE_SHOWN_MAX :]

    def update_metrics(self, view: DamageView) -> None:
        """Set the metrics."""
        label = str(self._partition)
        damaged_records.labels(label).set(records(view.missing))
        given_up_records.labels(label).set(records(view.given_up))
