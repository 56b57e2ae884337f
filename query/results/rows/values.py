"""Values of calculations, one per cell, as arrays; Python values only of the rows that are sent."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from query.cancellation import check_cancelled
from query.plan.operations import PERCENTILES, RATES
from query.plan.plan import Plan, State
from query.plan.spec import Calculation
from query.results.calculations.heatmap import Bin, Heat, no_heat
from query.results.calculations.rates import Rates
from query.results.merge.columns import Column, whole_64
from query.results.merge.merge import Merged
from query.results.rows.json_rows import json_numbers
from query.share.states.cells import STEP, cell_ids

Array = npt.NDArray[Any]
Value = int | float | str | bool | None
Shown = Value | list[Bin]
_EXACT_DOUBLE_MAX = 2.0**53


class Values(NamedTuple):
    """Numbers by cell.

    real: the nearest double.
    whole: int64, where is_whole says that the number is whole and shown without a point.
    held: whether the cell has a number.
    """

    real: Array
    whole: Array
    is_whole: Array
    held: Array

    def shown(self, cells: Array) -> list[Value]:
        """The Python values of these cells."""
        held, is_whole = self.held[cells], self.is_whole[cells]
        if held.all() and is_whole.all():
            return list(self.whole[cells].tolist())
        columns = (self.real[cells], self.whole[cells], is_whole, held)
        return [
            (w if flag else r) if there else None
            for r, w, flag, there in zip(*(c.tolist() for c in columns), strict=True)
        ]

    def json(self, cells: Array) -> pa.Array:
        """As `shown`, a column of JSON texts."""
        return json_numbers(self.shown(cells))


def shown_values(plan: Plan, merged: Merged, calculation: Calculation) -> Values | Heat:
    """The values of a calculation, as rows show them."""
    if calculation.need.state is State.HEATMAP:
        return merged.heat.get(plan.needs.index(calculation.need)) or no_heat(merged.cells)
    return calculated(plan, merged, calculation)


def empty_value(calculation: Calculation) -> Shown:
    """The value in a step without events."""
    if calculation.need.state is State.HEATMAP:
        return []
    return 0 if calculation.op in ("COUNT", "COUNT_DISTINCT", "CONCURRENCY") else None


def calculated(plan: Plan, merged: Merged, calculation: Calculation) -> Values:
    """The values of a calculation; none where no event has a number (COUNT: 0).

    Of a heatmap, which is no number, how many events it has.
    """
    check_cancelled()
    if calculation.op in RATES:
        return _rate(plan, merged, replace(calculation, op=RATES[calculation.op]))
    index = plan.needs.index(calculation.need)
    state = calculation.need.state
    if state is State.CONCURRENCY:
        spans = merged.opened.get(index)
        return _whole(_zeros(merged) if spans is None else spans.values())
    if state is State.COUNT:
        column = merged.columns.get(f"a{index}_w")
        return _whole(_zeros(merged) if column is None else column.values)
    if state is State.DISTINCT:
        hashes = merged.distinct.get(index)
        return _whole(_zeros(merged) if hashes is None else hashes.counts())
    if state is State.HEATMAP:
        heat = merged.heat.get(index)
        return _whole(_zeros(merged) if heat is None else heat.counts())
    if state is State.QUANTILE:
        if index not in merged.numbers:
            return _none(merged)
        return _tidy(*merged.numbers[index].at(PERCENTILES[calculation.op]))
    if calculation.op in ("MIN", "MAX"):
        return _end(merged, f"a{index}", calculation.op.lower())
    return _sum(merged, f"a{index}", average=calculation.op == "AVG")


def _rate(plan: Plan, merged: Merged, of: Calculation) -> Values:
    """How fast a calculation changes, by step; of totals, on average over the range."""
    if merged.finer is not None:
        by_step, cells = merged.finer
        finest = by_step.by_step_of(cells)
        groups = finest.keys.column("of").to_numpy()
        kept = groups >= 0
        rates = _rates(plan, finest, np.where(kept, groups, 0), kept, of)
        return _real(*rates.by_group(merged.cells))
    names = [name for name in merged.keys.column_names if name != STEP]
    if STEP not in merged.keys.column_names:  # without any event there is no step
        return _none(merged)
    everywhere = np.ones(merged.cells, np.bool_)
    groups = cell_ids([merged.keys], names).ids[0]
    return _real(*_rates(plan, merged, groups, everywhere, of).by_cell())


def _rates(plan: Plan, merged: Merged, groups: Array, kept: Array, of: Calculation) -> Rates:
    assert plan.step_ns is not None
    values, steps = calculated(plan, merged, of), merged.keys.column(STEP).to_numpy()
    return Rates(groups, steps, values.real, values.held & kept, plan.step_ns / 1e9)


def _zeros(merged: Merged) -> Array:
    return np.zeros(merged.cells, np.int64)


def _none(merged: Merged) -> Values:
    return _real(np.zeros(merged.cells), np.zeros(merged.cells, np.bool_))


def _whole(values: Array) -> Values:
    everywhere = np.ones(len(values), np.bool_)
    return Values(values.astype(np.float64), values, everywhere, everywhere)


def _real(values: Array, held: Array) -> Values:
    return Values(values, np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_), held)


def _tidy(values: Array, held: Array) -> Values:
    """Whole numbers are shown without a point, as far as doubles are exact."""
    whole = (np.trunc(values) == values) & (np.abs(values) <= _EXACT_DOUBLE_MAX)
    return Values(values, np.where(whole, values, 0).astype(np.int64), whole, held)


def _end(merged: Merged, name: str, end: str) -> Values:
    whole, real = (merged.columns.get(f"{name}_{kind}{end}") for kind in "if")
    if whole is None and real is None:
        return _none(merged)
    if real is None:
        assert whole is not None
        return Values(whole.values.astype(np.float64), whole.values, whole.held, whole.held)
    if whole is None:
        return _real(real.values, real.held)
    sign = compared(whole.values, real.values)
    first = sign <= 0 if end == "min" else sign >= 0
    is_whole = whole.held & (~real.held | first)
    nearest = np.where(is_whole, whole.values.astype(np.float64), real.values)
    return Values(nearest, whole.values, is_whole, whole.held | real.held)


def compared(whole: Array, real: Array) -> Array:
    """-1, 0 or 1: how integers compare with doubles, exactly."""
    near = whole.astype(np.float64)
    inside = (near == real) & (real < 2.0**63)
    exact = np.where(inside, real, 0).astype(np.int64)
    # integers that round to the double 2^63 are all smaller than it
    rounded = np.where(near < real, -1, np.where(near > real, 1, -1))
    return np.where(inside, np.sign(np.where(whole < exact, -1, whole > exact)), rounded)


def _sum(merged: Merged, name: str, *, average: bool) -> Values:
    whole, real = (merged.columns.get(f"{name}_{kind}sum") for kind in "if")
    if whole is None and real is None:
        return _none(merged)
    exact, fits, total, held = _exact(whole, merged)
    is_whole = held & fits
    if real is not None:
        with np.errstate(invalid="ignore", over="ignore"):
            total = total + np.where(real.held, real.values, 0.0)
        is_whole = is_whole & ~real.held
        held = held | real.held
    if not average:
        return Values(total, exact, is_whole, held)
    weights = merged.columns[f"{name}_w"].values
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return _real(np.where(held, total / weights, 0.0), held)


def _exact(whole: Column | None, merged: Merged) -> tuple[Array, Array, Array, Array]:
    """(the exact sums, whether they fit 64 bits, the nearest doubles, whether there is one)."""
    if whole is None:
        no = np.zeros(merged.cells, np.bool_)
        return _zeros(merged), no, np.zeros(merged.cells), no
    return *whole_64(whole), whole.held


def key_parts(merged: Merged, breakdown: int) -> dict[str, pa.ChunkedArray]:
    """The parts of a breakdown's keys that occur: n, f, b, s."""
    start = f"k{breakdown}_"
    names = [name for name in merged.keys.column_names if name.startswith(start)]
    return {name.removeprefix(start): merged.keys.column(name) for name in names}


def keys_shown(merged: Merged, breakdown: int, cells: Array) -> list[Value]:
    """The keys of these cells as Python values; None where the field is missing."""
    parts = key_parts(merged, breakdown)
    chosen = pa.array(cells)
    lists: list[list[Value]] = [column.take(chosen).to_pylist() for column in parts.values()]
    if len(lists) == 1:
        return lists[0]
    if not lists:
        return [None] * len(cells)
    return [next((v for v in row if v is not None), None) for row in zip(*lists, strict=True)]
