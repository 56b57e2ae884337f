"""Records: the messages of the log, and their headers (I2, I3).

A record is one batch of events of one dataset, or a control record. Headers carry what an indexer
needs before it opens the value. `common.model.record_value` has the value of an events record.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
import orjson

from common import limits

RECORD_VERSION = 2  # the newest that this program understands
BATCH_ID_BYTES = 16
_DATASETS_REMEMBERED = 1_024  # datasets whose headers are cached
_DATASET_BYTES_MAX = 512  # of headers that are cached
Headers = tuple[tuple[str, bytes], ...]


class Kind(StrEnum):
    """What a record is. Void and decision belong to rerouting (`common.model.reroute`), clock to
    the log's time (`common.model.log_time`), settled to damaged records
    (docs/adr/0019-damaged-records.md).
    """

    EVENTS = "events"
    MARKER = "marker"
    HEARTBEAT = "heartbeat"
    VOID = "void"
    DECISION = "decision"
    GONE = "gone"
    SETTLED = "settled"
    CLOCK = "clock"


# The version of the format that introduced a kind; the other kinds are of the first. A record
# carries the version of its kind, so that an older program stops only at what it does not know.
VERSION_OF_KIND: Final[Mapping[Kind, int]] = {Kind.SETTLED: 2, Kind.CLOCK: 2}
FIRST_VERSION: Final = 1


class RecordError(ValueError):
    """A record that cannot be read: it is quarantined with its position."""


class RecordTooNew(RecordError):
    """A record of a version this program does not know: the partition must stop."""


class RecordDamaged(RecordError):
    """This copy of the record is not what was appended; another copy of it may be whole."""


class Record(msgspec.Struct, frozen=True):
    """One message, decoded from its headers. `value` is kept as it is in the log.

    team, env, dataset: ids (see `common.model.names`), empty in control records without a dataset.
    n: number of events.
    batch: 16-byte id.
    depth: how deep nested JSON is unpacked.
    via: why this partition was chosen.
    unless: numbers of partitions that may already have this batch.
    mends: for a settled record, (epoch number, offset) of the damaged record that it replaces.
    """

    kind: Kind
    value: bytes
    batch: bytes = b""
    team: str = ""
    env: str = ""
    dataset: str = ""
    n: int = 0
    depth: int = 0
    via: str = ""
    unless: tuple[int, ...] = ()
    version: int = FIRST_VERSION
    mends: tuple[int, int] | None = None

    @property
    def has_events(self) -> bool:
        """Whether it holds events: its own, or those of a damaged record that it replaces."""
        return self.kind is Kind.EVENTS or (self.kind is Kind.SETTLED and self.n != 0)

    def __repr__(self) -> str:
        return (
            f"Record({self.kind}, dataset={self.dataset}, n={self.n}, "
            f"batch={self.batch.hex()}, value=<{len(self.value)} bytes>)"
        )


class Damage(msgspec.Struct, frozen=True):
    """Damage of a copy of a record.

    reason: the failed check, in words.
    headers: those that are still readable and plausible. They are unverified, so they may only be
    used to report which data is probably missing.
    """

    reason: str
    headers: Headers = ()


class LogRecord(msgspec.Struct, frozen=True):
    """A message as the log returns it.

    append_ns: append time, unix ns.
    damage: set if this copy differs from the appended record. Its headers and value are then empty,
    and its append time is 0, so that it cannot be used as intact.
    """

    partition: int
    offset: int
    append_ns: int
    headers: tuple[tuple[str, bytes], ...]
    value: bytes
    damage: Damage | None = None

    def __repr__(self) -> str:
        return f"LogRecord({self.partition}:{self.offset}, value=<{len(self.value)} bytes>)"


def encode_headers(record: Record) -> Headers:
    """The record's headers, in a fixed order; empty ones are left out."""
    encoded = _dataset_headers(record.version, record.kind, record.team, record.env, record.dataset)
    if record.kind is Kind.EVENTS or record.kind is Kind.SETTLED:
        encoded += (("n", b"%d" % record.n), ("depth", b"%d" % record.depth))
    if record.via:
        encoded += (("via", record.via.encode()),)
    if record.unless:
        encoded += (("unless", ",".join(map(str, record.unless)).encode()),)
    if record.mends is not None:
        encoded += (("mends", b"%d:%d" % record.mends),)
    if record.batch:
        encoded += (("batch", record.batch),)
    return encoded


@functools.lru_cache(_DATASETS_REMEMBERED)
def _dataset_headers(version: int, kind: Kind, team: str, env: str, dataset: str) -> Headers:
    """The first headers, the same for all records of a dataset."""
    pairs = [("v", str(version)), ("kind", kind.value)]
    pairs += [("team", team), ("env", env), ("dataset", dataset)]
    return tuple((name, text.encode()) for name, text in pairs if text)


