"""Single values, where they are written as nearly all clients write them.

Each function gives (position after the value or FAIL, position after the field). What fails is for
the reference, which reads more forms; what is written here is what the reference writes.
"""

from common.kernels.compile import FAIL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, double_bits, get, store8, store32, store64
from common.scan.kernel.ascii_codes import MINUS, NINE, QUOTE, ZERO
from common.scan.kernel.literals import read_literal
from common.scan.kernel.numbers import INTEGER, read_number
from common.scan.kernel.strings import copy_run, hex4, scan_string, unescape
from shepherd.otlp.json.kernel.lengths import varint_bytes, write_length, write_varint
from shepherd.otlp.json.kernel.tables import (
    BOOL,
    DOUBLE,
    ENUM,
    FIELD_ALWAYS,
    FIELD_KIND,
    FIELD_TAG,
    FIELD_TAG_BYTES,
    FIXED32,
    FIXED64,
    ID,
    INT32,
    INT64,
    SFIXED64,
    SINT32,
    STRING,
    UINT64,
)

_TRACE_CHARS, _SPAN_CHARS = 32, 16  # of ids in hexadecimal
_INT32_END, _UINT32_END = 2**31, 2**32


@inlined
def write_tag(tables: Int64s, field: int, out: Bytes, to: int) -> int:
    """Write the field's tag; returns the position after it."""
    store32(out, to, get(tables, field + FIELD_TAG))
    return int(to + get(tables, field + FIELD_TAG_BYTES))


@inlined
def write_string(
    buffer: Bytes, at: int, tables: Int64s, field: int, out: Bytes, to: int
) -> tuple[int, int]:
    """A text, from its opening quote on."""
    found = scan_string(buffer, at + 1)
    if found < 0:
        return FAIL, to
    begin, end = at + 1, found >> 1
    if begin == end and not get(tables, field + FIELD_ALWAYS):
        return end + 1, to
    to = write_tag(tables, field, out, to)
    if found & 1:
        reserved = varint_bytes(end - begin)
        after = unescape(buffer, begin, end, out, to + reserved)
        return end + 1, write_length(out, to, reserved, after)
    to = write_varint(out, to, end - begin)
    copy_run(out, to, buffer, begin, end - begin)
    return end + 1, to + end - begin


@inlined
def _write_id(
    buffer: Bytes, at: int, tables: Int64s, field: int, out: Bytes, to: int
) -> tuple[int, int]:
    """An id in hexadecimal, of a trace's or a span's length, or empty."""
    at += 1
    if byte_at(buffer, at) == QUOTE:
        return at + 1, to
    chars = _SPAN_CHARS if byte_at(buffer, at + _SPAN_CHARS) == QUOTE else _TRACE_CHARS
    begin = to
    to = write_varint(out, write_tag(tables, field, out, to), chars // 2)
    for step in range(0, chars, 4):
        value = hex4(buffer, at + step)
        if value < 0:
            return FAIL, begin
        store8(out, to, value >> 8)
        store8(out, to + 1, value)
        to += 2
    if byte_at(buffer, at + chars) != QUOTE:
        return FAIL, begin
    return at + chars + 1, to


@inlined
def _read_integer(buffer: Bytes, at: int) -> tuple[int, int]:
    """(end or FAIL, value) of a whole number of at most 64 bits, bare or in quotes."""
    quoted = byte_at(buffer, at) == QUOTE
    begin = at + 1 if quoted else at
    byte = byte_at(buffer, begin)
    if byte != MINUS and (byte < ZERO or byte > NINE):
        return FAIL, 0
    end, kind, value = read_number(buffer, begin)
    if end < 0 or kind != INTEGER:
        return FAIL, 0
    if quoted:
        if byte_at(buffer, end) != QUOTE:
            return FAIL, 0
        end += 1
    return end, value


@compiled
def _write_integer(
    buffer: Bytes, at: int, kind: int, tables: Int64s, field: int, out: Bytes, to: int
) -> tuple[int, int]:
    end, value = _read_integer(buffer, at)
    if end < 0:
        return FAIL, to
    if value == 0 and not get(tables, field + FIELD_ALWAYS):
        return end, to
    if kind == FIXED64 or kind == SFIXED64:
        if value < 0 and kind == FIXED64:
            return FAIL, to
        to = write_tag(tables, field, out, to)
        store64(out, to, value)
        return end, to + 8
    if kind == INT64:
        return end, write_varint(out, write_tag(tables, field, out, to), value)
    if value < 0:
        if kind != SINT32 or value < -_INT32_END:
            return FAIL, to
        value = -2 * value - 1
    elif kind == SINT32:
        if value >= _INT32_END:
            return FAIL, to
        value = 2 * value
    elif kind == INT32 or kind == ENUM:
        if value >= _INT32_END:
            return FAIL, to
    elif kind != UINT64 and value >= _UINT32_END:
        return FAIL, to
    to = write_tag(tables, field, out, to)
    if kind == FIXED32:
        store32(out, to, value)
        return end, to + 4
    return end, write_varint(out, to, value)


@compiled
def _write_double(
    buffer: Bytes, at: int, tables: Int64s, field: int, out: Bytes, to: int
) -> tuple[int, int]:
    byte = byte_at(buffer, at)
    if byte != MINUS and (byte < ZERO or byte > NINE):
        return FAIL, to
    end, kind, value = read_number(buffer, at)
    if end < 0:
        return FAIL, to
    if kind == INTEGER:
        value = double_bits(float(value))
    if value == 0 and not get(tables, field + FIELD_ALWAYS):
        return end, to
    to = write_tag(tables, field, out, to)
    store64(out, to, value)
    return end, to + 8


@inlined
def write_scalar(
    buffer: Bytes, at: int, tables: Int64s, field: int, out: Bytes, to: int
) -> tuple[int, int]:
    """A value that is not null and no message."""
    kind = get(tables, field + FIELD_KIND)
    quoted = byte_at(buffer, at) == QUOTE
    if kind == STRING:
        return write_string(buffer, at, tables, field, out, to) if quoted else (FAIL, to)
    if kind == ID:
        return _write_id(buffer, at, tables, field, out, to) if quoted else (FAIL, to)
    if kind == DOUBLE:
        return _write_double(buffer, at, tables, field, out, to)
    if kind == BOOL:
        end, value = read_literal(buffer, at)
        if end < 0 or value < 0:
            return FAIL, to
        if value == 0 and not get(tables, field + FIELD_ALWAYS):
            return end, to
        to = write_tag(tables, field, out, to)
        store8(out, to, value)
        return end, to + 1
    if kind >= INT32:
        return _write_integer(buffer, at, kind, tables, field, out, to)
    return FAIL, to
