"""A span as lines: one for each of its span events and links, then its own.

The message is read twice: first where its fields are, since its events come before its own line and
every line has the span's sample rate and times; then its attributes are written.
"""

from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import get, load64, put
from common.scan.kernel.record_lines import LINE_ROOM, write_head
from shepherd.otlp.decode.kernel.annotations import write_event, write_link
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
from shepherd.otlp.decode.kernel.exceptions import add_exceptions
from shepherd.otlp.decode.kernel.fields import (
    DROPPED,
    DURATION,
    ERROR,
    EVENTS,
    INVALID_DURATION,
    KIND,
    KINDS,
    LINKS,
    PARENT_ID,
    SIGNAL_TRACE,
    SIGNAL_TYPE,
    SPAN_FIRST,
    STATUS_CODE,
    STATUS_MESSAGE,
    TRACE_STATE,
    TYPE,
)
from shepherd.otlp.decode.kernel.fields import NAME as NAME_FIELD
from shepherd.otlp.decode.kernel.fields import SPAN_ID as SPAN_ID_FIELD
from shepherd.otlp.decode.kernel.fields import TRACE_ID as TRACE_ID_FIELD
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
    TAIL_RATE,
)
from shepherd.otlp.decode.kernel.rates import is_rate, may_tell_rate, read_rate
from shepherd.otlp.decode.kernel.wire import payload, value, varint

_TRACE_ID = 0x0A  # tags of a Span's fields
_SPAN_ID = 0x12
_TRACE_STATE = 0x1A
_PARENT_ID = 0x22
_NAME = 0x2A
_KIND = 0x30
_START = 0x39
_END = 0x41
_ATTRIBUTE = 0x4A
_DROPPED = 0x50
_EVENT = 0x5A
_LINK = 0x6A
_STATUS = 0x7A
_STATUS_MESSAGE = 0x12  # tags of a Status' fields
_STATUS_CODE = 0x18
_FAILED = 2  # the status code of a span that failed
_ID_BYTES = 8


