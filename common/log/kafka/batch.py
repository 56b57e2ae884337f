"""Record batches of the Kafka protocol: written from appends, read into log records.

Values are compressed already, so batches are not. A batch's checksum is verified before anything
of it is believed.
"""

from collections.abc import Sequence
from typing import Protocol, cast

from aiokafka.errors import CorruptRecordException
from aiokafka.record._protocols import DefaultRecordBatchProtocol
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from common.errors import LogUnavailable
from common.record import LogRecord

BATCH_OVERHEAD_BYTES = 61
_RECORD_OVERHEAD_BYTES = 21
_HEADER_OVERHEAD_BYTES = 6
Headers = tuple[tuple[str, bytes], ...]


class Item(Protocol):
    """What is written of one append."""

    headers: Headers
    value: bytes


def record_bytes(headers: Headers, value: bytes) -> int:
    """An upper bound of what a record takes in a batch. Header names are ASCII."""
    named = sum(len(name) + len(content) + _HEADER_OVERHEAD_BYTES for name, content in headers)
    return len(value) + named + _RECORD_OVERHEAD_BYTES


def encode_batch(items: Sequence[Item], now_ms: int) -> bytes | bytearray:
    """One batch of all items, in order. Brokers replace `now_ms` by their own append time."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,  # no idempotence, see docs/adr/0005-kafka-client.md
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**31 - 1,  # the caller bounds what it passes
    )
    for at, item in enumerate(items):
        builder.append(at, now_ms, None, item.value, list(item.headers))
    return builder.build()


def decode_records(partition: int, data: bytes, offset: int, max_bytes: int) -> list[LogRecord]:
    """Records from `offset` on in what a fetch returned; the last batch may be cut short.

    At least one if there is one, then about `max_bytes` of values. Raises LogUnavailable.
    """
    found: list[LogRecord] = []
    room = max_bytes
    batches = MemoryRecords(data)
    while batches.has_next():
        try:
            batch = batches.next_batch()
            if batch is None:
                return found
            if isinstance(batch, LegacyRecordBatch):
                raise CorruptRecordException("its format is older than record headers")
            batch = cast(DefaultRecordBatchProtocol, batch)
            if not batch.validate_crc():
                raise CorruptRecordException("its checksum does not match")
            if batch.is_control_batch or batch.next_offset <= offset:
                continue
            if batch.timestamp_type != 1:
                raise CorruptRecordException("it has no LogAppendTime: run `bellwether doctor`")
            for record in batch:
                if record.offset < offset:
                    continue
                value = record.value or b""
                found.append(
                    LogRecord(
                        partition,
                        record.offset,
                        batch.max_timestamp * 1_000_000,
                        tuple((name, content or b"") for name, content in record.headers),
                        value,
                    )
                )
                room -= len(value)
                if room <= 0:
                    return found
        except CorruptRecordException as error:
            if found:
                return found
            raise LogUnavailable(
                f"partition {partition}: a batch from offset {offset} on cannot be read: {error}"
            ) from error
    return found