# By all headers before the batch's id, which are the same for a dataset's records of one size.
_known_headers: dict[Headers, Record] = {}


def decode(message: LogRecord) -> Record:
    """Read a message's headers. Raises RecordTooNew, RecordDamaged or RecordError."""
    headers = message.headers
    if not headers or headers[-1][0] != "batch" or len(headers[-1][1]) != BATCH_ID_BYTES:
        return _read(message)
    before_batch = headers[:-1]
    known = _known_headers.get(before_batch)
    if known is None:
        known = msgspec.structs.replace(_read(message), value=b"")
        if sum(len(value) for _, value in before_batch) <= _DATASET_BYTES_MAX:
            if len(_known_headers) >= _DATASETS_REMEMBERED:
                _known_headers.clear()
            _known_headers[before_batch] = known
    return Record(  # what a copy with two other values would be, in a quarter of its time
        known.kind,
        message.value,
        headers[-1][1],
        known.team,
        known.env,
        known.dataset,
        known.n,
        known.depth,
        known.via,
        known.unless,
        known.version,
        known.mends,
    )


def _read(message: LogRecord) -> Record:
    """As `decode`, from the headers themselves."""
    if message.damage is not None:
        raise RecordDamaged(message.damage.reason)
    headers = dict(message.headers)
    try:
        version = int(headers.get("v", b""))
    except ValueError as error:
        raise RecordError("record has no version header") from error
    if version > RECORD_VERSION:
        raise RecordTooNew(f"record version {version} is newer than {RECORD_VERSION}")
    try:
        record = Record(
            kind=Kind(headers["kind"].decode()),
            value=message.value,
            batch=headers.get("batch", b""),
            team=headers.get("team", b"").decode(),
            env=headers.get("env", b"").decode(),
            dataset=headers.get("dataset", b"").decode(),
            n=int(headers.get("n", b"0")),
            depth=int(headers.get("depth", b"0")),
            via=headers.get("via", b"").decode(),
            unless=tuple(int(p) for p in headers.get("unless", b"").split(b",") if p),
            version=version,
            mends=_read_mends(headers.get("mends")),
        )
    except KeyError as error:
        raise RecordError("record headers cannot be read: there is no kind") from error
    except ValueError as error:  # its text may quote what happens to stand there
        raise RecordError("record headers cannot be read: one cannot have its value") from error
    if record.has_events and not (
        len(record.batch) == BATCH_ID_BYTES
        and record.dataset
        and record.n > 0
        and 0 <= record.depth <= limits.EXPAND_DEPTH_MAX
    ):
        raise RecordError("a record of events needs a dataset, a batch id, a count and a depth")
    if version < VERSION_OF_KIND.get(record.kind, FIRST_VERSION):
        raise RecordError(f"a {record.kind} record cannot be of version {version}")
    if (record.kind is Kind.SETTLED) != (record.mends is not None):
        raise RecordError("a settled record, and no other, names the record that it stands for")
    if not all(0 <= partition < 2**31 for partition in record.unless):
        raise RecordError("a conditional record names partitions by 31-bit numbers from 0")
    return record


def _read_mends(text: bytes | None) -> tuple[int, int] | None:
    if text is None:
        return None
    epoch, _, offset = text.partition(b":")
    return int(epoch), int(offset)


@dataclass(frozen=True, slots=True)
class Marker:
    """A cut request. `hour` (unix hours) names the hour it closes; None: on demand."""

    hour: int | None
    format: int = 1
    reason: str = "hour"


def marker_record(marker: Marker) -> Record:
    """A marker as a record."""
    body = {"hour": marker.hour, "format": marker.format, "reason": marker.reason}
    return Record(kind=Kind.MARKER, value=orjson.dumps(body))


def decode_marker(record: Record) -> Marker:
    """Read a marker's value. Raises RecordError."""
    try:
        body = orjson.loads(record.value)
        hour = body["hour"]
        return Marker(None if hour is None else int(hour), int(body["format"]), str(body["reason"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"marker cannot be read: {error}") from error


def heartbeat_record() -> Record:
    """A record that only moves the watermark of a quiet partition."""
    return Record(kind=Kind.HEARTBEAT, value=b"")


def gone_record(team: str, env: str, dataset: str) -> Record:
    """A tombstone: rows of `dataset` before this record are no longer served."""
    return Record(kind=Kind.GONE, value=b"", team=team, env=env, dataset=dataset)


def settled_record(mends: tuple[int, int], reason: str, events: Record | None = None) -> Record:
    """A settled record: it replaces the damaged record at `mends` (epoch number, offset).

    events: an events record with the replaced record's events; None if it had none.
    reason: stored in `via`.
    """
    record = events or Record(kind=Kind.SETTLED, value=b"")
    return msgspec.structs.replace(
        record,
        kind=Kind.SETTLED,
        via=reason,
        unless=(),
        version=VERSION_OF_KIND[Kind.SETTLED],
        mends=mends,
    )
