"""What can be told of a record batch whose checksum does not match (I7).

A batch's checksum covers all of its records at once, so none of them is believed. Where the framing
still holds, each record's own parts say which dataset it was probably of and what was hit.
"""

import struct
from collections.abc import Iterator
from typing import Final

from common.log.damage import damaged
from common.model.record import LogRecord

HEADER: Final = struct.Struct(">qiibIhiqqqhii")  # of a batch, up to and with its record count
_VARINT_BYTES_MAX: Final = 10
_HEADERS_MAX: Final = 64  # of one record; ours have at most a dozen
_MISMATCH: Final = "the checksum of its batch in the Kafka log does not match"


class BadFraming(ValueError):
    """The bytes do not have the form of a record."""


def damaged_records(partition: int, batch: bytes, first: int, end: int) -> list[LogRecord]:
    """The places from `first` up to `end`, each with what can still be read of its record."""
    known: dict[int, LogRecord] = {}
    base = HEADER.unpack_from(batch)[0]
    try:
        for delta, headers, value in _records(batch):
            known[base + delta] = damaged(partition, base + delta, _MISMATCH, headers, value)
    except (BadFraming, UnicodeDecodeError):
        pass  # what came before it is still told
    return [known.get(at) or damaged(partition, at, _MISMATCH) for at in range(first, end)]


def _records(batch: bytes) -> Iterator[tuple[int, tuple[tuple[str, bytes], ...], bytes]]:
    """(offset delta, headers, value) of each record as far as the framing holds."""
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
    """(a zigzag number, the place after it)."""
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
