"""Merges the states of shares, column by column: no Python object per group or value.

A table has each cell at most once, so that its columns are added into arrays by the numbers of its
cells; one share alone is not grouped again. Whatever is exact follows from the merged state alone,
so any split and order of the rows over shares gives the same answer (sums of doubles: within 1e-12
of the sum of their absolute values).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from query.cancellation import check_cancelled
from query.plan.plan import Plan, State
from query.results.calculations.concurrency import Opened, OpenSpans
from query.results.calculations.heatmap import Heat
from query.results.merge.columns import Column, Part, add_up, regrouped
from query.results.merge.distinct import Hashes
from query.results.merge.quantiles import Numbers, numbers_of
from query.share.states.cells import STEP, cell_ids, cell_names, joined
from query.share.states.lists import flat

Array = npt.NDArray[Any]
States = Mapping[str, pa.Table]
Answers = Sequence[States]
NO_WIDTHS: Final[Mapping[int, int]] = {}


@dataclass(frozen=True, slots=True)
class Merged:
    """Merged states by cell.

    keys: the columns of groups and steps that occur, a row per cell.
    cells: number of cells.
    columns: the columns of `main`, by name.
    distinct, numbers, heat, opened: by index of the need.
    finer: the cells by step that these were made of, and the cell of each; None: there are none.
    """

    keys: pa.Table
    cells: int
    columns: dict[str, Column]
    distinct: dict[int, Hashes]
    numbers: dict[int, Numbers]
    heat: dict[int, Heat]
    opened: dict[int, OpenSpans]
    finer: "tuple[Merged, Array] | None" = None

    @property
    def in_buckets(self) -> bool:
        """Whether any numbers are in buckets: then numbers of cells put together are, too."""
        return any(numbers.in_buckets for numbers in self.numbers.values())

    def one_cell(self, kept: Array) -> "Merged":
        """All cells for which `kept` is true, as one cell."""
        return self._regrouped(np.where(kept, 0, -1), pa.table({}), 1)

    def by(self, names: Sequence[str]) -> "Merged":
        """The cells that are equal in these columns of their keys put together."""
        names = [name for name in names if name in self.keys.column_names]
        if not names:
            return self.one_cell(np.ones(self.cells, np.bool_))
        found = cell_ids([self.keys], names)
        keys = self.keys.select(names).take(pa.array(found.first))
        return self._regrouped(found.ids[0], keys, len(found.first))

    def _regrouped(self, ids: Array, keys: pa.Table, cells: int) -> "Merged":
        """ids: the new cell of each cell; -1: none."""
        check_cancelled()
        chosen = np.flatnonzero(ids >= 0)
        return Merged(
            keys,
            cells,
            {
                name: regrouped(name, column.take(chosen), ids[chosen], cells)
                for name, column in self.columns.items()
            },
            {index: hashes.regrouped(ids, cells) for index, hashes in self.distinct.items()},
            {index: numbers.regrouped(ids, cells) for index, numbers in self.numbers.items()},
            {index: heat.regrouped(ids, cells) for index, heat in self.heat.items()},
            {index: spans.regrouped(ids, keys, cells) for index, spans in self.opened.items()},
            self._finer(ids, keys),
        )

    def _finer(self, ids: Array, keys: pa.Table) -> "tuple[Merged, Array] | None":
        """The cells by step of cells that are put together."""
        if STEP in keys.column_names:
            return None
        if STEP in self.keys.column_names:
            return self, ids
        if self.finer is None:
            return None
        steps, of = self.finer
        return steps, np.where(of >= 0, ids[of], -1)

    def by_step_of(self, of: Array) -> "Merged":
        """The cells, which have steps, put together by these numbers and their steps; -1: left out.

        The column `of` of the keys has the numbers.
        """
        keys = pa.table({"of": of, STEP: self.keys.column(STEP)})
        found = cell_ids([keys], ["of", STEP])
        ids = np.where(of >= 0, found.ids[0], -1)
        return self._regrouped(ids, keys.take(pa.array(found.first)), len(found.first))


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A table, and the cell of each row; None: row i is cell i."""

    table: pa.Table
    ids: Array | None

    def rows_of(self, rows: Array) -> Array:
        """The cells of these rows."""
        return rows if self.ids is None else self.ids[rows]


