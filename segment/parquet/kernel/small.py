"""All columns of a small file at once: pages, schema, column chunks, and the bytes of the digest.

A column of a dozen values costs far more in calls than in bytes. Every column is one page, PLAIN
and uncompressed, without indexes and filters: `segment.parquet.file` writes the same bytes column
by column.

A text of the block is whole[words[i]:words[i + 1]], where i counts from a column's `begins`.
"""

from common.kernels.compile import Bytes, Int64s, compiled, inlined
from segment.parquet.kernel.bits import Indices, put_varint
from segment.parquet.kernel.rle_bit_packed import pack_levels

BOOL, FLOAT, INT, JSON, STRING, INT32 = range(6)  # kinds of columns; the first five as in names.py
SYSTEM_COLUMNS = 4
HEAD_BYTES = 64  # of a page, at most
CHUNK_BYTES = 128  # of a column chunk without names and bounds, at most
ELEMENT_BYTES = 32  # of a schema element without the name, at most
HASHED_BYTES = 64  # around a column's name and values, at most
BOUND_BYTES_MAX = 256
PAGES, SCHEMA, CHUNKS = range(3)  # what `ends` tells first; then the end of each digest part
ENDS = 3
_AROUND_BYTES = 4  # of a physical name: `f:` and `:i`
_SIGN = -(1 << 63)


@inlined
def _put(out: Bytes, at: int, value: int) -> int:
    out[at] = value
    return at + 1


@inlined
def _put_number(out: Bytes, at: int, value: int) -> int:
    """A signed integer of Thrift's compact protocol."""
    return put_varint(out, at, value << 1 if value >= 0 else (-value << 1) - 1)


@inlined
def _put_bytes(out: Bytes, at: int, value: int, count: int) -> int:
    """The low bytes of a number, the lowest first."""
    for _ in range(count):
        out[at] = value & 255
        value >>= 8
        at += 1
    return at


@inlined
def _copy(data: Bytes, begin: int, end: int, out: Bytes, at: int) -> int:
    for index in range(begin, end):
        out[at] = data[index]
        at += 1
    return at


@inlined
def _is_kept(byte: int) -> bool:
    """Whether a byte of a name stays as it is, as in `segment.columns.key`."""
    return 97 <= byte <= 122 or 48 <= byte <= 57 or byte == 95 or byte == 46 or byte == 45


@inlined
def _hex(digit: int) -> int:
    return digit + 48 if digit < 10 else digit + 87


@inlined
def _letter(kind: int) -> int:
    """The letter of a type: b, f, i, j or s."""
    return (
        98 if kind == 0 else 102 if kind == 1 else 105 if kind == 2 else 106 if kind == 3 else 115
    )


@compiled
def _put_physical(names: Bytes, begin: int, end: int, kind: int, out: Bytes, at: int) -> int:
    """The physical name of a field, with its size before it."""
    size = _AROUND_BYTES
    for index in range(begin, end):
        size += 1 if _is_kept(names[index]) else 3
    at = put_varint(out, at, size)
    at = _put(out, at, 102)  # f
    at = _put(out, at, 58)  # :
    for index in range(begin, end):
        byte = names[index]
        if _is_kept(byte):
            at = _put(out, at, byte)
        else:
            at = _put(out, at, 37)  # %
            at = _put(out, at, _hex(byte >> 4))
            at = _put(out, at, _hex(byte & 15))
    at = _put(out, at, 58)
    return _put(out, at, _letter(kind))


@compiled
def _is_less(whole: Bytes, left: int, left_end: int, right: int, right_end: int) -> bool:
    """Whether a text sorts before another one, by bytes."""
    while left < left_end and right < right_end:
        if whole[left] != whole[right]:
            return bool(whole[left] < whole[right])
        left += 1
        right += 1
    return left == left_end and right < right_end


@inlined
def _order_of(word: int) -> int:
    """The bits of a double as an integer that sorts like it; both zeros are different."""
    return word if word >= 0 else (word ^ -1) ^ _SIGN


@inlined
def _is_nan(word: int) -> bool:
    return (word & 0x7FFFFFFFFFFFFFFF) > 0x7FF0000000000000


@compiled
def _put_values(
    whole: Bytes, words: Int64s, kind: int, begin: int, end: int, body: Bytes, at: int
) -> int:
    """PLAIN of the values begin..end-1."""
    if kind == BOOL:
        byte = shift = 0
        for index in range(begin, end):
            byte |= (whole[index >> 3] >> (index & 7) & 1) << shift
            shift += 1
            if shift == 8:
                at = _put(body, at, byte)
                byte = shift = 0
        return _put(body, at, byte) if shift else at
    if kind == JSON or kind == STRING:
        for index in range(begin, end):
            first, last = words[index], words[index + 1]
            at = _put_bytes(body, at, last - first, 4)
            at = _copy(whole, first, last, body, at)
        return at
    size = 4 if kind == INT32 else 8
    for index in range(begin, end):
        at = _put_bytes(body, at, words[index], size)
    return at


