"""How many spans are open at once: levels, out of the starts and ends in each part of a step.

A level is known between two parts: what started before is open unless it ended before. The value of
a step is the largest of the 17 levels at the ends of its parts; where a span starts it is at least
one, however short the span. So it is never too large, and what comes and goes within a part may be
missed: the true number is at most that part's starts larger.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common import limits
from query.plan.plan import PARTS_PER_STEP
from query.share.compute.too_heavy import too_many_cells
from query.share.states.cells import STEP, cell_ids, cell_names, joined
from query.share.states.lists import flat

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class OpenSpans:
    """Starts and ends in order of group and part, each part once per group.

    rows: the group of each. groups: number of groups.
    group_of_cell: the group of each cell of the answer; -1: none has spans.
    step_of_cell: the step of each cell; None: cells are groups.
    """

    rows: Array
    parts: Array
    starts: Array
    ends: Array
    groups: int
    group_of_cell: Array
    step_of_cell: Array | None

    def values(self) -> Array:
        """int64 by cell: the largest number open at once."""
        held = self.group_of_cell >= 0
        found = np.zeros(len(self.group_of_cell), np.int64)
        if self.step_of_cell is None:
            peaks = np.zeros(self.groups + 1, np.int64)
            least = np.maximum(self._levels(), np.minimum(self.starts, 1))
            np.maximum.at(peaks, self.rows, least)
            found[held] = peaks[self.group_of_cell[held]]
            return found
        if not len(self.rows) or not held.any():
            return found
        rows, steps, values = self.by_step(int(self.step_of_cell.max()))
        known = rows << 32 | steps  # ascending; both are below 2^31
        wanted = self.group_of_cell[held] << 32 | self.step_of_cell[held]
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found[held] = np.where(known[at] == wanted, values[at], 0)
        return found

    def by_step(self, last_step: int) -> tuple[Array, Array, Array]:
        """(group, step, value) of each step up to the last one in which a span is open.

        Raises ShareTooHeavy.
        """
        levels = self._levels()
        follows = np.full(len(self.rows), (last_step + 1) * PARTS_PER_STEP - 1)
        same = self.rows[1:] == self.rows[:-1]
        follows[:-1][same] = self.parts[1:][same]  # until there the level stays
        first, last = self.parts // PARTS_PER_STEP, follows // PARTS_PER_STEP
        last = np.where(levels > 0, last, first)
        counts = last - first + 1
        if counts.sum() > limits.SHARE_ROWS_MAX:  # a few events may be open for all of the range
            raise too_many_cells(limits.SHARE_ROWS_MAX)
        each = np.repeat(np.arange(len(counts)), counts)
        steps = np.arange(len(each)) - (np.cumsum(counts) - counts)[each] + first[each]
        # a span that starts counts in the step in which it does, though it may end there
        values = np.maximum(levels[each], (self.starts[each] > 0) & (steps == first[each]))
        keys = self.rows[each] << 32 | steps
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        peaks = np.maximum.reduceat(values, firsts) if len(keys) else values
        keys, kept = keys[firsts] if len(keys) else keys, peaks > 0
        keys, peaks = keys[kept], peaks[kept]
        return keys >> 32, keys & 0xFFFFFFFF, peaks

    def _levels(self) -> Array:
        """How many are open after each part."""
        change = np.cumsum(self.starts - self.ends)
        before = np.concatenate([np.zeros(1, np.int64), change[:-1]])
        first = np.searchsorted(self.rows, self.rows)
        levels: Array = change - before[first] if len(change) else change
        return levels

    def regrouped(self, ids: Array, keys: pa.Table, cells: int) -> "OpenSpans":
        """Those of cells put together. ids: the new cell of each cell; -1: none. keys: of the new
        ones.
        """
        steps, label, groups = None, np.arange(cells), cells
        if STEP in keys.column_names:
            steps = keys.column(STEP).to_numpy()
            names = [name for name in keys.column_names if name != STEP]
            label = cell_ids([keys], names).ids[0]
            groups = int(label.max(initial=-1)) + 1
        new_group = np.full(self.groups, -1)
        kept = (self.group_of_cell >= 0) & (ids >= 0)
        new_group[self.group_of_cell[kept]] = label[ids[kept]]
        group_of_cell = np.full(cells, -1)
        group_of_cell[ids[kept]] = label[ids[kept]]
        if steps is not None:  # a step in which none is open has a group, too
            group_of_cell = label
        rows = new_group[self.rows]
        inside = rows >= 0
        moves = (self.parts[inside], self.starts[inside], self.ends[inside])
        return _added(rows[inside], moves, groups).of_cells(group_of_cell, steps)

    def of_cells(self, group_of_cell: Array, step_of_cell: Array | None) -> "OpenSpans":
        """The same with cells."""
        return replace(self, group_of_cell=group_of_cell, step_of_cell=step_of_cell)


def _added(rows: Array, moves: tuple[Array, Array, Array], groups: int) -> OpenSpans:
    """The spans in order of row and part, each part once per row. moves: parts, starts, ends."""
    parts, starts, ends = moves
    none = np.zeros(0, np.int64)
    if len(rows):
        order = np.lexsort((parts, rows))
        rows, parts, starts, ends = rows[order], parts[order], starts[order], ends[order]
        new = (rows[1:] != rows[:-1]) | (parts[1:] != parts[:-1])
        firsts = np.flatnonzero(np.concatenate([[True], new]))
        starts, ends = (np.add.reduceat(one, firsts) for one in (starts, ends))
        rows, parts = rows[firsts], parts[firsts]
    return OpenSpans(rows, parts, starts, ends, groups, none, None)


class Opened:
    """The states of one need, before the cells of the answer are numbered.

    tables: of all shares. last_step: index of the last step; None: without steps.
    """

    def __init__(self, name: str, tables: Sequence[pa.Table], last_step: int | None) -> None:
        names = cell_names(tables)
        found = cell_ids(tables, names)
        parts = [
            [flat(table.column(f"{name}_{ending}")) for ending in ("o", "os", "oe")]
            for table in tables
        ]
        rows = [ids[one[0][0]] for ids, one in zip(found.ids, parts, strict=True)]
        first, starts, ends = (np.concatenate([one[at][1] for one in parts]) for at in range(3))
        self._spans = _added(np.concatenate(rows), (first, starts, ends), len(found.first))
        self._groups, steps = np.arange(len(found.first)), None
        if last_step is not None:
            self._groups, steps, _ = self._spans.by_step(last_step)
        kept = pa.array(found.first[self._groups])
        keys = {one: joined(tables, one).take(kept) for one in names}
        if steps is not None:
            keys[STEP] = pa.array(steps)
        self.keys = pa.table(keys) if keys else None

    def of_cells(self, ids: Array | None, keys: pa.Table, cells: int) -> OpenSpans:
        """With the numbers of cells. ids: of the rows of `self.keys`; None: row i is cell i."""
        group_of_cell = np.full(cells, -1)
        if self.keys is None:
            group_of_cell[:] = 0 if self._spans.groups else -1
        else:
            group_of_cell[slice(0, len(self._groups)) if ids is None else ids] = self._groups
        steps = keys.column(STEP).to_numpy() if STEP in keys.column_names else None
        return self._spans.of_cells(group_of_cell, steps)
