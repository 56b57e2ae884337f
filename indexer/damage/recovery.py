"""Looks after the damaged records of one partition: new settlements, copies that became whole (I2).

An operator's word is in answers within seconds. A record that no cut covers yet is read again, and
the other indexers are asked, without waiting for the cut. One that a cut was published without, and
that the log can give again (a file or a replica was restored), is appended again, in a record that
says which one it stands for: it counts once, whoever appends it, and however often.
"""

import logging
from collections.abc import Sequence
from itertools import chain, islice

from common import limits
from common.error_text import describe_error
from common.errors import BellwetherError, ObjectsUnavailable
from common.logs import log_event
from common.model.record import (
    Kind,
    LogRecord,
    Record,
    RecordError,
    decode,
    event_lines,
    settled_record,
)
from common.model.reroute import EpochOffset
from common.tasks import Retry, run_every
from indexer.damage.scrubber import Scrubber
from indexer.partition.partition import Partition
from indexer.rerouting.batch_lookup import find_copies
from indexer.state.resync import Resync
from snapshot.damage.damage import is_log_damage
from snapshot.documents.batch_lists import ListsMissing
from snapshot.threads import to_store_thread

_ROUND_S = 2.0
_OFTEN_ROUNDS = 10  # after damage is found; then every so many rounds
_SELDOM = 15
logger = logging.getLogger(__name__)


class DamageRecovery:
    """Of one partition, until it is cancelled."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._rounds = 0
        self._scrubber = Scrubber(partition)
        self._next = 0  # offset at which the next round goes on reading covered records again
        self._appended: set[EpochOffset] = set()  # read back soon; then they are damaged no longer

    async def run(self) -> None:
        """Until cancelled."""
        await run_every(_ROUND_S, self._round, retry=Retry((BellwetherError, OSError), self._log))

    async def _round(self) -> None:
        try:
            await self._scrubber.scrub_if_due()
            if self._partition.has_unsettled_damage:
                await self.run_once()
            else:
                self._rounds = 0
        except Resync as error:
            self._partition.ask_resync(str(error))

    def _log(self, error: Exception) -> None:
        log_event(
            logger,
            logging.WARNING,
            "damaged records cannot be looked after now",
            partition=self._partition.number,
            why=describe_error(error),
        )

    async def run_once(self) -> None:
        """One round. Raises Resync when rows can be had by beginning again."""
        partition = self._partition
        if await to_store_thread(partition.damage.settlements.refresh):
            await partition.settled()
        self._rounds += 1
        if self._rounds > _OFTEN_ROUNDS and self._rounds % _SELDOM:
            return
        view, pipeline = partition.view, partition.pipeline
        if view is None or pipeline is None or partition.stopped_reason is not None:
            return
        covered, uncovered = self._offsets()
        number = view.epoch.number
        if uncovered:
            await pipeline.publish_gate.check_once(number, uncovered, pipeline.predecessor)
        for offset in self._next_offsets(covered):
            await self._reappend(EpochOffset(number, offset))

    def _next_offsets(self, runs: Sequence[range]) -> list[int]:
        """As many of these offsets as one round reads, going on after those of the last round:
        records that can never be read must not keep the others from being looked at.
        """
        turned = [range(max(run.start, self._next), run.stop) for run in runs]
        turned += [range(run.start, min(run.stop, self._next)) for run in runs]
        some = list(islice(chain.from_iterable(turned), limits.DAMAGE_READ_AGAIN_MAX))
        self._next = some[-1] + 1 if some else 0
        return some

    def _offsets(self) -> tuple[list[range], list[int]]:
        """Damaged offsets that a published cut lacks, and those that no cut covers yet."""
        view, state = self._partition.view, self._partition.state
        if view is None or state is None:
            return [], []
        end = self._partition.covered_end
        covered: list[range] = []
        uncovered: list[int] = []
        for one in view.damage.missing:
            if not is_log_damage(one) or one.epoch_number != view.epoch.number:
                continue
            first = max(one.first, end)
            uncovered += range(first, min(one.end, first + limits.DAMAGE_ASKED_MAX))
            if one.exact:
                covered.append(range(one.first, min(one.end, end)))
        left = [offset for offset in uncovered if offset not in state.out]
        return covered, left[: limits.DAMAGE_ASKED_MAX]

    async def _reappend(self, place: EpochOffset) -> None:
        """Append a record that the log can give again, if it may count now as it would have."""
        partition = self._partition
        log = partition.shared.context.backends.log
        if place in self._appended or place.offset < partition.log_bounds.start:
            return
        message = await log.read_again(partition.number, place.offset)
        if message is None or message.damage is not None:
            return
        record = await self._replacement(place, message)
        if record is None:
            return
        await log.append(partition.number, record)
        self._appended.add(place)
        log_event(
            logger,
            logging.WARNING,
            "a damaged record can be read again: appended again",
            partition=partition.number,
            offset=place.offset,
            events=record.n,
        )

    async def _replacement(self, place: EpochOffset, message: LogRecord) -> Record | None:
        """The record that stands for it; None if only an operator can tell what it means now."""
        try:
            record = decode(message)
            if record.kind is Kind.EVENTS:
                event_lines(record)
        except RecordError:
            return None
        mends = (place.epoch, place.offset)
        if record.kind is Kind.GONE:
            return None  # it deletes what came before its place, not what has come since
        if record.kind is Kind.SETTLED and record.n:
            return None  # it stands for another one, which may have been mended since
        if record.kind is not Kind.EVENTS:
            return settled_record(mends, "nothing")
        if record.unless or not self._is_young(message):
            return None
        copy = await self._copy_of(record.batch, message.append_ns)
        if copy is None:
            return settled_record(mends, record.via, record)
        return settled_record(mends, "nothing")

    def _is_young(self, message: LogRecord) -> bool:
        """Whether every void that there was for the record is still in force.

        By this clock and by the log's time, for either may be behind (I13). A stamp that is ahead
        of both is that of a clock that leapt, and says nothing of how old the record is.
        """
        now_ns, state = self._partition.shared.context.clock.now_ns(), self._partition.state
        if state is not None:
            now_ns = max(now_ns, state.watermark_ns)
        age_ns = now_ns - message.append_ns
        return -limits.LOG_AHEAD_MAX_NS <= age_ns <= limits.DAMAGE_MENDED_WITHIN_NS

    async def _copy_of(self, batch: bytes, append_ns: int) -> EpochOffset | None:
        """Another copy of the batch that counts. Raises ObjectsUnavailable if it cannot be told."""
        state, pipeline = self._partition.state, self._partition.pipeline
        if state is None or pipeline is None:
            raise ObjectsUnavailable("the partition is being resumed")
        try:
            return (await find_copies(state, pipeline.lists, {batch: append_ns}))[batch]
        except ListsMissing as error:
            raise ObjectsUnavailable(str(error)) from error
