"""Spans decoded, as plain data; and messages made by hand, which the library would not make."""

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from common.scan.events import Mended
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from tests.shepherd.otlp.decode.reference.lines import lines
from tests.shepherd.otlp.messages import (
    ARRIVAL_NS,
    of_service,
    request,
    span,
)


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


def with_deep_lists(depths: dict[str, int]) -> bytes:
    """A request of one span with lists within lists, deeper than the library makes them."""
    raw = span().SerializeToString()
    for name, depth in depths.items():
        value = b""
        for _ in range(depth):
            item = b"\x0a" + length_of(value) + value
            value = b"\x2a" + length_of(item) + item
        attribute = b"\x0a\x01" + name.encode() + b"\x12" + length_of(value) + value
        raw += b"\x4a" + length_of(attribute) + attribute
    return in_request(raw)


def in_request(one: bytes) -> bytes:
    """A request of an encoded span."""
    items = b"\x12" + length_of(one) + one
    group = b"\x12" + length_of(items) + items
    return b"\x0a" + length_of(group) + group


def length_of(content: bytes) -> bytes:
    number, written = len(content), bytearray()
    while number >= 128:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes((*written, number))


def length_delimited(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + length_of(content) + content
