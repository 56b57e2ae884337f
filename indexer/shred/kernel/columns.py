"""From cells to columns: counted, laid out in one allocation, then each cell written once.

Sparse like blocks: a column costs what its cells cost, so 2,000 columns with one cell each are as
cheap as one column with 2,000. Two passes over the cells: `lay_out` computes the size of each
column, `write_cells` writes every value. Strings are copied (or unescaped) from the source only
here, in the order of the source.

Everything is in one buffer, and offsets of texts count from its start: so each column is a slice of
one of five Arrow arrays over the whole buffer, at a quarter of the cost of an array of its own.
"""

from common.kernels.compile import Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, put, store8, store32, store64
from common.scan.kernel.ascii_codes import QUOTE, SPACE
from common.scan.kernel.strings import copy_run, scan_string, unescape
from indexer.shred.kernel.events import BOOL, JSON
from indexer.shred.kernel.memory import (
    CELL,
    CELLS,
    COLUMN,
    COLUMN_BYTES,
    COLUMN_CELLS,
    COLUMN_WORDS,
    FIELDS,
    LAID,
    LAID_CELLS,
    LAID_COLUMN,
    LAID_ROWS,
    LAID_TEXT,
    LAID_TEXT_END,
    LAID_VALUES,
    LAID_WORDS,
    TO_ROW,
    TO_TEXT,
    TO_VALUE,
)

_PADDING = 64  # after every part of the output: copies of 32 bytes may overrun
_COLUMN_MASK = 0xFFFFFFFF
_FIRST_COLUMN = 8  # columns of field 0 have dead cells, which do not count


@inlined
def _aligned(size: int) -> int:
    return (size + _PADDING + 63) & -64


@compiled
def _count_cells(words: Int64s) -> None:
    """Count the cells of each column, and the most bytes that their texts take."""
    for column in range(get(words, FIELDS) * 8):
        put(words, COLUMN + column * COLUMN_WORDS + COLUMN_CELLS, 0)
        put(words, COLUMN + column * COLUMN_WORDS + COLUMN_BYTES, 0)
    for cell in range(CELL, CELL + 2 * get(words, CELLS), 2):
        column = get(words, cell) & _COLUMN_MASK
        count = COLUMN + column * COLUMN_WORDS
        put(words, count + COLUMN_CELLS, get(words, count + COLUMN_CELLS) + 1)
        if column & 7 >= JSON:
            size = (get(words, cell + 1) & 0xFFFFFFFF) >> 1
            put(words, count + COLUMN_BYTES, get(words, count + COLUMN_BYTES) + size)


@compiled
def lay_out(words: Int64s) -> tuple[int, int]:
    """(number of columns, bytes of output). The table LAID then has the layout."""
    _count_cells(words)
    columns = 0
    size = _PADDING  # zeros before the first part and after the last
    for column in range(_FIRST_COLUMN, get(words, FIELDS) * 8):
        to = COLUMN + column * COLUMN_WORDS
        cells = get(words, to + COLUMN_CELLS)
        if cells == 0:
            continue
        kind = column & 7
        laid = LAID + columns * LAID_WORDS
        put(words, laid + LAID_COLUMN, column)
        put(words, laid + LAID_CELLS, cells)
        put(words, laid + LAID_ROWS, size)
        put(words, to + TO_ROW, size)
        size += _aligned(cells * 4)
        put(words, laid + LAID_VALUES, size)
        put(words, to + TO_VALUE, size * 8 if kind == BOOL else size)
        if kind == BOOL:
            size += _aligned((cells + 7) >> 3)
        else:
            size += _aligned(cells * 8 + 8)
        put(words, laid + LAID_TEXT, size)
        put(words, to + TO_TEXT, size)
        if kind >= JSON:
            size += _aligned(get(words, to + COLUMN_BYTES))
        columns += 1
    return columns, size + _PADDING


@compiled
def _without_blanks(buffer: Bytes, at: int, end: int, output: Bytes, to: int) -> int:
    """Copy valid JSON without white space between tokens; returns the end of the output."""
    while at < end:
        byte = byte_at(buffer, at)
        if byte == QUOTE:
            after = (scan_string(buffer, at + 1) >> 1) + 1
            copy_run(output, to, buffer, at, after - at)
            to += after - at
            at = after
            continue
        if byte > SPACE:
            store8(output, to, byte)
            to += 1
        at += 1
    return to


@compiled
def _begin_columns(words: Int64s, columns: int, output: Bytes) -> None:
    """Initialize what the cells add to: the first offset of texts, and bits to 0."""
    for laid in range(LAID, LAID + columns * LAID_WORDS, LAID_WORDS):
        kind = get(words, laid + LAID_COLUMN) & 7
        begin = get(words, laid + LAID_VALUES)
        if kind == BOOL:
            for at in range(begin, begin + ((get(words, laid + LAID_CELLS) + 7) >> 3)):
                store8(output, at, 0)
        elif kind >= JSON:
            store64(output, begin, get(words, laid + LAID_TEXT))


@compiled
def write_cells(buffer: Bytes, words: Int64s, columns: int, output: Bytes) -> None:
    """Write every cell to `output` as laid out, and LAID_TEXT_END."""
    _begin_columns(words, columns, output)
    for cell in range(CELL, CELL + 2 * get(words, CELLS), 2):
        tag = get(words, cell)
        column = tag & _COLUMN_MASK
        if column < _FIRST_COLUMN:
            continue
        kind = column & 7
        to = COLUMN + column * COLUMN_WORDS
        value = get(words, cell + 1)
        row_at = get(words, to + TO_ROW)
        store32(output, row_at, tag >> 32)
        put(words, to + TO_ROW, row_at + 4)
        value_at = get(words, to + TO_VALUE)
        if kind >= JSON:
            text_at = get(words, to + TO_TEXT)
            start = value >> 32
            size = (value & 0xFFFFFFFF) >> 1
            if value & 1 == 0:
                copy_run(output, text_at, buffer, start, size)
                text_at += size
            elif kind == JSON:
                text_at = _without_blanks(buffer, start, start + size, output, text_at)
            else:
                text_at = unescape(buffer, start, start + size, output, text_at)
            put(words, to + TO_TEXT, text_at)
            store64(output, value_at + 8, text_at)
            put(words, to + TO_VALUE, value_at + 8)
        elif kind == BOOL:
            at = value_at >> 3
            store8(output, at, byte_at(output, at) | (value << (value_at & 7)))
            put(words, to + TO_VALUE, value_at + 1)
        else:
            store64(output, value_at, value)
            put(words, to + TO_VALUE, value_at + 8)
    for laid in range(LAID, LAID + columns * LAID_WORDS, LAID_WORDS):
        to = COLUMN + get(words, laid + LAID_COLUMN) * COLUMN_WORDS
        put(words, laid + LAID_TEXT_END, get(words, to + TO_TEXT))
    store64(output, 0, 0)  # as offsets of a text, the first and the last word are in bounds
    store64(output, output.shape[0] - 8, 0)
