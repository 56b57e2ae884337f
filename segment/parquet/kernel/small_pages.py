"""The values of many small files, put together column by column.

To find and copy the pages of one file in Python takes longer than to write them. A file whose pages
are not as `segment.parquet.kernel.small` writes them fails, and the reference decides about it.
"""

from common.kernels.compile import FAIL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, load64, store8
from segment.parquet.kernel.bits import Indices
from segment.parquet.kernel.small import BOOL, INT32, JSON, STRING

# Of a page in `places`: where its levels begin, and its values, where they end; how many there are.
PAGE_NUMBERS = 4
_MAGIC_BYTES = 4
_LENGTH_BYTES = 4
_VARINT_BYTES_MAX = 10
_LEVELS, _BEGIN, _END, _COUNT = range(PAGE_NUMBERS)
_NUMBER_BYTES = 8


@inlined
def _byte(data: Bytes, at: int, end: int) -> int:
    """The byte there; -1 behind the end."""
    return byte_at(data, at) if at < end else -1


@compiled
def _varint(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """(value, where the next byte is); the latter is FAIL if it does not end in time."""
    value = shift = 0
    for step in range(_VARINT_BYTES_MAX):
        byte = _byte(data, at + step, end)
        if byte < 0:
            return 0, FAIL
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at + step + 1
    return 0, FAIL


@compiled
def _is_at(data: Bytes, at: int, end: int, first: int, second: int) -> bool:
    """Whether these two bytes are there."""
    return _byte(data, at, end) == first and _byte(data, at + 1, end) == second


@compiled
def _page_body(data: Bytes, at: int, end: int, rows: int) -> tuple[int, int]:
    """(where the body begins, its bytes) of the page there; FAIL instead of the first."""
    if not _is_at(data, at, end, 0x15, 0):  # a data page
        return FAIL, 0
    if _byte(data, at + 2, end) != 0x15:
        return FAIL, 0
    size, at = _varint(data, at + 3, end)
    if at < 0 or _byte(data, at, end) != 0x15:
        return FAIL, 0
    stored, at = _varint(data, at + 1, end)
    if at < 0 or stored != size or _byte(data, at, end) != 0x15:
        return FAIL, 0
    _, at = _varint(data, at + 1, end)  # the checksum
    if at < 0 or not _is_at(data, at, end, 0x1C, 0x15):
        return FAIL, 0
    count, at = _varint(data, at + 2, end)
    if at < 0 or count != rows << 1 or not _is_at(data, at, end, 0x15, 0):  # PLAIN
        return FAIL, 0
    if not _is_at(data, at + 2, end, 0x15, 6) or not _is_at(data, at + 4, end, 0x15, 6):
        return FAIL, 0
    if not _is_at(data, at + 6, end, 0, 0):
        return FAIL, 0
    at, size = at + 8, size >> 1
    if size < 0 or size > end - at:
        return FAIL, 0
    return at, size


@compiled
def _levels(
    data: Bytes, at: int, end: int, rows: int, first: int, out: Indices, to: int, writes: bool
) -> int:
    """Number of rows that have a value, of a hybrid of runs and packed groups of one bit. writes:
    their numbers, counted from `first`, are written there.
    """
    row = found = 0
    while at < end and row < rows:
        header, at = _varint(data, at, end)
        if at < 0 or header < 0:
            return FAIL
        groups = header >> 1
        packed = header & 1
        if groups > rows or at + (groups if packed else 1) > end:
            return FAIL
        for index in range(groups * 8 if packed else groups):
            byte = byte_at(data, at + (index >> 3 if packed else 0))
            byte = byte >> (index & 7) & 1 if packed else byte
            if byte > 1:
                return FAIL
            if row < rows and byte:
                if writes:
                    out[to + found] = first + row
                found += 1
            row += 1
        at += groups if packed else 1
    return found if row >= rows and at == end else FAIL


@inlined
def _length(data: Bytes, at: int) -> int:
    """Four bytes, the lowest first."""
    low = byte_at(data, at) | byte_at(data, at + 1) << 8
    return int(low | byte_at(data, at + 2) << 16 | byte_at(data, at + 3) << 24)


@compiled
def find_values(
    data: Bytes, begins: Int64s, ends: Int64s, rows: Int64s, pages: Int64s, optional: Bytes,
    none: Indices, places: Int64s,
) -> int:  # fmt: skip
    """Find each page's values; returns the number of pages, or FAIL.

    data: the files. begins, ends: of each file, where it begins and where its footer does.
    rows, pages: of each file. optional: of each page, whether it has levels. none: unused.
    places: output, PAGE_NUMBERS for each page.
    """
    page = 0
    for file in range(begins.shape[0]):
        at, end = begins[file] + _MAGIC_BYTES, ends[file]
        for _ in range(pages[file]):
            at, size = _page_body(data, at, end, rows[file])
            if at < 0:
                return FAIL
            page_end, count, levels = at + size, rows[file], at
            if optional[page]:
                if size < _LENGTH_BYTES:
                    return FAIL
                levels = at + _LENGTH_BYTES
                size = _length(data, at)
                if size > page_end - levels:
                    return FAIL
                at = levels + size
                count = _levels(data, levels, at, rows[file], 0, none, 0, False)
                if count < 0:
                    return FAIL
            places[PAGE_NUMBERS * page + _LEVELS] = levels
            places[PAGE_NUMBERS * page + _BEGIN] = at
            places[PAGE_NUMBERS * page + _END] = page_end
            places[PAGE_NUMBERS * page + _COUNT] = count
            page += 1
            at = page_end
        if at != end:
            return FAIL
    return page


@compiled
def _texts(
    data: Bytes, at: int, end: int, count: int, whole: Bytes, words: Int64s, to: int, text_at: int
) -> int:
    """Copy texts, and where each begins and the last one ends; returns the latter, or FAIL.

    There is room for what the page has beside the texts' lengths, so none may take these.
    """
    text_end = end - _LENGTH_BYTES * (count - 1)
    for index in range(count):
        if at + _LENGTH_BYTES > text_end:
            return FAIL
        size = _length(data, at)
        at += _LENGTH_BYTES
        if size > text_end - at:
            return FAIL
        text_end += _LENGTH_BYTES
        words[to + index] = text_at
        for _ in range(size):
            store8(whole, text_at, byte_at(data, at))
            text_at += 1
            at += 1
    words[to + count] = text_at
    return text_at if at == end else FAIL


@compiled
def _numbers(data: Bytes, at: int, count: int, size: int, words: Int64s, to: int) -> None:
    """Copy integers of 4 or 8 bytes, or doubles."""
    for index in range(count):
        if size == _NUMBER_BYTES:
            words[to + index] = load64(data, at)
        else:
            low = _length(data, at)
            words[to + index] = low - (1 << 32) if low >> 31 else low
        at += size


@compiled
def gather_values(
    data: Bytes, rows: Int64s, pages: Int64s, optional: Bytes, places: Int64s, columns: Int64s,
    kinds: Bytes, next_row: Int64s, next_value: Int64s, next_text: Int64s, whole: Bytes,
    words: Int64s, row_numbers: Indices,
) -> int:  # fmt: skip
    """Copy the values of all pages to the places of their columns; returns 0, or FAIL.

    data, rows, pages, optional: as for `find_values`, which has written `places`.
    columns: of each page, its column. kinds: of each column, see `segment.parquet.kernel.small`.
    next_row, next_value, next_text: of each column, where its next value goes in `row_numbers`, in
    `words` or among the bits of `whole`, and a text's bytes in `whole`. They are moved; there is
    room for all.
    whole: output, of zeros. words, row_numbers: the same memory.
    """
    page = first_row = 0
    for file in range(rows.shape[0]):
        for _ in range(pages[file]):
            column = columns[page]
            kind, to, row_to = kinds[column], next_value[column], next_row[column]
            at, end = places[PAGE_NUMBERS * page + _BEGIN], places[PAGE_NUMBERS * page + _END]
            count = places[PAGE_NUMBERS * page + _COUNT]
            if optional[page]:
                levels = places[PAGE_NUMBERS * page + _LEVELS]
                _levels(data, levels, at, rows[file], first_row, row_numbers, row_to, True)
            else:
                for index in range(count):
                    row_numbers[row_to + index] = first_row + index
            if kind == JSON or kind == STRING:
                text_at = _texts(data, at, end, count, whole, words, to, next_text[column])
                if text_at < 0:
                    return FAIL
                next_text[column] = text_at
            elif kind == BOOL:
                if end - at != (count + 7) >> 3:
                    return FAIL
                for index in range(count):
                    bit = byte_at(data, at + (index >> 3)) >> (index & 7) & 1
                    byte = (to + index) >> 3
                    store8(whole, byte, byte_at(whole, byte) | bit << ((to + index) & 7))
            else:
                size = 4 if kind == INT32 else _NUMBER_BYTES
                if end - at != size * count:
                    return FAIL
                _numbers(data, at, count, size, words, to)
            next_row[column] += count
            next_value[column] += count
            page += 1
        first_row += rows[file]
    return 0
