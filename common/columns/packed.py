"""Many columns as one object: where each is in a buffer that holds them all.

An Arrow array, a slice of row numbers and a place in a dict take 3 us per column. A block of 10,000
columns has 160 values in each, so that was more than reading them from JSON. Here a column becomes
an object when somebody asks for it; who wants thousands at once asks `common.columns.gather`.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common.columns.block import SparseColumn
from common.columns.key import ColumnKey, FieldType

Words = npt.NDArray[np.int64]


class PackedColumns(Mapping[ColumnKey, SparseColumn]):
    """Columns in the order of their keys. Nothing of it may be changed.

    whole: the buffer, of whole words. Of column i: sizes[i] values; begins[i], the place of the
    first of them, as if the buffer were an array of the column's Arrow type; row_begins[i], that of
    its row number, as if it were uint32[]. Offsets of texts count from the buffer's begin. The
    first and the last word are 0, because Arrow looks at them as offsets.
    """

    def __init__(
        self,
        keys: Sequence[ColumnKey],
        whole: pa.Buffer,
        sizes: Words,
        begins: Words,
        row_begins: Words,
    ) -> None:
        self.keys_in_order = keys
        self.sizes = sizes
        self.begins = begins
        self.row_begins = row_begins
        self.words = np.frombuffer(whole, np.int64)
        self.rows = self.words.view(np.uint32)
        self.arrays = {field_type: whole_array(field_type, whole) for field_type in FieldType}

    @cached_property
    def places(self) -> Mapping[ColumnKey, int]:
        """Which column a key is."""
        return dict(zip(self.keys_in_order, range(len(self.keys_in_order)), strict=True))

    @cached_property
    def _numbers(self) -> list[tuple[int, int, int]]:
        """Size, begin and begin of rows of each: lists are quicker to look at than arrays."""
        numbers = (one.tolist() for one in (self.sizes, self.begins, self.row_begins))
        return list(zip(*numbers, strict=True))

    def at(self, place: int) -> SparseColumn:
        """One of the columns."""
        size, begin, row = self._numbers[place]
        values = self.arrays[self.keys_in_order[place].type].slice(begin, size)
        return SparseColumn(self.rows[row : row + size], values)

    def unpacked(self) -> dict[ColumnKey, SparseColumn]:
        """All of them, each as an object of its own."""
        return dict(zip(self.keys_in_order, map(self.at, range(len(self))), strict=True))

    def __getitem__(self, key: ColumnKey) -> SparseColumn:
        return self.at(self.places[key])

    def __contains__(self, key: object) -> bool:
        return key in self.places  # makes no column

    def __iter__(self) -> Iterator[ColumnKey]:
        return iter(self.keys_in_order)

    def __len__(self) -> int:
        return len(self.keys_in_order)


def whole_array(field_type: FieldType, whole: pa.Buffer) -> pa.Array:
    """A buffer as if all of it were values of one type: only slices of it mean something."""
    if field_type is FieldType.BOOL:
        return pa.Array.from_buffers(field_type.arrow, whole.size * 8, [None, whole], 0)
    if field_type in (FieldType.INT, FieldType.FLOAT):
        return pa.Array.from_buffers(field_type.arrow, whole.size // 8, [None, whole], 0)
    return pa.Array.from_buffers(field_type.arrow, whole.size // 8 - 1, [None, whole, whole], 0)
