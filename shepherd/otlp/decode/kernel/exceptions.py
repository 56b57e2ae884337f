"""What a span gets of the first exception among its events: type, message, stack, `escaped`."""

from common.kernels.compile import Bytes, Int64s, compiled
from common.kernels.intrinsics import get, put
from common.scan.kernel.literals import equal
from shepherd.otlp.decode.kernel.attributes import is_new, write_name
from shepherd.otlp.decode.kernel.fields import (
    EXCEPTION_ESCAPED,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACK,
    EXCEPTION_TYPE,
)
from shepherd.otlp.decode.kernel.memory import (
    EVENT,
    FIELDS,
    NAME,
    NAME_EVENT,
    NAME_RAW,
    NAME_SIZE,
    NAME_WORDS,
    OUT_BYTES,
)
from shepherd.otlp.decode.kernel.values import write_value
from shepherd.otlp.decode.kernel.wire import payload, value, varint

_EVENT = 0x5A  # tag of a span event in a Span
_EVENT_NAME = 0x12
_EVENT_ATTRIBUTE = 0x1A
_EXCEPTION_BYTES = 9  # of `exception`, with which the names begin too


@compiled
def _is_exception(buffer: Bytes, at: int, end: int, words: Int64s, arena: Bytes) -> bool:
    """Whether the name of the Span.Event buffer[at:end] is `exception`."""
    name = name_to = at
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, _ = payload(buffer, at, end, tag)
        if tag == _EVENT_NAME:
            name, name_to = begin, at
    raw = get(words, NAME + EXCEPTION_TYPE * NAME_WORDS + NAME_RAW)
    return name_to - name == _EXCEPTION_BYTES and equal(buffer, name, arena, raw, _EXCEPTION_BYTES)


@compiled
def _copy_field(
    name: int,
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """Write the attribute of this name of the Span.Event buffer[at:end], if it has it."""
    base = NAME + name * NAME_WORDS
    raw, size = get(words, base + NAME_RAW), get(words, base + NAME_SIZE)
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, _ = payload(buffer, at, end, tag)
        if tag != _EVENT_ATTRIBUTE:
            continue
        key, key_size = varint(buffer, begin + 1)
        if key_size == size and equal(buffer, key, arena, raw, size):
            if is_new(name, value(NAME_EVENT), get(words, EVENT), words):
                put(words, FIELDS, get(words, FIELDS) + 1)
                begin, _ = varint(buffer, key + size + 1)
                to = write_name(name, words, arena, out, to)
                to = write_value(buffer, begin, at, out, to, value(OUT_BYTES))
            return to
    return to


@compiled
def add_exceptions(
    buffer: Bytes, at: int, end: int, words: Int64s, arena: Bytes, out: Bytes, to: int
) -> int:
    """Fields of the first exception in buffer[at:end], part of a Span whose events were written."""
    while at < end:
        at, tag = varint(buffer, at)
        begin, at, _ = payload(buffer, at, end, tag)
        if tag != _EVENT or not _is_exception(buffer, begin, at, words, arena):
            continue
        for name in (EXCEPTION_MESSAGE, EXCEPTION_TYPE, EXCEPTION_STACK, EXCEPTION_ESCAPED):
            to = _copy_field(name, buffer, begin, at, words, arena, out, to)
            if to < 0:
                return to
        return to  # of several exceptions the first: fields of two would be mixed
    return to
