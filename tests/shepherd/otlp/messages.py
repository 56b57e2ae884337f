"""Requests of OTLP, made with the public library for its protobuf."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

TRACE = bytes(range(1, 17))
SPAN = bytes(range(1, 9))
START_NS = 1_700_000_000_000_000_000
ARRIVAL_NS = 1_800_000_000_000_000_000


def any_value(value: Any) -> AnyValue:
    """A value of an attribute. None: without a type."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(one) for one in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
    raise TypeError(value)


def key_values(fields: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes."""
    return [KeyValue(key=name, value=any_value(value)) for name, value in fields.items()]


def span(fields: Mapping[str, Any] | None = None, **members: Any) -> Span:
    """A span of 1.5 ms. members: of the message, in place of those here."""
    usual = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "name": "GET /",
        "start_time_unix_nano": START_NS,
        "end_time_unix_nano": START_NS + 1_500_000,
    }
    return Span(attributes=key_values(fields or {}), **{**usual, **members})


def of_service(
    *spans: Span, service: Any = "web", resource: Mapping[str, Any] | None = None, **scope: Any
) -> ResourceSpans:
    """Spans of one service. scope: members of the group of spans."""
    named = {} if service is None else {"service.name": service}
    attributes = key_values({**named, **(resource or {})})
    return ResourceSpans(
        resource=Resource(attributes=attributes),
        scope_spans=[ScopeSpans(spans=spans, **scope)],
    )


def request(*groups: ResourceSpans) -> bytes:
    """A request's body."""
    return bytes(ExportTraceServiceRequest(resource_spans=groups).SerializeToString())
