"""The real messages of opentelemetry-proto, and their text in OTLP/JSON."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.transcode import to_protobuf

REQUESTS: Mapping[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
_IDS = ("trace_id", "span_id", "parent_span_id")


def read(signal: Signal, text: bytes | str) -> Any:
    """The message that the bytes made of the text are."""
    data = text.encode() if isinstance(text, str) else text
    return REQUESTS[signal].FromString(to_protobuf(signal, data, Work()))


def otlp_json(message: Message, *, snake_case: bool = False) -> dict[str, Any]:
    """As protobuf's own JSON, with ids in hexadecimal."""
    document = MessageToDict(message, preserving_proto_field_name=snake_case)
    _write_ids(message, document)
    return document


def _write_ids(message: Message, document: dict[str, Any]) -> None:
    for field, value in message.ListFields():
        name = field.json_name if field.json_name in document else field.name
        if field.name in _IDS:
            document[name] = value.hex()
        elif field.message_type is not None:
            if isinstance(document[name], list):
                for inner, shown in zip(value, document[name], strict=True):
                    _write_ids(inner, shown)
            else:
                _write_ids(value, document[name])


def descriptors(signal: Signal) -> dict[str, Descriptor]:
    """Every message type that a request may hold, by its short name."""
    found: dict[str, Descriptor] = {}
    waiting = [REQUESTS[signal].DESCRIPTOR]
    while waiting:
        descriptor = waiting.pop()
        if descriptor.name not in found:
            found[descriptor.name] = descriptor
            waiting += [f.message_type for f in descriptor.fields if f.message_type is not None]
    return found
