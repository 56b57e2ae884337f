"""What spans become, rule by rule."""

import math
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from common import limits
from common.scan.events import MalformedBody, Mended, Rule
from common.scan.work_budget import TooMuchWork, Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.reference.events import TooManyEventBytes
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


def decode(body: bytes, work: Work | None = None, **more: Any) -> DecodedRequest:
    message = OtlpBody(Signal.TRACES, body, ARRIVAL_NS, **more)
    return ReferenceDecoder().decode(message, work or Work())


def all_lines(*spans: Span, **group: Any) -> list[Any]:
    """The lines of spans of one resource and scope."""
    (found,) = lines(decode(request(of_service(*spans, **group)))).values()
    return found


def stored(one: Span, **group: Any) -> dict[str, Any]:
    """The fields of a span's own event."""
    fields: dict[str, Any] = all_lines(one, **group)[-1]["d"]
    return fields


def mended(one: Span, **group: Any) -> set[Mended]:
    """What is reported of a span's own event."""
    (found,) = decode(request(of_service(one, **group))).groups
    return {fault for _, fields in found.events.mended for fault in fields}


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


def test_numbers_that_are_none_leave_out_their_field_alone() -> None:
    sent = span({"a": math.nan, "b": -math.inf, "c": [1, math.inf], "d": None, "e": 1, "": 2})
    fields = stored(sent, resource={"a": "of the resource"})
    assert fields["a"] == "of the resource"
    assert not {"b", "d", ""} & fields.keys()
    assert (fields["c"], fields["e"]) == ("[1,null]\n", 1)
    assert mended(sent) == {
        Mended(Rule.NOT_FINITE, "a"),
        Mended(Rule.NOT_FINITE, "b"),
        Mended(Rule.NOT_FINITE, "c"),
        Mended(Rule.UNSUPPORTED_VALUE, "d"),
        Mended(Rule.UNSUPPORTED_VALUE, ""),
    }


def test_texts_that_are_not_utf8_are_stored_with_a_mark_where_they_are_not() -> None:
    sent = span({"key": "value", "list": ["value"], "fine": 1}, name="name").SerializeToString()
    damaged = (
        sent.replace(b"value", b"val\xffe").replace(b"key", b"k\xc3y").replace(b"name", b"n\xffme")
    )
    decoded = decode(in_request(damaged))
    (line,) = lines(decoded)["unknown_service"]
    assert line["d"]["name"] == "n\ufffdme"
    assert line["d"]["k\ufffdy"] == "val\ufffde"
    assert line["d"]["list"] == '["val\ufffde"]\n'
    assert line["d"]["fine"] == 1
    ((_, fields),) = decoded.groups[0].events.mended
    assert {field.field for field in fields} == {"name", "k\ufffdy", "list"}
    assert {field.rule for field in fields} == {Rule.NOT_UTF8}


def with_deep_lists(depths: dict[str, int]) -> bytes:
    """A request of one span with lists within lists, deeper than the library makes them."""
    raw = span().SerializeToString()
    for name, depth in depths.items():
        value = b""
        for _ in range(depth):
            item = b"\x0a" + _length(value) + value
            value = b"\x2a" + _length(item) + item
        attribute = b"\x0a\x01" + name.encode() + b"\x12" + _length(value) + value
        raw += b"\x4a" + _length(attribute) + attribute
    return in_request(raw)


def in_request(one: bytes) -> bytes:
    """A request of an encoded span."""
    items = b"\x12" + _length(one) + one
    group = b"\x12" + _length(items) + items
    return b"\x0a" + _length(group) + group


def test_values_within_values_end_at_a_depth() -> None:
    most = limits.OTLP_VALUE_DEPTH_MAX
    decoded = decode(with_deep_lists({"a": most, "b": most + 1, "c": 20_000}))
    (line,) = lines(decoded)["unknown_service"]
    assert line["d"]["a"] == line["d"]["b"] == line["d"]["c"]
    assert line["d"]["a"] == "[" * most + "null" + "]" * most + "\n"
    ((_, faults),) = decoded.groups[0].events.mended
    assert set(faults) == {Mended(Rule.TOO_DEEP, "b"), Mended(Rule.TOO_DEEP, "c")}


def _length(content: bytes) -> bytes:
    number, written = len(content), bytearray()
    while number >= 128:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes((*written, number))


def test_fields_beyond_the_limit_are_left_out_but_never_those_of_the_span() -> None:
    sent = span({f"a{number}": number for number in range(10_000)}, trace_state="x=y")
    fields = stored(sent, resource={"b": 1})
    assert len(fields) == limits.EVENT_FIELDS_MAX
    assert fields["trace.trace_id"] == TRACE_TEXT
    assert fields["trace.trace_state"] == "x=y"
    assert "a0" in fields
    assert not {"a9999", "b", "service.name"} & fields.keys()
    assert mended(sent) == {Mended(Rule.TOO_MANY_FIELDS, "(other)")}


