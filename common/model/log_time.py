"""The log's time, and the record that sets it back after a clock ran ahead (I3, I13).

A partition's time is the latest append time that was read of it: it never goes back by itself, so
a clock that ran ahead for a minute would hold it there for as long as it was ahead. A `clock`
record resets the log's time to the record's own append time. The note of its writer is kept for
operators only; no code depends on it.
"""

from dataclasses import dataclass

import orjson

from common.model.record import VERSION_OF_KIND, Kind, Record, RecordError


@dataclass(frozen=True, slots=True)
class ClockNote:
    """Why a clock record was written.

    was_ns: the log's time as its writer saw it, unix ns.
    now_ns: the writer's own clock, unix ns.
    writer: the process that wrote it.
    """

    was_ns: int
    now_ns: int
    writer: str


def clock_record(note: ClockNote) -> Record:
    """A clock record. Readers use its append time, not the note."""
    body = {"was_ns": note.was_ns, "now_ns": note.now_ns, "writer": note.writer}
    return Record(kind=Kind.CLOCK, value=orjson.dumps(body), version=VERSION_OF_KIND[Kind.CLOCK])


def decode_clock(record: Record) -> ClockNote:
    """Read a clock record's value. Raises RecordError."""
    try:
        body = orjson.loads(record.value)
        return ClockNote(int(body["was_ns"]), int(body["now_ns"]), str(body["writer"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"clock record cannot be read: {error}") from error