@compiled
def _put_canonical(
    whole: Bytes, words: Int64s, kind: int, begin: int, end: int, out: Bytes, at: int
) -> int:
    """The values as the digest takes them."""
    if kind == BOOL:
        for index in range(begin, end):
            at = _put(out, at, whole[index >> 3] >> (index & 7) & 1)
        return at
    if kind == JSON or kind == STRING:
        for index in range(begin, end):
            at = _put_bytes(out, at, words[index + 1] - words[index], 4)
        return _copy(whole, words[begin], words[end], out, at)
    for index in range(begin, end):
        at = _put_bytes(out, at, words[index], 8)
    return at


@compiled
def _put_bounds(
    whole: Bytes, words: Int64s, kind: int, begin: int, end: int, out: Bytes, at: int
) -> int:
    """Fields 5 and 6 of a chunk's statistics, after field 3: the largest and smallest value."""
    low = high = begin
    if kind == BOOL:
        low_bit = high_bit = whole[begin >> 3] >> (begin & 7) & 1
        for index in range(begin + 1, end):
            bit = whole[index >> 3] >> (index & 7) & 1
            low_bit, high_bit = min(low_bit, bit), max(high_bit, bit)
        at = _put(out, _put(out, _put(out, at, 0x28), 1), high_bit)
        return _put(out, _put(out, _put(out, at, 0x18), 1), low_bit)
    if kind == JSON or kind == STRING:
        for index in range(begin + 1, end):
            first, last = words[index], words[index + 1]
            if _is_less(whole, first, last, words[low], words[low + 1]):
                low = index
            if _is_less(whole, words[high], words[high + 1], first, last):
                high = index
        low_size, high_size = words[low + 1] - words[low], words[high + 1] - words[high]
        if max(low_size, high_size) > BOUND_BYTES_MAX:
            return at
        at = put_varint(out, _put(out, at, 0x28), high_size)
        at = _copy(whole, words[high], words[high + 1], out, at)
        at = put_varint(out, _put(out, at, 0x18), low_size)
        return _copy(whole, words[low], words[low + 1], out, at)
    low_word = high_word = words[begin]
    if kind == FLOAT:
        if _is_nan(low_word):
            return at
        for index in range(begin + 1, end):
            word = words[index]
            if _is_nan(word):
                return at
            low_word = word if _order_of(word) < _order_of(low_word) else low_word
            high_word = word if _order_of(word) > _order_of(high_word) else high_word
        low_word = _SIGN if low_word == 0 else low_word  # zeros as -0.0 and +0.0
        high_word = 0 if high_word == _SIGN else high_word
    else:
        for index in range(begin + 1, end):
            low_word, high_word = min(low_word, words[index]), max(high_word, words[index])
    size = 4 if kind == INT32 else 8
    at = _put_bytes(out, _put(out, _put(out, at, 0x28), size), high_word, size)
    return _put_bytes(out, _put(out, _put(out, at, 0x18), size), low_word, size)


@compiled
def _put_page_head(rows: int, size: int, crc: int, out: Bytes, at: int) -> int:
    """The header of a data page of PLAIN values."""
    at = _put(out, _put(out, at, 0x15), 0)  # a data page
    at = _put_number(out, _put(out, at, 0x15), size)
    at = _put_number(out, _put(out, at, 0x15), size)
    at = _put_number(out, _put(out, at, 0x15), crc - (1 << 32) if crc >> 31 else crc)
    at = _put_number(out, _put(out, _put(out, at, 0x1C), 0x15), rows)
    at = _put(out, _put(out, at, 0x15), 0)  # PLAIN
    at = _put(out, _put(out, at, 0x15), 6)  # RLE of both kinds of levels
    at = _put(out, _put(out, at, 0x15), 6)
    return _put(out, _put(out, at, 0), 0)


@inlined
def _physical(kind: int) -> int:
    """The physical type's number: BOOLEAN, INT32, INT64, DOUBLE or BYTE_ARRAY."""
    if kind == BOOL:
        return 0
    if kind == INT32:
        return 1
    return 2 if kind == INT else 5 if kind == FLOAT else 6


