"""The state machine of a partition: a pure function of its log (I2, I3).

`apply` folds in the records in order and returns the meaning of each: rows, a duplicate, a control
record or an unreadable one, and whether the partition is cut after it. It uses no clock, I/O or
settings, so both indexers of a partition (twins), replays and restarts from any manifest make the
same cuts.
"""

from collections.abc import Iterable, Mapping, Set
from enum import Enum

import msgspec

from common import limits
from common.model.log_time import ClockNote, decode_clock
from common.model.record import (
    FIRST_VERSION,
    Kind,
    LogRecord,
    Marker,
    Record,
    RecordError,
    RecordTooNew,
    decode,
    decode_marker,
)
from common.model.record_value import decoded_bytes
from common.model.reroute import Decision, EpochOffset, Void, decode_decision, decode_void
from indexer.state.batch_window import BatchWindow
from indexer.state.cut import Cut
from indexer.state.cut_rules import CUT_RULES, CutRules
from indexer.state.quarantine import ExcludedRecord, Quarantine
from indexer.state.reroutes import Reroutes
from snapshot.documents.carried_state import CarriedState, hour_closed_by_step
from snapshot.documents.epochs import FIRST_EPOCH
from snapshot.documents.manifest import (
    ClockStep,
    Damaged,
    DatasetTombstone,
    HourMarker,
    QuarantinedRecord,
)

HOUR_NS = 3600 * 10**9
MARKER_FORMAT_MAX = FIRST_VERSION  # the newest format of cuts that this program can make
Body = Marker | Void | Decision | ClockNote | None


