"""Writes an event's data as JSON, and checks every reason for which the reference could refuse it.

The bytes equal those of the reference. Special cases are left to the reference: NaN, bytes that are
not UTF-8, extensions, names that are neither text nor integers.
"""

from common import limits
from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, put, store8, store32, store64, widened
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    OPEN_BRACE,
    OPEN_BRACKET,
    QUOTE,
)
from common.scan.kernel.containers import DEPTH_MAX
from common.scan.kernel.decimals import TEXT_ROOM, write_double, write_integer, write_unsigned
from common.scan.kernel.texts import ESCAPED_BYTES, write_text
from shepherd.honeycomb.split.kernel.memory import OPENED, OUT_BYTES, PREFIXES
from shepherd.honeycomb.split.kernel.msgpack.tokens import (
    DOUBLE,
    FALSE,
    FLOAT,
    NEGATIVE,
    NIL,
    SIGNED_8,
    SIGNED_64,
    SMALL_MAP,
    TRUE,
    UNSIGNED_8,
    UNSIGNED_64,
    big_endian,
    container_size,
    is_text,
    signed,
    text_span,
)

_STRING_MAX = limits.STRING_BYTES_MAX
_FIELDS_MAX = limits.EVENT_FIELDS_MAX
_BYTES_MAX = limits.EVENT_BYTES_MAX
_NAME_BYTES_MAX = limits.UNPACKED_NAME_BYTES_MAX
_NULL = int.from_bytes(b"null", "little")
_TRUE = int.from_bytes(b"true", "little")
_FALSE = int.from_bytes(b"false\0\0\0", "little")
_INFINITE = 0x7FF  # the exponent of what is not finite


@inlined
def _write_string(
    buffer: Bytes, size: int, at: int, head: int, out: Bytes, to: int
) -> tuple[int, int]:
    """(end of the str or bin at `at`, end of its JSON); each FAIL, or FULL without room."""
    begin, end = text_span(buffer, at, head)
    if end > size or end - begin > _STRING_MAX:
        return FAIL, FAIL
    if to + ESCAPED_BYTES * (end - begin) + TEXT_ROOM > OUT_BYTES:
        return FULL, FULL
    return end, write_text(buffer, begin, end, out, to)


@compiled
def _write_integer(buffer: Bytes, at: int, head: int, out: Bytes, to: int) -> tuple[int, int]:
    """(end of the integer at `at`, end of its text); FAIL if it is none."""
    if head < SMALL_MAP:
        return at + 1, write_unsigned(out, to, head)
    if head >= NEGATIVE:
        return at + 1, write_integer(out, to, head - 256)
    if UNSIGNED_8 <= head <= UNSIGNED_64:
        width = 1 << (head - UNSIGNED_8)
        return at + 1 + width, write_unsigned(out, to, big_endian(buffer, at + 1, width))
    if SIGNED_8 <= head <= SIGNED_64:
        width = 1 << (head - SIGNED_8)
        return at + 1 + width, write_integer(out, to, signed(buffer, at + 1, width))
    return FAIL, FAIL


@inlined
def double_at(buffer: Bytes, at: int, head: int) -> tuple[int, int]:
    """(end of the float at `at`, its bits as a double); FAIL if it is none, or is not finite."""
    if head == DOUBLE:
        end, bits = at + 9, big_endian(buffer, at + 1, 8)
    elif head == FLOAT:
        end, bits = at + 5, widened(big_endian(buffer, at + 1, 4))
    else:
        return FAIL, 0
    return (FAIL if (bits >> 52) & _INFINITE == _INFINITE else end), bits


