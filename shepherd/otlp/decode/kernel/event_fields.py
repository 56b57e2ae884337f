"""Fields of the event that is being written: those of the mapping, attributes, and the tail.

Each function returns where the lines end then, FAIL if the item is for the reference, or FULL. Of
fields of one name the first is written.
"""

from typing import Final

from common import limits
from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, copy32, get, load64, put, store8, store32
from common.scan.kernel.ascii_codes import CLOSE_BRACE, OPEN_BRACE, QUOTE
from common.scan.kernel.decimals import TEXT_ROOM, write_integer
from common.scan.kernel.record_lines import write_end
from common.scan.kernel.strings import copy_run
from shepherd.otlp.decode.kernel.attributes import is_new, write_attribute, write_name, write_object
from shepherd.otlp.decode.kernel.fields import CONSTANT_BYTES, CONSTANT_SIZES, RATE_CAPITAL
from shepherd.otlp.decode.kernel.ids import write_id
from shepherd.otlp.decode.kernel.memory import (
    BYTES,
    DATA_BYTES,
    EVENT,
    FIELDS,
    ITEMS,
    LINE_BYTES,
    LINE_ITEM,
    NAME,
    NAME_EVENT,
    NAME_RAW,
    NAME_SIZE,
    NAME_WORDS,
    OUT_BYTES,
    ROWS,
    SHARED,
    TAIL_FIELD,
    TAIL_FIELDS,
    TAIL_TO,
)
from shepherd.otlp.decode.kernel.values import (
    OBJECT,
    write_members,
    write_milliseconds,
    write_string,
    write_value,
)
from shepherd.otlp.decode.kernel.wire import payload, value, varint

FIELDS_ROOM: Final = 2_048  # for all fields of the mapping that are no texts
_FIELDS_MAX = limits.EVENT_FIELDS_MAX
_BYTES_MAX = limits.EVENT_BYTES_MAX
_TRUE = int.from_bytes(b"true", "little")
_ID_BYTES = 8
_RATES = 2  # names that are no fields, but count among the attributes
_TRACE_ID_BYTES = 16


@inlined
def begin_event(words: Int64s) -> None:
    """From here on fields are those of another event."""
    put(words, EVENT, get(words, EVENT) + 1)
    put(words, FIELDS, 0)
    put(words, SHARED, 0)


