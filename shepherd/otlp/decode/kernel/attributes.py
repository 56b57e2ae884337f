"""An attribute as a field of an event: `,"name":value`, straight from its KeyValue message.

Only the form that every SDK writes is read here: the name, then one value. Whatever else protobuf
allows, values that cannot be stored, and names that an event has twice are for the reference.
"""

from common import limits
from common.kernels.compile import FAIL, FULL, SENTINEL_BYTES, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import (
    LANES,
    as_double,
    byte_at,
    copy32,
    get,
    load64,
    put,
    special,
    store8,
    store32,
    store64,
    trailing_zeros,
)
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACKET,
    COMMA,
    LINE_BREAK,
    MINUS,
    OPEN_BRACKET,
    POINT,
    QUOTE,
)
from common.scan.kernel.decimals import (
    MILLIONTHS_MAX,
    MILLIONTHS_MIN,
    SMALL_MAX,
    TEXT_ROOM,
    write_double,
    write_integer,
    write_millionths,
    write_small,
)
from common.scan.kernel.strings import copy_run
from common.scan.kernel.texts import ESCAPED_BYTES, write_text
from shepherd.otlp.decode.kernel.fields import RATE_CAPITAL
from shepherd.otlp.decode.kernel.memory import (
    FIELDS,
    NAME,
    NAME_EVENT,
    NAME_TAIL,
    NAME_TEXT,
    NAME_TEXT_SIZE,
    NAME_WORDS,
    NESTED_BYTES,
    SHARED,
    TAIL,
)
from shepherd.otlp.decode.kernel.names import find_name, predicted_name
from shepherd.otlp.decode.kernel.wire import varint

_STRING_MAX = limits.STRING_BYTES_MAX
_KEY = 0x0A  # tags of a KeyValue's fields
_VALUE = 0x12
_STRING = 0x0A  # tags of an AnyValue's fields
_BOOL = 0x10
_INT = 0x18
_DOUBLE = 0x21
_LIST = 0x2A
_OBJECT = 0x32
_ITEM = 0x0A  # tag of a value in a list, and of a member of an object
_NULL = int.from_bytes(b"null", "little")
_TRUE = int.from_bytes(b"true", "little")
_FALSE = int.from_bytes(b"false\0\0\0", "little")
_INFINITE = 0x7FF  # the exponent of what is not finite
# Between these a double's shortest text has no exponent: every writer of JSON writes the same.
_FIXED_MIN = 0x3F1A36E2EB1C432D  # bits of 1e-4
_FIXED_MAX = 0x4341C37937E08000  # bits of 1e16
_MILLIARD = 0x41CDCD6500000000  # bits of 1e9: so many millionths have 15 digits
_MILLION = 1e6
_HALF = 0.5
_MAGNITUDE = 2**63 - 1


@compiled
def write_number(out: Bytes, to: int, bits: int) -> int:
    """Write a double; its end, or FAIL for one that is for the reference."""
    size = bits & _MAGNITUDE
    if size >= _FIXED_MAX or (size < _FIXED_MIN and size != 0):
        return FAIL
    if size < _MILLIARD:
        number = as_double(size)
        millionths = int(number * _MILLION + _HALF)
        if millionths >= MILLIONTHS_MIN and millionths / _MILLION == number:
            if bits < 0:
                store8(out, to, MINUS)
                to += 1
            return write_millionths(out, to, millionths)
    return write_double(out, to, bits)


@inlined
def write_milliseconds(out: Bytes, to: int, nanoseconds: int) -> int:
    """Write nanoseconds, at least 0, as milliseconds; the end, or FAIL."""
    if nanoseconds == 0 or MILLIONTHS_MIN <= nanoseconds <= MILLIONTHS_MAX:
        return write_millionths(out, to, nanoseconds)
    return FAIL


