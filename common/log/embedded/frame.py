"""Encoding of a record's headers in the embedded log, and the checksum of each record.

Headers: for each pair `u16 name length, name, u32 value length, value`, little endian. The
checksum is CRC-32 over offset, append time, headers and value.
"""

import functools
import struct
import zlib

from common.log.damage import damaged
from common.model.record import BATCH_ID_BYTES, LogRecord

_MISMATCH = "the log's checksum of the record does not match"
_NAME = struct.Struct("<H")
_VALUE = struct.Struct("<I")
_NAMES_CACHED = 64  # the format has ten
_POSITION = struct.Struct("<QQ")
# Headers of a dataset's records differ only in the batch id, which is the last pair, so the pairs
# before it are decoded once and cached. Only short ones are cached: they take at most a megabyte.
_BATCH = "batch"
_BATCH_PREFIX = _NAME.pack(len(_BATCH)) + _BATCH.encode() + _VALUE.pack(BATCH_ID_BYTES)
_PREFIXES_CACHED = 1_024
_PREFIX_BYTES_MAX = 512

Headers = tuple[tuple[str, bytes], ...]


def encode_headers(headers: Headers) -> bytes:
    """The pairs as bytes."""
    parts: list[bytes] = []
    for name, value in headers:
        parts += (_encode_name(name), _VALUE.pack(len(value)), value)
    return b"".join(parts)


@functools.lru_cache(_NAMES_CACHED)
def _encode_name(name: str) -> bytes:
    raw = name.encode()
    return _NAME.pack(len(raw)) + raw


def decode_headers(data: bytes) -> Headers:
    """The pairs. Raises ValueError if the bytes do not end where the last pair does."""
    at = len(data) - len(_BATCH_PREFIX) - BATCH_ID_BYTES
    if 0 <= at <= _PREFIX_BYTES_MAX and data.startswith(_BATCH_PREFIX, at):
        try:  # the bytes before it are whole pairs, so decoding all would reach this pair too
            return (*_cached_pairs(data[:at]), (_BATCH, data[at + len(_BATCH_PREFIX) :]))
        except ValueError:
            pass  # the match lies within the value of another pair
    return _decode_pairs(data)


def _decode_pairs(data: bytes) -> Headers:
    pairs = []
    at = 0
    try:
        while at < len(data):
            (size,) = _NAME.unpack_from(data, at)
            at += _NAME.size
            name = data[at : at + size].decode()
            at += size
            (length,) = _VALUE.unpack_from(data, at)
            at += _VALUE.size
            pairs.append((name, data[at : at + length]))
            at += length
    except struct.error as error:
        raise ValueError("headers are cut off") from error
    if at != len(data):
        raise ValueError("headers are cut off")
    return tuple(pairs)


@functools.lru_cache(_PREFIXES_CACHED)
def _cached_pairs(data: bytes) -> Headers:
    return _decode_pairs(data)


def checksum(offset: int, append_ns: int, headers: bytes, value: bytes) -> int:
    """CRC-32 of everything that the log stores of a record."""
    crc = zlib.crc32(_POSITION.pack(offset, append_ns))
    return zlib.crc32(value, zlib.crc32(headers, crc))


def restore(
    partition: int, offset: int, append_ns: int, headers: bytes, value: bytes, crc: int
) -> LogRecord:
    """The record as it was appended.

    A damaged record keeps its offset but loses its content and its append time, which cannot be
    trusted (one far in the future would hold the watermark there). `common.model.record.decode`
    raises RecordDamaged for it, so the indexer quarantines it with its position and goes on.
    """
    if checksum(offset, append_ns, headers, value) == crc:
        try:
            return LogRecord(partition, offset, append_ns, decode_headers(headers), value)
        except ValueError:  # the checksum matches: it was appended with unreadable headers
            return LogRecord(partition, offset, append_ns, (), b"")
    try:
        pairs = decode_headers(headers)
    except ValueError:
        pairs = ()
    return damaged(partition, offset, _MISMATCH, pairs, value)