@inlined
def _begin_field(name: int, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """Write the name of a field; FAIL if the event has it already."""
    if not is_new(name, value(NAME_EVENT), get(words, EVENT), words):
        return FAIL
    put(words, FIELDS, get(words, FIELDS) + 1)
    return write_name(name, words, arena, out, to)


@inlined
def add_integer(name: int, number: int, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """A field with an integer."""
    begin = _begin_field(name, words, arena, out, to)
    return to if begin < 0 else write_integer(out, begin, number)


@inlined
def add_milliseconds(
    name: int, nanoseconds: int, words: Int64s, arena: Bytes, out: Bytes, to: int
) -> int:
    """A field with nanoseconds as milliseconds."""
    begin = _begin_field(name, words, arena, out, to)
    return to if begin < 0 else write_milliseconds(out, begin, nanoseconds)


@inlined
def add_true(name: int, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """A field that is true."""
    begin = _begin_field(name, words, arena, out, to)
    if begin < 0:
        return to
    store32(out, begin, _TRUE)
    return begin + 4


@inlined
def add_constant(name: int, constant: int, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """A field with one of the constants."""
    begin = _begin_field(name, words, arena, out, to)
    if begin < 0:
        return to
    copy32(out, begin, arena, CONSTANT_BYTES * constant)
    return begin + ((CONSTANT_SIZES >> 4 * constant) & 15)


@inlined
def add_text(
    name: int,
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """A field with the text buffer[at:end], which may be empty."""
    begin = _begin_field(name, words, arena, out, to)
    if begin < 0:  # even so it has to be UTF-8
        end = write_string(buffer, at, end, out, to, value(OUT_BYTES))
        return end if end < 0 else to
    return write_string(buffer, at, end, out, begin, value(OUT_BYTES))


@compiled
def add_value(
    name: int,
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """A field with the AnyValue buffer[at:end]; one of an object is its JSON."""
    is_object = byte_at(buffer, at) == OBJECT
    begin = _begin_field(name, words, arena, out, to)
    limit = value(OUT_BYTES)
    # Even without a field it has to be one that is stored as it was sent.
    here = begin if begin >= 0 else to
    if is_object:
        here = write_members(buffer, at, end, out, here, limit)
    else:
        here = write_value(buffer, at, end, out, here, limit)
    return here if begin >= 0 or here < 0 else to


@compiled
def add_members(
    name: int,
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """Fields `name.member` of the AnyValue buffer[at:end], an object."""
    base = NAME + name * NAME_WORDS
    to = write_object(
        arena,
        get(words, base + NAME_RAW),
        get(words, base + NAME_SIZE),
        buffer,
        at,
        end,
        value(NAME_EVENT),
        get(words, EVENT),
        words,
        arena,
        out,
        to,
        value(OUT_BYTES),
    )
    put(words, FIELDS, get(words, FIELDS) + 1)  # one less was counted
    return to


@inlined
def add_id(
    name: int,
    buffer: Bytes,
    at: int,
    end: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """A field with an id; none if it is empty. Of a padded trace id the last half counts."""
    size = end - at
    if size == 0:
        return to
    if size == _TRACE_ID_BYTES and load64(buffer, at) == 0:
        at += _ID_BYTES
        size = _ID_BYTES
    if size != _ID_BYTES and size != _TRACE_ID_BYTES:
        return FAIL
    begin = _begin_field(name, words, arena, out, to)
    if begin < 0:
        return to
    store8(out, begin, QUOTE)
    to = write_id(out, begin + 1, buffer, at, size)
    store8(out, to, QUOTE)
    return to + 1


@compiled
def add_attributes(
    buffer: Bytes,
    at: int,
    end: int,
    wanted: int,
    last: int,
    rates: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
) -> int:
    """The attributes in buffer[at:end], fields of a message whose lengths were checked, with the
    tag `wanted`.

    last: the name before the first, for prediction. rates: 1 if a sample rate may be among them.
    """
    fields = 0
    event = get(words, EVENT)
    while at < end:
        at, tag = varint(buffer, at)
        if tag != wanted:
            _, at, _ = payload(buffer, at, end, tag)
            continue
        begin, size = varint(buffer, at)
        at = begin + size
        to, last = write_attribute(
            buffer,
            begin,
            at,
            last,
            value(NAME_EVENT),
            event,
            words,
            arena,
            out,
            to,
            value(OUT_BYTES),
        )
        if to < 0:
            return to
        if last > RATE_CAPITAL:
            fields += 1
        elif rates == 0:
            return FAIL
    put(words, FIELDS, get(words, FIELDS) + fields)
    return to


@compiled
def _add_tail(words: Int64s, tail: Bytes, out: Bytes, to: int) -> int:
    """What the resource and the scope give the event."""
    size = get(words, TAIL_TO)
    if to + size + TEXT_ROOM > OUT_BYTES:
        return FULL
    fields = get(words, TAIL_FIELDS)
    if get(words, SHARED) == 0:
        copy_run(out, to, tail, 0, size)
        put(words, FIELDS, get(words, FIELDS) + fields)
        return int(to + size)
    event = get(words, EVENT)
    at = 0
    for field in range(fields):
        name = get(words, TAIL_FIELD + 2 * field)
        end = get(words, TAIL_FIELD + 2 * field + 1)
        if get(words, NAME + name * NAME_WORDS + NAME_EVENT) != event:
            copy_run(out, to, tail, at, end - at)
            to += end - at
            put(words, FIELDS, get(words, FIELDS) + 1)
        at = end
    return to


@compiled
def end_event(
    begin: int, data: int, own: int, words: Int64s, tail: Bytes, out: Bytes, to: int
) -> int:
    """The end of the event's line. begin: of the line; data: of its fields; own: 1 if its item's.

    The comma before the first field becomes the bracket that opens the data.
    """
    to = _add_tail(words, tail, out, to)
    if to < 0:
        return to
    store8(out, data, OPEN_BRACE)
    store8(out, to, CLOSE_BRACE)
    to += 1
    size = to - data
    if size > _BYTES_MAX or get(words, FIELDS) > _FIELDS_MAX - _RATES:
        return FAIL
    to = write_end(out, to)
    put(words, BYTES, get(words, BYTES) + to - begin)
    row = get(words, ROWS)
    put(words, LINE_BYTES + row, to - begin)
    put(words, DATA_BYTES + row, size)
    put(words, LINE_ITEM + row, get(words, ITEMS) << 1 | own)
    put(words, ROWS, row + 1)
    return to
