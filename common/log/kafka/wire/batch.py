"""Encodes appends as record batches of the Kafka protocol, and decodes fetched batches.

Values are compressed already, so batches are not. A batch's checksum is verified before its
content is used; a damaged batch yields damaged records, so that readers can go on after it.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, cast

from common import limits
from common.errors import LogUnavailable
from common.log.damage import damaged
from common.log.kafka.wire.aiokafka_parts import (
    DefaultRecordBatchBuilder,
    DefaultRecordBatchProtocol,
    MemoryRecords,
    calc_crc32c,
)
from common.log.kafka.wire.damaged_batch import HEADER, damaged_records
from common.model.record import LogRecord

BATCH_OVERHEAD_BYTES = 61
_LENGTH_END: Final = 12  # the length field counts the bytes from here on
_CHECKED_FROM: Final = 21  # the checksum covers the bytes from the attributes on
_MAGIC: Final = 2
_BATCH_BYTES_MAX: Final = 4 * limits.KAFKA_BATCH_BYTES_MAX  # a topic may allow more than ours
_BATCH_RECORDS_MAX: Final = 1_000_000  # a larger count or offset gap is taken for damage
_RECORDS_MAX: Final = 10_000  # of one read
_MISSING: Final = "the Kafka log holds batches before and after it, but not its own"
_RECORD_OVERHEAD_BYTES = 21
_HEADER_OVERHEAD_BYTES = 6
Headers = tuple[tuple[str, bytes], ...]


class Appendable(Protocol):
    """The part of an append that is written to a batch."""

    headers: Headers
    value: bytes


def record_bytes(headers: Headers, value: bytes) -> int:
    """An upper bound of a record's bytes in a batch. Header names are ASCII."""
    named = sum(len(name) + len(content) + _HEADER_OVERHEAD_BYTES for name, content in headers)
    return len(value) + named + _RECORD_OVERHEAD_BYTES


def encode_batch(items: Sequence[Appendable], now_ms: int) -> bytes | bytearray:
    """One batch of all items, in order. Brokers replace `now_ms` by their append time."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,  # no idempotence, see docs/adr/0005-kafka-client.md
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**31 - 1,  # the caller limits the total
    )
    for at, item in enumerate(items):
        builder.append(at, now_ms, None, item.value, list(item.headers))
    return builder.build()


def decode_records(partition: int, data: bytes, offset: int, max_bytes: int) -> list[LogRecord]:
    """Records from `offset` on in the data of a fetch; the last batch may be truncated.

    At least one if there is one, then about `max_bytes` of values. Records of a damaged batch, and
    those missing between two batches, are returned as damaged records. Raises LogUnavailable for a
    topic without LogAppendTime.
    """
    found: list[LogRecord] = []
    bytes_left, at = max_bytes, 0
    while bytes_left > 0 and len(found) < _RECORDS_MAX and len(data) - at >= HEADER.size:
        base, length = HEADER.unpack_from(data, at)[:2]
        next_at = at + _LENGTH_END + length
        expected = found[-1].offset + 1 if found else offset
        if not HEADER.size <= next_at - at <= _BATCH_BYTES_MAX or base < 0:
            return found or [damaged(partition, expected, "the frame of its batch is damaged")]
        if next_at > len(data):
            break  # truncated
        batch = data[at:next_at]
        at = next_at
        if base > expected:
            lost = range(expected, min(base, expected + _RECORDS_MAX))
            found += [damaged(partition, missing, _MISSING) for missing in lost]
            if lost.stop < base:
                break
        if not _is_whole(batch):
            end = _end_of_broken(batch, data[next_at : next_at + HEADER.size])
            first = max(base, expected)
            found += damaged_records(partition, batch, first, min(end, first + _RECORDS_MAX))
            continue
        for record in _whole_records(partition, batch, offset):
            found.append(record)
            bytes_left -= len(record.value)
            if bytes_left <= 0:
                return found
    return found


def _is_whole(batch: bytes) -> bool:
    """Whether the batch has the format with record headers, and its checksum matches."""
    magic, crc = HEADER.unpack_from(batch)[3:5]
    return bool(magic == _MAGIC and calc_crc32c(batch[_CHECKED_FROM:]) == crc)


def _end_of_broken(batch: bytes, following: bytes) -> int:
    """The offset after a damaged batch: the next batch's first offset if that is plausible."""
    fields = HEADER.unpack_from(batch)
    base, delta, count = fields[0], fields[6], fields[12]
    if len(following) >= HEADER.size:
        next_base: int = HEADER.unpack_from(following)[0]
        if base < next_base <= base + _BATCH_RECORDS_MAX:
            return next_base
    if 0 < count == delta + 1 <= _BATCH_RECORDS_MAX:
        return int(base + count)
    return int(base + 1)


def _whole_records(partition: int, data: bytes, offset: int) -> Iterator[LogRecord]:
    """The records of a batch whose checksum matches, from `offset` on."""
    batch = cast(DefaultRecordBatchProtocol, MemoryRecords(data).next_batch())
    if batch.is_control_batch or batch.next_offset <= offset:
        return
    if batch.timestamp_type != 1:
        raise LogUnavailable(
            f"partition {partition}: a batch from offset {offset} on cannot be read: it has no "
            "LogAppendTime: run `bellwether doctor`"
        )
    for record in batch:
        if record.offset >= offset:
            yield LogRecord(
                partition,
                record.offset,
                batch.max_timestamp * 1_000_000,
                tuple((name, content or b"") for name, content in record.headers),
                record.value or b"",
            )
