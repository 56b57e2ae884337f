"""Distinct values of all rows, from batches of values; and of each cell, from groups of both.

Batches of groups also have the rows of the cells themselves, in which `whole` is not 0. The
smallest hashes are kept (k minimum values): memory is bounded however many values there are.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common import limits
from query.share.compute.too_heavy import too_many_bytes, too_many_cells
from query.share.states.cells import cell_ids
from query.share.states.lists import lists_of
from query.share.states.value_hashes import HashTexts, hashes_of

Array = npt.NDArray[Any]
WHOLE: Final = "whole"
ROWS: Final = "n"  # number of rows of a cell or a group
VALUE: Final = "d_"  # the columns of the value: `d_h` its hash, or its parts by kind
_NEW_HASHES_MAX: Final = 32_768  # without cells, before the smallest are chosen
_NEW_PAIRS_MAX: Final = 1_048_576  # of a cell and a hash, before the smallest are chosen
_NEW_KEYS_BYTES_MAX: Final = 32 * 1024 * 1024  # likewise of keys, which may be long and repeated


class KeptMost(Protocol):
    """rows_max: cells. bytes_max: of all states. bytes_kept: of the other states."""

    @property
    def rows_max(self) -> int: ...

    @property
    def bytes_max(self) -> int: ...

    @property
    def bytes_kept(self) -> int: ...


class DistinctHashes:
    """Collects batches of values, or of groups by value; `table` is the state of all of them."""

    def __init__(self, hash_texts: HashTexts) -> None:
        self._hash_texts = hash_texts
        self._parts: list[Array] = []
        self._new = 0
        self._largest = np.uint64(2**64 - 1)  # of all that may still be among the smallest
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the values of a batch in."""
        counted = ROWS in batch.schema.names
        self.rows += int(batch.column(ROWS).to_numpy().sum()) if counted else batch.num_rows
        hashes, held = _hashes(batch, self._hash_texts)
        hashes = hashes[held & (hashes <= self._largest)]
        self._parts.append(hashes)
        self._new += len(hashes)
        if self._new > _NEW_HASHES_MAX:
            self.smallest()

    def smallest(self) -> Array:
        """The smallest hashes up to now, ascending."""
        # `np.unique` makes a table of them, which costs ten times as much as sorting
        hashes = np.sort(np.concatenate([np.zeros(0, np.uint64), *self._parts]))
        first = np.ones(len(hashes), np.bool_)
        first[1:] = hashes[1:] != hashes[:-1]
        hashes = hashes[first][: limits.DISTINCT_EXACT_MAX]
        self._parts, self._new = [hashes], 0
        if len(hashes) == limits.DISTINCT_EXACT_MAX:
            self._largest = hashes[-1]
        return hashes

    def table(self, name: str) -> pa.Table:
        """One row, `name` is the list of the smallest hashes; none if there is no value."""
        hashes = self.smallest()
        rows = min(len(hashes), 1)
        return pa.table({name: lists_of(np.zeros(len(hashes), np.int64), hashes, rows)})


