"""What spans become, rule by rule."""

from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from common.scan.events import Mended, Rule
from tests.shepherd.otlp.decode.reference.decoding import (
    all_lines,
    decode,
    length_of,
    mended,
    stored,
)
from tests.shepherd.otlp.decode.reference.lines import lines
from tests.shepherd.otlp.messages import (
    ARRIVAL_NS,
    SPAN,
    START_NS,
    TRACE,
    any_value,
    key_values,
    of_service,
    request,
    span,
)

ENDED_NS = START_NS + 1_500_000
TRACE_TEXT = TRACE.hex()


def test_a_span_with_nothing_but_what_it_needs() -> None:
    assert all_lines(span()) == [
        {
            "t": START_NS,
            "r": 1,
            "d": {
                "trace.trace_id": TRACE_TEXT,
                "trace.span_id": SPAN.hex(),
                "name": "GET /",
                "type": "unspecified",
                "span.kind": "unspecified",
                "status_code": 0,
                "duration_ms": 1.5,
                "span.num_links": 0,
                "span.num_events": 0,
                "meta.signal_type": "trace",
                "service.name": "web",
            },
        }
    ]


def test_an_empty_span_is_stored_at_its_arrival() -> None:
    (line,) = all_lines(Span())
    assert line["t"] == ARRIVAL_NS
    assert line["d"]["name"] == ""
    assert line["d"]["meta.invalid_duration"] is True
    assert not {"trace.trace_id", "trace.span_id", "trace.parent_id"} & line["d"].keys()


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "time_ns", "ms", "is_invalid"),
    [
        (START_NS, ENDED_NS, START_NS, 1.5, False),
        (START_NS, START_NS, START_NS, 0.0, False),
        (START_NS, START_NS - 10**9, START_NS, 0.0, True),
        (START_NS, 0, START_NS, 0.0, True),
        (0, ENDED_NS, ENDED_NS, 0.0, True),
        (0, 0, ARRIVAL_NS, 0.0, True),
        (1, 2**63 - 1, 1, (2**63 - 2) / 1e6, False),
        (2**63, 2**63, ARRIVAL_NS, 0.0, False),
        (2**63 - 1, 2**64 - 1, 2**63 - 1, 2**63 / 1e6, False),
    ],
)
def test_times_and_durations(
    start_ns: int, end_ns: int, time_ns: int, ms: float, is_invalid: bool
) -> None:
    sent = span(start_time_unix_nano=start_ns, end_time_unix_nano=end_ns)
    (line,) = all_lines(sent)
    assert line["t"] == time_ns
    assert line["d"]["duration_ms"] == ms
    assert isinstance(line["d"]["duration_ms"], float)
    assert line["d"].get("meta.invalid_duration", False) is is_invalid
    assert mended(sent) == ({Mended(Rule.TIME, "time")} if start_ns >= 2**63 else set())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (TRACE, TRACE_TEXT),
        (bytes(8) + SPAN, SPAN.hex()),
        (bytes(7) + b"\x01" + SPAN, "0000000000000001" + SPAN.hex()),
        (SPAN, SPAN.hex()),
        (b"\xff", "ff"),
        (bytes(24), "00" * 24),
    ],
)
def test_ids_are_lower_case_hex_without_padding(raw: bytes, text: str) -> None:
    link = Span.Link(trace_id=raw, span_id=raw)
    linked, own = all_lines(span(trace_id=raw, span_id=raw, parent_span_id=b"\xab", links=[link]))
    assert own["d"]["trace.trace_id"] == linked["d"]["trace.trace_id"] == text
    assert linked["d"]["trace.link.trace_id"] == text
    assert own["d"]["trace.span_id"] == linked["d"]["trace.link.span_id"] == raw.hex()
    assert own["d"]["trace.parent_id"] == "ab"


def test_a_parent_of_zeros_is_none() -> None:
    assert "trace.parent_id" not in stored(span(parent_span_id=bytes(8)))


def test_kinds_by_name() -> None:
    kinds = ["unspecified", "internal", "server", "client", "producer", "consumer", "unspecified"]
    sent = [span(kind=number) for number in range(6)]  # type: ignore[arg-type]
    unknown = span()
    unknown.MergeFromString(b"\x30\x07")  # a kind of a later version
    found = [line["d"] for line in all_lines(*sent, unknown)]
    assert [one["type"] for one in found] == [one["span.kind"] for one in found] == kinds


def test_status_and_error() -> None:
    failed = Status(code=Status.STATUS_CODE_ERROR, message="no room")
    fields = stored(span(status=failed))
    assert (fields["status_code"], fields["status_message"]) == (2, "no room")
    assert fields["error"] is True
    assert stored(span({"error": "False"}, status=failed))["error"] == "False"
    assert stored(span(status=failed), resource={"error": "all"})["error"] is True
    fine = stored(span(status=Status(code=Status.STATUS_CODE_OK)))
    assert fine["status_code"] == 1
    assert not {"error", "status_message"} & fine.keys()


