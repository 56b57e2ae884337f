"""What clients write badly, and what is no request at all."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from common import limits
from common.scan.events import MalformedBody
from common.scan.work_budget import TooMuchWork, Work, WorkStopped
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.json.transcode import to_protobuf
from tests.shepherd.otlp.json.protobuf import read

TRACE = "5b8efff798038103d269b633813fc60c"


def span_of(members: str) -> Any:
    """The span of a request whose only span has these members in JSON."""
    text = '{"resourceSpans":[{"scopeSpans":[{"spans":[{@}]}]}]}'.replace("@", members)
    (span,) = read(Signal.TRACES, text).resource_spans[0].scope_spans[0].spans
    return span


def value_of(value: str) -> Any:
    """The value of an attribute, and that its neighbours are as they were."""
    good = '{"key":"good","value":{"intValue":"1"}}'
    span = span_of(f'"attributes":[{good},{{"key":"a","value":{value}}},{good}]')
    assert [attribute.value.int_value for attribute in span.attributes][::2] == [1, 1]
    assert span.attributes[1].key == "a"
    return span.attributes[1].value


def point_of(members: str) -> Any:
    """The data point of a request for metrics whose only point has these members."""
    metric = '{"name":"m","gauge":{"dataPoints":[{@}]}}'.replace("@", members)
    text = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[@]}]}]}'.replace("@", metric)
    (point,) = (
        read(Signal.METRICS, text).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
    )
    return point


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ('{"stringValue":"é"}', "string_value", "é"),
        ('{"string_value":"snake"}', "string_value", "snake"),
        (r'{"stringValue":"a\ud800b"}', "string_value", "a\ufffdb"),
        (r'{"stringValue":"\ud83d\ude00"}', "string_value", "\U0001f600"),
        ('{"stringValue":""}', "string_value", ""),
        ('{"stringValue":12}', "string_value", "12"),
        ('{"stringValue":["x",null]}', "string_value", '["x",null]'),
        ('{"boolValue":false}', "bool_value", False),
        ('{"boolValue":"true"}', "bool_value", True),
        ('{"intValue":"-9223372036854775808"}', "int_value", -(2**63)),
        ('{"intValue":9223372036854775807}', "int_value", 2**63 - 1),
        ('{"intValue":1.0}', "int_value", 1),
        ('{"intValue":"1e3"}', "int_value", 1000),
        ('{"intValue":0}', "int_value", 0),
        ('{"intValue":1e+21}', "double_value", 1e21),
        ('{"intValue":"1000000000000000000000"}', "double_value", 1e21),
        ('{"intValue":9223372036854776000}', "double_value", 2.0**63),
        ('{"intValue":-9223372036854777000}', "double_value", -9223372036854777000.0),
        ('{"intValue":18446744073709551616}', "double_value", 2.0**64),
        ('{"intValue":0.5}', "double_value", 0.5),
        ('{"intValue":"words"}', "string_value", "words"),
        ('{"intValue":true}', "bool_value", True),
        ('{"intValue":"1_0"}', "string_value", "1_0"),
        ('{"doubleValue":1}', "double_value", 1.0),
        ('{"doubleValue":"0.25"}', "double_value", 0.25),
        ('{"doubleValue":"Infinity"}', "double_value", math.inf),
        ('{"doubleValue":"-Infinity"}', "double_value", -math.inf),
        ('{"doubleValue":-Infinity}', "double_value", -math.inf),
        ('{"doubleValue":1e999}', "double_value", math.inf),
        ('{"doubleValue":"many"}', "string_value", "many"),
        ('{"doubleValue":%s}' % ("9" * 400), "double_value", math.inf),
        ('{"doubleValue":%s}' % ("9" * 5000), "double_value", math.inf),
        ('{"bytesValue":"+/8="}', "bytes_value", b"\xfb\xff"),
        ('{"bytesValue":"-_8"}', "bytes_value", b"\xfb\xff"),
        ('{"bytesValue":"?"}', "string_value", "?"),
        ('{"stringValue":null,"boolValue":true,"other":[{}]}', "bool_value", True),
        ('{"stringValue":"first","intValue":2}', "int_value", 2),
        ('{"intValue":1,"intValue":2}', "int_value", 2),
        ('"bare"', "string_value", "bare"),
        ("7", "int_value", 7),
        ("0.5", "double_value", 0.5),
        ("[1]", "string_value", "[1]"),
        ("{}", None, None),
        ("null", None, None),
        ('{"doubleValue":null}', None, None),
        ('{"unknownValue":1}', None, None),
        ('{"arrayValue":3,"kvlistValue":"x"}', None, None),
    ],
)
def test_a_value_is_read_however_it_is_written(
    value: str, field: str | None, expected: object
) -> None:
    found = value_of(value)
    assert found.WhichOneof("value") == field
    if field is not None:
        assert getattr(found, field) == expected


@pytest.mark.parametrize("text", ["1" * 2_000_000 + "x", "." + "1" * 2_000_000 + "e"])
def test_a_text_that_is_nearly_a_number_costs_its_length_and_not_the_square(text: str) -> None:
    span = {"name": "n", "attributes": [{"key": "k", "value": {"doubleValue": text}}]}
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    message = to_protobuf(Signal.TRACES, json.dumps(request).encode(), Work())
    assert text.encode() in message


def test_not_a_number_arrives_as_such_for_the_decoder_to_count() -> None:
    assert math.isnan(value_of('{"doubleValue":"NaN"}').double_value)
    assert math.isnan(value_of('{"doubleValue":NaN}').double_value)


def test_null_in_an_array_keeps_its_position() -> None:
    array = value_of('{"arrayValue":{"values":[{"intValue":"1"},null,{},"x"]}}').array_value
    assert [value.WhichOneof("value") for value in array.values] == [
        "int_value",
        None,
        None,
        "string_value",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f'"{TRACE}"', TRACE),
        (f'"{TRACE.upper()}"', TRACE),
        ('"5b8efff7-9803-8103-d269-b633813fc60c"', TRACE),
        ('"W47/95gDgQPSabYzgT/GDA=="', TRACE),
        ('"W47_95gDgQPSabYzgT_GDA"', TRACE),
        ('"e5bf1e7df7fb7dcdf7d1dfdc dbae1ff5"', "e5bf1e7df7fb7dcdf7d1dfdcdbae1ff5"),
        ('"abc"', "0abc"),
        ('"00000000000000000000000000000000"', "0" * 32),
        ('"%s"' % (TRACE + "ffff"), TRACE + "ffff"),
        ('"not an id"', b"not an id".hex()),
        ('""', ""),
        ("null", ""),
        ("1234", "1234"),
        ('{"hex":1}', ""),
    ],
)
def test_an_id_of_any_form_and_length_refuses_nothing(written: str, expected: str) -> None:
    span = span_of(f'"traceId":{written},"name":"kept"')
    assert (span.trace_id.hex(), span.name) == (expected, "kept")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"1795248341123456789"', 1795248341123456789),
        ("1795248341123456789", 1795248341123456789),
        ("1.795248341e18", 1795248341 * 10**9),
        ('"1795248341123456789.9"', 1795248341123456768),
        ("0", 0),
        ("-5", 0),
        ("1e30", 0),
        ('"soon"', 0),
        ("null", 0),
        ("[]", 0),
    ],
)
def test_times_are_read_as_texts_and_as_numbers(written: str, expected: int) -> None:
    assert span_of(f'"startTimeUnixNano":{written}').start_time_unix_nano == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2", 2),
        ('"2"', 2),
        ('"SPAN_KIND_SERVER"', 2),
        ('"Server"', 2),
        ("99", 99),
        ('"SPAN_KIND_OTHER"', 0),
        ("null", 0),
        ("{}", 0),
    ],
)
def test_enums_are_read_by_number_and_by_name(written: str, expected: int) -> None:
    assert span_of(f'"kind":{written}').kind == expected


def test_an_integer_point_beyond_64_bits_is_the_nearest_double() -> None:
    assert point_of('"asInt":1e+21').as_double == 1e21
    assert point_of('"asInt":"3"').as_int == 3
    assert point_of('"asInt":"three"').WhichOneof("value") is None


def test_a_bad_number_in_a_list_keeps_the_others_in_their_buckets() -> None:
    members = '"bucketCounts":["1",null,3,"x"],"explicitBounds":[1,"Infinity",null]'
    metric = '{"histogram":{"dataPoints":[{@}]}}'.replace("@", members)
    text = '{"resource_metrics":[{"scope_metrics":[{"metrics":[@]}]}]}'.replace("@", metric)
    (point,) = (
        read(Signal.METRICS, text)
        .resource_metrics[0]
        .scope_metrics[0]
        .metrics[0]
        .histogram.data_points
    )
    assert list(point.bucket_counts) == [1, 0, 3, 0]
    assert list(point.explicit_bounds) == [1, math.inf, 0]


def test_parts_of_a_wrong_type_are_left_out_and_the_span_is_kept() -> None:
    parts = '"events":7,"status":"bad","attributes":{"a":1}'
    span = span_of(f'"name":"kept","links":[3,{{"traceId":"{TRACE}"}},null],{parts}')
    assert span.name == "kept"
    assert [link.trace_id.hex() for link in span.links] == [TRACE]
    assert not span.events
    assert not span.attributes
    assert not span.HasField("status")


@pytest.mark.parametrize(
    "text", ["{}", '{"resourceSpans":[]}', '{"resourceSpans":null,"x":[[1]]}', ' \n{"a":1}\t']
)
def test_a_request_without_items_is_an_empty_message(text: str) -> None:
    assert to_protobuf(Signal.TRACES, text.encode(), Work()) == b""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"3",
        b"{",
        b"{}}",
        b"{}{}",
        b'{"resourceSpans":[{}',
        b'{"resourceSpans":{"a":1}}',
        b'{"resourceSpans":[5]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":"all of them"}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[[]]}]}]}',
        b"\x0a\x00",
        b"\x1f\x8b\x08",
        b'{"a":' * 100_000,
        b'{"a":[' * 1_000 + b"1" + b"]}" * 1_000,
        b'{"resourceSpans":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
)
def test_what_is_no_request_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedBody):
        to_protobuf(Signal.TRACES, text, Work())


def test_the_error_holds_nothing_of_the_body() -> None:
    with pytest.raises(MalformedBody) as refused:
        to_protobuf(Signal.TRACES, b'{"secret": geheim}', Work())
    assert "geheim" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"resourceSpans":[{"schemaUrl":"a\xffb"}]}', "a\ufffdb"),
        (b'\xef\xbb\xbf{"resourceSpans":[{"schemaUrl":"bom"}]}', "bom"),
        (b'{"resourceSpans":[{"schemaUrl":"tab\there"}]}', "tab\there"),
    ],
)
def test_bytes_that_json_forbids_are_read(text: bytes, name: str) -> None:
    assert read(Signal.TRACES, text).resource_spans[0].schema_url == name


OPENINGS = {
    "arrayValue": ('{"arrayValue":{"values":[', "]}}"),
    "kvlistValue": ('{"kvlistValue":{"values":[{"key":"k","value":', "}]}}"),
}


def nested(depth: int, kind: str) -> str:
    opening, closing = OPENINGS[kind]
    return opening * depth + '{"intValue":"1"}' + closing * depth


@pytest.mark.parametrize("kind", OPENINGS)
@pytest.mark.parametrize("depth", [1, 5, 64, 65, 69, 70, 71, 120, 200])
def test_deep_values_are_whole_as_far_as_the_decoder_takes_them(depth: int, kind: str) -> None:
    attributes = '[{"key":"a","value":@},{"key":"b","value":{"intValue":"7"}}]'
    text = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"n","attributes":@}]}]}]}'
    text = text.replace("@", attributes).replace("@", nested(depth, kind))
    message = to_protobuf(Signal.TRACES, text.encode(), Work())
    decoded = ReferenceDecoder().decode(OtlpBody(Signal.TRACES, message, 1), Work())
    (group,) = decoded.groups
    (line,) = group.events.lines.text.splitlines()
    fields = json.loads(line)["d"]
    assert fields["b"] == 7
    (name,) = (name for name in fields if name == "a" or name.startswith("a."))
    value = fields[name]
    inner = json.loads(value) if isinstance(value, str) else value
    levels = name.count(".")
    while isinstance(inner, list | dict):
        (inner,) = inner if isinstance(inner, list) else inner.values()
        levels += 1
    taken = limits.OTLP_VALUE_DEPTH_MAX + (5 if kind == "kvlistValue" else 0)
    assert (inner, levels) == ((1, depth) if depth <= taken else (None, taken))
    assert bool(group.events.mended) == (depth > taken)


@pytest.mark.parametrize("text", [b"[" * 1_250_001, b'{"a":[%b{}]}' % (b"{}," * 1_250_000)])
def test_more_objects_than_honest_texts_have_are_refused(text: bytes) -> None:
    with pytest.raises(MalformedBody, match="more than 1250000 objects"):
        to_protobuf(Signal.TRACES, text, Work())


@pytest.mark.parametrize("kind", OPENINGS)
@pytest.mark.parametrize("depth", [400, 5_000, 100_000])
def test_json_nested_deeper_than_parsers_go_is_refused(depth: int, kind: str) -> None:
    text = '{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":@}]}}]}'
    with pytest.raises(MalformedBody):
        read(Signal.TRACES, text.replace("@", nested(depth, kind)))


def many(count: int) -> bytes:
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s{}]}]}]}' % (b'{"name":"n"},' * count)


def test_work_is_counted_paused_and_stopped() -> None:
    pauses: list[int] = []
    work = Work(give_way=lambda: pauses.append(1))
    to_protobuf(Signal.TRACES, many(10_000), work)
    assert len(pauses) > 5
    with pytest.raises(TooMuchWork):
        to_protobuf(Signal.TRACES, many(10_000)[:-2], Work(5_000))  # its broken end is not reached
    stopped = Work()
    stopped.stop()
    with pytest.raises(WorkStopped):
        to_protobuf(Signal.TRACES, many(1), stopped)


@pytest.mark.parametrize(
    "members",
    [
        '"attributes":[%s{}]' % ("{}," * 20_000),
        '"events":[%s{}]' % ('{"attributes":[{},{},{}]},' * 5_000),
        '"links":[%s1]' % ("null," * 20_000),
    ],
)
def test_lists_within_a_span_count_too(members: str) -> None:
    text = '{"resourceSpans":[{"scopeSpans":[{"spans":[{@}]}]}]}'.replace("@", members)
    with pytest.raises(TooMuchWork):
        to_protobuf(Signal.TRACES, text.encode(), Work(10_000))


@pytest.mark.parametrize("cut", [lambda text: text[:-1], lambda text: text[1:]])
def test_truncated_texts_are_malformed(cut: Callable[[bytes], bytes]) -> None:
    text = json.dumps({"resourceSpans": [{"schemaUrl": "x"}]}).encode()
    with pytest.raises(MalformedBody):
        to_protobuf(Signal.TRACES, cut(text), Work())
