"""A span's events and links, each as a line of its own."""

from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import get
from common.scan.kernel.record_lines import LINE_ROOM, write_head
from shepherd.otlp.decode.kernel.event_fields import (
    FIELDS_ROOM,
    add_attributes,
    add_constant,
    add_id,
    add_integer,
    add_milliseconds,
    add_text,
    add_true,
    begin_event,
    end_event,
)
from shepherd.otlp.decode.kernel.fields import (
    ANNOTATION_TYPE,
    DROPPED,
    ERROR,
    EVENT_FIRST,
    INVALID_SINCE_START,
    LINK,
    LINK_FIRST,
    LINK_SPAN_ID,
    LINK_TRACE_ID,
    NAME,
    PARENT_ID,
    PARENT_NAME,
    SIGNAL_TRACE,
    SIGNAL_TYPE,
    SINCE_START,
    SPAN_EVENT,
    TRACE_ID,
)
from shepherd.otlp.decode.kernel.memory import (
    ARRIVAL,
    OUT_BYTES,
    ROWS,
    ROWS_MAX,
    SPAN_END,
    SPAN_ERROR,
    SPAN_ID,
    SPAN_ID_TO,
    SPAN_NAME,
    SPAN_NAME_TO,
    SPAN_RATE,
    SPAN_START,
    SPAN_TRACE_ID,
    SPAN_TRACE_ID_TO,
)
from shepherd.otlp.decode.kernel.wire import payload, value, varint

_EVENT_TIME = 0x09  # tags of a Span.Event's fields
_EVENT_NAME = 0x12
_EVENT_ATTRIBUTE = 0x1A
_EVENT_DROPPED = 0x20
_LINK_TRACE_ID = 0x0A  # tags of a Span.Link's fields
_LINK_SPAN_ID = 0x12
_LINK_ATTRIBUTE = 0x22
_LINK_DROPPED = 0x28


@compiled
def _add_trace(buffer: Bytes, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """The ids of the span; FULL also without room for what follows."""
    if to + FIELDS_ROOM > OUT_BYTES:
        return FULL
    at, end = get(words, SPAN_TRACE_ID), get(words, SPAN_TRACE_ID_TO)
    to = add_id(value(TRACE_ID), buffer, at, end, words, arena, out, to)
    at, end = get(words, SPAN_ID), get(words, SPAN_ID_TO)
    if to < 0 or end - at > 8:  # a span's id is not shortened
        return FAIL
    return add_id(value(PARENT_ID), buffer, at, end, words, arena, out, to)


@compiled
def _add_span(
    buffer: Bytes, constant: int, words: Int64s, arena: Bytes, out: Bytes, to: int
) -> int:
    """The span's name, and what kind of annotation it is; FULL as above."""
    at, end = get(words, SPAN_NAME), get(words, SPAN_NAME_TO)
    if end > at:
        to = add_text(value(PARENT_NAME), buffer, at, end, words, arena, out, to)
        if to < 0:
            return to
    if to + FIELDS_ROOM > OUT_BYTES:
        return FULL
    to = add_constant(value(ANNOTATION_TYPE), constant, words, arena, out, to)
    return add_constant(value(SIGNAL_TYPE), value(SIGNAL_TRACE), words, arena, out, to)


@compiled
def _end(
    line: int,
    data: int,
    dropped: int,
    words: Int64s,
    arena: Bytes,
    tail: Bytes,
    out: Bytes,
    to: int,
) -> int:
    if get(words, SPAN_ERROR) != 0:
        to = add_true(value(ERROR), words, arena, out, to)
    if dropped > 0:
        to = add_integer(value(DROPPED), dropped, words, arena, out, to)
    return end_event(line, data, value(0), words, tail, out, to)


@compiled
def write_event(
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    tail: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """Write the line of the Span.Event buffer[at:end]: its end, FAIL, or FULL."""
    if to + LINE_ROOM + FIELDS_ROOM > OUT_BYTES or get(words, ROWS) >= ROWS_MAX:
        return FULL
    message, time, dropped = at, 0, 0
    name = name_to = at
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, number = payload(buffer, at, end, tag)
        if at < 0:
            return FAIL
        if tag == _EVENT_TIME:
            time = number
        elif tag == _EVENT_NAME:
            name, name_to = begin, at
        elif tag == _EVENT_DROPPED:
            dropped = number
    if time < 0 or dropped < 0:
        return FAIL
    start = get(words, SPAN_START)
    line = to
    begin_event(words)
    stamp = time if time > 0 else (start if start > 0 else get(words, ARRIVAL))
    data = write_head(out, to, stamp, get(words, SPAN_RATE))
    to = add_attributes(
        buffer,
        message,
        end,
        value(_EVENT_ATTRIBUTE),
        value(EVENT_FIRST),
        value(0),
        words,
        arena,
        out,
        data,
    )
    if to >= 0:
        to = _add_trace(buffer, words, arena, out, to)
    if to >= 0:
        to = add_text(value(NAME), buffer, name, name_to, words, arena, out, to)
    if to >= 0:
        to = _add_span(buffer, value(SPAN_EVENT), words, arena, out, to)
    if to < 0:
        return to
    if time > 0 and start > 0:
        to = add_milliseconds(value(SINCE_START), max(time - start, 0), words, arena, out, to)
        if to < 0:
            return FAIL
        if time < start:
            to = add_true(value(INVALID_SINCE_START), words, arena, out, to)
    return _end(line, data, dropped, words, arena, tail, out, to)


@compiled
def write_link(
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    tail: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """Write the line of the Span.Link buffer[at:end]: its end, FAIL, or FULL."""
    if to + LINE_ROOM + FIELDS_ROOM > OUT_BYTES or get(words, ROWS) >= ROWS_MAX:
        return FULL
    message, dropped = at, 0
    trace = trace_to = span = span_to = at
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, number = payload(buffer, at, end, tag)
        if at < 0:
            return FAIL
        if tag == _LINK_TRACE_ID:
            trace, trace_to = begin, at
        elif tag == _LINK_SPAN_ID:
            span, span_to = begin, at
        elif tag == _LINK_DROPPED:
            dropped = number
    if dropped < 0 or span_to - span > 8:
        return FAIL
    start, stop = get(words, SPAN_START), get(words, SPAN_END)
    line = to
    begin_event(words)
    stamp = start if start > 0 else (stop if stop > 0 else get(words, ARRIVAL))
    data = write_head(out, to, stamp, get(words, SPAN_RATE))
    to = add_attributes(
        buffer,
        message,
        end,
        value(_LINK_ATTRIBUTE),
        value(LINK_FIRST),
        value(0),
        words,
        arena,
        out,
        data,
    )
    if to >= 0:
        to = _add_trace(buffer, words, arena, out, to)
    if to >= 0:
        to = add_id(value(LINK_TRACE_ID), buffer, trace, trace_to, words, arena, out, to)
    if to >= 0:
        to = add_id(value(LINK_SPAN_ID), buffer, span, span_to, words, arena, out, to)
    if to >= 0:
        to = _add_span(buffer, value(LINK), words, arena, out, to)
    if to < 0:
        return to
    return _end(line, data, dropped, words, arena, tail, out, to)