@compiled
def small_file(
    whole: Bytes,
    words: Int64s,
    row_numbers: Indices,
    sizes: Int64s,
    begins: Int64s,
    row_begins: Int64s,
    names: Bytes,
    name_starts: Int64s,
    types: Bytes,
    system: Int64s,
    system_names: Bytes,
    column_head: Bytes,
    crcs: Int64s,
    body: Bytes,
    pages: Bytes,
    schema: Bytes,
    chunks: Bytes,
    hashed: Bytes,
    ends: Int64s,
) -> None:
    """Write every part of the file but those that do not depend on columns.

    words, row_numbers: `whole` as other types. sizes, begins, row_begins: of each column of a
    field, as in `segment.columns.packed`; begins of booleans count bits. names: of the fields, and
    where each starts. types: their kinds. system: the four system columns one after the other.
    system_names: their names, each after its size. column_head: what each part of the digest begins
    with. crcs: the table of CRC-32.
    body: scratch memory for a page. pages, schema, chunks, hashed: outputs, with room for the most
    that these columns can take. ends: their ends, see PAGES; then the end of each part of `hashed`.
    """
    rows = system.shape[0] // SYSTEM_COLUMNS
    at, schema_at, chunk_at, hash_at = 4, 0, 0, 0  # after the magic
    name_at = 0  # in system_names
    for column in range(SYSTEM_COLUMNS + sizes.shape[0]):
        field = column - SYSTEM_COLUMNS
        is_field = field >= 0
        name_end = name_at + 1 + system_names[name_at] if not is_field else 0
        kind = types[field] if is_field else INT32 if column == SYSTEM_COLUMNS - 1 else INT
        size = sizes[field] if is_field else rows
        begin = begins[field] if is_field else column * rows
        some = size < rows
        values = words if is_field else system
        # the page
        to = 0
        if some:
            first = row_begins[field]
            to = pack_levels(row_numbers, 0, rows, first, first + size, body, 4)
            _put_bytes(body, 0, to - 4, 4)
        to = _put_values(whole, values, kind, begin, begin + size, body, to)
        crc = 0xFFFFFFFF
        for index in range(to):
            crc = (crc >> 8) ^ crcs[(crc ^ body[index]) & 255]
        chunk_start = at
        at = _put_page_head(rows, to, crc ^ 0xFFFFFFFF, pages, at)
        at = _copy(body, 0, to, pages, at)
        # the schema element
        schema_at = _put_number(schema, _put(schema, schema_at, 0x15), _physical(kind))
        schema_at = _put_number(schema, _put(schema, schema_at, 0x25), 1 if some else 0)
        schema_at = _put(schema, schema_at, 0x18)
        name_start = schema_at
        if is_field:
            schema_at = _put_physical(
                names, name_starts[field], name_starts[field + 1], kind, schema, schema_at
            )
        else:
            schema_at = _copy(system_names, name_at, name_end, schema, schema_at)
        schema_name_end = schema_at
        if kind == JSON or kind == STRING:
            schema_at = _put(schema, _put(schema, schema_at, 0x25), 0)  # UTF8
            schema_at = _put(schema, _put(schema, schema_at, 0x4C), 0x1C)
            schema_at = _put(schema, _put(schema, schema_at, 0), 0)
        schema_at = _put(schema, schema_at, 0)
        # the column chunk
        chunk_at = _put_number(chunks, _put(chunks, chunk_at, 0x26), chunk_start)
        chunk_at = _put_number(
            chunks, _put(chunks, _put(chunks, chunk_at, 0x1C), 0x15), _physical(kind)
        )
        chunk_at = _put(chunks, _put(chunks, chunk_at, 0x19), 0x25)
        chunk_at = _put(chunks, _put(chunks, chunk_at, 0), 6)  # PLAIN, RLE
        chunk_at = _put(chunks, _put(chunks, chunk_at, 0x19), 0x18)
        chunk_at = _copy(schema, name_start, schema_name_end, chunks, chunk_at)
        chunk_at = _put(chunks, _put(chunks, chunk_at, 0x15), 0)  # UNCOMPRESSED
        chunk_at = _put_number(chunks, _put(chunks, chunk_at, 0x16), rows)
        chunk_at = _put_number(chunks, _put(chunks, chunk_at, 0x16), at - chunk_start)
        chunk_at = _put_number(chunks, _put(chunks, chunk_at, 0x16), at - chunk_start)
        chunk_at = _put_number(chunks, _put(chunks, chunk_at, 0x26), chunk_start)
        chunk_at = _put_number(
            chunks, _put(chunks, _put(chunks, chunk_at, 0x3C), 0x36), rows - size
        )
        chunk_at = _put_bounds(whole, values, kind, begin, begin + size, chunks, chunk_at)
        chunk_at = _put(chunks, _put(chunks, _put(chunks, chunk_at, 0), 0), 0)
        # the part of the digest
        hash_at = _copy(column_head, 0, column_head.shape[0], hashed, hash_at)
        hash_at = _put(hashed, hash_at, 1 if is_field else 0)
        if is_field:
            name_size = name_starts[field + 1] - name_starts[field]
            hash_at = _put_bytes(hashed, hash_at, name_size, 4)
            hash_at = _copy(names, name_starts[field], name_starts[field + 1], hashed, hash_at)
        else:
            hash_at = _put_bytes(hashed, hash_at, name_end - name_at - 1, 4)
            hash_at = _copy(system_names, name_at + 1, name_end, hashed, hash_at)
        hash_at = _put(hashed, hash_at, _letter(kind if kind != INT32 else INT))
        hash_at = _put_bytes(hashed, hash_at, size, 8)
        hash_at = _put(hashed, hash_at, 0 if some else 1)
        if some:
            for index in range(row_begins[field], row_begins[field] + size):
                hash_at = _put_bytes(hashed, hash_at, row_numbers[index], 4)
        hash_at = _put_canonical(whole, values, kind, begin, begin + size, hashed, hash_at)
        ends[ENDS + column] = hash_at
        name_at = name_end
    ends[PAGES], ends[SCHEMA], ends[CHUNKS] = at, schema_at, chunk_at
