"""Reads orders and havings: by which calculation, formula or breakdown rows are ordered, and what
their values must be.
"""

from collections.abc import Sequence
from typing import Any

from query.faults import SpecError
from query.plan.read.calculation import read_op
from query.plan.read.checks import object_of, scalar_of
from query.plan.spec import Calculation, Formula, Having, HavingOp, Order

Measures = Sequence[Calculation | Formula]


def read_order(value: object, at: str, measures: Measures, breakdowns: Sequence[str]) -> Order:
    """An order. `column` alone is a breakdown, or the name of a calculation or formula.

    Raises SpecError.
    """
    item = object_of(value, at)
    direction = item.get("order") or "ascending"
    if direction not in ("ascending", "descending"):
        raise SpecError(f"{at}.order", "invalid", "must be ascending or descending")
    descending = direction == "descending"
    column = item.get("column")
    if item.get("op") is None:
        if column is None:
            raise SpecError(at, "missing", "needs an op or a column")
        if column in breakdowns:
            return Order(column, descending)
        named = _named(measures, column)
        if named is not None:
            return Order(named, descending)
        why = "must be one of the breakdowns, or the name of a calculation or formula"
        raise SpecError(f"{at}.column", "invalid", why)
    op = read_op(item, "op", at)
    return Order(_find(measures, op, column, at), descending)


def read_having(value: object, at: str, measures: Measures) -> Having:
    """A having. Without `calculate_op`, `column` is the name of a calculation or formula.

    Raises SpecError.
    """
    item = object_of(value, at)
    column = item.get("column")
    if item.get("calculate_op") is None and column is not None:
        found = _named(measures, column)
        if found is None:
            why = "must be the name of a calculation or formula; a calculation has a calculate_op"
            raise SpecError(f"{at}.column", "invalid", why)
        at_measure = f"{at}.column"
    else:
        at_measure, op = f"{at}.calculate_op", read_op(item, "calculate_op", at)
        if op == "HEATMAP":
            raise SpecError(at_measure, "invalid", "a heatmap is no number to compare")
        found = _find(measures, op, column, at)
    measure = measures[found]
    if isinstance(measure, Calculation) and measure.op == "HEATMAP":
        raise SpecError(at_measure, "invalid", "a heatmap is no number to compare")
    return Having(found, _comparison(item, at), _number(item, at))


def _comparison(item: dict[str, Any], at: str) -> HavingOp:
    try:
        return HavingOp(item.get("op", ""))
    except ValueError as error:
        known = " ".join(o.value for o in HavingOp)
        raise SpecError(f"{at}.op", "invalid", f"must be one of {known}") from error


def _number(item: dict[str, Any], at: str) -> int | float:
    value = item.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{at}.value", "incorrect_type", "must be a number")
    number = scalar_of(value, f"{at}.value")
    assert isinstance(number, int | float)
    return number


def _named(measures: Measures, name: object) -> int | None:
    """The index of the calculation or formula of this name."""
    return next((index for index, one in enumerate(measures) if one.name == name), None)


def _find(measures: Measures, op: str, column: object, at: str) -> int:
    """The index of a calculation by operator and column."""
    wanted = [(op, column)] if column else [(op, column), (op, None)]  # "" may mean no column
    calculations = [(i, c) for i, c in enumerate(measures) if isinstance(c, Calculation)]
    # of two that are written alike, the one without filters of its own
    calculations.sort(key=lambda found: bool(found[1].filters))
    for one in wanted:
        for index, calculation in calculations:
            if (calculation.op, calculation.column) == one:
                return index
    label = op if column is None else f"{op}({column})"
    raise SpecError(at, "invalid", f"{label} must be one of the calculations")
