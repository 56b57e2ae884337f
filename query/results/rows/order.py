"""Havings, order and limit over the cells of the totals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from query.plan.plan import Plan
from query.plan.spec import Having, HavingOp, Order, QuerySpec
from query.results.formulas.measures import Measures
from query.results.merge.merge import Merged
from query.results.rows.values import Values, compared, key_parts

Array = npt.NDArray[Any]
_COMPARE: dict[HavingOp, Callable[[Any, Any], Any]] = {
    HavingOp.EQ: np.equal,
    HavingOp.NE: np.not_equal,
    HavingOp.GT: np.greater,
    HavingOp.GE: np.greater_equal,
    HavingOp.LT: np.less,
    HavingOp.LE: np.less_equal,
}
_RANKS = {"n": 0, "f": 0, "b": 1, "s": 2}  # numbers before booleans before texts; missing last
_EXACT_DOUBLE_MAX = 2.0**53
_SortColumn = tuple[pa.Array | pa.ChunkedArray, str]


def passing_cells(
    spec: QuerySpec, plan: Plan, merged: Merged, measures: Measures | None = None
) -> Array:
    """bool by cell: whether it passes every having. measures: of these cells, if they are there."""
    measures = measures or Measures(spec, plan, merged)
    passing = np.ones(merged.cells, np.bool_)
    for having in spec.havings:
        passing &= _passes(having, measures.number(having.measure))
    return passing


def _passes(having: Having, values: Values) -> Array:
    """Integers are compared exactly with doubles, of which a large one is near several."""
    compare = _COMPARE[having.op]
    if isinstance(having.value, int):
        whole = compare(values.whole, having.value)
        real = compare(-compared(np.full_like(values.whole, having.value), values.real), 0)
    else:
        whole = compare(compared(values.whole, np.full_like(values.real, having.value)), 0)
        real = compare(values.real, having.value)
    has_number = values.held & ~np.isnan(values.real)  # sums of doubles may leave their range
    passing: Array = np.where(values.is_whole, whole, real) & has_number
    return passing


def first_cells(
    spec: QuerySpec,
    plan: Plan,
    merged: Merged,
    passing: Array,
    limit: int,
    measures: Measures | None = None,
) -> Array:
    """The first cells of those that pass, in the order of the answer.

    Cells without a value come last. Of equals the order of their keys decides, so that every split
    of the rows gives the same order. measures: of these cells, if they are there.
    """
    measures = measures or Measures(spec, plan, merged)
    kept = np.flatnonzero(passing)
    columns: list[_SortColumn] = []
    orders = spec.orders or (Order(spec.first_shown, descending=True),)
    if isinstance(orders[0].by, int) and limit < len(kept):
        values = measures.number(orders[0].by)
        kept = _perhaps_first(values, kept, limit, descending=orders[0].descending)
    for order in orders:
        direction = "descending" if order.descending else "ascending"
        if isinstance(order.by, int):
            columns += _by_value(measures.number(order.by), kept, direction)
        else:
            at = spec.breakdowns.index(order.by)
            columns += _by_key(merged, at, kept, direction)
    for at in range(len(spec.breakdowns)):
        columns += _by_key(merged, at, kept, "ascending")
    if not columns or len(kept) < 2:
        return kept[:limit]
    table = pa.table({f"c{at}": column for at, (column, _) in enumerate(columns)})
    keys = [(f"c{at}", direction) for at, (_, direction) in enumerate(columns)]
    if limit < len(kept):
        chosen = pc.select_k_unstable(table, limit, sort_keys=keys)
    else:
        chosen = pc.sort_indices(table, sort_keys=keys)
    ordered: Array = kept[chosen.to_numpy()]
    return ordered


def _perhaps_first(values: Values, kept: Array, limit: int, *, descending: bool) -> Array:
    """The cells that are among the first by this value, and all that are equal to the last one.

    Finding a value's rank costs a tenth of sorting, and few cells are sorted afterwards.
    """
    real, held = values.real[kept], values.held[kept]
    numbers = real[held]
    if len(numbers) <= limit or np.isnan(numbers).any():
        return kept
    at = len(numbers) - limit if descending else limit - 1
    last = np.partition(numbers, at)[at]
    near = real >= last if descending else real <= last
    chosen: Array = kept[held & near]
    return chosen


def _by_value(values: Values, kept: Array, direction: str) -> list[_SortColumn]:
    real, held = values.real[kept], values.held[kept]
    columns: list[_SortColumn] = [
        (pa.array(real) if held.all() else pa.array(real, mask=~held), direction)
    ]
    largest = max(real.max(initial=0), -real.min(initial=0))
    if not largest < _EXACT_DOUBLE_MAX:  # several integers have the same nearest double
        is_whole = values.is_whole[kept] & held
        beyond = ~is_whole & held & (real >= 2.0**63)  # more than each integer that rounds to it
        inside = ~is_whole & held & (np.abs(real) < 2.0**63)
        exact = np.where(is_whole, values.whole[kept], np.where(inside, real, 0).astype(np.int64))
        columns += [(pa.array(beyond.astype(np.int8)), direction), (pa.array(exact), direction)]
    return columns


def _by_key(merged: Merged, breakdown: int, kept: Array, direction: str) -> list[_SortColumn]:
    """Missing keys come last in both directions."""
    chosen = None if len(kept) == merged.cells else pa.array(kept)
    parts = key_parts(merged, breakdown)
    taken = {name: c if chosen is None else c.take(chosen) for name, c in parts.items()}
    columns: list[_SortColumn] = []
    if len({_RANKS[name] for name in taken}) > 1:
        rank = pa.nulls(len(kept), pa.int8())
        for name, column in taken.items():
            rank = pc.if_else(pc.is_valid(column), pa.scalar(_RANKS[name], pa.int8()), rank)
        columns.append((rank, direction))
    if "f" in taken and "n" in taken:
        nearest = pc.cast(taken["n"], pa.float64(), safe=False)
        columns.append((pc.coalesce(nearest, taken["f"]), direction))
        # 2^63 is a double, and more than each integer that rounds to it
        columns.append((pc.is_valid(taken["f"]).cast(pa.int8()), direction))
    for name, column in taken.items():
        kind = column.cast(pa.int8()) if name == "b" else column
        columns.append((kind, direction))
    return columns