def merge(plan: Plan, answers: Answers, widths: Mapping[int, int] = NO_WIDTHS) -> Merged:
    """Merge the states of shares. Without breakdowns and steps there is exactly one cell.

    widths: of the bins of heatmaps, by index of the need; those of others follow from the states.
    """
    tables = [table for answer in answers for table in answer.values()]
    opened = _opened(plan, tables)
    tables = [table for table in tables if not _is_of_open_spans(table)]
    tables += [one.keys for one in opened.values() if one.keys is not None]
    numbered, keys, cells = _number_cells(tables, one=not plan.breakdowns and plan.step_ns is None)
    columns = {
        name: add_up(name, parts, cells)
        for name, parts in _parts_by_name(numbered).items()
        if not _is_list(name)
    }
    distinct: dict[int, Hashes] = {}
    numbers: dict[int, Numbers] = {}
    heat: dict[int, Heat] = {}
    for index, need in enumerate(plan.needs):
        check_cancelled()
        if need.state is State.DISTINCT:
            if found := _elements(numbered, f"a{index}_h"):
                distinct[index] = Hashes.of(found[0], found[1], cells, ordered=len(tables) == 1)
        elif need.state is State.QUANTILE:
            exact = _elements(numbered, f"a{index}_v", f"a{index}_vw")
            bucketed = _elements(numbered, f"a{index}_e", f"a{index}_ew")
            if exact or bucketed:
                numbers[index] = numbers_of(exact, bucketed, cells)
        elif need.state is State.HEATMAP:
            bins = _elements(numbered, f"a{index}_g", f"a{index}_gw")
            if bins:
                heat[index] = Heat.of(bins, cells, widths.get(index))
    ids = {id(one.table): one.ids for one in numbered}
    spans = {
        index: one.of_cells(ids.get(id(one.keys)), keys, cells) for index, one in opened.items()
    }
    return Merged(keys, cells, columns, distinct, numbers, heat, spans)


def _opened(plan: Plan, tables: Sequence[pa.Table]) -> dict[int, Opened]:
    """Spans that are open, by index of the need; a share has a table of them for each."""
    last = None
    if plan.step_ns is not None:
        last = (plan.end_ns - 1) // plan.step_ns - plan.start_ns // plan.step_ns
    found = {}
    for index, need in enumerate(plan.needs):
        mine = [one for one in tables if f"a{index}_o" in one.column_names]
        if need.state is State.CONCURRENCY and mine:
            found[index] = Opened(f"a{index}", mine, last)
    return found


def _is_of_open_spans(table: pa.Table) -> bool:
    return any(name.endswith("_oe") for name in table.column_names)


def _number_cells(
    tables: Sequence[pa.Table], *, one: bool
) -> tuple[list[_Numbered], pa.Table, int]:
    """(the tables with numbered cells, the keys of the cells, their number)."""
    check_cancelled()
    names = cell_names(tables)
    if len(tables) == 1:
        table = tables[0]
        if table.num_rows or not one:
            return [_Numbered(table, None)], table.select(names), table.num_rows
    if one:
        same = [_Numbered(t, np.zeros(t.num_rows, np.int64)) for t in tables]
        return same, pa.table({}), 1
    if not tables:  # no indexer has answered: the coverage says what is missing
        return [], pa.table({}), 0
    found = cell_ids(tables, names)
    first = pa.array(found.first)
    keys = pa.table({name: joined(tables, name).take(first) for name in names})
    # numbered as they first occur: row i of the first table is cell i
    ids = [None, *found.ids[1:]]
    numbered = [_Numbered(t, of) for t, of in zip(tables, ids, strict=True)]
    return numbered, keys, len(found.first)


def _parts_by_name(numbered: Sequence[_Numbered]) -> dict[str, list[Part]]:
    parts: dict[str, list[Part]] = {}
    for one in numbered:
        for name in one.table.column_names:
            if name.startswith("a"):
                parts.setdefault(name, []).append(Part(one.table.column(name), one.ids))
    return parts


def _is_list(name: str) -> bool:
    return name.endswith(("_h", "_v", "_vw", "_e", "_ew", "_g", "_gw"))


def _elements(numbered: Sequence[_Numbered], *names: str) -> tuple[Array, ...]:
    """(cell of each element, the elements of each list); nothing if no table has them."""
    found: list[tuple[Array, ...]] = []
    for one in numbered:
        if names[0] in one.table.column_names:
            lists = [flat(one.table.column(name)) for name in names]
            found.append((one.rows_of(lists[0][0]), *(elements for _, elements in lists)))
    return tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))
