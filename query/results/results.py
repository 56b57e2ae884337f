"""Results in the vendor's shape: values of calculations, order, havings, limit, series."""

from collections.abc import Callable
from typing import Any

from common.model.times.written import rfc3339_s
from query.plan.operations import PERCENTILES
from query.plan.plan import GroupKey, Plan, State
from query.plan.planner import QueryRequest
from query.plan.spec import Calculation, Having, HavingOp, QuerySpec
from query.results.chunked import sort_stably
from query.results.merge import Cell, Merged

Value = int | float | str | bool | None
_EXACT_DOUBLE_MAX = 2**53
_JSON_INT_MAX = 2**63 - 1
_COMPARE: dict[HavingOp, Callable[[Any, Any], bool]] = {
    HavingOp.EQ: lambda a, b: a == b,
    HavingOp.NE: lambda a, b: a != b,
    HavingOp.GT: lambda a, b: a > b,
    HavingOp.GE: lambda a, b: a >= b,
    HavingOp.LT: lambda a, b: a < b,
    HavingOp.LE: lambda a, b: a <= b,
}


def calculated(plan: Plan, merged: Merged, cell: Cell, calculation: Calculation) -> Value:
    """The value of a calculation in a cell; None where no event has a number (COUNT: 0)."""
    index = plan.needs.index(calculation.need)
    row = merged.main.get(cell, {})
    name = f"a{index}"
    state = calculation.need.state
    if state is State.COUNT:
        return whole_number(row.get(f"{name}_w") or 0)
    if state is State.DISTINCT:
        return merged.distinct[index].get(cell, 0) if index in merged.distinct else 0
    if state is State.QUANTILE:
        quantiles = merged.quantiles.get(index, {}).get(cell)
        value = None if quantiles is None else quantiles.at(PERCENTILES[calculation.op])
        return _tidy(value)
    return _number(calculation.op, name, row)


def _number(op: str, name: str, row: dict[str, Any]) -> Value:
    if op in ("MIN", "MAX"):
        end = op.lower()
        found = [v for v in (row.get(f"{name}_i{end}"), row.get(f"{name}_f{end}")) if v is not None]
        if not found:
            return None
        return whole_number(min(found) if op == "MIN" else max(found))
    isum, fsum, weight = (row.get(f"{name}_{part}") for part in ("isum", "fsum", "w"))
    if weight is None or (isum is None and fsum is None):
        return None
    total: int | float = int(isum or 0) if fsum is None else float(int(isum or 0)) + fsum
    return whole_number(total) if op == "SUM" else total / weight


def whole_number(value: int | float) -> int | float:
    """The value; an integer beyond 64 bits becomes the nearest double."""
    return float(value) if isinstance(value, int) and abs(value) > _JSON_INT_MAX else value


def _tidy(value: float | None) -> Value:
    if value is not None and value.is_integer() and abs(value) <= _EXACT_DOUBLE_MAX:
        return int(value)
    return value


def key_value(tagged: str | None) -> Value:
    """The value of a tagged key; None where the field is missing."""
    if tagged is None:
        return None
    tag, text = tagged[0], tagged[1:]
    if tag == "b":
        return text == "true"
    if tag == "n":
        return int(text) if text.lstrip("-").isdigit() else float(text)
    return text


def top_groups(query: QueryRequest, plan: Plan, merged: Merged) -> list[GroupKey]:
    """The groups to return: the first of those that pass the havings, up to the limit."""
    return passing_groups(query, plan, merged)[: query.limit]


def passing_groups(query: QueryRequest, plan: Plan, merged: Merged) -> list[GroupKey]:
    """Every group that passes the havings, in the order of the answer."""
    spec = query.spec
    groups = [group for group, _ in merged.main]
    if not spec.breakdowns:
        groups = [()]
    needed = {h.calculation for h in spec.havings} | _ordered_by(spec)
    values = {
        group: {
            index: calculated(plan, merged, (group, None), spec.calculations[index])
            for index in needed
        }
        for group in groups
    }
    kept = [g for g in groups if all(_passes(h, values[g]) for h in spec.havings)]
    sort_stably(kept, lambda group: [_rank(key_value(k)) for k in group])
    for order in reversed(spec.orders or ()):
        _sort(kept, values, spec, order.by, order.descending)
    if not spec.orders:
        _sort(kept, values, spec, 0, True)
    return kept


def _ordered_by(spec: QuerySpec) -> set[int]:
    if not spec.orders:
        return {0}
    return {order.by for order in spec.orders if isinstance(order.by, int)}


def _sort(
    groups: list[GroupKey],
    values: dict[GroupKey, dict[int, Value]],
    spec: QuerySpec,
    by: int | str,
    descending: bool,
) -> None:
    """Sort stably, so that earlier orders decide; groups without a value always come last."""

    def value(group: GroupKey) -> Value:
        if isinstance(by, str):
            return key_value(group[spec.breakdowns.index(by)])
        return values[group][by]

    known = [group for group in groups if value(group) is not None]
    unknown = [group for group in groups if value(group) is None]
    sort_stably(known, lambda group: _rank(value(group)), reverse=descending)
    groups[:] = known + unknown


def _rank(value: Value) -> tuple[int, Any]:
    """Numbers before booleans before texts; missing last."""
    if value is None:
        return (3, 0)
    if isinstance(value, bool):
        return (1, value)
    return (2, value) if isinstance(value, str) else (0, value)


def _passes(having: Having, values: dict[int, Value]) -> bool:
    value = values[having.calculation]
    return value is not None and _COMPARE[having.op](value, having.value)


def data_row(
    spec: QuerySpec, plan: Plan, merged: Merged, cell: Cell, *, grouped: bool = True
) -> dict[str, Value]:
    """One row of results: the group's values, then the calculations."""
    row: dict[str, Value] = {}
    if grouped:
        for field, tagged in zip(spec.breakdowns, cell[0], strict=True):
            row[field] = key_value(tagged)
    for calculation in spec.calculations:
        row[calculation.label] = calculated(plan, merged, cell, calculation)
    return row


def series_rows(
    query: QueryRequest, plan: Plan, merged: Merged, groups: list[GroupKey]
) -> list[dict[str, Any]]:
    """One row per step and group, by time, then in the groups' order.

    Without breakdowns every step of the range has a row: COUNT is 0 and others are null in a
    step without events. With breakdowns a group has rows only where it has events.
    """
    spec = query.spec
    first = query.start_ns // query.step_ns
    times = -(-query.end_ns // query.step_ns) - first
    rows = []
    ranks = {group: rank for rank, group in enumerate(groups)}
    if plan.breakdowns:
        cells = [cell for cell in merged.main if cell[1] is not None and cell[0] in ranks]
        sort_stably(cells, lambda cell: (cell[1] or 0, ranks[cell[0]]))
    else:
        cells = [((), step) for step in range(times)]
    for cell in cells:
        time = rfc3339_s((first + (cell[1] or 0)) * query.step_ns)
        data = data_row(spec, plan, merged, cell, grouped=bool(plan.breakdowns))
        rows.append({"time": time, "data": data})
    return rows