class PartitionStopped(Exception):
    """This program must not read the partition further; the text has the reason and the remedy."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"stopped at offset {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class Action(Enum):
    """The kinds of meaning that a record has for the partition."""

    ROWS = "rows"
    DUPLICATE = "duplicate"
    VOIDED = "voided"
    CONTROL = "control"
    QUARANTINED = "quarantined"


class Step(msgspec.Struct, frozen=True):
    """The meaning of one record. A struct for speed, because each record has one.

    record: the decoded record; None if it cannot be read.
    cut: the cut that ends after this record, if any.
    void: the record's questions to this partition about rerouted batches.
    damaged: why the record cannot be read.
    """

    action: Action
    record: Record | None
    cut: Cut | None = None
    void: Void | None = None
    damaged: Damaged | None = None


class PartitionState:
    """Applies the records of one partition, in order of offset.

    excluded_offsets: records that the next cut lacks. Another indexer could not read them and was
    the first to cut (`snapshot.documents.next_cut`), so this indexer does not count them either.
    batch_window: batch ids, by which duplicates are recognised.
    reroutes: state of rerouted batches.
    quarantine: damaged records.
    """

    def __init__(
        self,
        carried: CarriedState,
        epoch_number: int = FIRST_EPOCH,
        dropped: Iterable[EpochOffset] = (),
        excluded_offsets: Set[int] = frozenset(),
        rules: CutRules = CUT_RULES,
    ) -> None:
        self._epoch_number = epoch_number
        self._rules = rules
        self.excluded_offsets = excluded_offsets
        self._next = carried.next_offset
        self._watermark_ns = carried.watermark_ns
        self._hour = carried.hour
        self._datasets = set(carried.datasets)
        self._dataset_tombstones = {entry.dataset: entry for entry in carried.gone}
        self.batch_window = BatchWindow(carried, epoch_number)
        self.reroutes = Reroutes(carried, dropped)
        self.quarantine = Quarantine(carried.damaged, epoch_number)
        self._start_cut()

    def _start_cut(self) -> None:
        self._first = self._next
        self._rows = 0
        self._bytes = 0
        self._rowless = 0
        self._batches: list[tuple[bytes, int]] = []
        self._hour_markers: list[HourMarker] = []
        self._clock_steps: list[ClockStep] = []
        self._quarantined: list[QuarantinedRecord] = []

    @property
    def next_offset(self) -> int:
        """The offset of the record that `apply` expects."""
        return self._next

    @property
    def watermark_ns(self) -> int:
        """The log's time: the latest append time, since a clock record last set it back."""
        return self._watermark_ns

    def row_time_ns(self, append_ns: int) -> int:
        """The append time given to the rows of the record that was applied last.

        It is the record's append time, unless a server's clock was much too slow: rows dated that
        early would expire before any query could see them.
        """
        behind = append_ns < self._watermark_ns - limits.STAMP_BEHIND_NS_V2
        return self._watermark_ns if behind else append_ns

    @property
    def hour(self) -> int | None:
        """The newest closed hour, no later than the log's time."""
        return self._hour

    @property
    def uncut(self) -> tuple[int, int]:
        """(offset after the last cut, rows since then)."""
        return self._first, self._rows

    @property
    def datasets(self) -> Set[str]:
        """Datasets by id. A view: do not keep it."""
        return self._datasets

    @property
    def dataset_tombstones(self) -> Mapping[str, DatasetTombstone]:
        """Deleted datasets by id."""
        return self._dataset_tombstones

    def carried_state(self) -> CarriedState:
        """The present state, as a manifest carries it to the next cut."""
        rerouted = self.reroutes.carried_state()
        windows, older = self.batch_window.carried_state()
        return CarriedState(
            next_offset=self._next,
            watermark_ns=self._watermark_ns,
            hour=self._hour,
            windows=windows,
            datasets=frozenset(self._datasets),
            gone=tuple(sorted(self._dataset_tombstones.values(), key=lambda entry: entry.dataset)),
            epoch_number=self._epoch_number,
            older=older,
            open=rerouted.open,
            voids=rerouted.voids,
            relies_on=rerouted.relies_on,
            damaged=self.quarantine.entries,
        )

    def skip_to(self, offset: int) -> None:
        """Continue after a gap: the log no longer holds the records before `offset` (I5)."""
        if offset < self._next:
            raise ValueError(f"cannot skip back from {self._next} to {offset}")
        self._next = offset
        if not (self._rows or self._rowless):
            self._first = offset

    def apply(self, message: LogRecord) -> Step:
        """Apply the next record. Raises PartitionStopped and leaves the state unchanged then."""
        if message.offset != self._next:
            raise ValueError(f"expected offset {self._next}, got {message.offset}")
        try:
            if self.excluded_offsets and message.offset in self.excluded_offsets:
                raise ExcludedRecord(message.damage)
            record = decode(message)
            body = _body(record)
        except RecordTooNew as error:
            raise PartitionStopped(message.offset, f"{error}; upgrade Bellwether") from error
        except RecordError as error:
            self._quarantined.append(QuarantinedRecord(message.offset, str(error)))
            damaged = self.quarantine.add_damaged(
                message, error, self._watermark_ns, self._datasets
            )
            step = Step(Action.QUARANTINED, None, damaged=damaged)
            return self._advance(message, step, marked=False)
        if isinstance(body, Marker) and body.format > MARKER_FORMAT_MAX:
            raise PartitionStopped(
                message.offset, f"a marker switches to format {body.format}; upgrade Bellwether"
            )
        action, marked = Action.CONTROL, False
        if record.kind is Kind.EVENTS:
            action = self._apply_events(record, message)
        elif record.kind is Kind.SETTLED:
            action = self._apply_settled(record, message)
        elif record.kind is Kind.GONE:
            self._datasets.discard(record.dataset)
            self._dataset_tombstones[record.dataset] = DatasetTombstone(
                record.dataset, self._epoch_number, message.offset
            )
        elif isinstance(body, Marker):
            marked = self._apply_marker(body, message)
        elif isinstance(body, ClockNote):
            marked = self._apply_clock(message)
        elif isinstance(body, Void):
            self.reroutes.void(body)
        elif isinstance(body, Decision):
            self.reroutes.decide(body)
        void = body if isinstance(body, Void) else None
        return self._advance(message, Step(action, record, void=void), marked=marked)

    def _apply_events(self, record: Record, message: LogRecord) -> Action:
        if not self.batch_window.add(record.batch, message.offset):
            return Action.DUPLICATE
        if self.reroutes.refuses(record.batch):
            self.batch_window.withdraw(record.batch)
            return Action.VOIDED
        if record.unless:
            at = EpochOffset(self._epoch_number, message.offset)
            self.reroutes.add(record, at, message.append_ns, message.partition)
        self._batches.append((record.batch, message.offset))
        self._datasets.add(record.dataset)
        self._rows += record.n
        self._bytes += min(decoded_bytes(record.value), limits.RECORD_DECODED_BYTES_MAX)
        return Action.ROWS

    def _apply_settled(self, record: Record, message: LogRecord) -> Action:
        """Apply the replacement of a damaged record; only the first replacement counts."""
        if record.mends is None or not self.quarantine.is_missing(EpochOffset(*record.mends)):
            return Action.DUPLICATE
        self.quarantine.settle(EpochOffset(*record.mends))
        return self._apply_events(record, message) if record.n else Action.CONTROL

    def _apply_marker(self, marker: Marker, message: LogRecord) -> bool:
        """Whether the marker counts. It does not if its hour is not over yet, or already closed.

        The hour is compared with the marker's own append time, so a wrong clock can neither cut
        early nor close future hours.
        """
        if marker.hour is None:
            return True
        if marker.hour >= message.append_ns // HOUR_NS:
            return False
        if self._hour is not None and marker.hour <= self._hour:
            return False
        self._hour = marker.hour
        self._hour_markers.append(HourMarker(marker.hour, message.offset))
        marked_at = EpochOffset(self._epoch_number, message.offset)
        self.batch_window.close_hour(marked_at, message.append_ns)
        self.reroutes.close_hour()
        return True

    def _apply_clock(self, message: LogRecord) -> bool:
        """Whether the record sets the log's time back; then a cut separates rows of both times.

        Its own append time alone decides, so the time is never set to one that no clock of the
        log showed, and the second record for the same leap has no effect. Batch ids and voids
        do not expire because of it.
        """
        if message.append_ns >= self._watermark_ns - limits.CLOCK_STEP_NS_V2:
            return False
        step = ClockStep(message.offset, message.append_ns, self._watermark_ns)
        self._clock_steps.append(step)
        self._watermark_ns = message.append_ns
        self._hour = hour_closed_by_step(step)
        return True

    def _advance(self, message: LogRecord, step: Step, *, marked: bool) -> Step:
        self._next = message.offset + 1
        if self.quarantine.has_unbounded and message.append_ns:
            self.quarantine.bound_append_times(message.append_ns)
        self._watermark_ns = max(self._watermark_ns, message.append_ns)
        if step.action is not Action.ROWS:
            self._rowless += 1
        due = (
            (marked and self._rows > 0)
            or self._rows >= self._rules.rows_max
            or self._bytes >= self._rules.bytes_max
            or self._rowless >= self._rules.control_records_max
        )
        if not due:
            return step
        batch = b"" if step.record is None else step.record.batch
        return msgspec.structs.replace(step, cut=self._cut(message, batch))

    def _cut(self, message: LogRecord, batch: bytes) -> Cut:
        cut = Cut(
            first_offset=self._first,
            next_offset=self._next,
            rows=self._rows,
            last_batch=batch,
            last_append_ns=message.append_ns,
            watermark_ns=self._watermark_ns,
            batches=tuple(self._batches),
            hour_markers=tuple(self._hour_markers),
            quarantined=tuple(self._quarantined),
            datasets=tuple(sorted(self._datasets)),
            dataset_tombstones=tuple(
                sorted(self._dataset_tombstones.values(), key=lambda entry: entry.dataset)
            ),
            rerouted=self.reroutes.cut(),
            clock_steps=tuple(self._clock_steps),
            damaged=self.quarantine.take_recoverable(),
        )
        self._start_cut()
        return cut


def _body(record: Record) -> Body:
    """The decoded body of a control record; None if it has none. Raises RecordError."""
    if record.kind is Kind.MARKER:
        return decode_marker(record)
    if record.kind is Kind.VOID:
        return decode_void(record)
    if record.kind is Kind.CLOCK:
        return decode_clock(record)
    return decode_decision(record) if record.kind is Kind.DECISION else None
