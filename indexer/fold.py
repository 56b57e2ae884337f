"""The state machine of a partition: a pure function of its log (I2, I3).

`apply` takes the records in order and says what each one means: rows, a duplicate, a control
record or one to set aside, and whether the partition is cut after it. No clock, no I/O, no
settings: twins, replays and restarts from any manifest come to the same cuts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from common import limits
from common.record import (
    RECORD_VERSION,
    Kind,
    LogRecord,
    Marker,
    Record,
    RecordError,
    RecordTooNew,
    decode,
    decode_marker,
    decoded_bytes,
)
from snapshot.carried import Carried
from snapshot.manifest import GoneEntry, HourMarker, SetAsideEntry

HOUR_NS = 3600 * 10**9
_FIRST_EPOCH = 1


class PartitionStopped(Exception):
    """The partition must not be read further by this program; the text says why and what to do."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"stopped at offset {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class Action(Enum):
    """What a record is for the partition."""

    ROWS = "rows"
    DUPLICATE = "duplicate"
    CONTROL = "control"
    SET_ASIDE = "set aside"


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut: offsets `first_offset` up to `next_offset`, and the state carried beyond it."""

    first_offset: int
    next_offset: int
    rows: int
    last_batch: bytes
    last_append_ns: int
    watermark_ns: int
    batches: tuple[tuple[bytes, int], ...]
    hour_markers: tuple[HourMarker, ...]
    set_aside: tuple[SetAsideEntry, ...]
    datasets: tuple[str, ...]
    gone: tuple[GoneEntry, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one record means. `record` is None if it is set aside; `cut` ends after this record."""

    action: Action
    record: Record | None
    cut: Cut | None = None


class Fold:
    """Folds the records of one partition, in order of offset."""

    def __init__(self, carried: Carried, epoch_number: int = _FIRST_EPOCH) -> None:
        self._epoch_number = epoch_number
        self._next = carried.next_offset
        self._watermark_ns = carried.watermark_ns
        self._hour = carried.hour
        self._windows = [dict(window) for window in carried.windows]
        self._datasets = set(carried.datasets)
        self._gone = {entry.dataset: entry for entry in carried.gone}
        self._start_cut()

    def _start_cut(self) -> None:
        self._first = self._next
        self._rows = 0
        self._bytes = 0
        self._rowless = 0
        self._batches: list[tuple[bytes, int]] = []
        self._hour_markers: list[HourMarker] = []
        self._set_aside: list[SetAsideEntry] = []

    @property
    def next_offset(self) -> int:
        """The offset of the record that `apply` expects."""
        return self._next

    @property
    def watermark_ns(self) -> int:
        """Append time of the last record."""
        return self._watermark_ns

    @property
    def hour(self) -> int | None:
        """The newest hour that a marker has closed."""
        return self._hour

    @property
    def uncut_rows(self) -> int:
        """Rows since the last cut."""
        return self._rows

    @property
    def gone(self) -> Mapping[str, GoneEntry]:
        """Deleted datasets by id."""
        return self._gone

    @property
    def window_batches(self) -> int:
        """Batch ids that are remembered."""
        return sum(len(window) for window in self._windows)

    def carried(self) -> Carried:
        """The state as it stands now."""
        return Carried(
            next_offset=self._next,
            watermark_ns=self._watermark_ns,
            hour=self._hour,
            windows=tuple(dict(window) for window in self._windows),
            datasets=frozenset(self._datasets),
            gone=tuple(sorted(self._gone.values(), key=lambda entry: entry.dataset)),
        )

    def skip_to(self, offset: int) -> None:
        """Go on behind a gap: the log no longer holds what lies before `offset` (I5)."""
        if offset < self._next:
            raise ValueError(f"cannot skip back from {self._next} to {offset}")
        self._next = offset
        if not (self._rows or self._rowless):
            self._first = offset

    def apply(self, message: LogRecord) -> Step:
        """Fold the next record. Raises PartitionStopped, and then nothing has changed."""
        if message.offset != self._next:
            raise ValueError(f"expected offset {self._next}, got {message.offset}")
        try:
            record = decode(message)
            marker = decode_marker(record) if record.kind is Kind.MARKER else None
        except RecordTooNew as error:
            raise PartitionStopped(message.offset, f"{error}; upgrade Bellwether") from error
        except RecordError as error:
            self._set_aside.append(SetAsideEntry(message.offset, str(error)))
            return self._advance(message, Action.SET_ASIDE, None, marked=False)
        self._refuse_unknown(record, marker, message.offset)
        action, marked = Action.CONTROL, False
        if record.kind is Kind.EVENTS:
            action = self._fold_events(record, message.offset)
        elif marker is not None:
            marked = self._fold_marker(marker, message)
        elif record.kind is Kind.GONE:
            self._datasets.discard(record.dataset)
            self._gone[record.dataset] = GoneEntry(
                record.dataset, self._epoch_number, message.offset
            )
        return self._advance(message, action, record, marked=marked)

    @staticmethod
    def _refuse_unknown(record: Record, marker: Marker | None, offset: int) -> None:
        if record.kind in (Kind.VOID, Kind.DECISION) or record.unless:
            raise PartitionStopped(
                offset, "the log holds rerouted batches, which this version cannot fold; upgrade"
            )
        if marker is not None and marker.format > RECORD_VERSION:
            raise PartitionStopped(
                offset, f"a marker switches to format {marker.format}; upgrade Bellwether"
            )

    def _fold_events(self, record: Record, offset: int) -> Action:
        if any(record.batch in window for window in self._windows):
            return Action.DUPLICATE
        self._windows[-1][record.batch] = offset
        self._batches.append((record.batch, offset))
        self._datasets.add(record.dataset)
        self._rows += record.n
        self._bytes += min(decoded_bytes(record.value), limits.RECORD_DECODED_BYTES_MAX)
        return Action.ROWS

    def _fold_marker(self, marker: Marker, message: LogRecord) -> bool:
        """Whether the marker counts. One of an hour that is not over yet, or is closed, does not.

        The hour is compared with the marker's own append time, so that a wrong clock can neither
        cut early nor close hours that are still to come.
        """
        if marker.hour is None:
            return True
        if marker.hour >= message.append_ns // HOUR_NS:
            return False
        if self._hour is not None and marker.hour <= self._hour:
            return False
        self._hour = marker.hour
        self._hour_markers.append(HourMarker(marker.hour, message.offset))
        self._windows.append({})
        del self._windows[: -limits.BATCH_WINDOW_HOUR_MARKERS]
        return True

    def _advance(
        self, message: LogRecord, action: Action, record: Record | None, *, marked: bool
    ) -> Step:
        self._next = message.offset + 1
        self._watermark_ns = max(self._watermark_ns, message.append_ns)
        if action is not Action.ROWS:
            self._rowless += 1
        due = (
            (marked and self._rows > 0)
            or self._rows >= limits.CUT_ROWS_MAX_V1
            or self._bytes >= limits.CUT_BYTES_MAX_V1
            or self._rowless >= limits.CUT_CONTROL_RECORDS_MAX_V1
        )
        batch = b"" if record is None else record.batch
        return Step(action, record, self._cut(message, batch) if due else None)

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
            set_aside=tuple(self._set_aside),
            datasets=tuple(sorted(self._datasets)),
            gone=tuple(sorted(self._gone.values(), key=lambda entry: entry.dataset)),
        )
        self._start_cut()
        return cut