@inlined
def write_string(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write buffer[at:end] as JSON; its end, FAIL, or FULL beyond `limit`."""
    size = end - at
    if size > _STRING_MAX:
        return FAIL
    if to + ESCAPED_BYTES * size + TEXT_ROOM > limit:
        return FULL
    store8(out, to, QUOTE)
    done = 0
    while True:  # as `write_text`, without a call where nothing is escaped
        copy32(out, to + 1 + done, buffer, at + done)
        found = special(buffer, at + done)
        if (LANES if found == 0 else trailing_zeros(found)) >= size - done:
            store8(out, to + 1 + size, QUOTE)
            return to + size + 2
        if found != 0:
            return write_text(buffer, at, end, out, to)
        done += LANES


@inlined
def write_scalar(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end] if it holds no others; its end, FAIL, or FULL."""
    if to + TEXT_ROOM > limit:
        return FULL
    tag = byte_at(buffer, at)
    at += 1
    if tag == _STRING:
        begin, size = varint(buffer, at)
        if begin < 0 or size != end - begin:
            return FAIL
        return write_string(buffer, begin, end, out, to, limit)
    if tag == _INT:
        after, number = varint(buffer, at)
        if after != end:
            return FAIL
        if 0 <= number < SMALL_MAX:
            return write_small(out, to, number)
        return write_integer(out, to, number)
    if tag == _DOUBLE:
        return write_number(out, to, load64(buffer, at)) if at + 8 == end else FAIL
    if tag == _BOOL:
        after, number = varint(buffer, at)
        if after != end:
            return FAIL
        if number != 0:
            store32(out, to, _TRUE)
            return to + 4
        store64(out, to, _FALSE)
        return to + 5
    return FAIL


@compiled
def write_list(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end], a list of scalars, as the text that its JSON is.

    The JSON is made beyond `limit` first, where `out` has NESTED_BYTES for it.
    """
    at, size = varint(buffer, at + 1)
    if at < 0 or size != end - at:
        return FAIL
    begin = limit + SENTINEL_BYTES
    here = begin
    most = begin + NESTED_BYTES
    while at < end:
        if byte_at(buffer, at) != _ITEM or here + TEXT_ROOM > most:
            return FAIL
        item, size = varint(buffer, at + 1)
        if item < 0 or size < 0 or size > end - item:
            return FAIL
        at = item + size
        store8(out, here, COMMA)
        if size == 0:
            store32(out, here + 1, _NULL)
            here += 5
            continue
        here = write_scalar(buffer, item, at, out, here + 1, most)
        if here < 0:
            return FAIL
    store8(out, begin, OPEN_BRACKET)  # in place of the first comma
    here = max(here, begin + 1)
    store8(out, here, CLOSE_BRACKET)
    store8(out, here + 1, LINE_BREAK)
    return write_string(out, begin, here + 2, out, to, limit)


@inlined
def write_value(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end]; its end, FAIL, or FULL beyond `limit`."""
    if byte_at(buffer, at) == _LIST:
        return write_list(buffer, at, end, out, to, limit)
    return write_scalar(buffer, at, end, out, to, limit)


@inlined
def is_new(name: int, mark: int, stamp: int, words: Int64s) -> bool:
    """Whether the event (or the tail) has no field of this name yet; from now on it has.

    mark: NAME_EVENT or NAME_TAIL; stamp: the event's number or the tail's.
    """
    base = NAME + name * NAME_WORDS
    if get(words, base + mark) == stamp:
        return False
    put(words, base + mark, stamp)
    if mark == NAME_EVENT and get(words, base + NAME_TAIL) == get(words, TAIL):
        put(words, SHARED, 1)
    return True


@inlined
def write_name(name: int, words: Int64s, arena: Bytes, out: Bytes, to: int) -> int:
    """Write `,"name":`; its end."""
    base = NAME + name * NAME_WORDS
    size = get(words, base + NAME_TEXT_SIZE)
    copy_run(out, to, arena, get(words, base + NAME_TEXT), size)
    return int(to + size)


@compiled
def write_object(
    buffer: Bytes,
    key: int,
    size: int,
    at: int,
    end: int,
    mark: int,
    stamp: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
    limit: int,
) -> int:
    """Write the members of the AnyValue buffer[at:end], an object, as fields `key.member`.

    Of an event, not of a tail, and without objects inside it. Names are made beyond `limit`.
    """
    at, length = varint(buffer, at + 1)
    if mark != NAME_EVENT or at < 0 or length != end - at:
        return FAIL
    scratch = limit + SENTINEL_BYTES
    fields = 0
    while at < end:
        if byte_at(buffer, at) != _ITEM:
            return FAIL
        at, length = varint(buffer, at + 1)
        if at < 0 or length < 2 or length > end - at or byte_at(buffer, at) != _KEY:
            return FAIL
        member_end = at + length
        begin, length = varint(buffer, at + 1)
        whole = size + 1 + length
        if begin < 0 or length < 1 or length > member_end - begin - 2 or whole > _STRING_MAX:
            return FAIL
        at = begin + length
        if byte_at(buffer, at) != _VALUE:
            return FAIL
        copy_run(out, scratch, buffer, key, size)
        store8(out, scratch + size, POINT)
        copy_run(out, scratch + size + 1, buffer, begin, length)
        at, length = varint(buffer, at + 1)
        if at < 0 or length < 1 or length != member_end - at:
            return FAIL
        name = find_name(out, scratch, whole, words, arena)
        if name < 0 or not is_new(name, mark, stamp, words):
            return FAIL
        if to + get(words, NAME + name * NAME_WORDS + NAME_TEXT_SIZE) + TEXT_ROOM > limit:
            return FULL
        to = write_name(name, words, arena, out, to)
        to = write_value(buffer, at, member_end, out, to, limit)
        if to < 0:
            return to
        fields += 1
        at = member_end
    put(words, FIELDS, get(words, FIELDS) + fields - 1)  # the caller counts one
    return to


@inlined
def write_attribute(
    buffer: Bytes,
    at: int,
    end: int,
    last: int,
    mark: int,
    stamp: int,
    words: Int64s,
    arena: Bytes,
    out: Bytes,
    to: int,
    limit: int,
) -> tuple[int, int]:
    """Write the KeyValue buffer[at:end]: (its end, or FAIL, or FULL; its name).

    last: the name that came before it. A sample rate is not written, but validated by the caller.
    """
    if end - at < 2 or byte_at(buffer, at) != _KEY:
        return FAIL, last
    key, size = varint(buffer, at + 1)
    if key < 0 or size < 1 or size > _STRING_MAX or size > end - key - 2:
        return FAIL, last
    at = key + size
    if byte_at(buffer, at) != _VALUE:
        return FAIL, last
    value, value_size = varint(buffer, at + 1)
    if value < 0 or value_size < 1 or value_size != end - value:
        return FAIL, last
    if byte_at(buffer, value) == _OBJECT:
        to = write_object(buffer, key, size, value, end, mark, stamp, words, arena, out, to, limit)
        return to, last
    name = predicted_name(buffer, key, size, last, words, arena)
    if name < 0 or not is_new(name, mark, stamp, words):
        return FAIL, last
    if name <= RATE_CAPITAL:
        return to, name
    if to + get(words, NAME + name * NAME_WORDS + NAME_TEXT_SIZE) + TEXT_ROOM > limit:
        return FULL, last
    to = write_name(name, words, arena, out, to)
    return write_value(buffer, value, end, out, to, limit), name
