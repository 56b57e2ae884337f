"""Any request: the readable decoder and the public protobuf library find the same in it."""

from typing import Any

from google.protobuf.message import DecodeError
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from tests.shepherd.otlp.decode.reference import by_library
from tests.shepherd.otlp.decode.reference.lines import lines
from tests.shepherd.otlp.messages import ARRIVAL_NS, key_values, of_service, request, span

NAMES = st.sampled_from(
    [
        *("a", "b", "a.b", "name", "error", "type", "status_code", "trace.trace_id"),
        *("exception.type", "exception.message", "parent_name", "", "\x00é\u2028😀"),
    ]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    SCALARS | st.none() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=5)
RATED = st.builds(
    lambda fields, rate: fields | rate,
    FIELDS,
    st.sampled_from([{}, {}, {"sampleRate": 7}, {"SampleRate": 2**31 - 1}]),
)
IDS = st.binary(max_size=9) | st.binary(min_size=16, max_size=16) | st.just(bytes(15) + b"\x05")
TIMES = st.just(0) | st.integers(1, 2**63 - 1)
COUNTS = st.just(0) | st.integers(0, 2**32 - 1)
EVENTS = st.builds(
    lambda fields, **members: Span.Event(attributes=key_values(fields), **members),
    RATED,
    time_unix_nano=TIMES,
    name=TEXTS | st.just("exception"),
    dropped_attributes_count=COUNTS,
)
LINKS = st.builds(
    lambda fields, **members: Span.Link(attributes=key_values(fields), **members),
    RATED,
    trace_id=IDS,
    span_id=IDS,
    trace_state=TEXTS,
    dropped_attributes_count=COUNTS,
)
SPANS = st.builds(
    span,
    RATED,
    trace_id=IDS,
    span_id=IDS,
    parent_span_id=IDS,
    name=TEXTS,
    kind=st.integers(0, 5),
    start_time_unix_nano=TIMES,
    end_time_unix_nano=TIMES,
    events=st.lists(EVENTS, max_size=2),
    links=st.lists(LINKS, max_size=2),
    dropped_attributes_count=COUNTS,
    status=st.builds(Status, code=st.integers(0, 2), message=TEXTS),
)
SCOPES = st.builds(
    lambda fields, spans, url, **members: ScopeSpans(
        scope=InstrumentationScope(attributes=key_values(fields), **members),
        spans=spans,
        schema_url=url,
    ),
    RATED,
    st.lists(SPANS, max_size=3),
    TEXTS,
    name=TEXTS | st.just("io.opentelemetry.tomcat"),
    version=TEXTS,
)
SERVICES = st.sampled_from(
    ["web", " api ", "", "unknown_service:java", " unknown_service", 7, None]
)
GROUPS = st.builds(
    lambda service, fields, scopes, url: ResourceSpans(
        resource=of_service(service=service, resource=fields).resource,
        scope_spans=scopes,
        schema_url=url,
    ),
    SERVICES,
    RATED,
    st.lists(SCOPES, max_size=2),
    TEXTS,
)
REQUESTS = st.builds(request, GROUPS) | st.builds(request, GROUPS, GROUPS)


def decode(body: bytes) -> DecodedRequest:
    return ReferenceDecoder().decode(OtlpBody(Signal.TRACES, body, ARRIVAL_NS), Work())


def written(found: dict[str, list[Any]]) -> str:
    """As text: `1` and `True` and `1.0` differ, and so does another order of fields."""
    return repr(found)


@given(REQUESTS)
@settings(max_examples=100)
def test_every_span_becomes_the_same_events(body: bytes) -> None:
    decoded = decode(body)
    assert written(lines(decoded)) == written(by_library.events(body, ARRIVAL_NS))
    assert not any(group.events.refused for group in decoded.groups)
    spans = [
        one
        for group in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in group.scope_spans
        for one in scope.spans
    ]
    assert decoded.items == len(spans)
    own = sorted(
        int(item)
        for group in decoded.groups
        for item, is_own in zip(group.items, group.own, strict=True)
        if is_own
    )
    assert own == list(range(len(spans)))


@given(REQUESTS, st.data())
@settings(max_examples=100)
def test_what_the_library_can_read_is_read_whatever_was_damaged(body: bytes, data: Any) -> None:
    assume(body)
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(body)))]
    try:
        ExportTraceServiceRequest.FromString(bytes(damaged))
        is_readable = True
    except DecodeError:
        is_readable = False
    try:
        decode(bytes(damaged))
    except MalformedBody:
        assert not is_readable


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    try:
        decode(body)
    except MalformedBody:
        return
