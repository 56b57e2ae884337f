"""Makes Zipkin's spans of the events of traces, whatever protocol they came by.

What is a span, what happened in one and which span that is, is as in the tree of a trace
(`query.traces.one`). The names of the members are those of Zipkin's API, version 2.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from query.plan.parts.spans import DEFAULT_NAMES
from query.traces.one.classify import classify
from query.traces.one.event import TraceEvent
from query.traces.one.parents import find_parents
from query.traces.one.read_table import events_of, fields_read
from query.traces.wanted import SpanTable

FIELDS: Final = fields_read((), with_messages=True)  # to gather, beside all data of the events
_KINDS: Final = frozenset({"client", "server", "producer", "consumer"})
_US_NS: Final = 1_000
_STATUS_OK, _STATUS_ERROR = 1, 2  # as OTLP numbers them
_SIDES: Final = ("network.local", "network.peer")
_PORT_MAX: Final = 65_535
_ID_DIGITS, _ID_DIGITS_MAX = 16, 32
_HEX: Final = frozenset("0123456789abcdefABCDEF")
# Members of a span rather than tags; of the definitions, the field that was taken.
_MEMBERS: Final = frozenset(
    {"span.kind", "error", "status_message", "peer.service"}
    | {"meta.signal_type", "meta.annotation_type", "span.num_events", "span.num_links"}
)
_FLAGS: Final = ("shared", "debug")
_NOT_OF_EVENTS: Final = frozenset(
    {"parent_name", "meta.time_since_span_start_ms", "meta.invalid_time_since_span_start"}
    | {"body", "span_id", "spanId"}
)
Fields = Mapping[str, Any]
Span = dict[str, Any]


@dataclass(slots=True)
class ZipkinTraces:
    """Traces as Zipkin has them.

    by_id: the spans of each trace, by its id in common form, in the order of time.
    left_out: events without a span in their trace: Zipkin has no place for them.
    """

    by_id: dict[str, list[Span]] = field(default_factory=dict)
    left_out: int = 0


def zipkin_traces(table: SpanTable) -> ZipkinTraces:
    """The traces of a table with `FIELDS` and all data."""
    events = list(events_of(table, ()))
    data = table.rows.column("data").to_pylist()
    ids = table.rows.column("trace_id").to_pylist()
    rows: dict[str, list[int]] = {}
    for at, trace_id in enumerate(ids):
        rows.setdefault(trace_id, []).append(at)
    found = ZipkinTraces()
    for trace_id, places in rows.items():
        texts = {id(events[at]): data[at] for at in places}
        trace = _Trace(trace_id, [events[at] for at in places], texts)
        found.by_id[trace_id] = trace.spans()
        found.left_out += trace.left_out
    return found


class _Trace:
    """The events of one trace."""

    def __init__(
        self, trace_id: str, events: Sequence[TraceEvent], texts: Mapping[int, bytes]
    ) -> None:
        """texts: the data of each event as JSON, by the event's identity."""
        self._trace_id = trace_id
        self._texts = texts
        self._found = classify(events)
        self.left_out = 0

    def spans(self) -> list[Span]:
        """The spans, with what happened in them."""
        spans = self._found.spans
        fields = [self._fields(span) for span in spans]
        made = [_span(self._trace_id, one, data) for one, data in zip(spans, fields, strict=True)]
        inside, links = self._found.inside, self._found.links
        owners = find_parents(spans, [*inside, *links]).owners
        self.left_out += sum(not 0 <= owner < len(spans) for owner in owners)
        for event, owner in zip(inside, owners[: len(inside)], strict=True):
            if 0 <= owner < len(spans):
                note = _annotation(event, self._fields(event), fields[owner])
                made[owner].setdefault("annotations", []).append(note)
        for link, owner in zip(links, owners[len(inside) :], strict=True):
            if 0 <= owner < len(spans) and link.link_trace_id:
                tags = made[owner].setdefault("tags", {})
                number = sum(name.startswith("otlp.link.") for name in tags)
                tags[f"otlp.link.{number}"] = f"{link.link_trace_id}|{link.link_span_id}||{{}}|0"
        return made

    def _fields(self, event: TraceEvent) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self._texts[id(event)])
        return found