class DistinctValues:
    """Collects batches; `table` is the state.

    schema: of the batches. cells: names of the columns of a cell, of which there are some.
    most: what is kept at most.
    """

    def __init__(
        self, schema: pa.Schema, cells: Sequence[str], most: KeptMost, hash_texts: HashTexts
    ) -> None:
        self._cells = list(cells)
        self._most = most
        self._hash_texts = hash_texts
        self._has_whole = WHOLE in schema.names
        kept = [f for f in schema if f.name != WHOLE and not f.name.startswith(VALUE)]
        self._schema = pa.schema(kept)
        self._whole: list[pa.Table] = []
        self._whole_rows = self._whole_bytes = 0
        self._keys: list[pa.Table] = []  # a row of one of these is a cell; rows may be equal
        self._keys_rows = 0
        self._keys_bytes = self._new_keys_bytes = 0  # of those of the last choice, of those since
        self._pairs: list[tuple[Array, Array]] = []  # (row of `_keys`, hash)
        self._new = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the groups of a batch in. Raises ShareTooHeavy."""
        table = pa.Table.from_batches([batch])
        if self._has_whole:
            is_whole = batch.column(WHOLE).to_numpy() != 0
            if is_whole.any():
                self._whole.append(table.filter(pa.array(is_whole)).select(self._schema.names))
                self._whole_rows += int(is_whole.sum())
                self._whole_bytes += self._whole[-1].nbytes
                self._check_cells(self._whole_rows)
                self._check_bytes(0)
        hashes, held = _hashes(batch, self._hash_texts)  # the cells' own rows have none
        hashes = hashes[held]
        if not len(hashes):
            return
        self._pairs.append((self._number(table, held), hashes))
        self._new += len(hashes)
        # keys that are many in themselves are not chosen anew for few more
        most = max(_NEW_KEYS_BYTES_MAX, self._keys_bytes)
        if self._new > _NEW_PAIRS_MAX or self._new_keys_bytes > most:
            self._choose()

    def table(self, name: str) -> pa.Table:
        """A row per cell; `name` is the list of its smallest hashes, ascending."""
        rows, hashes = self._choose()
        if not self._has_whole:
            keys = self._keys[0] if self._keys else self._schema.empty_table()
            return keys.append_column(name, lists_of(rows, hashes, keys.num_rows))
        whole = pa.concat_tables([self._schema.empty_table(), *self._whole])
        if len(rows):
            names = self._cells
            found = cell_ids([whole.select(names), self._keys[0]], names)
            rows = found.ids[1][rows]  # row i of `whole` is cell i
            order = np.argsort(rows, kind="stable")
            rows, hashes = rows[order], hashes[order]
        return whole.append_column(name, lists_of(rows, hashes, whole.num_rows))

    def _number(self, table: pa.Table, held: Array) -> Array:
        """The row of `_keys` of each row that is held."""
        cells = table.select(self._cells)
        if not held.all():
            cells = cells.filter(pa.array(held))
        found = cell_ids([cells], self._cells)
        self._keys.append(cells.take(pa.array(found.first)))
        self._new_keys_bytes += self._keys[-1].nbytes
        rows = found.ids[0] + self._keys_rows
        self._keys_rows += len(found.first)
        return rows

    def _choose(self) -> tuple[Array, Array]:
        """(cell, hash) in this order: of each cell the smallest. Raises ShareTooHeavy."""
        pairs = self._pairs or [(np.zeros(0, np.int64), np.zeros(0, np.uint64))]
        rows, hashes = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        if self._keys:
            found = cell_ids(self._keys, self._cells)
            rows = np.concatenate(found.ids)[rows]
            self._keys = [pa.concat_tables(self._keys).take(pa.array(found.first))]
            self._keys_rows = len(found.first)
            self._keys_bytes, self._new_keys_bytes = self._keys[0].nbytes, 0
            self._check_cells(self._keys_rows)
        by_hash = np.argsort(hashes)
        order = by_hash[np.argsort(rows[by_hash], kind="stable")]
        rows, hashes = rows[order], hashes[order]
        first = np.ones(len(rows), np.bool_)
        first[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
        rows, hashes = rows[first], hashes[first]
        starts = np.searchsorted(rows, rows)
        smallest = np.arange(len(rows)) - starts < limits.DISTINCT_EXACT_MAX
        rows, hashes = rows[smallest], hashes[smallest]
        self._check_bytes(hashes.nbytes)
        self._pairs, self._new = [(rows, hashes)], 0
        return rows, hashes

    def _check_cells(self, cells: int) -> None:
        if cells > self._most.rows_max:
            raise too_many_cells(self._most.rows_max)

    def _check_bytes(self, of_hashes: int) -> None:
        of_cells = max(self._whole_bytes, self._keys_bytes)  # the same keys are in both
        if self._most.bytes_kept + of_cells + of_hashes > self._most.bytes_max:
            raise too_many_bytes(self._most.bytes_max)


def _hashes(batch: pa.RecordBatch, hash_texts: HashTexts) -> tuple[Array, Array]:
    """(uint64 hash of each row's value, whether the row has one)."""
    values = [name for name in batch.schema.names if name.startswith(VALUE)]
    if values == [f"{VALUE}h"]:
        column = batch.column(values[0])
        held = column.is_valid().to_numpy(zero_copy_only=False)
        return column.fill_null(0).to_numpy(), held
    return hashes_of({name.removeprefix(VALUE): batch.column(name) for name in values}, hash_texts)
