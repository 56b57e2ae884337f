"""Rows of results in the vendor's shape. Only cells that are sent become Python values."""

from typing import Any

import numpy as np
import numpy.typing as npt

from common.model.times.written import rfc3339_s
from query.plan.plan import GroupKey, Plan
from query.plan.planner import QueryRequest
from query.plan.spec import QuerySpec
from query.results.merge import Merged
from query.results.values import Value, calculated, keys_shown
from query.share.states.cells import STEP, cell_ids, cell_names
from query.share.states.groups import groups_table

Array = npt.NDArray[Any]


def data_rows(
    spec: QuerySpec, plan: Plan, merged: Merged, cells: Array, *, grouped: bool = True
) -> list[dict[str, Value]]:
    """A row for each of these cells: the group's values, then the calculations."""
    columns: dict[str, list[Value]] = {}
    if grouped:
        for at, field in enumerate(spec.breakdowns):
            columns[field] = keys_shown(merged, at, cells)
    for calculation in spec.calculations:
        columns[calculation.label] = calculated(plan, merged, calculation).shown(cells)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def groups_of(plan: Plan, merged: Merged, cells: Array) -> list[GroupKey]:
    """The groups of these cells."""
    if not plan.breakdowns:
        return [()] * len(cells)
    keys = (keys_shown(merged, at, cells) for at in range(len(plan.breakdowns)))
    return list(zip(*keys, strict=True))


def series_rows(
    query: QueryRequest, plan: Plan, merged: Merged, groups: list[GroupKey]
) -> list[dict[str, Any]]:
    """One row per step and group, by time, then in the groups' order.

    Without breakdowns every step of the range has a row: COUNT is 0 and others are null in a
    step without events. With breakdowns a group has rows only where it has events.
    """
    if plan.breakdowns:
        cells, steps = _cells_of_groups(merged, groups)
        rows = data_rows(query.spec, plan, merged, cells)
    else:
        rows, steps = _every_step(query, plan, merged)
    first = query.start_ns // query.step_ns
    times = {step: rfc3339_s((first + step) * query.step_ns) for step in set(steps)}
    return [{"time": times[step], "data": row} for step, row in zip(steps, rows, strict=True)]


def _cells_of_groups(merged: Merged, groups: list[GroupKey]) -> tuple[Array, list[int]]:
    """(the cells of these groups, the step of each), by step, then in the groups' order."""
    if not merged.cells:
        return np.zeros(0, np.int64), []
    names = [name for name in cell_names([merged.keys]) if name != STEP]
    wanted = groups_table(groups, names)
    ranks = cell_ids([wanted, merged.keys], names).ids[1]  # the wanted groups are numbered first
    steps = merged.keys.column(STEP).to_numpy()
    cells = np.flatnonzero(ranks < len(groups))
    cells = cells[np.lexsort((ranks[cells], steps[cells]))]
    return cells, steps[cells].tolist()


def _every_step(
    query: QueryRequest, plan: Plan, merged: Merged
) -> tuple[list[dict[str, Value]], list[int]]:
    spec = query.spec
    first = query.start_ns // query.step_ns
    count = -(-query.end_ns // query.step_ns) - first
    held = merged.keys.column(STEP).to_numpy() if merged.cells else np.zeros(0, np.int64)
    rows = data_rows(spec, plan, merged, np.arange(merged.cells), grouped=False)
    at_step = dict(zip(held.tolist(), rows, strict=True))
    empty = {c.label: 0 if c.op in ("COUNT", "COUNT_DISTINCT") else None for c in spec.calculations}
    return [at_step.get(step, empty) for step in range(count)], list(range(count))
