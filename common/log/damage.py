"""Diagnosis of a record whose copy in the log is damaged (I7).

The log's checksum covers a whole record, so a mismatch alone does not show which part is damaged.
Parts that can be checked by themselves narrow it down: headers that parse as a record's, the zstd
frame of the value (it has its own checksum), the number of lines. None of it is used as data.
"""

from common.model.record import Damage, Headers, LogRecord, Record, RecordError, decode
from common.model.record_value import event_lines

_SHOWN_HEADERS = ("kind", "team", "env", "dataset", "n", "batch")


def damaged(
    partition: int, offset: int, what: str, headers: Headers = (), value: bytes = b""
) -> LogRecord:
    """A damaged record at its offset, without content.

    what: the check that failed. headers, value: as they were read.
    """
    damage = diagnose(partition, offset, what, headers, value)
    return LogRecord(partition, offset, 0, (), b"", damage)


def diagnose(
    partition: int, offset: int, what: str, headers: Headers = (), value: bytes = b""
) -> Damage:
    """The failed check as a sentence, and the headers that look intact."""
    if not headers:
        return Damage(f"{what}; its headers cannot be read")
    try:
        record = decode(LogRecord(partition, offset, 0, headers, value))
    except RecordError as error:
        return Damage(f"{what}; its headers cannot be read: {error}")
    kept = tuple((name, content) for name, content in headers if name in _SHOWN_HEADERS)
    if not record.has_events:
        return Damage(f"{what}; it looks like a {record.kind} record", kept)
    return Damage(f"{what}; {_describe_value(record)}", kept)


def _describe_value(record: Record) -> str:
    try:
        event_lines(record)
    except RecordError as error:
        return str(error)
    return "its value is whole, so something else that the checksum covers was hit"
