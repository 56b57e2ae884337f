"""Rows of results in the vendor's shape. Only cells that are sent become Python values."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common.model.times.written import rfc3339_s
from query.cancellation import check_cancelled
from query.plan.parts.conditions import GroupKey
from query.plan.plan import Plan
from query.plan.planner import QueryRequest
from query.plan.spec import QuerySpec
from query.results.calculations.heatmap import Heat, check_bins
from query.results.formulas.measures import Measures, empty_row
from query.results.merge.merge import Merged
from query.results.rows.json_rows import JsonRows, json_rows, json_texts, json_times
from query.results.rows.values import Shown, keys_shown
from query.results.series_forms.columns import columns_json
from query.share.states.cells import STEP, cell_ids, cell_names
from query.share.states.groups import groups_table, part_names

Array = npt.NDArray[Any]
_SECOND_NS: Final = 10**9
_ROWS_AT_ONCE: Final = 4_096  # more rows than these are never made together


class RowMaker:
    """Makes rows out of cells: the group's values, then the calculations and formulas.

    Values are calculated once, as arrays; Python values are made of the cells that are asked for.
    """

    def __init__(
        self,
        spec: QuerySpec,
        plan: Plan,
        merged: Merged,
        *,
        grouped: bool = True,
        measures: Measures | None = None,
    ) -> None:
        self._merged = merged
        self._fields = spec.breakdowns if grouped else ()
        self._values = (measures or Measures(spec, plan, merged)).shown()

    def rows(
        self, cells: Array, groups: Sequence[GroupKey] | None = None
    ) -> list[dict[str, Shown]]:
        """A row for each of these cells. groups: theirs, where they are known.

        Raises Unprocessable as `check` does.
        """
        self.check(cells)
        columns: dict[str, list[Shown]] = {}
        for at, field in enumerate(self._fields):
            if groups is None:
                columns[field] = [*keys_shown(self._merged, at, cells)]
            else:
                columns[field] = [group[at] for group in groups]
        for label, values in self._values.items():
            columns[label] = [*values.shown(cells)]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def check(self, cells: Array) -> None:
        """Raises Unprocessable if the values of these cells are more than an answer shows."""
        check_bins((one for one in self._values.values() if isinstance(one, Heat)), cells)

    def columns(self, cells: Array) -> dict[str, Sequence[Shown]]:
        """The calculations and formulas of these cells, by label."""
        return {label: values.shown(cells) for label, values in self._values.items()}

    def json_columns(self, cells: Array) -> dict[str, pa.Array]:
        """The calculations and formulas of these cells as JSON, by label."""
        return {label: values.json(cells) for label, values in self._values.items()}


def groups_of(plan: Plan, merged: Merged, cells: Array) -> list[GroupKey]:
    """The groups of these cells."""
    if not plan.breakdowns:
        return [()] * len(cells)
    keys = (keys_shown(merged, at, cells) for at in range(len(plan.breakdowns)))
    return list(zip(*keys, strict=True))


def series_parts(
    query: QueryRequest, plan: Plan, merged: Merged, groups: list[GroupKey]
) -> Iterator[JsonRows]:
    """One row per step and group, by time, then in the groups' order; some thousand at a time.

    Without breakdowns every step of the range has a row: COUNT is 0 and others are null in a
    step without events. With breakdowns a group has rows only where it has events.
    """
    maker = RowMaker(query.spec, plan, merged, grouped=bool(plan.breakdowns))
    if not plan.breakdowns:
        rows = _every_step(query, merged, maker)
        times = (rfc3339_s(start_s * _SECOND_NS) for start_s in _starts_s(query, range(len(rows))))
        shown = [{"time": time, "data": row} for time, row in zip(times, rows, strict=True)]
        yield JsonRows(msgspec.json.encode(shown)[1:-1], len(shown))
        return
    cells, ranks, steps = _cells_of_groups(merged, groups)
    order = np.argsort(steps * len(groups) + ranks)
    cells, ranks = cells[order], ranks[order]
    shown_steps, step_of = np.unique(steps[order], return_inverse=True)
    step_times = json_times(_starts_s(query, shown_steps.tolist()))
    keys = {
        field: json_texts([group[at] for group in groups])
        for at, field in enumerate(query.spec.breakdowns)
    }
    maker.check(cells)
    for at in range(0, len(cells), _ROWS_AT_ONCE):
        check_cancelled()
        some = slice(at, at + _ROWS_AT_ONCE)
        chosen = pa.array(ranks[some])
        columns = {field: texts.take(chosen) for field, texts in keys.items()}
        columns |= maker.json_columns(cells[some])
        yield json_rows(step_times.take(pa.array(step_of[some])), columns)


def series_columns(
    query: QueryRequest, plan: Plan, merged: Merged, groups: list[GroupKey]
) -> JsonRows:
    """The same values as `series_parts` has, as columns. rows: how many these would be."""
    maker = RowMaker(query.spec, plan, merged, grouped=bool(plan.breakdowns))
    if not plan.breakdowns:
        rows = _every_step(query, merged, maker)
        times_s = _starts_s(query, range(len(rows)))
        steps = np.arange(len(rows))
        columns = {label: [row[label] for row in rows] for label in empty_row(query.spec)}
        places = np.zeros(len(rows), np.int64), steps
        return JsonRows(columns_json(times_s, (), [()], places, lambda _: columns), len(rows))
    cells, ranks, steps = _cells_of_groups(merged, groups)
    order = np.lexsort((steps, ranks))
    cells, ranks = cells[order], ranks[order]
    shown_steps, step_of = np.unique(steps[order], return_inverse=True)
    maker.check(cells)
    found = columns_json(
        _starts_s(query, shown_steps.tolist()),
        query.spec.breakdowns,
        groups,
        (ranks, step_of),
        lambda some: maker.columns(cells[some]),
    )
    return JsonRows(found, len(cells))


def _starts_s(query: QueryRequest, steps: Iterable[int]) -> list[int]:
    """When steps begin, in unix seconds. steps: numbered from the range's first one."""
    first = query.start_ns // query.step_ns
    return [(first + step) * query.step_ns // _SECOND_NS for step in steps]


def _cells_of_groups(merged: Merged, groups: list[GroupKey]) -> tuple[Array, Array, Array]:
    """(the cells of these groups, the group of each, its step), in no order."""
    if not merged.cells:
        none = np.zeros(0, np.int64)
        return none, none, none
    names = {name for name in cell_names([merged.keys]) if name != STEP} | part_names(groups)
    wanted = groups_table(groups, sorted(names))
    # the wanted groups are numbered first
    ranks = cell_ids([wanted, merged.keys], sorted(names)).ids[1]
    cells = np.flatnonzero(ranks < len(groups))
    return cells, ranks[cells], merged.keys.column(STEP).to_numpy()[cells]


def _every_step(query: QueryRequest, merged: Merged, maker: RowMaker) -> list[dict[str, Shown]]:
    count = -(-query.end_ns // query.step_ns) - query.start_ns // query.step_ns
    held = merged.keys.column(STEP).to_numpy() if merged.cells else np.zeros(0, np.int64)
    at_step = dict(zip(held.tolist(), maker.rows(np.arange(merged.cells)), strict=True))
    empty = empty_row(query.spec)
    return [at_step.get(step, empty) for step in range(count)]