def test_counts_and_trace_state() -> None:
    fields = stored(
        span(
            events=[Span.Event(), Span.Event()],
            links=[Span.Link()],
            trace_state="a=b",
            dropped_attributes_count=3,
        )
    )
    assert (fields["span.num_events"], fields["span.num_links"]) == (2, 1)
    assert fields["trace.trace_state"] == "a=b"
    assert fields["meta.dropped_attributes_count"] == 3


def test_own_attributes_then_the_spans_fields_then_scope_then_resource() -> None:
    scope = InstrumentationScope(
        name="shop", version="2", attributes=key_values({"a": "scope", "b": "scope", "name": "s"})
    )
    fields = stored(
        span({"a": "own", "type": "own", "library.name": "own"}),
        resource={"b": "resource", "c": "resource", "name": "r", "library.version": "r"},
        scope=scope,
        schema_url="https://scope",
    )
    assert [fields[name] for name in "abc"] == ["own", "scope", "resource"]
    assert (fields["name"], fields["type"], fields["span.kind"]) == ("GET /", "own", "unspecified")
    assert (fields["library.name"], fields["library.version"]) == ("own", "2")
    assert fields["scope.schema_url"] == "https://scope"
    assert "telemetry.instrumentation_library" not in fields


@pytest.mark.parametrize(
    "name",
    ["io.opentelemetry.jdbc", "opentelemetry.instrumentation.flask", "@honeycombio/opentelemetry"],
)
def test_libraries_that_instrument_others_are_marked(name: str) -> None:
    fields = stored(span(), scope=InstrumentationScope(name=name))
    assert fields["telemetry.instrumentation_library"] is True
    assert stored(span({"a": 1}), scope=InstrumentationScope(name="x" + name))["a"] == 1
    assert "telemetry.instrumentation_library" not in stored(
        span(), scope=InstrumentationScope(name="x" + name)
    )


def test_values_of_attributes() -> None:
    fields = stored(
        span(
            {
                "text": "é",
                "empty": "",
                "yes": True,
                "least": -(2**63),
                "most": 2**63 - 1,
                "whole": 5.0,
                "bytes": b"\x00\xff",
                "list": ["a<b>&", 1, True, 0.5, None, b"\x01", {"k": [None]}],
                "no items": [],
                "no members": {},
                "nothing": None,
                "deep": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}, "x": 1},
            }
        )
    )
    assert fields["text"] == "é"
    assert fields["empty"] == ""
    assert fields["yes"] is True
    assert (fields["least"], fields["most"]) == (-(2**63), 2**63 - 1)
    assert fields["whole"] == 5.0
    assert isinstance(fields["whole"], float)
    assert fields["bytes"] == '"AP8="\n'
    assert fields["list"] == '["a<b>&",1,true,0.5,null,"AQ==",{"k":[null]}]\n'
    assert fields["no items"] == "[]\n"
    assert not {"no members", "nothing", "deep"} & fields.keys()
    assert fields["deep.b.c.d.e.f"] == '{"g":1}\n'
    assert fields["deep.x"] == 1


def test_of_an_attribute_that_comes_twice_the_first_counts() -> None:
    sent = span({"a.b": 1, "a": {"b": 2}})
    sent.attributes.extend(key_values({"a.b": 3}))
    assert stored(sent)["a.b"] == 1


def test_of_a_value_with_two_types_the_last_counts() -> None:
    sent = span()
    sent.attributes.extend(key_values({"a": "text"}))
    sent.attributes[0].MergeFromString(b"\x12\x02\x18\x07")  # an integer, in another `value`
    assert stored(sent)["a"] == 7


@pytest.mark.parametrize(
    ("service", "dataset"),
    [
        ("web", "web"),
        (" My Shop ", "My Shop"),
        (None, "unknown_service"),
        ("", "unknown_service"),
        ("   ", "unknown_service"),
        (7, "unknown_service"),
        ("unknown_service:java", "unknown_service"),
        (" unknown_service", "unknown_service"),
        ("x" * 256, "unknown_service"),
        ("a\x00b", "unknown_service"),
        ("__all__", "unknown_service"),
    ],
)
def test_the_service_is_the_dataset(service: Any, dataset: str) -> None:
    found = lines(decode(request(of_service(span(), service=service))))
    assert list(found) == [dataset]
    assert found[dataset][0]["d"].get("service.name") == service


def test_with_an_old_key_the_header_is_the_dataset() -> None:
    body = request(of_service(span(), service="web"))
    assert list(lines(decode(body, classic=True, dataset="all"))) == ["all"]
    assert list(lines(decode(body, classic=False, dataset="all"))) == ["web"]


