"""The value of an events record: JSON lines in one zstd frame with content size and checksum.

A line is `{"t":<unix ns>,"r":<sample rate>,"d":{...}}`. Small values are stored uncompressed within
the frame (ADR 0012).
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import zstandard

from common import limits
from common.model.record import Kind, Record, RecordError

# zstd's working memory, made once per thread: making it takes 22 us, as long as 15 events do.
_contexts = threading.local()
_ZSTD_LEVEL = 1  # measured on wide events: a third of the CPU of level 3 for 6 % more bytes
_STORED_LEVEL = -131_072  # zstd's fastest: a frame whose block holds the bytes as they are
# Beyond this size zstd doubles its table and window, which then exceed the nearest caches: 5 to
# 15 % more CPU for about the same compressed size (-2 to 5 %, wide events 0.2 %).
_LARGE_BYTES = 131_072
_LARGE_WINDOW_LOG, _LARGE_HASH_LOG = 18, 13


def encode_event_line(time_ns: int, sample_rate: int, data: bytes) -> bytes:
    """One line of a record's value. `data` is the event's JSON object, free of line breaks."""
    return b'{"t":%d,"r":%d,"d":%b}\n' % (time_ns, sample_rate, data)


def compress_value(lines: bytes) -> bytes:
    """The value of an events record: one zstd frame with content size and checksum."""
    try:
        compressors: _Compressors = _contexts.compressors
    except AttributeError:
        compressors = _contexts.compressors = _make_compressors()
    if len(lines) <= limits.RECORD_STORED_BYTES_MAX:
        return compressors.stored.compress(lines)
    of_size = compressors.large if len(lines) > _LARGE_BYTES else compressors.usual
    return of_size.compress(lines)


class _Compressors(NamedTuple):
    """Of one thread, as for `decompressor`; by the size of what they compress."""

    stored: zstandard.ZstdCompressor
    usual: zstandard.ZstdCompressor
    large: zstandard.ZstdCompressor


def _make_compressors() -> _Compressors:
    large = zstandard.ZstdCompressionParameters.from_level(
        _ZSTD_LEVEL, window_log=_LARGE_WINDOW_LOG, hash_log=_LARGE_HASH_LOG, write_checksum=True
    )
    return _Compressors(
        zstandard.ZstdCompressor(level=_STORED_LEVEL, write_checksum=True),
        zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True),
        zstandard.ZstdCompressor(compression_params=large),
    )


def decompressor() -> zstandard.ZstdDecompressor:
    """The decompressor of this thread; it may not be shared. Between values it keeps only its
    memory, whose allocation takes 20 µs: a third of decompressing 100 wide events.
    """
    try:
        made: zstandard.ZstdDecompressor = _contexts.decompressor
    except AttributeError:
        made = _contexts.decompressor = zstandard.ZstdDecompressor()
    return made


def decompress_value(value: bytes) -> bytes:
    """The JSON lines of an events record. Raises RecordError; bounded by its content size."""
    try:
        size = zstandard.frame_content_size(value)
        if not 0 <= size <= limits.RECORD_DECODED_BYTES_MAX:
            raise RecordError(f"record value claims {size} bytes")
        return decompressor().decompress(value, max_output_size=size)
    except zstandard.ZstdError as error:
        raise RecordError(f"record value cannot be decompressed: {error}") from error


def event_lines(record: Record) -> bytes:
    """The JSON lines of an events record, as many as its header says. Raises RecordError."""
    lines = decompress_value(record.value)
    if (found := lines.count(b"\n")) != record.n:
        raise other_count(found, record.n)
    return lines


def other_count(found: int, n: int) -> RecordError:
    """An events record holds another number of events than the `n` of its header."""
    return RecordError(f"record holds {found} events, its header says {n}")


def decoded_bytes(value: bytes) -> int:
    """Decoded size of an events record's value, read from its frame header (0 if unreadable)."""
    try:
        return max(0, zstandard.frame_content_size(value))
    except zstandard.ZstdError:
        return 0


def events_record(
    *,
    team: str,
    env: str,
    dataset: str,
    batch: bytes,
    depth: int,
    via: str,
    lines: Sequence[bytes],
    n: int | None = None,
    unless: Sequence[int] = (),
) -> Record:
    """An events record of these lines (each from `encode_event_line`).

    n: how many events they are, where one piece may be several lines.
    unless: other partitions where this batch may be, or may land later; then it is conditional.
    """
    return Record(
        kind=Kind.EVENTS,
        value=compress_value(b"".join(lines)),
        batch=batch,
        team=team,
        env=env,
        dataset=dataset,
        n=len(lines) if n is None else n,
        depth=depth,
        via=via,
        unless=tuple(unless),
    )
