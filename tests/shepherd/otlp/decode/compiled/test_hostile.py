"""Requests that are made to hurt: sizes and counts at and beyond every limit."""

import pytest

from common.scan.work_budget import TooMuchWork, Work
from shepherd.otlp.decode.compiled.decoder import KernelDecoder
from shepherd.otlp.decode.interface import OtlpBody, Signal
from tests.shepherd.otlp.decode.compiled.requests import at_limits
from tests.shepherd.otlp.decode.compiled.same import assert_same
from tests.shepherd.otlp.messages import ARRIVAL_NS, key_values, of_service, request, span


def test_spans_and_resources_at_and_beyond_every_limit(decoder: KernelDecoder) -> None:
    for message in at_limits():
        assert_same(decoder, message)


def test_a_large_resource_with_many_small_spans_is_refused(decoder: KernelDecoder) -> None:
    resource = {f"k{n}": "v" * 1_000 for n in range(100)}
    message = request(of_service(*[span()] * 500, resource=resource))
    assert "more than" in str(assert_same(decoder, message))


def test_a_large_resource_with_many_scopes(decoder: KernelDecoder) -> None:
    for value in ("v" * 1_000, [[1]]):
        group = of_service(span(), resource={f"k{n}": value for n in range(80)})
        for n in range(150):
            fields = ({"n": n}, {"n": None}, {"n": float("nan")})[n % 3]
            group.scope_spans.add(spans=[span(fields)] * (n % 4)).scope.name = f"s{n}"
        assert_same(decoder, request(group))
        work = Work(100)
        with pytest.raises(TooMuchWork):
            decoder.decode(OtlpBody(Signal.TRACES, request(*[group] * 10), ARRIVAL_NS), work)


def test_resources_and_scopes_without_spans(decoder: KernelDecoder) -> None:
    empty = of_service(resource={"a": 1})
    named = of_service(resource={"a": None})
    named.scope_spans[0].scope.name = "n"
    odd = of_service(span())
    odd.scope_spans.add().scope.attributes.extend(key_values({"a": None}))
    for groups in ([empty], [named], [odd], [empty, named, of_service(span()), odd]):
        assert_same(decoder, request(*groups))


RAW = span({"a": 1}).SerializeToString()


def field(tag: bytes, content: bytes) -> bytes:
    size, length = len(content), bytearray()
    while size >= 128:
        length.append(size & 127 | 128)
        size >>= 7
    return tag + bytes(length) + bytes([size]) + content


def of_span(raw: bytes) -> bytes:
    return field(b"\x0a", field(b"\x12", field(b"\x12", raw) + field(b"\x12", RAW)))


ODD_SPANS = [
    b"", b"\x00", b"\x08", b"\x0a", b"\x0a\x05", b"\xff" * 12, b"\x0b\x0c", b"\x0c",
    b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x4a\x00", b"\x4a\x02\x0a\x00", b"\x4a\x02\x12\x00", b"\x4a\x03\x0a\x01k",
    b"\x4a\x05\x0a\x01k\x12\x00", b"\x4a\x07\x12\x02\x18\x01\x0a\x01k",
    b"\x4a\x0a\x0a\x01k\x0a\x01l\x12\x02\x18\x01", b"\x4a\x09\x0a\x01k\x12\x04\x18\x01\x18\x02",
    b"\x4a\x08\x0a\x01k\x12\x03\x1a\x01x", b"\x4a\x08\x0a\x01k\x12\x03\x0a\x01\xff",
    b"\x4a\x08\x0a\x01\xff\x12\x03\x0a\x01x", b"\x4a\x07\x0a\x01k\x12\x02\x10\x02",
    b"\x4a\x10\x0a\x01k\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x4a\x10\x0a\x01k\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x4a\x0e\x0a\x01k\x12\x09\x21\x00\x00\x00\x00\x00\x00\xf8\x7f", b"\x48\x01",
    b"\x2d\x01\x02\x03\x04",
    b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x7a\x02\x18\x02\x7a\x03\x12\x01m",
    b"\x7a\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x7a\x01\x18", b"\x2a\x01\xff",
    b"\x85\x01\x01\x02\x03\x04", b"\x85\x01\x01\x02\x03", b"\xfa\xff\xff\xff\x0f\x01x",
    b"\xfa\xff\xff\xff\x1f\x01x", b"\x5a\x00", b"\x5a\x01\x0a", b"\x6a\x00", b"\x50\xff\x01",
    b"\x2a\x01a\x2a\x01b",
    b"\x39\x01\x00\x00\x00\x00\x00\x00\x00\x39\x02\x00\x00\x00\x00\x00\x00\x00",
]  # fmt: skip


@pytest.mark.parametrize("raw", ODD_SPANS, ids=bytes.hex)
def test_odd_spans(decoder: KernelDecoder, raw: bytes) -> None:
    assert_same(decoder, of_span(raw))
    assert_same(decoder, of_span(RAW + raw))
    assert_same(decoder, of_span(raw + RAW))
    assert_same(decoder, of_span(field(b"\x5a", raw)))
    assert_same(decoder, of_span(field(b"\x6a", raw)))


@pytest.mark.parametrize("raw", ODD_SPANS, ids=bytes.hex)
def test_odd_resources_scopes_and_requests(decoder: KernelDecoder, raw: bytes) -> None:
    good = field(b"\x12", field(b"\x12", RAW))
    assert_same(decoder, raw)
    assert_same(decoder, of_span(RAW) + raw)
    assert_same(decoder, field(b"\x0a", raw))
    assert_same(decoder, field(b"\x0a", field(b"\x0a", raw)))
    assert_same(decoder, field(b"\x0a", field(b"\x0a", raw) + good))
    assert_same(decoder, field(b"\x0a", good + raw + good))
    assert_same(decoder, field(b"\x0a", field(b"\x12", raw)))
    assert_same(decoder, field(b"\x0a", field(b"\x12", field(b"\x0a", raw))))
    scope = field(b"\x12", field(b"\x12", RAW) + field(b"\x0a", raw) + field(b"\x1a", raw))
    assert_same(decoder, field(b"\x0a", scope + field(b"\x1a", raw)))


def test_parts_of_a_resource_and_of_a_scope_are_one(decoder: KernelDecoder) -> None:
    first = of_service(span(), resource={"a": 1}).SerializeToString()
    other = of_service(span(), service=None, resource={"b": 2}, schema_url="u").SerializeToString()
    assert_same(decoder, field(b"\x0a", first + other))
    scopes = field(b"\x0a", b"\x0a\x01n") + field(b"\x0a", b"\x12\x01v") + field(b"\x12", RAW)
    assert_same(decoder, field(b"\x0a", field(b"\x12", scopes)))


def test_the_same_name_twice(decoder: KernelDecoder) -> None:
    one = span()
    one.attributes.extend(key_values({"a": 1}))
    one.attributes.extend(key_values({"a": "x"}))
    assert_same(decoder, request(of_service(one, span({"a": 2}))))
    group = of_service(one)
    group.resource.attributes.extend(key_values({"service.name": "other"}))
    assert_same(decoder, request(group))


def test_deep_objects(decoder: KernelDecoder) -> None:
    deep: object = 1
    for level in range(30):
        deep = {"k": deep, "l": [deep] if level < 3 else 1}
    assert_same(decoder, request(of_service(span({"a": deep, "b": 1}))))
