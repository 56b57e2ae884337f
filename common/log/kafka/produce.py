"""The Produce request (version 13, brokers from 4.1): by topic id, written and read in one go.

The schema says what the fields are; it is how what is unusual in an answer is read, and the oracle
of the tests. Walking it costs 13 us for each direction of a request with one small batch, and
copies every batch four times; here it is one join, and one `struct` per partition (2 us).
"""

import struct
from io import BytesIO
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    UnsignedVarInt32,
)

from common.log.kafka.protocol import TAGS, TopicId

_BEGIN = struct.Struct(">bhi")  # no transactional id, acks, time-out
_INDEX = struct.Struct(">i")
_APPENDED = struct.Struct(">ihqqqbbb")  # a partition's answer, no record errors, message, tags
_NONE = b"\0"  # no tags; also a string that is null
_SMALL = 0x7F  # the largest count that is one byte; counts are written as one more
_TOPIC_ID_BYTES = 16

_Topics = list[tuple[Any, ...]]


class ProduceResponse13(Response):
    """Per partition: error, offset of the first record (-1: not appended), append time in ms."""

    API_KEY = 0
    API_VERSION = 13
    _ERRORS = CompactArray(("index", Int32), ("message", CompactString()), TAGS)
    _PARTITION = CompactArray(
        ("partition", Int32),
        ("error_code", Int16),
        ("base_offset", Int64),
        ("log_append_time_ms", Int64),
        ("log_start_offset", Int64),
        ("record_errors", _ERRORS),
        ("error_message", CompactString()),
        TAGS,
    )
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", TopicId), ("partitions", _PARTITION), TAGS)),
        ("throttle_time_ms", Int32),
        TAGS,
    )

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "ProduceResponse13":
        """The answer behind its header."""
        rest = data if isinstance(data, bytes) else data.read()
        topics = _plain_topics(rest)
        if topics is not None:
            return cls(topics, 0, {})
        return super().decode(rest)


class ProduceRequest13(RequestStruct):
    """Record batches for partitions of a topic."""

    API_KEY = 0
    API_VERSION = 13
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = ProduceResponse13
    _PARTITION = CompactArray(("partition", Int32), ("records", CompactBytes), TAGS)
    SCHEMA = Schema(
        ("transactional_id", CompactString()),
        ("acks", Int16),
        ("timeout_ms", Int32),
        ("topics", CompactArray(("topic_id", TopicId), ("partitions", _PARTITION), TAGS)),
        TAGS,
    )

    def encode(self) -> bytes:
        """The request behind its header; every batch is copied once."""
        fields = self.__dict__
        topics = fields["topics"]
        parts = [_BEGIN.pack(0, fields["acks"], fields["timeout_ms"]), _count(topics)]
        for topic_id, partitions, _ in topics:
            parts += (topic_id, _count(partitions))
            for index, batch, _ in partitions:
                parts += (_INDEX.pack(index), _count(batch), batch, _NONE)
            parts.append(_NONE)
        parts.append(_NONE)
        return b"".join(parts)


class Produce(Request[ProduceRequest13]):
    """Append one batch to each of some partitions, acknowledged by all replicas in sync."""

    API_KEY = 0

    def __init__(
        self, topic_id: bytes, batches: list[tuple[int, bytes | bytearray]], timeout_ms: int
    ):
        partitions: list[tuple[Any, ...]] = [(p, batch, {}) for p, batch in batches]
        self._topics: list[tuple[Any, ...]] = [(topic_id, partitions, {})]
        self._timeout_ms = timeout_ms

    def build(self, request_struct_class: type[ProduceRequest13]) -> ProduceRequest13:
        """The request as it is sent."""
        return request_struct_class(None, -1, self._timeout_ms, self._topics, {})


def _count(items: Any) -> bytes:
    return UnsignedVarInt32.encode(len(items) + 1)


def _plain_topics(raw: bytes) -> _Topics | None:
    """The topics of an answer with nothing in it but offsets and codes; else None."""
    at, end = 1, len(raw) - 5  # behind the topics: throttle time and tags
    if end < at or raw[0] > _SMALL or raw[end:] != bytes(5):
        return None
    topics: _Topics = []
    try:
        for _ in range(raw[0] - 1):
            topic_id = raw[at : at + _TOPIC_ID_BYTES]
            count = raw[at + _TOPIC_ID_BYTES]
            at += _TOPIC_ID_BYTES + 1
            if count > _SMALL:
                return None
            partitions: _Topics = []
            for _ in range(count - 1):
                index, code, base, time_ms, start, errors, message, tags = _APPENDED.unpack_from(
                    raw, at
                )
                if errors != 1 or message != 0 or tags != 0:
                    return None
                partitions.append((index, code, base, time_ms, start, [], None, {}))
                at += _APPENDED.size
            if raw[at] != 0:
                return None
            at += 1
            topics.append((topic_id, partitions, {}))
    except (IndexError, struct.error):
        return None
    return topics if at == end and raw[0] else None
