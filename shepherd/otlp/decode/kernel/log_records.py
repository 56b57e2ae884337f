"""A log record as a line.

Its message is read twice, as a span's: first where its fields are, then its attributes are written.
"""

from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, load64
from common.scan.kernel.record_lines import LINE_ROOM, write_head
from shepherd.otlp.decode.kernel.event_fields import (
    FIELDS_ROOM,
    add_attributes,
    add_constant,
    add_id,
    add_integer,
    add_members,
    add_text,
    add_value,
    begin_event,
    end_event,
)
from shepherd.otlp.decode.kernel.fields import (
    ANNOTATION_TYPE,
    BODY,
    DROPPED,
    EVENT_NAME,
    FLAGS,
    PARENT_ID,
    RECORD_FIRST,
    SEVERITY,
    SEVERITY_CODE,
    SEVERITY_FIRST,
    SEVERITY_TEXT,
    SIGNAL_LOG,
    SIGNAL_TYPE,
    SPAN_EVENT,
    TRACE_ID,
    UNSPECIFIED,
)
from shepherd.otlp.decode.kernel.memory import ARRIVAL, FIELDS, OUT_BYTES, ROWS, ROWS_MAX, TAIL_RATE
from shepherd.otlp.decode.kernel.rates import is_rate, read_rate
from shepherd.otlp.decode.kernel.values import OBJECT
from shepherd.otlp.decode.kernel.wire import payload, value, varint

_TIME = 0x09  # tags of a LogRecord's fields
_NUMBER = 0x10
_TEXT = 0x1A
_BODY = 0x2A
_ATTRIBUTE = 0x32
_DROPPED = 0x38
_FLAGS = 0x45
_TRACE_ID = 0x4A
_SPAN_ID = 0x52
_OBSERVED = 0x59
_EVENT_NAME = 0x62
_SEVERITIES_MAX = 24
_NUMBERS_EACH = 4  # severity numbers of one name
_ID_BYTES = 8
_TRACE_ID_BYTES = 16


@inlined
def _add_ids(
    buffer: Bytes,
    trace: int,
    trace_to: int,
    span: int,
    span_to: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """The ids of the trace and span in which it was written; of zeros they are none."""
    size = trace_to - trace
    if size > 0:
        if size != _TRACE_ID_BYTES:
            return FAIL
        if load64(buffer, trace) != 0 or load64(buffer, trace + _ID_BYTES) != 0:
            to = add_id(value(TRACE_ID), buffer, trace, trace_to, words, arena, out, to)
            to = add_constant(value(ANNOTATION_TYPE), value(SPAN_EVENT), words, arena, out, to)
    size = span_to - span
    if size > 0:
        if size != _ID_BYTES:
            return FAIL
        if load64(buffer, span) != 0:
            to = add_id(value(PARENT_ID), buffer, span, span_to, words, arena, out, to)
    return to


@compiled
def write_record(
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    tail: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """Write the line of the log record buffer[at:end]: its end, FAIL, or FULL."""
    if to + LINE_ROOM + FIELDS_ROOM > OUT_BYTES or get(words, ROWS) >= ROWS_MAX:
        return FULL
    trace = trace_to = span = span_to = text = text_to = name = name_to = body = body_to = at
    time = observed = severity = flags = dropped = 0
    attributes = end
    attributes_to = at
    rate = get(words, TAIL_RATE)
    # --- where its fields are
    while at < end:
        field = at
        at, tag = varint(buffer, at)
        begin, at, number = payload(buffer, at, end, tag)
        if at < 0:
            return FAIL
        if tag == _ATTRIBUTE:
            attributes = min(attributes, field)
            attributes_to = at
            if is_rate(buffer, begin):
                own = read_rate(buffer, begin, at)
                if own < 0 or rate != 0:
                    return FAIL
                rate = own
        elif tag == _TIME:
            time = number
        elif tag == _OBSERVED:
            observed = number
        elif tag == _NUMBER:
            severity = number
        elif tag == _TEXT:
            text, text_to = begin, at
        elif tag == _BODY:
            body, body_to = begin, at
        elif tag == _TRACE_ID:
            trace, trace_to = begin, at
        elif tag == _SPAN_ID:
            span, span_to = begin, at
        elif tag == _FLAGS:
            flags = number
        elif tag == _EVENT_NAME:
            name, name_to = begin, at
        elif tag == _DROPPED:
            dropped = number
    if time < 0 or dropped < 0:  # 2**63 and more
        return FAIL
    # --- its line
    line = to
    begin_event(words)
    stamp = time if time > 0 else (observed if observed > 0 else get(words, ARRIVAL))
    data = write_head(out, to, stamp, max(rate, 1))
    to = add_attributes(
        buffer,
        attributes,
        attributes_to,
        value(_ATTRIBUTE),
        value(RECORD_FIRST),
        value(1),
        words,
        arena,
        out,
        data,
    )
    if to < 0:
        return to
    if body_to > body and byte_at(buffer, body) == OBJECT:
        before = get(words, FIELDS)
        to = add_members(value(BODY), buffer, body, body_to, words, arena, out, to)
        if to < 0:
            return to
        if get(words, FIELDS) == before:  # an empty object is no field
            body_to = body
    if to + FIELDS_ROOM > OUT_BYTES:
        return FULL
    word = value(UNSPECIFIED)
    if 1 <= severity <= _SEVERITIES_MAX:
        word = SEVERITY_FIRST + (severity - 1) // _NUMBERS_EACH
    to = add_constant(value(SEVERITY), word, words, arena, out, to)
    to = add_integer(value(SEVERITY_CODE), severity, words, arena, out, to)
    if text_to > text:
        to = add_text(value(SEVERITY_TEXT), buffer, text, text_to, words, arena, out, to)
        if to < 0:
            return to
        if to + FIELDS_ROOM > OUT_BYTES:
            return FULL
    if name_to > name:
        to = add_text(value(EVENT_NAME), buffer, name, name_to, words, arena, out, to)
        if to < 0:
            return to
        if to + FIELDS_ROOM > OUT_BYTES:
            return FULL
    to = add_constant(value(SIGNAL_TYPE), value(SIGNAL_LOG), words, arena, out, to)
    if flags > 0:
        to = add_integer(value(FLAGS), flags, words, arena, out, to)
    to = _add_ids(buffer, trace, trace_to, span, span_to, words, arena, out, to)
    if to >= 0 and body_to > body:
        to = add_value(value(BODY), buffer, body, body_to, words, arena, out, to)
    if to < 0:
        return to
    if to + FIELDS_ROOM > OUT_BYTES:
        return FULL
    if dropped > 0:
        to = add_integer(value(DROPPED), dropped, words, arena, out, to)
    return end_event(line, data, value(1), words, tail, out, to)
