"""Reads spans of version 2 of Zipkin from protobuf: a `ListOfSpans` of zipkin.proto3."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from common.model.times.api import INT64_MAX
from common.scan.events import Mended, Rule
from common.scan.work_budget import Work
from shepherd.otlp.decode.reference.wire import (
    fields,
    fixed64,
    length_delimited,
    signed,
    text_of,
    varint,
)
from shepherd.zipkin import ids
from shepherd.zipkin.span import NO_ENDPOINT, Annotation, Endpoint, Span, TagValue

_SPANS: Final = length_delimited(1)

_TRACE_ID: Final = length_delimited(1)
_PARENT_ID: Final = length_delimited(2)
_ID: Final = length_delimited(3)
_KIND: Final = varint(4)
_NAME: Final = length_delimited(5)
_TIMESTAMP: Final = fixed64(6)
_DURATION: Final = varint(7)
_LOCAL: Final = length_delimited(8)
_REMOTE: Final = length_delimited(9)
_ANNOTATION: Final = length_delimited(10)
_TAG: Final = length_delimited(11)
_DEBUG: Final = varint(12)
_SHARED: Final = varint(13)

_SERVICE: Final = length_delimited(1)
_IPV4: Final = length_delimited(2)
_IPV6: Final = length_delimited(3)
_PORT: Final = varint(4)
_ANNOTATION_TIME: Final = fixed64(1)
_ANNOTATION_TEXT: Final = length_delimited(2)
_TAG_NAME: Final = length_delimited(1)
_TAG_TEXT: Final = length_delimited(2)

_KINDS: Final = ("", "client", "server", "producer", "consumer")
_IPV4_BYTES: Final = 4
_IPV6_BYTES: Final = 16
_PORT_MAX: Final = 65_535
_US_NS: Final = 1_000


def read_spans(message: bytes, work: Work) -> Iterator[Span]:
    """The spans of a body. Raises MalformedBody, TooMuchWork."""
    for tag, _, content in fields(memoryview(message), work):
        if tag == _SPANS:
            yield _SpanReader(work).read(content)


class _SpanReader:
    """Reads one span, and keeps what could not be read."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._mended: list[Mended] = []

    def read(self, message: memoryview) -> Span:
        """Raises MalformedBody, TooMuchWork."""
        trace_id = parent_id = span_id = name = kind = ""
        time_ns = duration_us = None
        local = remote = NO_ENDPOINT
        annotations: list[Annotation] = []
        tags: dict[str, TagValue] = {}
        debug = shared = False
        for tag, value, content in fields(message, self._work):
            if tag == _TAG:
                self._add_tag(content, tags)
            elif tag == _ANNOTATION:
                annotations.append(self._annotation(content))
            elif tag == _TRACE_ID:
                trace_id = ids.trace_id(content.hex())
            elif tag == _PARENT_ID:
                parent_id = ids.parent_id(content.hex())
            elif tag == _ID:
                span_id = ids.span_id(content.hex())
            elif tag == _KIND:
                kind = _KINDS[value] if value < len(_KINDS) else ""
            elif tag == _NAME:
                name = self._text(content, "name")
            elif tag == _TIMESTAMP:
                time_ns = self._time_ns(value)
            elif tag == _DURATION:
                duration_us = value
            elif tag == _LOCAL:
                local = self._endpoint(content, "localEndpoint")
            elif tag == _REMOTE:
                remote = self._endpoint(content, "remoteEndpoint")
            elif tag == _DEBUG:
                debug = bool(value)
            elif tag == _SHARED:
                shared = bool(value)
        return Span(
            trace_id, span_id, parent_id, name, kind, time_ns, duration_us, local, remote,
            annotations, tags, debug, shared, tuple(self._mended),
        )  # fmt: skip

    def _text(self, content: memoryview, member: str) -> str:
        text, is_utf8 = text_of(content)
        if not is_utf8:
            self._mended.append(Mended(Rule.NOT_UTF8, member))
        return text

    def _time_ns(self, micros: int) -> int | None:
        if 0 <= micros <= INT64_MAX // _US_NS:
            return micros * _US_NS or None
        self._mended.append(Mended(Rule.TIME, "timestamp"))
        return None

    def _endpoint(self, message: memoryview, member: str) -> Endpoint:
        service = ipv4 = ipv6 = ""
        port = 0
        for tag, value, content in fields(message, self._work):
            if tag == _SERVICE:
                service = self._text(content, f"{member}.serviceName").strip()
            elif tag == _IPV4:
                ipv4 = self._address(content, _IPV4_BYTES, f"{member}.ipv4")
            elif tag == _IPV6:
                ipv6 = self._address(content, _IPV6_BYTES, f"{member}.ipv6")
            elif tag == _PORT:
                port = signed(value)
        if not 0 <= port <= _PORT_MAX:
            self._mended.append(Mended(Rule.UNSUPPORTED_VALUE, f"{member}.port"))
            port = 0
        return Endpoint(service, ipv4, ipv6, port)

    def _address(self, content: memoryview, size: int, member: str) -> str:
        if len(content) == size:
            return str(ipaddress.ip_address(bytes(content)))
        if len(content):
            self._mended.append(Mended(Rule.UNSUPPORTED_VALUE, member))
        return ""

    def _annotation(self, message: memoryview) -> Annotation:
        time_ns, text = None, ""
        for tag, value, content in fields(message, self._work):
            if tag == _ANNOTATION_TIME:
                time_ns = self._time_ns(value)
            elif tag == _ANNOTATION_TEXT:
                text = self._text(content, "annotations")
        return Annotation(time_ns, text)

    def _add_tag(self, message: memoryview, tags: dict[str, TagValue]) -> None:
        name = text = ""
        for tag, _, content in fields(message, self._work):
            if tag == _TAG_NAME:
                name = self._text(content, "tags")
            elif tag == _TAG_TEXT:
                text = self._text(content, f"tags.{name}")
        tags[name] = text
