"""Recovery of one partition's damaged records: settlements, and copies that became whole (I2).

An operator's settlement (records counted as lost) is in answers within seconds. A record that no
cut covers yet is read again and requested from the other indexers, without waiting for the cut. A
record that a published cut lacks and that has become readable (a file or a replica was restored)
is appended again, in a record that names the one it replaces: it counts once, however many indexers
append it.
"""

import logging
from collections.abc import Sequence
from itertools import chain, islice
from typing import Protocol

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import BellwetherError, ObjectsUnavailable
from common.log import Log
from common.logs import log_event
from common.model.record import Kind, LogRecord, Record, RecordError, decode, settled_record
from common.model.record_value import event_lines
from common.model.reroute import EpochOffset
from common.tasks import Retry, run_every, sleep_in_step
from indexer.damage.scrubber import Scrubber
from indexer.damage.tracker import DamageTracker
from indexer.rerouting.batch_lookup import find_copies
from indexer.seal.partition_reader import PartitionReader, covered_end
from indexer.state.log_end import LogEnd
from indexer.state.resync import Resync
from snapshot.damage.damage import is_log_damage
from snapshot.documents.batch_lists import ListsMissing
from snapshot.threads import to_store_thread

_ROUND_S = 2.0
_OFTEN_ROUNDS = 10  # rounds after damage is found that each try every step
_SELDOM = 15  # afterwards only every 15th round does
logger = logging.getLogger(__name__)


class DamagedPartition(PartitionReader, Protocol):
    """A partition as the recovery of damaged records uses it."""

    @property
    def damage(self) -> DamageTracker:
        """Its damaged records."""

    @property
    def log_end(self) -> LogEnd:
        """The bounds of its log."""

    def request_resync(self, reason: str) -> None:
        """Have the partition resumed from its newest manifest."""


