"""A span as sent, and the events that it becomes: its span events, its links, then itself."""

from collections.abc import Iterator
from typing import Final

import msgspec

from common.scan.work_budget import Work
from shepherd.otlp.decode.reference.events import Draft
from shepherd.otlp.decode.reference.ids import id_text, parent_id_text, trace_id_text
from shepherd.otlp.decode.reference.values import Attributes, add_attribute
from shepherd.otlp.decode.reference.wire import (
    fields,
    fixed64,
    length_delimited,
    signed,
    varint,
)

_ERROR: Final = 2  # the status code of a span that failed
_EXCEPTION: Final = b"exception"  # the name of a span event that tells of one
_EXCEPTION_FIELDS: Final = (
    "exception.message",
    "exception.type",
    "exception.stacktrace",
    "exception.escaped",
)
_KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")
_MS_NS: Final = 1e6
_NOTHING: Final = memoryview(b"")

_TRACE_ID: Final = length_delimited(1)
_SPAN_ID: Final = length_delimited(2)
_TRACE_STATE: Final = length_delimited(3)
_PARENT_ID: Final = length_delimited(4)
_NAME: Final = length_delimited(5)
_KIND: Final = varint(6)
_START: Final = fixed64(7)
_END: Final = fixed64(8)
_ATTRIBUTE: Final = length_delimited(9)
_DROPPED: Final = varint(10)
_EVENT: Final = length_delimited(11)
_LINK: Final = length_delimited(13)
_STATUS: Final = length_delimited(15)
_STATUS_MESSAGE: Final = length_delimited(2)
_STATUS_CODE: Final = varint(3)
_EVENT_TIME: Final = fixed64(1)
_EVENT_NAME: Final = length_delimited(2)
_EVENT_ATTRIBUTE: Final = length_delimited(3)
_EVENT_DROPPED: Final = varint(4)
_LINK_TRACE_ID: Final = length_delimited(1)
_LINK_SPAN_ID: Final = length_delimited(2)
_LINK_ATTRIBUTE: Final = length_delimited(4)
_LINK_DROPPED: Final = varint(5)


class Span(msgspec.Struct, eq=False):
    """A Span message. Texts and ids are the bytes that were sent; times are unix ns or 0.

    events, links: how many there are. They are read one at a time, from `message`.
    """

    message: memoryview
    attributes: Attributes
    events: int = 0
    links: int = 0
    trace_id: memoryview = _NOTHING
    span_id: memoryview = _NOTHING
    trace_state: memoryview = _NOTHING
    parent_id: memoryview = _NOTHING
    name: memoryview = _NOTHING
    kind: int = 0
    start_ns: int = 0
    end_ns: int = 0
    dropped: int = 0
    status_code: int = 0
    status_message: memoryview = _NOTHING

    @property
    def is_error(self) -> bool:
        """Whether its status says that it failed."""
        return self.status_code == _ERROR


class SpanEvent(msgspec.Struct, eq=False):
    """A Span.Event message."""

    attributes: Attributes
    time_ns: int = 0
    name: memoryview = _NOTHING
    dropped: int = 0

    @property
    def is_exception(self) -> bool:
        """Whether it tells of an exception."""
        return bytes(self.name) == _EXCEPTION


class Link(msgspec.Struct, eq=False):
    """A Span.Link message."""

    attributes: Attributes
    trace_id: memoryview = _NOTHING
    span_id: memoryview = _NOTHING
    dropped: int = 0


def read_span(message: memoryview, work: Work) -> Span:
    """The span without its events and links. Raises MalformedBody, TooMuchWork."""
    span = Span(message, Attributes())
    for tag, value, content in fields(message, work):
        if tag == _ATTRIBUTE:
            add_attribute(span.attributes, content, work)
        elif tag == _EVENT:
            span.events += 1
        elif tag == _LINK:
            span.links += 1
        elif tag == _STATUS:
            _read_status(span, content, work)
        elif tag == _TRACE_ID:
            span.trace_id = content
        elif tag == _SPAN_ID:
            span.span_id = content
        elif tag == _TRACE_STATE:
            span.trace_state = content
        elif tag == _PARENT_ID:
            span.parent_id = content
        elif tag == _NAME:
            span.name = content
        elif tag == _KIND:
            span.kind = value
        elif tag == _START:
            span.start_ns = value
        elif tag == _END:
            span.end_ns = value
        elif tag == _DROPPED:
            span.dropped = value
    return span


def span_events(span: Span, work: Work) -> Iterator[SpanEvent]:
    """The span's events. Raises as `read_span`."""
    if span.events:
        for tag, _, content in fields(span.message, work):
            if tag == _EVENT:
                yield _read_event(content, work)


def span_links(span: Span, work: Work) -> Iterator[Link]:
    """The span's links. Raises as `read_span`."""
    if span.links:
        for tag, _, content in fields(span.message, work):
            if tag == _LINK:
                yield _read_link(content, work)