def _span(trace_id: str, event: TraceEvent, fields: Fields) -> Span:
    span: Span = {"traceId": _id(trace_id), "id": _id(event.span_id)}
    if event.parent_id:
        span["parentId"] = _id(event.parent_id)
    if event.kind in _KINDS:
        span["kind"] = event.kind.upper()
    if event.name:
        span["name"] = event.name
    if event.time_ns >= _US_NS:
        span["timestamp"] = event.time_ns // _US_NS
    if event.duration_ns is not None:
        span["duration"] = max(1, round(event.duration_ns / _US_NS))
    if fields.get("debug") is True:
        span["debug"] = True
    if event.shared:
        span["shared"] = True
    local, peer = _SIDES
    span["localEndpoint"] = _endpoint(event.service or event.dataset, fields, local)
    remote = _endpoint(_text(fields.get("peer.service")), fields, peer)
    if remote:
        span["remoteEndpoint"] = remote
    tags = _tags(event, fields)
    if tags:
        span["tags"] = tags
    return span


def _id(text: str) -> str:
    """An id as Zipkin writes it: 16 or 32 lower-case digits; what is no hex is left as it is."""
    if len(text) > _ID_DIGITS_MAX or not _HEX.issuperset(text):
        return text
    return text.lower().rjust(_ID_DIGITS if len(text) <= _ID_DIGITS else _ID_DIGITS_MAX, "0")


def _endpoint(service: str, fields: Fields, side: str) -> dict[str, Any]:
    found: dict[str, Any] = {"serviceName": service} if service else {}
    for name in _address_fields(side):
        if kind := _kind_of_address(fields.get(name)):
            found[kind] = fields[name]
    if _is_port(port := fields.get(f"{side}.port")):
        found["port"] = port
    return found


def _address_fields(side: str) -> tuple[str, str]:
    return f"{side}.address", f"{side}.address_ipv6"


def _kind_of_address(value: object) -> str:
    """The member for an address; empty if it is none, such as a host's name."""
    if not isinstance(value, str):
        return ""
    try:
        return f"ipv{ipaddress.ip_address(value).version}"
    except ValueError:
        return ""


def _is_port(value: object) -> bool:
    return type(value) is int and 0 < value <= _PORT_MAX


def _tags(event: TraceEvent, fields: Fields) -> dict[str, str]:
    """The other fields as texts. A tag `error` means failed whatever its text is, so it is there
    only where the span has failed.
    """
    left_out = _MEMBERS | _taken(fields) | _in_endpoints(fields)
    if fields.get("type") == fields.get("span.kind"):
        left_out |= {"type"}
    tags = {
        name: _text(value)
        for name, value in fields.items()
        if value is not None and name not in left_out and not (name in _FLAGS and value is True)
    }
    status, message = fields.get("status_code"), _text(fields.get("status_message"))
    if status in (0, _STATUS_OK, _STATUS_ERROR):
        tags.pop("status_code", None)
    if event.error_by:
        own = _text(fields.get("error"))
        tags["error"] = message or (own if own.lower() not in ("", "false", "0") else "true")
    elif message:
        tags.setdefault("otel.status_description", message)
    if status == _STATUS_OK:
        tags.setdefault("otel.status_code", "OK")
    return tags


def _in_endpoints(fields: Fields) -> set[str]:
    """The fields that are members of endpoints."""
    found = set()
    for side in _SIDES:
        found |= {n for n in _address_fields(side) if _kind_of_address(fields.get(n))}
        if _is_port(fields.get(f"{side}.port")):
            found.add(f"{side}.port")
    return found


def _annotation(event: TraceEvent, fields: Fields, of_span: Fields) -> dict[str, Any]:
    """An event in a span. Its own attributes are packed into its text, as OpenTelemetry's exporter
    for Python does: Zipkin has no other place. What the span has too is not repeated.
    """
    left_out = _MEMBERS | _NOT_OF_EVENTS | _taken(fields) | {"status_code"}
    own = {
        name: value
        for name, value in fields.items()
        if value is not None and name not in left_out and of_span.get(name) != value
    }
    value = event.name or event.message or event.dataset
    if own:
        value = orjson.dumps({value: own}).decode()
    return {"timestamp": max(event.time_ns // _US_NS, 0), "value": value}


def _taken(fields: Fields) -> set[str]:
    """The fields that define the parts of a span: of each part, the first that there is."""
    definitions = (
        DEFAULT_NAMES.trace_id,
        DEFAULT_NAMES.span_id,
        DEFAULT_NAMES.parent_id,
        DEFAULT_NAMES.name,
        DEFAULT_NAMES.service,
        DEFAULT_NAMES.duration_ms,
    )
    found = (next((n for n in names if fields.get(n) is not None), "") for names in definitions)
    return {name for name in found if name}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
