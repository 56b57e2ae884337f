"""What spans become, once more: by the public library's objects, and as plainly as can be.

It knows well-formed requests alone: texts that are UTF-8, few fields, numbers that are finite.
"""

import base64
from collections.abc import Iterable
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"]
LIBRARIES = ("io.opentelemetry", "opentelemetry.instrumentation", "@opentelemetry/instrumentation")


def events(body: bytes, arrival_ns: int) -> dict[str, list[dict[str, Any]]]:
    """The lines of each dataset, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = attributes(group.resource.attributes)
        if group.schema_url:
            resource.setdefault("resource.schema_url", group.schema_url)
        service = resource.get("service.name", "")
        name = service.strip() if isinstance(service, str) else ""
        if not name or name.startswith("unknown_service"):
            name = "unknown_service"
        for scoped in group.scope_spans:
            scope = attributes(scoped.scope.attributes)
            told = {
                "library.name": scoped.scope.name,
                "library.version": scoped.scope.version,
                "telemetry.instrumentation_library": scoped.scope.name.startswith(LIBRARIES),
                "scope.schema_url": scoped.schema_url,
            }
            inherited = {**resource, **{key: told[key] for key in told if told[key]}, **scope}
            order = [*scope, *told, *resource]
            inherited = {key: inherited[key] for key in order if key in inherited}
            for span in scoped.spans:
                found.setdefault(name, []).extend(lines(span, inherited, arrival_ns))
    return found


def lines(span: Span, inherited: dict[str, Any], arrival_ns: int) -> Iterable[dict[str, Any]]:
    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
    own = attributes(span.attributes)
    rate = (inherited | own).get("sampleRate", (inherited | own).get("SampleRate", 1))
    trace = {"trace.trace_id": trace_id(span.trace_id)}
    error = {"error": True} if span.status.code == 2 else {}
    parts: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for event in span.events:
        since: dict[str, Any] = {}
        if event.time_unix_nano and start_ns:
            ms = (event.time_unix_nano - start_ns) / 1e6
            since = {"meta.time_since_span_start_ms": max(ms, 0.0)}
            if ms < 0:
                since["meta.invalid_time_since_span_start"] = True
        core = {
            **trace,
            "trace.parent_id": span.span_id.hex(),
            "name": event.name,
            "parent_name": span.name,
            "meta.annotation_type": "span_event",
            "meta.signal_type": "trace",
            **since,
            **error,
            **dropped(event.dropped_attributes_count),
        }
        parts.append((event.time_unix_nano or start_ns, attributes(event.attributes), core))
    for link in span.links:
        core = {
            **trace,
            "trace.parent_id": span.span_id.hex(),
            "trace.link.trace_id": trace_id(link.trace_id),
            "trace.link.span_id": link.span_id.hex(),
            "parent_name": span.name,
            "meta.annotation_type": "link",
            "meta.signal_type": "trace",
            **error,
            **dropped(link.dropped_attributes_count),
        }
        parts.append((start_ns or end_ns, attributes(link.attributes), core))
    is_timed = 0 < start_ns <= end_ns
    exceptions = [event for event in span.events if event.name == "exception"][:1]
    raised = {key: value for one in exceptions for key, value in attributes(one.attributes).items()}
    wanted = [f"exception.{part}" for part in ("message", "type", "stacktrace", "escaped")]
    core = {
        **trace,
        "trace.span_id": span.span_id.hex(),
        "trace.parent_id": span.parent_span_id.hex() if any(span.parent_span_id) else "",
        "name": span.name,
        "type": KINDS[span.kind],
        "span.kind": KINDS[span.kind],
        "status_code": span.status.code,
        "status_message": span.status.message,
        **error,
        "duration_ms": (end_ns - start_ns) / 1e6 if is_timed else 0.0,
        **({} if is_timed else {"meta.invalid_duration": True}),
        "span.num_links": len(span.links),
        "span.num_events": len(span.events),
        "trace.trace_state": span.trace_state,
        "meta.signal_type": "trace",
        **dropped(span.dropped_attributes_count),
        **{key: raised[key] for key in wanted if key in raised},
    }
    parts.append((start_ns or end_ns, own, core))
    for time_ns, own, core in parts:
        kept = {key: core[key] for key in core if core[key] != "" or key == "name"}
        data = {**own, **{key: kept[key] for key in kept if key not in own}}
        data |= {key: inherited[key] for key in inherited if key not in data}
        for key in ("sampleRate", "SampleRate"):
            data.pop(key, None)
        yield {"t": time_ns or arrival_ns, "r": rate, "d": data}


def dropped(count: int) -> dict[str, int]:
    return {"meta.dropped_attributes_count": count} if count else {}


def trace_id(raw: bytes) -> str:
    return (raw[8:] if len(raw) == 16 and not any(raw[:8]) else raw).hex()


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        if pair.key:
            for name, value in flat(pair.key, pair.value, 0):
                found.setdefault(name, value)
    return found


def flat(name: str, value: AnyValue, depth: int) -> Iterable[tuple[str, Any]]:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value" and depth < 5:
        for pair in value.kvlist_value.values:
            if pair.key:
                yield from flat(f"{name}.{pair.key}", pair.value, depth + 1)
    elif kind in ("kvlist_value", "array_value", "bytes_value"):
        yield name, orjson.dumps(plain(value)).decode() + "\n"
    elif kind is not None:
        yield name, getattr(value, kind)


def plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [plain(one) for one in value.array_value.values]
        case "kvlist_value":
            members: dict[str, Any] = {}
            for pair in value.kvlist_value.values:
                members.setdefault(pair.key, plain(pair.value))
            return members
        case kind:
            return getattr(value, kind)