def test_exactly_as_many_fields_as_may_be_are_all_stored() -> None:
    usual = len(stored(span()))
    sent = span({f"a{number}": number for number in range(limits.EVENT_FIELDS_MAX - usual)})
    assert len(stored(sent)) == limits.EVENT_FIELDS_MAX
    assert mended(sent) == set()


def test_names_that_are_too_long_are_left_out() -> None:
    longest = "n" * limits.STRING_BYTES_MAX
    sent = span({longest: 1, longest + "n": 2, "é" * 32_768: 3, "a": {longest: 4}})
    fields = stored(sent)
    assert [fields[name] for name in fields if len(name) > 100] == [1]
    assert {one.rule for one in mended(sent)} == {Rule.KEY_TOO_LONG}


def test_long_texts_are_cut_and_named() -> None:
    sent = span({"a": "x" * 70_000, "list": ["y" * 70_000], "b": 1}, name="n" * 70_000)
    fields = stored(sent)
    assert fields["a"] == "x" * limits.STRING_BYTES_MAX
    assert len(fields["list"]) == len(fields["name"]) == limits.STRING_BYTES_MAX
    assert fields["meta.truncated_fields"] == "a,list,name"
    assert {one.field for one in mended(sent)} == {"a", "list", "name"}


def test_of_an_event_that_is_too_large_the_largest_fields_are_left_out() -> None:
    sent = span({f"a{number:02}": "x" * (50_000 + number) for number in range(30)})
    fields = stored(sent)
    kept = [name for name in fields if name.startswith("a")]
    assert kept == [f"a{number:02}" for number in range(len(kept))]
    assert 15 < len(kept) < 20
    assert fields["trace.trace_id"] == TRACE_TEXT
    rules = {one.rule for one in mended(sent)}
    assert rules == {Rule.TOO_LARGE}
    assert len(mended(sent)) == 30 - len(kept)


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
    scoped = b"\x12" + _length(raw := first.scope_spans[0].SerializeToString()) + raw
    parts = [
        b"\x0a" + _length(raw := one.resource.SerializeToString()) + raw for one in (first, late)
    ]
    group = scoped + b"".join(parts)
    (line,) = lines(decode(b"\x0a" + _length(group) + group))["web"]
    assert (line["d"]["a"], line["d"]["b"]) == (1, 2)


def test_unknown_fields_are_skipped() -> None:
    sent = span()
    unknown = b"\x98\x06\x01" + b"\xa1\x06" + bytes(8) + b"\xa5\x06" + bytes(4) + b"\xaa\x06\x01x"
    group_of_fields = b"\xb3\x06\x08\x01\xb3\x06\xb4\x06\xb4\x06"
    sent.MergeFromString(unknown + group_of_fields)
    assert b"\xaa\x06\x01x" in sent.SerializeToString()
    assert stored(sent) == stored(span())
    body = request(of_service(span()))
    assert lines(decode(body + unknown + group_of_fields)) == lines(decode(body))


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",  # no length
        b"\x0a\x05abc",  # beyond the end
        b"\x0a\x03\x0a\x05a",  # beyond the end of the message around it
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # 2**64 - 1 bytes
        b"\x00\x01",  # field 0
        b"\x0b\x0c\x0c",  # a group ends twice
        b"\x0b",  # a group without an end
        b"\x0c",  # an end without a group
        b"\x0e\x00",  # wire types 6 and 7
        b"\x0f\x00",
        b"\x08" + b"\xff" * 10,  # a number that does not end
        b"\x09\x01",  # eight bytes of which there is one
        b"\xff\xff\xff\xff\xff\x01\x00",  # a field number that is too large
        request(of_service(span()))[:-1],
        b"GET / HTTP/1.1",
    ],
)
def test_messages_that_are_none(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        decode(body)


def test_work_and_events_are_bounded() -> None:
    fields = b"\x10\x01" * 100_000
    with pytest.raises(TooMuchWork):
        decode(fields, Work(10_000))
    small = [span(name="", trace_id=b"", span_id=b"")] * 700
    large = of_service(*small, resource={"a": "x" * 65_000})
    with pytest.raises(TooManyEventBytes):
        decode(request(large))


def test_a_value_written_as_json_elsewhere_is_written_the_same() -> None:
    value = {"a": [1, {"b": None}], "c": b"x"}
    nested = span({"k": [value]})
    assert stored(nested)["k"] == '[{"a":[1,{"b":null}],"c":"eA=="}]\n'
    assert any_value(value).kvlist_value.values[0].key == "a"
