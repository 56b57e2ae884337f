"""Reads a query specification. Every fault has the member, its value and the allowed values.

Members that are not known are refused by name, never ignored.
"""

from collections.abc import Sequence
from typing import Any

from common import limits
from query.faults import SpecError
from query.plan.read.axis import read_axis
from query.plan.read.calculated import read_calculated
from query.plan.read.calculation import (
    check_calculations,
    read_calculation,
    read_combination,
)
from query.plan.read.checks import column_of, items_of, object_of, whole_of
from query.plan.read.filters import read_filters
from query.plan.read.formulas import read_formulas
from query.plan.read.measures import read_having, read_order
from query.plan.read.per import calculation_havings, check_per, read_per, read_per_filters
from query.plan.spec import (
    Calculation,
    QuerySpec,
    TimeAxis,
)

_KNOWN = (
    "id", "calculations", "filters", "filter_combination", "breakdowns", "orders", "havings",
    "limit", "start_time", "end_time", "time_range", "granularity", "usage_mode",
    "compare_time_offset_seconds", "per", "calculated_fields", "time_axis", "formulas",
)  # fmt: skip
TIME_S_MIN, TIME_S_MAX = -9_223_372_036, 9_223_372_035  # unix s; their ns fit 64 bits


def read_spec(body: object, axes: Sequence[TimeAxis] = (TimeAxis.START,)) -> QuerySpec:
    """Check a decoded specification. axes: those that are possible here. Raises SpecError."""
    spec = object_of(body, "")
    for name in spec:
        if name not in _KNOWN:
            raise SpecError(
                name, "invalid", f"is not a part of a query; known: {', '.join(_KNOWN)}"
            )
    calculations = tuple(items_of(spec, "calculations", read_calculation)) or (
        Calculation("COUNT"),
    )
    _no_repeats("calculations", [c.label for c in calculations])
    breakdowns = tuple(items_of(spec, "breakdowns", column_of))
    _no_repeats("breakdowns", list(breakdowns))
    for label in {c.label for c in calculations} & set(breakdowns):
        raise SpecError(
            "calculations", "invalid", f"{label} is a breakdown: give the calculation a name"
        )
    check_calculations(calculations)
    formulas = read_formulas(spec, calculations, breakdowns)
    measures = *calculations, *formulas
    orders = tuple(items_of(spec, "orders", lambda o, at: read_order(o, at, measures, breakdowns)))
    havings = tuple(read_having(h, at, measures) for h, at in calculation_havings(spec))
    start = whole_of(spec, "start_time", TIME_S_MIN, TIME_S_MAX)
    end = whole_of(spec, "end_time", TIME_S_MIN, TIME_S_MAX)
    length = whole_of(spec, "time_range", 1, TIME_S_MAX)
    granularity = whole_of(spec, "granularity", 0, TIME_S_MAX)
    _check_times(start, end, length, granularity)
    read = QuerySpec(
        calculations=calculations,
        filters=read_filters(spec),
        any_filter=read_combination(spec),
        breakdowns=breakdowns,
        orders=orders,
        havings=havings,
        formulas=formulas,
        limit=whole_of(spec, "limit", 1, limits.QUERY_LIMIT_NO_SERIES_MAX),
        start_s=start,
        end_s=end,
        range_s=length,
        granularity_s=granularity or None,
        calculated=read_calculated(spec),
        unweighted=_flag(spec, "usage_mode"),
        compare_s=_compare(spec),
        time_axis=read_axis(spec, axes),
        per=read_per(spec),
        per_filters=read_per_filters(spec),
    )
    check_per(read)
    return read


def _no_repeats(name: str, labels: list[str]) -> None:
    for index, label in enumerate(labels):
        if label in labels[:index]:
            raise SpecError(f"{name}[{index}]", "invalid", f"{label} is there twice")


def _flag(spec: dict[str, Any], name: str) -> bool:
    value = spec.get(name)
    if value is not None and not isinstance(value, bool):
        raise SpecError(name, "incorrect_type", "must be true or false")
    return bool(value)


def _compare(spec: dict[str, Any]) -> int | None:
    most = limits.COMPARE_OFFSET_S_MAX
    return whole_of(spec, "compare_time_offset_seconds", 0, most) or None


def _check_times(
    start: int | None, end: int | None, length: int | None, granularity: int | None
) -> None:
    if start is not None and end is not None:
        if length is not None:
            raise SpecError("time_range", "invalid", "cannot stand beside both start and end time")
        if start >= end:
            raise SpecError("end_time", "invalid", "must be after start_time")
        length = end - start
    length = length or limits.QUERY_RANGE_S_DEFAULT
    if not granularity:
        return
    least = -(-length // limits.SERIES_POINTS_MAX)
    if not least <= granularity <= length:
        allowed = f"between {least} (range / {limits.SERIES_POINTS_MAX}) and {length} (the range)"
        raise SpecError("granularity", "invalid", f"must be {allowed} seconds")