@inlined
def _write_scalar(
    buffer: Bytes, size: int, at: int, head: int, out: Bytes, to: int
) -> tuple[int, int]:
    """(end of the value at `at`, end of its JSON); each FAIL, or FULL without room."""
    if is_text(head):
        return _write_string(buffer, size, at, head, out, to)
    if head == NIL:
        store32(out, to, _NULL)
        return at + 1, to + 4
    if head == TRUE:
        store32(out, to, _TRUE)
        return at + 1, to + 4
    if head == FALSE:
        store64(out, to, _FALSE)
        return at + 1, to + 5
    if FLOAT <= head <= DOUBLE:
        end, bits = double_at(buffer, at, head)
        if end < 0:
            return FAIL, FAIL
        return end, write_double(out, to, bits)
    return _write_integer(buffer, at, head, out, to)


@compiled
def write_data(
    buffer: Bytes, size: int, at: int, depth: int, words: Int64s, out: Bytes, to: int
) -> tuple[int, int]:
    """Write the map at `at`, whose fields are unpacked to `depth`: (its end, the end of its JSON).

    Each FAIL for the reference, or FULL if there is no room; never FULL where `to` is the begin of
    an empty pass.
    """
    begin = to
    at, is_map, left = container_size(buffer, at, byte_at(buffer, at))
    if at < 0 or is_map == 0 or left == 0:
        return FAIL, FAIL
    fields = 0
    level = 0  # unpacked objects open around the value, data itself not counted
    opaque = 0  # containers open that are not unpacked
    prefix = 0  # bytes of the unpacked objects' names and dots
    name_bytes = 0  # of the fields inside them
    store8(out, to, OPEN_BRACE)
    to += 1
    while True:
        if to + TEXT_ROOM > OUT_BYTES:
            return FULL, FULL
        name = 0  # bytes of the member's name
        if is_map:
            head = byte_at(buffer, at)
            named = to
            if is_text(head):
                at, to = _write_string(buffer, size, at, head, out, to)
            else:  # an integer becomes text
                store8(out, to, QUOTE)
                at, to = _write_integer(buffer, at, head, out, to + 1)
                if to >= 0:
                    store8(out, to, QUOTE)
                    to += 1
            if to < 0 or at > size:
                return (FULL, FULL) if to == FULL else (FAIL, FAIL)
            store8(out, to, COLON)
            to += 1
            if opaque == 0:
                fields += 1
                name = to - named - 3
            if to + TEXT_ROOM > OUT_BYTES:
                return FULL, FULL
        head = byte_at(buffer, at)
        inside, maps, count = container_size(buffer, at, head)
        if inside >= 0:
            open_already = 1 + level + opaque
            if open_already >= DEPTH_MAX or inside > size:
                return FAIL, FAIL
            at = inside
            store8(out, to, OPEN_BRACE if maps else OPEN_BRACKET)
            to += 1
            if count > 0:
                put(words, OPENED + open_already, left << 1 | is_map)
                if maps and level < depth and opaque == 0:
                    put(words, PREFIXES + level, prefix)
                    prefix += name + 1
                    level += 1
                    fields -= 1  # the first member inside is counted instead of its parent
                else:
                    opaque += 1
                    if level > 0 and opaque == 1:
                        name_bytes += prefix + name
                is_map, left = maps, count
                continue
            store8(out, to, CLOSE_BRACE if maps else CLOSE_BRACKET)
            to += 1
        else:
            at, to = _write_scalar(buffer, size, at, head, out, to)
            if to < 0 or at > size:
                return (FULL, FULL) if to == FULL else (FAIL, FAIL)
        if level > 0 and opaque == 0:
            name_bytes += prefix + name
        left -= 1
        while left == 0:
            store8(out, to, CLOSE_BRACE if is_map else CLOSE_BRACKET)
            to += 1
            if level + opaque == 0:
                if fields > _FIELDS_MAX or name_bytes > _NAME_BYTES_MAX or to - begin > _BYTES_MAX:
                    return FAIL, FAIL
                return at, to
            if opaque > 0:
                opaque -= 1
            else:
                level -= 1
                prefix = get(words, PREFIXES + level)
            saved = get(words, OPENED + 1 + level + opaque)
            left = (saved >> 1) - 1
            is_map = saved & 1
        store8(out, to, COMMA)
        to += 1