def test_events_and_links_come_before_their_span() -> None:
    event = Span.Event(
        time_unix_nano=START_NS + 250_000,
        name="cache miss",
        attributes=key_values({"key": "k", "error": "no"}),
        dropped_attributes_count=2,
    )
    link = Span.Link(
        trace_id=TRACE[::-1],
        span_id=SPAN[::-1],
        trace_state="ignored=1",
        attributes=key_values({"why": "batch"}),
        dropped_attributes_count=1,
    )
    failed = Status(code=Status.STATUS_CODE_ERROR)
    sent = span({"own": 1}, events=[event], links=[link], status=failed)
    first, second, last = all_lines(sent, resource={"host": "h"})
    assert first == {
        "t": START_NS + 250_000,
        "r": 1,
        "d": {
            "key": "k",
            "error": "no",
            "trace.trace_id": TRACE_TEXT,
            "trace.parent_id": SPAN.hex(),
            "name": "cache miss",
            "parent_name": "GET /",
            "meta.annotation_type": "span_event",
            "meta.signal_type": "trace",
            "meta.time_since_span_start_ms": 0.25,
            "meta.dropped_attributes_count": 2,
            "service.name": "web",
            "host": "h",
        },
    }
    assert second == {
        "t": START_NS,
        "r": 1,
        "d": {
            "why": "batch",
            "trace.trace_id": TRACE_TEXT,
            "trace.parent_id": SPAN.hex(),
            "trace.link.trace_id": TRACE[::-1].hex(),
            "trace.link.span_id": SPAN[::-1].hex(),
            "parent_name": "GET /",
            "meta.annotation_type": "link",
            "meta.signal_type": "trace",
            "error": True,
            "meta.dropped_attributes_count": 1,
            "service.name": "web",
            "host": "h",
        },
    }
    assert last["d"]["own"] == 1


@pytest.mark.parametrize(
    ("start_ns", "event_ns", "time_ns", "since_ms", "is_invalid"),
    [
        (START_NS, START_NS - 1, START_NS - 1, 0.0, True),
        (START_NS, START_NS, START_NS, 0.0, None),
        (START_NS, 0, START_NS, None, None),
        (0, START_NS, START_NS, None, None),
        (0, 0, ARRIVAL_NS, None, None),
    ],
)
def test_times_of_span_events(
    start_ns: int,
    event_ns: int,
    time_ns: int,
    since_ms: float | None,
    is_invalid: bool | None,
) -> None:
    event = Span.Event(time_unix_nano=event_ns, name="e")
    line, _ = all_lines(span(start_time_unix_nano=start_ns, events=[event]))
    assert line["t"] == time_ns
    assert line["d"].get("meta.time_since_span_start_ms") == since_ms
    assert line["d"].get("meta.invalid_time_since_span_start") == is_invalid


def test_the_first_exception_is_copied_to_its_span() -> None:
    raised = [
        Span.Event(
            name="exception",
            attributes=key_values({"exception.type": kind, "exception.escaped": "False", "x": 1}),
        )
        for kind in ("KeyError", "ValueError")
    ]
    raised[1].attributes.extend(key_values({"exception.message": "second"}))
    fields = stored(span(events=raised))
    assert fields["exception.type"] == "KeyError"
    assert fields["exception.escaped"] == "False"
    assert not {"x", "exception.message"} & fields.keys()
    assert stored(span({"exception.type": "own"}, events=raised))["exception.type"] == "own"


def test_groups_are_in_the_order_of_their_first_item_and_number_all_items() -> None:
    event = Span.Event(name="e")
    body = request(
        of_service(span(), span(events=[event]), service="web"),
        of_service(span(), service="api"),
        of_service(span(), service="web"),
    )
    web, api = decode(body).groups
    assert (web.dataset, api.dataset) == ("web", "api")
    assert web.items.tolist() == [0, 1, 1, 3]
    assert web.own.tolist() == [True, False, True, True]
    assert api.items.tolist() == [2]
    assert decode(body).items == 4


def test_a_resource_after_its_spans_and_in_two_parts() -> None:
    first = of_service(span(), service="web", resource={"a": 1})
    late = of_service(service=None, resource={"b": 2})
    scoped = b"\x12" + length_of(raw := first.scope_spans[0].SerializeToString()) + raw
    parts = [
        b"\x0a" + length_of(raw := one.resource.SerializeToString()) + raw for one in (first, late)
    ]
    group = scoped + b"".join(parts)
    (line,) = lines(decode(b"\x0a" + length_of(group) + group))["web"]
    assert (line["d"]["a"], line["d"]["b"]) == (1, 2)


def test_a_value_written_as_json_elsewhere_is_written_the_same() -> None:
    value = {"a": [1, {"b": None}], "c": b"x"}
    nested = span({"k": [value]})
    assert stored(nested)["k"] == '[{"a":[1,{"b":null}],"c":"eA=="}]\n'
    assert any_value(value).kvlist_value.values[0].key == "a"
