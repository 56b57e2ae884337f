"""Series of a query, and totals from the same states where that is cheaper.

Series of all groups hold all that their totals need. They are asked for at once where they have few
cells: without breakdowns, or where the same breakdowns had few groups lately. Otherwise the totals
come first, and then the series of the listed groups alone.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from common import limits
from query.plan.operations import RATES
from query.plan.parts.conditions import GroupKey
from query.plan.plan import Plan
from query.plan.planner import QueryRequest, series_plan, totals_plan
from query.plan.spec import QuerySpec
from query.results.merge.merge import Answers, Merged, merge
from query.results.rows.results import series_columns, series_parts
from query.results.series_forms.columns import COLUMNS, NO_COLUMNS
from query.results.totals.totals import Totals, totals_of
from query.share.states.cells import STEP, cell_names

SERIES, TOTAL_SERIES = "series", "total_by_aggregate_series"  # members of an answer's data


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """A series as JSON, in the form that is asked for. count: of rows, which columns stand for."""

    json: msgspec.Raw
    count: int


_NONE: Final = EncodedRows(msgspec.Raw(b"[]"), 0)
_NONE_IN_COLUMNS: Final = EncodedRows(msgspec.Raw(NO_COLUMNS), 0)


def no_series(query: QueryRequest) -> EncodedRows:
    """A series without any step."""
    return _NONE_IN_COLUMNS if query.series_form == COLUMNS else _NONE


class GroupCounts:
    """How many groups breakdowns had the last time, of a bounded number of them."""

    def __init__(self) -> None:
        self._counts: OrderedDict[_Grouping, int] = OrderedDict()

    def record(self, query: QueryRequest, groups: int) -> None:
        """The number of groups that a query had."""
        self._counts[_grouping(query)] = groups
        self._counts.move_to_end(_grouping(query))
        while len(self._counts) > limits.GROUP_COUNTS_MAX:
            self._counts.popitem(last=False)

    def few_cells(self, query: QueryRequest) -> bool:
        """Whether series of all groups are expected to have few cells."""
        groups = self._counts.get(_grouping(query)) if query.spec.breakdowns else 1
        if groups is None:
            return False
        steps = -(-(query.end_ns - query.start_ns) // query.step_ns) + 1
        return groups * steps <= limits.SERIES_AT_ONCE_CELLS_MAX


_Grouping = tuple[str, str, tuple[str, ...]]


def _grouping(query: QueryRequest) -> _Grouping:
    """What a number of groups is known of: each environment has its own `__all__`."""
    return query.env, query.dataset, query.spec.breakdowns


def needs_steps(spec: QuerySpec) -> bool:
    """Whether totals can be made of values by step alone."""
    return any(calculation.op in RATES for calculation in spec.calculations)


class SeriesWanted(NamedTuple):
    """A series that has to be asked for. member: of the answer's data. widths: as in `Totals`."""

    member: str
    plan: Plan
    groups: list[GroupKey]
    widths: dict[int, int]


def with_steps(query: QueryRequest, totals: Plan) -> Plan:
    """The plan of totals, whose shares have a cell for each group and step."""
    return msgspec.structs.replace(totals, step_ns=query.step_ns)


def merge_at_once(query: QueryRequest, plan: Plan, shares: Answers) -> Totals | None:
    """Totals with their series, out of the states of all groups by step.

    None if numbers are in buckets: those of the totals alone might be exact.
    """
    merged = merge(plan, shares)
    if merged.in_buckets and not needs_steps(query.spec):
        return None
    names = [name for name in cell_names([merged.keys]) if name != STEP]
    no_group = plan.breakdowns and not merged.cells
    totals = totals_of(query, plan, merged if no_group else merged.by(names))
    if not query.with_series:
        return totals
    totals.data[SERIES] = (
        _encoded(query, plan, merged, totals.top) if totals.top else no_series(query)
    )
    _add_total_series(query, plan, merged, totals.data)
    return totals


def series_wanted(
    query: QueryRequest, plan: Plan, totals: Totals, upto: dict[int, int]
) -> list[SeriesWanted]:
    """The series over the same rows as the totals."""
    wanted = []
    if totals.top:  # if they are all groups, no row has to be compared with them
        only = None if totals.all_listed else tuple(totals.top)
        listed = series_plan(query, plan, upto, only)
        wanted.append(SeriesWanted(SERIES, listed, totals.top, totals.widths))
    if query.with_total and query.spec.breakdowns:
        every = series_plan(query, plan, upto, None, grouped=False)
        wanted.append(SeriesWanted(TOTAL_SERIES, every, [()], totals.widths))
    return wanted


def merge_series(query: QueryRequest, wanted: SeriesWanted, shares: Answers) -> EncodedRows:
    """The rows of a series."""
    merged = merge(wanted.plan, shares, wanted.widths)
    return _encoded(query, wanted.plan, merged, wanted.groups)


def _add_total_series(
    query: QueryRequest, plan: Plan, merged: Merged, data: dict[str, Any]
) -> None:
    if not query.with_total:
        return
    if not query.spec.breakdowns:
        data[TOTAL_SERIES] = data[SERIES]
        return
    every = msgspec.structs.replace(plan, breakdowns=())
    # without cells there is no column of steps, either, in states of version 1
    steps = merged.by([STEP]) if merged.cells else merged
    data[TOTAL_SERIES] = _encoded(query, every, steps, [()])


def _encoded(
    query: QueryRequest, plan: Plan, merged: Merged, groups: list[GroupKey]
) -> EncodedRows:
    if query.series_form == COLUMNS:
        found = series_columns(query, plan, merged, groups)
        return EncodedRows(msgspec.Raw(found.json), found.rows)
    parts = list(series_parts(query, plan, merged, groups))
    together = b",".join(part.json for part in parts)
    return EncodedRows(msgspec.Raw(b"[%b]" % together), sum(part.rows for part in parts))


def first_plan(
    query: QueryRequest, *, at_once: bool, at_least: dict[int, int], wait_ms: int, log: str
) -> Plan:
    """The plan of the totals, or of totals and series at once."""
    plan = totals_plan(query, at_least=at_least, wait_ms=wait_ms, log=log)
    return with_steps(query, plan) if at_once else plan
