"""Reads one calculation of a query specification: its operator, column, name and filters."""

from typing import Any

from query.faults import SpecError
from query.plan.operations import SUPPORTED_OPS, WITHOUT_COLUMN
from query.plan.read.checks import column_of, object_of
from query.plan.read.filters import check_together, read_filters
from query.plan.spec import Calculation

_KNOWN = ("op", "column", "name", "filters", "filter_combination", "hidden")


def read_op(item: dict[str, Any], key: str, at: str) -> str:
    """The operator. Raises SpecError."""
    op = item.get(key)
    if op is None:
        raise SpecError(f"{at}.{key}", "missing", "cannot be blank")
    if not isinstance(op, str):
        raise SpecError(f"{at}.{key}", "incorrect_type", "must be a string")
    if op not in SUPPORTED_OPS:
        known = ", ".join(SUPPORTED_OPS)
        raise SpecError(f"{at}.{key}", "invalid", f"{op[:40]!r} is not one of {known}")
    return op


def read_combination(item: dict[str, Any], at: str = "") -> bool:
    """Whether one matching filter is enough. Raises SpecError."""
    combination = item.get("filter_combination") or "AND"
    if combination not in ("AND", "OR"):
        name = f"{at}.filter_combination" if at else "filter_combination"
        raise SpecError(name, "invalid", "must be AND or OR")
    return bool(combination == "OR")


def read_calculation(value: object, at: str) -> Calculation:
    """A calculation. Raises SpecError."""
    item = object_of(value, at)
    for key in item:
        if key not in _KNOWN:
            why = f"is not a part of a calculation: {', '.join(_KNOWN)}"
            raise SpecError(f"{at}.{key[:100]}", "invalid", why)
    op = read_op(item, "op", at)
    column = item.get("column")
    if column is not None and op in WITHOUT_COLUMN:
        raise SpecError(f"{at}.column", "invalid", f"{op} takes no column")
    if column is not None:
        column = column_of(column, f"{at}.column")
    elif op != "COUNT" and op not in WITHOUT_COLUMN:
        raise SpecError(f"{at}.column", "missing", f"{op} needs a column")
    name = item.get("name")
    if name is not None and not isinstance(name, str):
        raise SpecError(f"{at}.name", "incorrect_type", "must be a string")
    filters, hidden = read_filters(item, f"{at}.filters"), item.get("hidden", False)
    if not isinstance(hidden, bool):
        raise SpecError(f"{at}.hidden", "incorrect_type", "must be true or false")
    any_filter = read_combination(item, at) and bool(filters)
    return Calculation(op, column, name, filters, any_filter, hidden)


def check_calculations(calculations: tuple[Calculation, ...]) -> None:
    """Bounds that the filters of all calculations keep together. Raises SpecError."""
    every = {one.filters: None for one in calculations if one.filters}
    check_together(tuple(f for filters in every for f in filters), "calculations")