class DamageRecovery:
    """Recovers the records of one partition, until it is cancelled."""

    def __init__(
        self,
        partition: DamagedPartition,
        log: Log,
        clock: Clock,
        scrub_every_s: float,
        read_again_max: int = limits.DAMAGE_READ_AGAIN_MAX,
    ) -> None:
        """read_again_max: records read again in one round."""
        self._read_again_max = read_again_max
        self._partition = partition
        self._log = log
        self._clock = clock
        self._rounds = 0
        self._scrubber = Scrubber(partition, log, clock, scrub_every_s)
        self._next = 0  # offset from which the next round reads covered records again
        self._appended: set[EpochOffset] = set()  # damaged until their new copy is read

    async def run(self) -> None:
        """Recover records until cancelled."""
        await run_every(
            _ROUND_S,
            self._round,
            retry=Retry((BellwetherError, OSError), self._log_failure),
            sleep=sleep_in_step,
        )

    async def _round(self) -> None:
        try:
            await self._scrubber.scrub_if_due()
            if self.has_unsettled_damage:
                await self.run_once()
            else:
                self._rounds = 0
        except Resync as error:
            self._partition.request_resync(str(error))

    def _log_failure(self, error: Exception) -> None:
        log_event(
            logger,
            logging.WARNING,
            "damaged records cannot be looked after now",
            partition=self._partition.number,
            why=describe_error(error),
        )

    @property
    def has_unsettled_damage(self) -> bool:
        """Whether there is damage that an operator may settle."""
        view = self._partition.view
        return view is not None and bool(view.damage.missing)

    async def run_once(self) -> None:
        """One round. Raises Resync when a resumption gains rows."""
        partition = self._partition
        if await to_store_thread(partition.damage.settlements.refresh):
            await self._settle()
        self._rounds += 1
        if self._rounds > _OFTEN_ROUNDS and self._rounds % _SELDOM:
            return
        view, pipeline = partition.view, partition.pipeline
        if view is None or pipeline is None or partition.stopped_reason is not None:
            return
        covered, uncovered = self._offsets()
        number = view.epoch.number
        if uncovered:
            await partition.damage.publish_gate.check_once(
                number, uncovered, pipeline.predecessor, read_again_max=self._read_again_max
            )
        for offset in self._next_offsets(covered):
            await self._reappend(EpochOffset(number, offset))

    async def _settle(self) -> None:
        """Apply operators' settlements to the view. Raises Resync while there is no view."""
        state = self._partition.state
        if state is None:
            raise Resync(f"partition {self._partition.number} is not resumed")
        await self._partition.damage.apply_settlements(state)

    def _next_offsets(self, runs: Sequence[range]) -> list[int]:
        """The offsets that this round reads: those after the last round's, then from the start, so
        that records that stay unreadable do not prevent the others from being tried.
        """
        turned = [range(max(run.start, self._next), run.stop) for run in runs]
        turned += [range(run.start, min(run.stop, self._next)) for run in runs]
        some = list(islice(chain.from_iterable(turned), self._read_again_max))
        self._next = some[-1] + 1 if some else 0
        return some

    def _offsets(self) -> tuple[list[range], list[int]]:
        """Damaged offsets that a published cut lacks, and those that no cut covers yet."""
        view, state = self._partition.view, self._partition.state
        if view is None or state is None:
            return [], []
        end = covered_end(self._partition)
        covered: list[range] = []
        uncovered: list[int] = []
        for one in view.damage.missing:
            if not is_log_damage(one) or one.epoch_number != view.epoch.number:
                continue
            first = max(one.first, end)
            uncovered += range(first, min(one.end, first + limits.DAMAGE_ASKED_MAX))
            if one.exact:
                covered.append(range(one.first, min(one.end, end)))
        left = [offset for offset in uncovered if offset not in state.excluded_offsets]
        return covered, left[: limits.DAMAGE_ASKED_MAX]

    async def _reappend(self, at: EpochOffset) -> None:
        """Append a record that has become readable, if it still has its original meaning."""
        partition, log = self._partition, self._log
        if at in self._appended or at.offset < partition.log_end.bounds.start:
            return
        message = await log.read_again(partition.number, at.offset)
        if message is None or message.damage is not None:
            return
        record = await self._replacement(at, message)
        if record is None:
            return
        await log.append(partition.number, record)
        self._appended.add(at)
        log_event(
            logger,
            logging.WARNING,
            "a damaged record can be read again: appended again",
            partition=partition.number,
            offset=at.offset,
            events=record.n,
        )

    async def _replacement(self, at: EpochOffset, message: LogRecord) -> Record | None:
        """The replacement for a record; None if only an operator can decide whether it counts."""
        try:
            record = decode(message)
            if record.kind is Kind.EVENTS:
                event_lines(record)
        except RecordError:
            return None
        mends = (at.epoch, at.offset)
        if record.kind is Kind.GONE:
            return None  # it deletes records before its own offset, not later ones
        if record.kind is Kind.SETTLED and record.n:
            return None  # it replaces another record, which may have been recovered since
        if record.kind is not Kind.EVENTS:
            return settled_record(mends, "nothing")
        if record.unless or not self._is_young(message):
            return None
        copy = await self._copy_of(record.batch, message.append_ns)
        if copy is None:
            return settled_record(mends, record.via, record)
        return settled_record(mends, "nothing")

    def _is_young(self, message: LogRecord) -> bool:
        """Whether every void (a ban on first copies of a batch) for the record is still in force.

        Judged by this clock and by the log's time, as either may be late (I13). A timestamp later
        than both is from a clock that leapt, and gives no age.
        """
        now_ns, state = self._clock.now_ns(), self._partition.state
        if state is not None:
            now_ns = max(now_ns, state.watermark_ns)
        age_ns = now_ns - message.append_ns
        return -limits.LOG_AHEAD_MAX_NS <= age_ns <= limits.DAMAGE_MENDED_WITHIN_NS

    async def _copy_of(self, batch: bytes, append_ns: int) -> EpochOffset | None:
        """Another counting copy of the batch. Raises ObjectsUnavailable if it is not known."""
        state, pipeline = self._partition.state, self._partition.pipeline
        if state is None or pipeline is None:
            raise ObjectsUnavailable("the partition is being resumed")
        try:
            return (await find_copies(state, pipeline.lists, {batch: append_ns}))[batch]
        except ListsMissing as error:
            raise ObjectsUnavailable(str(error)) from error
