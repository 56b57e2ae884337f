"""The totals of a query: its listed groups, and what is said about all of them and about others.

All of it comes from the merged states of the groups: the row over all groups and OTHER, the row
over those that are not listed, are exact for every calculation, not only for those that add up.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from query.plan.parts.conditions import GroupKey
from query.plan.plan import Plan
from query.plan.planner import QueryRequest
from query.plan.spec import QuerySpec
from query.results.compare.listed import group_keys, listed_cells
from query.results.formulas.measures import Measures
from query.results.merge.merge import Answers, Merged, merge
from query.results.rows.order import first_cells, passing_cells
from query.results.rows.results import RowMaker, groups_of
from query.results.rows.values import Shown
from query.results.totals.group_sums import group_sums


class Totals(NamedTuple):
    """The totals in the vendor's shape.

    top: the listed groups, in the order of the answer; of an answer that is compared with another,
        those that are listed there.
    data: the members `results`, `total_by_aggregate` and `other_by_aggregate`.
    groups: the member `groups`; None without breakdowns.
    cells: number of groups, before havings and limit.
    widths: of the bins of heatmaps, by index of the need.
    keys: theirs, a row per group.
    gone: listed groups of an earlier answer that the present range does not have.
    """

    top: list[GroupKey]
    data: dict[str, Any]
    groups: dict[str, Any] | None
    cells: int
    widths: dict[int, int]
    keys: pa.Table
    gone: list[GroupKey]

    @property
    def all_listed(self) -> bool:
        """Whether no event is outside of the listed groups."""
        return len(self.top) == self.cells


def merge_totals(query: QueryRequest, plan: Plan, shares: Answers) -> Totals:
    """Merge the states of shares and calculate what the query asks for."""
    return totals_of(query, plan, merge(plan, shares))


def totals_of(query: QueryRequest, plan: Plan, merged: Merged) -> Totals:
    """What the query asks for. merged: a cell per group."""
    spec = query.spec
    measures = Measures(spec, plan, merged)
    passing = passing_cells(spec, plan, merged, measures)
    if query.beside is None:
        same = first_cells(spec, plan, merged, passing, query.limit, measures)
        gone = np.zeros(0, np.int64)
    else:
        same, gone = listed_cells(spec, plan, merged, passing, query.limit, query.beside)
    listed = np.concatenate([same, gone])
    groups = group_sums(spec, plan, merged, passing, listed) if spec.breakdowns else None
    shown = groups_of(plan, merged, listed)
    rows = RowMaker(spec, plan, merged, measures=measures).rows(listed, shown)
    data: dict[str, Any] = {"results": [{"data": row} for row in rows]}
    everything = np.ones(merged.cells, np.bool_)
    if query.with_total:
        data["total_by_aggregate"] = _one_row(spec, plan, merged.one_cell(everything))
    if query.with_other and spec.breakdowns:
        everything[listed] = False
        data["other_by_aggregate"] = _one_row(spec, plan, merged.one_cell(everything))
    widths = {index: heat.width for index, heat in merged.heat.items()}
    top, more = shown[: len(same)], shown[len(same) :]
    return Totals(top, data, groups, merged.cells, widths, group_keys(merged), more)


def _one_row(spec: QuerySpec, plan: Plan, merged: Merged) -> dict[str, Shown]:
    return RowMaker(spec, plan, merged, grouped=False).rows(np.zeros(1, np.int64))[0]
