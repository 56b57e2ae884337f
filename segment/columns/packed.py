"""Many columns as one object: the position of each in a buffer that holds them all.

An Arrow array, a slice of row numbers and an entry in a dict take 3 us and 800 bytes per column. A
block of 10,000 columns has 160 values in each, and one of ever-new names a single one, so that cost
more than reading the values from JSON. Here a column becomes an object on request; `gathered`
returns thousands at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.columns.block import SparseColumn
from segment.columns.key import ColumnKey, FieldType
from segment.columns.names import TYPES, PackedKeys
from segment.parquet.encoders import texts_of

Int64s = npt.NDArray[np.int64]
_WORD = 8
_TEXTS = (FieldType.STRING, FieldType.JSON)


class Gathered(NamedTuple):
    """Several columns of one type, concatenated.

    indexes: int64[columns], index of each column among the requested ones.
    starts: int64[columns + 1], start of each column in `rows` and `values`, and the last one's end.
    rows: row numbers.
    values: Arrow array, no nulls.
    """

    type: FieldType
    indexes: Int64s
    starts: Int64s
    rows: npt.NDArray[np.uint32]
    values: pa.Array


class PackedColumns(Mapping[ColumnKey, SparseColumn]):
    """Columns in the order of their keys. Immutable.

    whole: the buffer, a multiple of 8 bytes. Offsets of texts count from its start. Its first and
    its last 8 bytes are 0, because Arrow reads them as offsets.
    sizes: int64[columns], number of values of each column.
    begins: int64[columns], index of its first value, as if the buffer were an array of the
    column's Arrow type.
    row_begins: int64[columns], index of its first row number, as if the buffer were uint32[].
    """

    def __init__(
        self,
        keys: PackedKeys | Sequence[ColumnKey],
        whole: pa.Buffer,
        sizes: Int64s,
        begins: Int64s,
        row_begins: Int64s,
    ) -> None:
        self.packed_keys = keys if isinstance(keys, PackedKeys) else PackedKeys.of(keys)
        self.whole = whole
        self.sizes = sizes
        self.begins = begins
        self.row_begins = row_begins

    @cached_property
    def rows(self) -> npt.NDArray[np.uint32]:
        """The buffer as uint32, of which some slices are row numbers."""
        return np.frombuffer(self.whole, np.uint32)

    @property
    def cells(self) -> int:
        """Number of values of all columns."""
        return int(self.sizes.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.whole.size) + self.packed_keys.nbytes + 3 * _WORD * len(self)

    def at(self, index: int) -> SparseColumn:
        """The column at an index."""
        size, begin = int(self.sizes[index]), int(self.begins[index])
        row = int(self.row_begins[index])
        values = whole_array(TYPES[self.packed_keys.types[index]], self.whole)
        return SparseColumn(self.rows[row : row + size], values.slice(begin, size))

    def unpacked(self) -> dict[ColumnKey, SparseColumn]:
        """All columns, each as an object of its own."""
        return unpacked(self.packed_keys, self.whole, self.sizes, self.begins, self.row_begins)

    def gathered(self, indexes: Int64s) -> list[Gathered]:
        """The columns at these indexes by type, within a type in the order of `indexes`."""
        types = self.packed_keys.types[indexes]
        found = []
        for number in np.unique(types).tolist():
            some = np.flatnonzero(types == number)
            here = indexes[some]
            sizes = self.sizes[here]
            values = whole_array(TYPES[number], self.whole)
            found.append(
                Gathered(
                    TYPES[number],
                    some,
                    starts_of(sizes),
                    self.rows[runs(self.row_begins[here], sizes)],
                    values.take(pa.array(runs(self.begins[here], sizes))),
                )
            )
        return found

    def tight(self) -> "PackedColumns":
        """A copy in a new buffer, without gaps between columns."""
        return assembled(self.packed_keys, self.gathered(np.arange(len(self))))

    def selected(self, mask: npt.NDArray[np.bool_]) -> "PackedColumns":
        """The rows where `mask` is true, without columns that have no value there."""
        new_row = (np.cumsum(mask, dtype=np.int64) - 1).astype(np.uint32)
        found = []
        for one in self.gathered(np.arange(len(self))):
            kept = mask[one.rows]
            before = starts_of(kept.astype(np.int64))
            starts = before[one.starts]
            found.append(
                Gathered(
                    one.type,
                    one.indexes,
                    starts,
                    new_row[one.rows[kept]],
                    one.values.filter(pa.array(kept)),
                )
            )
        return assembled(self.packed_keys, found)

    def __getitem__(self, key: ColumnKey) -> SparseColumn:
        index = self.packed_keys.find(key)
        if index < 0:
            raise KeyError(key)
        return self.at(index)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, ColumnKey) and self.packed_keys.find(key) >= 0  # makes no column

    def __iter__(self) -> Iterator[ColumnKey]:
        return iter(self.packed_keys)

    def __len__(self) -> int:
        return len(self.packed_keys)


def unpacked(
    keys: Iterable[ColumnKey], whole: pa.Buffer, sizes: Int64s, begins: Int64s, row_begins: Int64s
) -> dict[ColumnKey, SparseColumn]:
    """The columns of a buffer as `PackedColumns` has them, each as an object of its own."""
    rows = np.frombuffer(whole, np.uint32)
    arrays = {field_type: whole_array(field_type, whole) for field_type in FieldType}
    numbers = zip(sizes.tolist(), begins.tolist(), row_begins.tolist(), strict=True)
    return {
        key: SparseColumn(rows[row : row + size], arrays[key.type].slice(begin, size))
        for key, (size, begin, row) in zip(keys, numbers, strict=True)
    }


def assembled(keys: PackedKeys, gathered: Sequence[Gathered]) -> PackedColumns:
    """Columns in one buffer without gaps between them; those without a value are left out.

    gathered: together all columns of `keys`, which are sorted.
    """
    sizes, begins, row_begins = (np.zeros(len(keys), np.int64) for _ in range(3))
    parts: list[npt.NDArray[np.uint8]] = []
    at = _WORD

    def add(data: npt.NDArray[np.generic]) -> None:
        nonlocal at
        raw = np.ascontiguousarray(data).view(np.uint8)
        parts.append(raw)
        parts.append(np.zeros(-len(raw) % _WORD, np.uint8))
        at += len(raw) + -len(raw) % _WORD

    parts.append(np.zeros(_WORD, np.uint8))
    for one in gathered:
        sizes[one.indexes] = np.diff(one.starts)
        row_begins[one.indexes] = at // 4 + one.starts[:-1]
        add(one.rows)
        if one.type is FieldType.BOOL:
            begins[one.indexes] = at * 8 + one.starts[:-1]
            bits = one.values.to_numpy(zero_copy_only=False)
            add(np.packbits(bits, bitorder="little"))
        elif one.type in _TEXTS:
            begins[one.indexes] = at // _WORD + one.starts[:-1]
            offsets, data = texts_of(one.values)
            add(offsets + (at + _WORD * len(offsets) - offsets[0]))
            add(data[int(offsets[0]) : int(offsets[-1])])
        else:
            begins[one.indexes] = at // _WORD + one.starts[:-1]
            add(one.values.to_numpy())
    parts.append(np.zeros(_WORD, np.uint8))
    whole = pa.allocate_buffer(at + _WORD)
    np.concatenate(parts, out=np.frombuffer(whole, np.uint8))
    some = np.flatnonzero(sizes)
    if len(some) < len(keys):
        keys = keys.take(some)
        sizes, begins, row_begins = sizes[some], begins[some], row_begins[some]
    return PackedColumns(keys, whole, sizes, begins, row_begins)


def runs(begins: Int64s, sizes: Int64s) -> Int64s:
    """begins[0], begins[0] + 1, ... sizes[0] of them; then those of the next run, and so on."""
    starts = starts_of(sizes)
    return np.repeat(begins - starts[:-1], sizes) + np.arange(starts[-1])


def starts_of(sizes: Int64s) -> Int64s:
    """Starts of runs of these sizes, and the end of the last one: int64[len + 1]."""
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def whole_array(field_type: FieldType, whole: pa.Buffer) -> pa.Array:
    """A buffer as an array of one type, of which some slices are values."""
    if field_type is FieldType.BOOL:
        return pa.Array.from_buffers(field_type.arrow, whole.size * 8, [None, whole], 0)
    if field_type in (FieldType.INT, FieldType.FLOAT):
        return pa.Array.from_buffers(field_type.arrow, whole.size // 8, [None, whole], 0)
    return pa.Array.from_buffers(field_type.arrow, whole.size // 8 - 1, [None, whole, whole], 0)
