"""Requests that aiokafka lacks: those that name a topic by its id, and DescribeLogDirs.

A topic that was deleted and created again has the same name and another id. Appending and reading
by id makes it impossible to mix offsets of the two (I5). Field order is the published protocol of
Produce 13 (brokers from 4.1), Fetch 13 (3.1), Metadata 12 (3.0) and DescribeLogDirs 1.
"""

from io import BytesIO
from typing import Any

from common.log.kafka.wire.aiokafka_parts import (
    AbstractType,
    Array,
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Int64,
    Request,
    RequestStruct,
    Response,
    Schema,
    String,
    TaggedFields,
)

NO_TOPIC = bytes(16)
TAGS = ("tags", TaggedFields)


class TopicId(AbstractType[bytes]):
    """The 16 bytes of a topic's id, unchanged."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """The bytes."""
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        """The next 16 bytes."""
        return data.read(16)


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


class FetchResponse13(Response):
    """Per partition: error, high watermark, and whole batches; the last may be cut short."""

    API_KEY = 1
    API_VERSION = 13
    _ABORTED = CompactArray(("producer_id", Int64), ("first_offset", Int64), TAGS)
    _PARTITION = CompactArray(
        ("partition", Int32),
        ("error_code", Int16),
        ("high_watermark", Int64),
        ("last_stable_offset", Int64),
        ("log_start_offset", Int64),
        ("aborted", _ABORTED),
        ("preferred_read_replica", Int32),
        ("records", CompactBytes),
        TAGS,
    )
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("session_id", Int32),
        ("topics", CompactArray(("topic_id", TopicId), ("partitions", _PARTITION), TAGS)),
        TAGS,
    )


class FetchRequest13(RequestStruct):
    """Fetch without a fetch session."""

    API_KEY = 1
    API_VERSION = 13
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = FetchResponse13
    _PARTITION = CompactArray(
        ("partition", Int32),
        ("current_leader_epoch", Int32),
        ("fetch_offset", Int64),
        ("last_fetched_epoch", Int32),
        ("log_start_offset", Int64),
        ("partition_max_bytes", Int32),
        TAGS,
    )
    _FORGOTTEN = CompactArray(("topic_id", TopicId), ("partitions", CompactArray(Int32)), TAGS)
    SCHEMA = Schema(
        ("replica_id", Int32),
        ("max_wait_ms", Int32),
        ("min_bytes", Int32),
        ("max_bytes", Int32),
        ("isolation_level", Int8),
        ("session_id", Int32),
        ("session_epoch", Int32),
        ("topics", CompactArray(("topic_id", TopicId), ("partitions", _PARTITION), TAGS)),
        ("forgotten", _FORGOTTEN),
        ("rack_id", CompactString()),
        TAGS,
    )


class Fetch(Request[FetchRequest13]):
    """Records of one partition from an offset on."""

    API_KEY = 1

    def __init__(self, topic_id: bytes, partition: int, offset: int, max_bytes: int, wait_ms: int):
        wanted: tuple[Any, ...] = (partition, -1, offset, -1, -1, max_bytes, {})
        self._topics: list[tuple[Any, ...]] = [(topic_id, [wanted], {})]
        self._max_bytes = max_bytes
        self.offset = offset
        self.wait_ms = wait_ms

    def build(self, request_struct_class: type[FetchRequest13]) -> FetchRequest13:
        """The request as it is sent."""
        session: tuple[int, int] = (0, -1)  # none
        return request_struct_class(
            *(-1, self.wait_ms, 1, self._max_bytes, 0, *session, self._topics, [], "", {})
        )


class MetadataResponse12(Response):
    """Brokers, and the requested topics with their partitions' leaders."""

    API_KEY = 3
    API_VERSION = 12
    _BROKERS = CompactArray(
        ("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()),
        TAGS,
    )  # fmt: skip
    _PARTITIONS = CompactArray(
        ("error_code", Int16),
        ("partition", Int32),
        ("leader", Int32),
        ("leader_epoch", Int32),
        ("replicas", CompactArray(Int32)),
        ("isr", CompactArray(Int32)),
        ("offline", CompactArray(Int32)),
        TAGS,
    )
    _TOPICS = CompactArray(
        ("error_code", Int16),
        ("name", CompactString()),
        ("topic_id", TopicId),
        ("is_internal", Boolean),
        ("partitions", _PARTITIONS),
        ("authorized_operations", Int32),
        TAGS,
    )
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", _BROKERS),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", _TOPICS),
        TAGS,
    )


class MetadataRequest12(RequestStruct):
    """Metadata of topics by name; never creates one."""

    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = MetadataResponse12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", TopicId), ("name", CompactString()), TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        TAGS,
    )


class GetMetadata(Request[MetadataRequest12]):
    """Addresses of the brokers, and the leader of each partition of a topic."""

    API_KEY = 3

    def __init__(self, topic: str):
        self._topics: list[tuple[Any, ...]] = [(NO_TOPIC, topic, {})]

    def build(self, request_struct_class: type[MetadataRequest12]) -> MetadataRequest12:
        """The request as it is sent."""
        return request_struct_class(self._topics, False, False, {})


class DescribeLogDirsResponse1(Response):
    """Per log folder and partition: bytes of its segments."""

    API_KEY = 35
    API_VERSION = 1
    _PARTITIONS = Array(
        ("partition", Int32), ("size", Int64), ("offset_lag", Int64), ("is_future", Boolean)
    )
    _TOPICS = Array(("name", String()), ("partitions", _PARTITIONS))
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("folders", Array(("error_code", Int16), ("path", String()), ("topics", _TOPICS))),
    )


class DescribeLogDirsRequest1(RequestStruct):
    """Partitions of a topic on one broker."""

    API_KEY = 35
    API_VERSION = 1
    RESPONSE_TYPE = DescribeLogDirsResponse1
    SCHEMA = Schema(("topics", Array(("topic", String()), ("partitions", Array(Int32)))))


class DescribeLogDirs(Request[DescribeLogDirsRequest1]):
    """The size of one partition on a broker."""

    API_KEY = 35

    def __init__(self, topic: str, partition: int):
        self._topics: list[tuple[Any, ...]] = [(topic, [partition])]

    def build(self, request_struct_class: type[DescribeLogDirsRequest1]) -> DescribeLogDirsRequest1:
        """The request as it is sent."""
        return request_struct_class(self._topics)
