"""Diagnosis of a record batch whose checksum does not match (I7).

A batch has one checksum for all of its records, so none of them is used. Where the framing is
intact, a record's parts show its probable dataset and which part is damaged.
"""

import struct
from collections.abc import Iterator
from typing import Final

from common.log.damage import damaged
from common.model.record import LogRecord

HEADER: Final = struct.Struct(">qiibIhiqqqhii")  # of a batch, up to and including its record count
_VARINT_BYTES_MAX: Final = 10
_HEADERS_MAX: Final = 64  # of one record; ours have at most a dozen
_MISMATCH: Final = "the checksum of its batch in the Kafka log does not match"


class BadFraming(ValueError):
    """The bytes are not a framed record."""


def damaged_records(partition: int, batch: bytes, first: int, end: int) -> list[LogRecord]:
    """A damaged record for each offset from `first` up to `end`, with its readable headers."""
    known: dict[int, LogRecord] = {}
    base = HEADER.unpack_from(batch)[0]
    try:
        for delta, headers, value in _records(batch):
            known[base + delta] = damaged(partition, base + delta, _MISMATCH, headers, value)
    except (BadFraming, UnicodeDecodeError):
        pass  # the records before it are diagnosed
    return [known.get(at) or damaged(partition, at, _MISMATCH) for at in range(first, end)]


def _records(batch: bytes) -> Iterator[tuple[int, tuple[tuple[str, bytes], ...], bytes]]:
    """(offset delta, headers, value) of each record up to the first framing error."""
    at = HEADER.size
    while at < len(batch):
        length, at = _varint(batch, at)
        end = at + length
        if length <= 0 or end > len(batch):
            raise BadFraming
        at += 1  # attributes
        _, at = _varint(batch, at)  # timestamp delta
        delta, at = _varint(batch, at)
        _, at = _bytes(batch, at)  # key
        value, at = _bytes(batch, at)
        count, at = _varint(batch, at)
        if not 0 <= count <= _HEADERS_MAX:
            raise BadFraming
        headers = []
        for _ in range(count):
            name, at = _bytes(batch, at)
            content, at = _bytes(batch, at)
            headers.append((name.decode(), content))
        if at != end:
            raise BadFraming
        yield delta, tuple(headers), value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(a zigzag number, the index after it)."""
    number = 0
    for shift in range(_VARINT_BYTES_MAX):
        if at >= len(data):
            raise BadFraming
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise BadFraming


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _varint(data, at)
    if size < 0:
        return b"", at
    if at + size > len(data):
        raise BadFraming
    return data[at : at + size], at + size
