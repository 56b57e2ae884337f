"""Zipkin's protobuf: the same spans give the same events as JSON; damaged bytes are refused."""

import ipaddress
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from common.errors import BadRequest
from common.scan.events import MalformedBody
from common.scan.work_budget import TooMuchWork, Work
from shepherd.http.body import EmptyBody
from shepherd.zipkin.media import Form
from tests.shepherd.zipkin import proto_spans
from tests.shepherd.zipkin.reading import ARRIVAL_NS, Read, read

START_US = 1_795_248_341_123_456
WHOLE: dict[str, Any] = {
    "traceId": "00000000000000004bf92f3577b34da6",
    "id": "00f067aa0ba902b7",
    "parentId": "0000000000000001",
    "name": "get /users",
    "kind": "SERVER",
    "timestamp": START_US,
    "duration": 207_123,
    "localEndpoint": {"serviceName": "users", "ipv4": "10.0.0.7", "port": 8080},
    "remoteEndpoint": {"serviceName": "web", "ipv6": "2001:db8::1", "port": 40_000},
    "tags": {"http.method": "GET", "http.status_code": "200", "error": "why", "sampleRate": "4"},
    "annotations": [{"timestamp": START_US + 5, "value": '{"x":{"a":1}}'}],
    "debug": True,
    "shared": True,
}


def packed(of: dict[str, Any]) -> bytes:
    """A span of JSON as protobuf."""
    out = dict(of)
    for name in ("traceId", "id", "parentId"):
        if name in out:
            out[name] = bytes.fromhex(out[name])
    for name in ("localEndpoint", "remoteEndpoint"):
        if name in out:
            addresses = {
                kind: ipaddress.ip_address(out[name][kind]).packed
                for kind in ("ipv4", "ipv6")
                if kind in out[name]
            }
            out[name] = {**out[name], **addresses}
    return proto_spans.span(out)


def of(*spans: bytes) -> Read:
    return read(proto_spans.body(*spans), form=Form.PROTOBUF)


SPAN = st.fixed_dictionaries(
    {
        "traceId": st.binary(min_size=8, max_size=16).map(bytes.hex),
        "id": st.just("00000000000000ab"),
    },
    optional={
        "parentId": st.binary(min_size=8, max_size=8).map(bytes.hex),
        "name": st.text(max_size=10),
        "kind": st.sampled_from(["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]),
        "timestamp": st.integers(1, 2**63 // 1_000),
        "duration": st.integers(1, 2**64 - 1),
        "localEndpoint": st.fixed_dictionaries(
            {},
            optional={
                "serviceName": st.text(max_size=5),
                "ipv4": st.ip_addresses(v=4).map(str),
                "ipv6": st.ip_addresses(v=6).map(str),
                "port": st.integers(0, 65_535),
            },
        ),
        "tags": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        "annotations": st.lists(
            st.fixed_dictionaries(
                {"timestamp": st.integers(1, 2**60 // 1_000), "value": st.text(max_size=5)}
            ),
            max_size=2,
        ),
        "debug": st.booleans(),
        "shared": st.booleans(),
    },
)


@given(st.lists(SPAN, min_size=1, max_size=3))
def test_the_same_spans_are_the_same_events(spans: list[dict[str, Any]]) -> None:
    assert of(*map(packed, spans)) == read(spans)


def test_a_whole_span() -> None:
    assert of(packed(WHOLE)) == read([WHOLE])
    assert of(packed(WHOLE)).events[-1].fields["network.peer.address"] == "2001:db8::1"


def test_what_is_not_there() -> None:
    (event,) = of(proto_spans.span({"id": b"\x02" * 8, "kind": "FUTURE"})).events
    assert (event.dataset, event.time_ns) == ("unknown_service", ARRIVAL_NS)
    assert event.fields == {
        "trace.span_id": "02" * 8,
        "span.num_events": 0,
        "meta.signal_type": "trace",
    }


@pytest.mark.parametrize(
    ("bad", "mended"),
    [
        (proto_spans.fixed64(6, 2**64 - 1), ("time", "timestamp")),
        (proto_spans.block(5, b"\xff"), ("not_utf8", "name")),
        (
            proto_spans.block(8, proto_spans.block(2, b"\x01")),
            ("unsupported_value", "localEndpoint.ipv4"),
        ),
        (
            proto_spans.block(9, proto_spans.number(4, -1)),
            ("unsupported_value", "remoteEndpoint.port"),
        ),
    ],
)
def test_a_bad_value_costs_neither_its_span_nor_others(bad: bytes, mended: tuple[str, str]) -> None:
    good = packed({"id": "00000000000000ab", "name": "good"})
    found = of(good, proto_spans.span({"id": b"\x02" * 8}) + bad, good)
    assert len(found.events) == 3
    assert found.mended == [mended]


def test_an_empty_span_is_refused_alone_and_unknown_fields_are_skipped() -> None:
    good = packed({"id": "00000000000000ab", "name": "good"}) + proto_spans.block(99, b"later")
    found = of(good, b"", good)
    assert [event.fields["name"] for event in found.events] == ["good", "good"]
    assert found.refused == [(1, "data_empty")]
    assert read(proto_spans.block(7, b"later"), form=Form.PROTOBUF).events == []


def test_a_body_of_blanks_is_no_empty_body() -> None:
    # 0x0a is a line break, and the tag of a span.
    assert read(b"\n\x00", form=Form.PROTOBUF).refused == [(0, "data_empty")]
    with pytest.raises(EmptyBody):
        read(b"", form=Form.PROTOBUF)


@pytest.mark.parametrize(
    "body", [b"\n\x05a", b"\n", b"\x00\x00", b"\x0b", b"[{}]", b"\n\x02\x12\x7f"]
)
def test_damaged_messages_are_refused_whole(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read(body, form=Form.PROTOBUF)


def test_work_is_counted() -> None:
    with pytest.raises(TooMuchWork):
        read(proto_spans.body(*[packed(WHOLE)] * 100), work=Work(200), form=Form.PROTOBUF)


@given(st.data())
def test_any_damage_is_a_clear_refusal_or_read(data: st.DataObject) -> None:
    body = bytearray(proto_spans.body(packed(WHOLE), packed(WHOLE)))
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(0, len(body))) :]
    status = 202
    try:
        read(bytes(body), form=Form.PROTOBUF)
    except BadRequest as error:
        status = error.status
    assert status in (202, 400)
