"""The same spans as the bodies of requests in each protocol and encoding.

A request that is sent again would be known by its bytes and not be stored. So each body has the id
of its first trace in one place, where `renewed` writes another one before it is sent.
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from benchmarks.otlp.decode import batch_of
from benchmarks.otlp.spans import make_request
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder

_NS_PER_US = 1_000
_KINDS = ("", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


class Form(StrEnum):
    """How spans are written."""

    PROTOBUF = "OTLP protobuf"
    JSON = "OTLP/JSON"
    BATCH = "/1/batch"
    ZIPKIN = "Zipkin v2 JSON"


@dataclass(frozen=True, slots=True)
class Body:
    """A body and the bytes of its first trace's id in it."""

    content: bytes
    trace_id: bytes

    def renewed(self, trace_id: bytes) -> bytes:
        """The body with another trace id of 16 bytes."""
        is_text = len(self.trace_id) > len(trace_id)
        new = trace_id.hex().encode() if is_text else trace_id
        return self.content.replace(self.trace_id, new, 1)


def body_of(form: Form, message: bytes) -> Body:
    """The spans of an ExportTraceServiceRequest in a form."""
    request = _parsed(message)
    first: bytes = request.resource_spans[0].scope_spans[0].spans[0].trace_id
    text_id = first.hex().encode()
    match form:
        case Form.PROTOBUF:
            return Body(message, first)
        case Form.JSON:
            return Body(_otlp_json(request), text_id)
        case Form.BATCH:
            return Body(_batch(message), text_id)
        case Form.ZIPKIN:
            return Body(_zipkin(request), text_id)


def messages(seed: int, requests: int, spans: int, start_ns: int) -> list[bytes]:
    """Requests of 20 attributes a span, each span different. start_ns: as in `make_request`."""
    return [make_request(seed + number, spans, start_ns) for number in range(requests)]


def _parsed(message: bytes) -> Any:  # protobuf ships no type information
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    request.ParseFromString(message)
    return request


def _batch(message: bytes) -> bytes:
    """The events that are stored of the spans, as a batch."""
    (group,) = ReferenceDecoder().decode(OtlpBody(Signal.TRACES, message, 0), Work()).groups
    return batch_of(group.events.lines.text)


def _otlp_json(request: Any) -> bytes:
    """As SDKs write it: protobuf's JSON with ids in hex and enums as numbers."""
    # it ships no type information
    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

    document = MessageToDict(request, use_integers_for_enums=True)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    span[name] = base64.b64decode(span[name]).hex()
    return orjson.dumps(document)


def _zipkin(request: Any) -> bytes:
    """As the Collector exports it: attributes of the resource are tags too, all tags are texts."""
    (resource,) = request.resource_spans
    (scope,) = resource.scope_spans
    shared = _tags(resource.resource.attributes)
    service = shared.pop("service.name")
    shared |= {"otel.library.name": scope.scope.name, "otel.library.version": scope.scope.version}
    return orjson.dumps(
        [
            {
                "traceId": one.trace_id.hex(),
                "id": one.span_id.hex(),
                "parentId": one.parent_span_id.hex(),
                "name": one.name,
                "kind": _KINDS[one.kind],
                "timestamp": one.start_time_unix_nano // _NS_PER_US,
                "duration": (one.end_time_unix_nano - one.start_time_unix_nano) // _NS_PER_US,
                "localEndpoint": {"serviceName": service},
                "tags": shared | _tags(one.attributes),
            }
            for one in scope.spans
        ]
    )


def _tags(attributes: Any) -> dict[str, str]:
    found = {}
    for one in attributes:
        value = getattr(one.value, one.value.WhichOneof("value"))
        found[one.key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found