def _read_event(message: memoryview, work: Work) -> SpanEvent:
    event = SpanEvent(Attributes())
    for tag, value, content in fields(message, work):
        if tag == _EVENT_ATTRIBUTE:
            add_attribute(event.attributes, content, work)
        elif tag == _EVENT_TIME:
            event.time_ns = value
        elif tag == _EVENT_NAME:
            event.name = content
        elif tag == _EVENT_DROPPED:
            event.dropped = value
    return event


def _read_link(message: memoryview, work: Work) -> Link:
    link = Link(Attributes())
    for tag, value, content in fields(message, work):
        if tag == _LINK_ATTRIBUTE:
            add_attribute(link.attributes, content, work)
        elif tag == _LINK_TRACE_ID:
            link.trace_id = content
        elif tag == _LINK_SPAN_ID:
            link.span_id = content
        elif tag == _LINK_DROPPED:
            link.dropped = value
    return link


def _read_status(span: Span, message: memoryview, work: Work) -> None:
    for tag, value, content in fields(message, work):
        if tag == _STATUS_CODE:
            span.status_code = signed(value)
        elif tag == _STATUS_MESSAGE:
            span.status_message = content


def span_draft(
    span: Span, inherited: Attributes, exception: SpanEvent | None, arrival_ns: int
) -> Draft:
    """The span's own event, at its start: else at its end, else at its arrival.

    exception: the first of its events that tells of one. Those of two would be mixed.
    """
    draft = Draft(span.attributes, inherited)
    draft.set_time(span.start_ns or span.end_ns, arrival_ns)
    _put_id(draft, "trace.trace_id", trace_id_text(span.trace_id))
    _put_id(draft, "trace.span_id", id_text(span.span_id))
    _put_id(draft, "trace.parent_id", parent_id_text(span.parent_id))
    draft.put("name", "")
    draft.put_text("name", span.name)
    kind = _KINDS[span.kind] if span.kind < len(_KINDS) else _KINDS[0]
    draft.put("type", kind)
    draft.put("span.kind", kind)
    draft.put("status_code", span.status_code)
    draft.put_text("status_message", span.status_message)
    draft.put_error(is_error=span.is_error)
    if 0 < span.start_ns <= span.end_ns:
        draft.put("duration_ms", (span.end_ns - span.start_ns) / _MS_NS)
    else:
        draft.put("duration_ms", 0.0)
        draft.put("meta.invalid_duration", True)
    draft.put("span.num_links", span.links)
    draft.put("span.num_events", span.events)
    draft.put_text("trace.trace_state", span.trace_state)
    draft.put("meta.signal_type", "trace")
    draft.put_dropped(span.dropped)
    if exception is not None:
        values = exception.attributes.values
        for name in _EXCEPTION_FIELDS:
            if name in values:
                draft.put(name, values[name])
    return draft


def event_draft(event: SpanEvent, span: Span, inherited: Attributes, arrival_ns: int) -> Draft:
    """A span event as an event, at its time: else at its span's start, else at its arrival."""
    draft = Draft(event.attributes, inherited)
    draft.set_time(event.time_ns or span.start_ns, arrival_ns)
    _put_trace(draft, span)
    draft.put("name", "")
    draft.put_text("name", event.name)
    draft.put_text("parent_name", span.name)
    draft.put("meta.annotation_type", "span_event")
    draft.put("meta.signal_type", "trace")
    if event.time_ns and span.start_ns:
        since_ns = event.time_ns - span.start_ns
        draft.put("meta.time_since_span_start_ms", max(since_ns, 0) / _MS_NS)
        if since_ns < 0:
            draft.put("meta.invalid_time_since_span_start", True)
    draft.put_error(is_error=span.is_error)
    draft.put_dropped(event.dropped)
    return draft


def link_draft(link: Link, span: Span, inherited: Attributes, arrival_ns: int) -> Draft:
    """A link as an event, at its span's start."""
    draft = Draft(link.attributes, inherited)
    draft.set_time(span.start_ns or span.end_ns, arrival_ns)
    _put_trace(draft, span)
    _put_id(draft, "trace.link.trace_id", trace_id_text(link.trace_id))
    _put_id(draft, "trace.link.span_id", id_text(link.span_id))
    draft.put_text("parent_name", span.name)
    draft.put("meta.annotation_type", "link")
    draft.put("meta.signal_type", "trace")
    draft.put_error(is_error=span.is_error)
    draft.put_dropped(link.dropped)
    return draft


def _put_trace(draft: Draft, span: Span) -> None:
    _put_id(draft, "trace.trace_id", trace_id_text(span.trace_id))
    _put_id(draft, "trace.parent_id", id_text(span.span_id))


def _put_id(draft: Draft, name: str, text: str) -> None:
    """Add an id; an empty one gives no field."""
    if text:
        draft.put(name, text)
