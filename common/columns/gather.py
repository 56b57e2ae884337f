"""Thousands of columns at once: the values of all columns of one type side by side.

What is done to a column, whatever its size, costs microseconds; a rare column has a dozen values in
a block. So who has to do something to all rare columns (the digest, the rest column) does it to
five arrays, one for each type, and blocks' columns are put together only here.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common.columns.block import ColumnBlock, SparseColumn
from common.columns.blocks import concat, join_parts, with_columns
from common.columns.key import ColumnKey, FieldType
from common.columns.packed import PackedColumns, Words

_ORDER = attrgetter("field", "type")  # as keys compare, several times faster


_Piece = tuple[int, int, int]  # of an array: which one, begin, end
T = TypeVar("T", bound=np.generic)


class Gathered(NamedTuple):
    """Columns of one type one behind the other. places: which of the columns asked for they are;
    starts: int64[columns + 1], where each begins among rows (uint32) and values (Arrow, no nulls).
    """

    type: FieldType
    places: list[int]
    starts: Words
    rows: npt.NDArray[np.uint32]
    values: pa.Array


class JoinedColumns(Mapping[ColumnKey, SparseColumn]):
    """Columns of packed blocks as if the blocks were one; put together when they are asked for."""

    def __init__(self, parts: Sequence[tuple[int, PackedColumns]], rows: int) -> None:
        """parts: with the first row of each block; rows: of all together."""
        self._every_row = np.arange(rows, dtype=np.uint32)
        self._first_rows = np.array([first for first, _ in parts], np.uint32)
        self._parts = [columns for _, columns in parts]
        keys = list(dict.fromkeys(chain.from_iterable(self._parts)))
        if len(keys) > len(self._parts[0]):
            keys.sort(key=_ORDER)
        self._keys = keys
        self._places = dict(zip(keys, range(len(keys)), strict=True))
        self._where = np.full((len(keys), len(parts)), -1)  # place of a column within each part
        self.sizes = np.zeros(len(keys), np.int64)
        for number, part in enumerate(self._parts):
            at = np.fromiter(map(self._places.__getitem__, part), np.int64, len(part))
            self._where[at, number] = np.arange(len(part))
            self.sizes[at] += part.sizes

    def __getitem__(self, key: ColumnKey) -> SparseColumn:
        where = self._where[self._places[key]].tolist()
        columns = zip(self._first_rows, self._parts, where, strict=True)
        parts = [(first, part.at(place)) for first, part, place in columns if place >= 0]
        return join_parts(parts, self._every_row)

    def __contains__(self, key: object) -> bool:
        return key in self._places  # makes no column

    def __iter__(self) -> Iterator[ColumnKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def gathered(self, keys: Sequence[ColumnKey]) -> list[Gathered]:
        """As `gather`."""
        where = np.fromiter(map(self._places.__getitem__, keys), np.int64, len(keys))
        return [
            self._of_type(field_type, places, where[places])
            for field_type, places in _by_type(keys)
        ]

    def _of_type(self, field_type: FieldType, places: list[int], where: Words) -> Gathered:
        found = self._where[where]
        column, part = np.nonzero(found >= 0)  # by column, then by part
        place = found[column, part]
        begins, row_begins, sizes = (np.empty(len(part), np.int64) for _ in range(3))
        for number, packed in enumerate(self._parts):
            here = part == number
            begins[here] = packed.begins[place[here]]
            row_begins[here] = packed.row_begins[place[here]]
            sizes[here] = packed.sizes[place[here]]
        parts = part.tolist()
        row_pieces = list(
            zip(parts, row_begins.tolist(), (row_begins + sizes).tolist(), strict=True)
        )
        rows = _pieces([packed.rows for packed in self._parts], row_pieces)
        rows += np.repeat(self._first_rows[part], sizes)
        pieces = list(zip(parts, begins.tolist(), (begins + sizes).tolist(), strict=True))
        starts = _starts(self.sizes[where])
        return Gathered(field_type, places, starts, rows, self._values(field_type, pieces))

    def _values(self, field_type: FieldType, pieces: Sequence[_Piece]) -> pa.Array:
        """The values of pieces, one behind the other. A slice of an Arrow array takes five times as
        long as one of numpy's, so only bits are left to Arrow.
        """
        if field_type is FieldType.BOOL:
            arrays = [packed.arrays[field_type] for packed in self._parts]
            return pa.concat_arrays([arrays[at][begin:end] for at, begin, end in pieces])
        words = [packed.words for packed in self._parts]
        firsts = _pieces(words, pieces)  # of texts: where they begin
        if field_type in (FieldType.INT, FieldType.FLOAT):
            buffers = [None, pa.py_buffer(firsts)]
            return pa.Array.from_buffers(field_type.arrow, len(firsts), buffers, 0)
        lasts = _pieces(words, [(at, begin + 1, end + 1) for at, begin, end in pieces])
        texts = [(at, int(words[at][begin]), int(words[at][end])) for at, begin, end in pieces]
        data = _pieces([packed.words.view(np.uint8) for packed in self._parts], texts)
        buffers = [None, pa.py_buffer(_starts(lasts - firsts)), pa.py_buffer(data)]
        return pa.Array.from_buffers(field_type.arrow, len(firsts), buffers, 0)


def joined(blocks: Sequence[ColumnBlock]) -> ColumnBlock:
    """As `concat`, but columns of packed blocks are put together only when they are asked for."""
    packed = [block.columns for block in blocks if isinstance(block.columns, PackedColumns)]
    if not blocks or len(packed) < len(blocks):
        return concat(blocks)
    *first_rows, rows = np.cumsum([0, *(block.rows for block in blocks)]).tolist()
    return with_columns(blocks, JoinedColumns(list(zip(first_rows, packed, strict=True)), rows))


def sizes_of(columns: Mapping[ColumnKey, SparseColumn]) -> Words:
    """The number of values of each column, in the order of the mapping."""
    if isinstance(columns, JoinedColumns):
        return columns.sizes
    return np.fromiter((len(one.rows) for one in columns.values()), np.int64, len(columns))


def gather(columns: Mapping[ColumnKey, SparseColumn], keys: Sequence[ColumnKey]) -> list[Gathered]:
    """The columns of these keys, type by type, those of a type in the order of `keys`."""
    if isinstance(columns, JoinedColumns):
        return columns.gathered(keys)
    found = []
    for field_type, places in _by_type(keys):
        some = [columns[keys[place]] for place in places]
        starts = _starts(np.fromiter((len(one.rows) for one in some), np.int64, len(some)))
        rows = np.concatenate([one.rows for one in some])
        values = pa.concat_arrays([one.values for one in some])
        found.append(Gathered(field_type, places, starts, rows, values))
    return found


def _pieces(arrays: Sequence[npt.NDArray[T]], pieces: Sequence[_Piece]) -> npt.NDArray[T]:
    """Pieces of the arrays, one behind the other; at least one."""
    return np.concatenate([arrays[at][begin:end] for at, begin, end in pieces])


def _by_type(keys: Sequence[ColumnKey]) -> Iterator[tuple[FieldType, list[int]]]:
    """Which keys are of each type that there is."""
    types = [key.type for key in keys]
    for wanted in FieldType:
        places = [place for place, found in enumerate(types) if found is wanted]
        if places:
            yield wanted, places


def _starts(sizes: Words) -> Words:
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts
