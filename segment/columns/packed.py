"""Many columns as one object: where each is in a buffer that holds them all.

An Arrow array, a slice of row numbers and a place in a dict take 3 us and 800 bytes per column. A
block of 10,000 columns has 160 values in each, and one of ever-new names a single one, so that was
more than reading them from JSON. Here a column becomes an object when somebody asks for it; who
wants thousands at once asks `gathered`.
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
    """Columns of one type one behind the other. places: which of the columns asked for they are;
    starts: int64[columns + 1], where each begins among rows (uint32) and values (Arrow, no nulls).
    """

    type: FieldType
    places: Int64s
    starts: Int64s
    rows: npt.NDArray[np.uint32]
    values: pa.Array


class PackedColumns(Mapping[ColumnKey, SparseColumn]):
    """Columns in the order of their keys. Nothing of it may be changed.

    whole: the buffer, of whole words. Of column i: sizes[i] values; begins[i], the place of the
    first of them, as if the buffer were an array of the column's Arrow type; row_begins[i], that of
    its row number, as if it were uint32[]. Offsets of texts count from the buffer's begin. The
    first and the last word are 0, because Arrow looks at them as offsets.
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
        """The buffer as row numbers: only pieces of it mean something."""
        return np.frombuffer(self.whole, np.uint32)

    @property
    def cells(self) -> int:
        """Values of all columns."""
        return int(self.sizes.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.whole.size) + self.packed_keys.nbytes + 3 * _WORD * len(self)

    def at(self, place: int) -> SparseColumn:
        """One of the columns."""
        size, begin = int(self.sizes[place]), int(self.begins[place])
        row = int(self.row_begins[place])
        values = whole_array(TYPES[self.packed_keys.types[place]], self.whole)
        return SparseColumn(self.rows[row : row + size], values.slice(begin, size))

    def unpacked(self) -> dict[ColumnKey, SparseColumn]:
        """All of them, each as an object of its own."""
        return unpacked(self.packed_keys, self.whole, self.sizes, self.begins, self.row_begins)

    def gathered(self, places: Int64s) -> list[Gathered]:
        """The columns at these places, type by type, those of a type in the order of `places`."""
        types = self.packed_keys.types[places]
        found = []
        for number in np.unique(types).tolist():
            some = np.flatnonzero(types == number)
            here = places[some]
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
        """The same in a buffer of its own, without a byte between columns."""
        return assembled(self.packed_keys, self.gathered(np.arange(len(self))))

    def selected(self, mask: npt.NDArray[np.bool_]) -> "PackedColumns":
        """The rows where `mask` is true; columns left without a value are gone."""
        new_row = (np.cumsum(mask, dtype=np.int64) - 1).astype(np.uint32)
        found = []
        for one in self.gathered(np.arange(len(self))):
            kept = mask[one.rows]
            before = starts_of(kept.astype(np.int64))
            starts = before[one.starts]
            found.append(
                Gathered(
                    one.type,
                    one.places,
                    starts,
                    new_row[one.rows[kept]],
                    one.values.filter(pa.array(kept)),
                )
            )
        return assembled(self.packed_keys, found)

    def __getitem__(self, key: ColumnKey) -> SparseColumn:
        place = self.packed_keys.find(key)
        if place < 0:
            raise KeyError(key)
        return self.at(place)

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
    """Columns put into one buffer without a byte between them; those without a value are left out.

    gathered: together all columns of `keys`, which are in order.
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
        sizes[one.places] = np.diff(one.starts)
        row_begins[one.places] = at // 4 + one.starts[:-1]
        add(one.rows)
        if one.type is FieldType.BOOL:
            begins[one.places] = at * 8 + one.starts[:-1]
            bits = one.values.to_numpy(zero_copy_only=False)
            add(np.packbits(bits, bitorder="little"))
        elif one.type in _TEXTS:
            begins[one.places] = at // _WORD + one.starts[:-1]
            offsets, data = texts_of(one.values)
            add(offsets + (at + _WORD * len(offsets) - offsets[0]))
            add(data[int(offsets[0]) : int(offsets[-1])])
        else:
            begins[one.places] = at // _WORD + one.starts[:-1]
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
    """Where runs of these sizes begin, and the last one ends: int64[len + 1]."""
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts


def whole_array(field_type: FieldType, whole: pa.Buffer) -> pa.Array:
    """A buffer as if all of it were values of one type: only slices of it mean something."""
    if field_type is FieldType.BOOL:
        return pa.Array.from_buffers(field_type.arrow, whole.size * 8, [None, whole], 0)
    if field_type in (FieldType.INT, FieldType.FLOAT):
        return pa.Array.from_buffers(field_type.arrow, whole.size // 8, [None, whole], 0)
    return pa.Array.from_buffers(field_type.arrow, whole.size // 8 - 1, [None, whole, whole], 0)
