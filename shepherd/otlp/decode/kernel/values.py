"""A value of an attribute, or of a log record's body, as JSON: straight from its AnyValue message.

Only the form that every SDK writes is read; values that cannot be stored as they are, objects
within others, and bytes are for the reference.
"""

from common import limits
from common.kernels.compile import FAIL, FULL, SENTINEL_BYTES, Bytes, compiled, inlined
from common.kernels.intrinsics import (
    LANES,
    as_double,
    byte_at,
    copy32,
    load64,
    special,
    store8,
    store32,
    store64,
    trailing_zeros,
)
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    LINE_BREAK,
    MINUS,
    OPEN_BRACE,
    OPEN_BRACKET,
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
from common.scan.kernel.texts import ESCAPED_BYTES, write_text
from shepherd.otlp.decode.kernel.memory import NESTED_BYTES
from shepherd.otlp.decode.kernel.wire import varint

OBJECT = 0x32  # tags of an AnyValue's fields
_STRING = 0x0A
_BOOL = 0x10
_INT = 0x18
_DOUBLE = 0x21
_LIST = 0x2A
_ITEM = 0x0A  # tag of a value in a list
_STRING_MAX = limits.STRING_BYTES_MAX
_NULL = int.from_bytes(b"null", "little")
_TRUE = int.from_bytes(b"true", "little")
_FALSE = int.from_bytes(b"false\0\0\0", "little")
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
def _write_items(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end], a list of scalars, as JSON; its end, or FAIL."""
    at, size = varint(buffer, at + 1)
    if at < 0 or size != end - at or to + TEXT_ROOM > limit:
        return FAIL
    here = to
    while at < end:
        if byte_at(buffer, at) != _ITEM or here + TEXT_ROOM > limit:
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
        here = write_scalar(buffer, item, at, out, here + 1, limit)
        if here < 0:
            return FAIL
    store8(out, to, OPEN_BRACKET)  # in place of the first comma
    here = max(here, to + 1)
    store8(out, here, CLOSE_BRACKET)
    return here + 1


@compiled
def write_list(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end], a list of scalars, as the text that its JSON is.

    The JSON is made beyond `limit` first, where `out` has NESTED_BYTES for it.
    """
    begin = limit + SENTINEL_BYTES
    here = _write_items(buffer, at, end, out, begin, begin + NESTED_BYTES)
    if here < 0:
        return FAIL
    store8(out, here, LINE_BREAK)
    return write_string(out, begin, here + 1, out, to, limit)


@compiled
def write_members(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end], an object that `write_object` has written with at least
    one member, as the text that its JSON is. Made as that of a list.
    """
    begin = limit + SENTINEL_BYTES
    most = begin + NESTED_BYTES
    here = begin
    at, _ = varint(buffer, at + 1)
    while at < end:
        at, size = varint(buffer, at + 1)
        member_end = at + size
        key, size = varint(buffer, at + 1)
        store8(out, here, COMMA)
        here = write_string(buffer, key, key + size, out, here + 1, most)
        if here < 0:
            return FAIL
        store8(out, here, COLON)
        at, _ = varint(buffer, key + size + 1)
        if byte_at(buffer, at) == _LIST:
            here = _write_items(buffer, at, member_end, out, here + 1, most)
        else:
            here = write_scalar(buffer, at, member_end, out, here + 1, most)
        if here < 0:
            return FAIL
        at = member_end
    store8(out, begin, OPEN_BRACE)  # in place of the first comma
    store8(out, here, CLOSE_BRACE)
    store8(out, here + 1, LINE_BREAK)
    return write_string(out, begin, here + 2, out, to, limit)


@inlined
def write_value(buffer: Bytes, at: int, end: int, out: Bytes, to: int, limit: int) -> int:
    """Write the AnyValue buffer[at:end]; its end, FAIL, or FULL beyond `limit`."""
    if byte_at(buffer, at) == _LIST:
        return write_list(buffer, at, end, out, to, limit)
    return write_scalar(buffer, at, end, out, to, limit)