@compiled
def write_span(
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    tail: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """Write the lines of the span buffer[at:end]: their end, FAIL, or FULL."""
    trace = trace_to = span = span_to = parent = parent_to = at
    state = state_to = name = name_to = message = message_to = at
    kind = start = stop = dropped = code = 0
    attributes = annotations = end
    attributes_to = annotations_to = at
    events = links = 0
    rate = get(words, TAIL_RATE)
    # --- where its fields are
    while at < end:
        field = at
        at, tag = varint(buffer, at)
        if tag == _ATTRIBUTE:  # most fields are
            begin, size = varint(buffer, at)
            if begin < 0 or size < 0 or size > end - begin:
                return FAIL
            at = begin + size
            attributes = min(attributes, field)
            attributes_to = at
            if is_rate(buffer, begin):
                own = read_rate(buffer, begin, at)
                if own < 0 or rate != 0:
                    return FAIL
                rate = own
            continue
        begin, at, number = payload(buffer, at, end, tag)
        if at < 0:
            return FAIL
        if tag == _TRACE_ID:
            trace, trace_to = begin, at
        elif tag == _SPAN_ID:
            span, span_to = begin, at
        elif tag == _TRACE_STATE:
            state, state_to = begin, at
        elif tag == _PARENT_ID:
            parent, parent_to = begin, at
        elif tag == _NAME:
            name, name_to = begin, at
        elif tag == _KIND:
            kind = number
        elif tag == _START:
            start = number
        elif tag == _END:
            stop = number
        elif tag == _DROPPED:
            dropped = number
        elif tag == _EVENT or tag == _LINK:
            annotations = min(annotations, field)
            annotations_to = at
            if tag == _EVENT:
                events += 1
            else:
                links += 1
        elif tag == _STATUS:
            while begin < at:
                begin, inner = varint(buffer, begin)
                first, begin, number = payload(buffer, begin, at, inner)
                if begin < 0:
                    return FAIL
                if inner == _STATUS_CODE:
                    code = number
                elif inner == _STATUS_MESSAGE:
                    message, message_to = first, begin
    if start < 0 or stop < 0 or dropped < 0:  # 2**63 and more
        return FAIL
    if span_to - span > _ID_BYTES:
        return FAIL
    if rate == 0:
        if may_tell_rate(buffer, state, state_to):
            return FAIL
        rate = 1
    # --- its span events, then its links
    if annotations_to > annotations:
        put(words, SPAN_TRACE_ID, trace)
        put(words, SPAN_TRACE_ID_TO, trace_to)
        put(words, SPAN_ID, span)
        put(words, SPAN_ID_TO, span_to)
        put(words, SPAN_NAME, name)
        put(words, SPAN_NAME_TO, name_to)
        put(words, SPAN_START, start)
        put(words, SPAN_END, stop)
        put(words, SPAN_ERROR, 1 if code == _FAILED else 0)
        put(words, SPAN_RATE, rate)
        for wanted in (_EVENT, _LINK):
            at = annotations
            while at < annotations_to:
                at, tag = varint(buffer, at)
                begin, at, _ = payload(buffer, at, annotations_to, tag)
                if tag == wanted:
                    if tag == _EVENT:
                        to = write_event(buffer, begin, at, words, arena, tail, out, to)
                    else:
                        to = write_link(buffer, begin, at, words, arena, tail, out, to)
                    if to < 0:
                        return to
    # --- its own line
    if to + LINE_ROOM + FIELDS_ROOM > OUT_BYTES or get(words, ROWS) >= ROWS_MAX:
        return FULL
    line = to
    begin_event(words)
    time = start if start > 0 else (stop if stop > 0 else get(words, ARRIVAL))
    data = write_head(out, to, time, rate)
    to = add_attributes(
        buffer,
        attributes,
        attributes_to,
        value(_ATTRIBUTE),
        value(SPAN_FIRST),
        value(1),
        words,
        arena,
        out,
        data,
    )
    if to < 0:
        return to
    if to + FIELDS_ROOM > OUT_BYTES:
        return FULL
    to = add_id(value(TRACE_ID_FIELD), buffer, trace, trace_to, words, arena, out, to)
    if to >= 0:
        to = add_id(value(SPAN_ID_FIELD), buffer, span, span_to, words, arena, out, to)
    if to >= 0 and parent_to > parent:
        if parent_to - parent != _ID_BYTES or load64(buffer, parent) == 0:
            return FAIL
        to = add_id(value(PARENT_ID), buffer, parent, parent_to, words, arena, out, to)
    if to >= 0:
        to = add_text(value(NAME_FIELD), buffer, name, name_to, words, arena, out, to)
    if to < 0:
        return to
    if to + FIELDS_ROOM > OUT_BYTES:
        return FULL
    if kind < 0 or kind >= KINDS:
        kind = 0
    to = add_constant(value(TYPE), kind, words, arena, out, to)
    to = add_constant(value(KIND), kind, words, arena, out, to)
    to = add_integer(value(STATUS_CODE), code, words, arena, out, to)
    if message_to > message:
        to = add_text(value(STATUS_MESSAGE), buffer, message, message_to, words, arena, out, to)
        if to < 0:
            return to
        if to + FIELDS_ROOM > OUT_BYTES:
            return FULL
    if code == _FAILED:
        to = add_true(value(ERROR), words, arena, out, to)
    if 0 < start <= stop:
        to = add_milliseconds(value(DURATION), stop - start, words, arena, out, to)
        if to < 0:
            return FAIL
    else:
        to = add_milliseconds(value(DURATION), value(0), words, arena, out, to)
        to = add_true(value(INVALID_DURATION), words, arena, out, to)
    to = add_integer(value(LINKS), links, words, arena, out, to)
    to = add_integer(value(EVENTS), events, words, arena, out, to)
    if state_to > state:
        to = add_text(value(TRACE_STATE), buffer, state, state_to, words, arena, out, to)
        if to < 0:
            return to
        if to + FIELDS_ROOM > OUT_BYTES:
            return FULL
    to = add_constant(value(SIGNAL_TYPE), value(SIGNAL_TRACE), words, arena, out, to)
    if dropped > 0:
        to = add_integer(value(DROPPED), dropped, words, arena, out, to)
    if events > 0:
        to = add_exceptions(buffer, annotations, annotations_to, words, arena, out, to)
        if to < 0:
            return to
    return end_event(line, data, value(1), words, tail, out, to)
