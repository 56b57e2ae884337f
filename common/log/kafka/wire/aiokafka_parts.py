"""Everything that Bellwether uses of aiokafka. No other file of the product's roles imports it.

Most of it lies below aiokafka's public API (a connection, protocol types, record batches), so a
new version of aiokafka may change it: what breaks then breaks here. Why its producer and consumer
are not used: docs/adr/0005-kafka-client.md.
"""

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.admin import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DescribeConfigsRequest,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)
from aiokafka.record._protocols import DefaultRecordBatchProtocol
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

__all__ = [
    "AIOKafkaConnection",
    "AbstractType",
    "Array",
    "Boolean",
    "CompactArray",
    "CompactBytes",
    "CompactString",
    "CreatePartitionsRequest",
    "CreateTopicsRequest",
    "DefaultRecordBatchBuilder",
    "DefaultRecordBatchProtocol",
    "DescribeConfigsRequest",
    "IncompatibleBrokerVersion",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "KafkaError",
    "MemoryRecords",
    "OffsetRequest",
    "OffsetResetStrategy",
    "Request",
    "RequestStruct",
    "Response",
    "Schema",
    "String",
    "TaggedFields",
    "calc_crc32c",
    "create_ssl_context",
]
