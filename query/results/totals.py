"""The totals of a query: its listed groups, and what is said about all of them."""

from typing import Any, NamedTuple

from query.plan.plan import GroupKey, Plan
from query.plan.planner import QueryRequest
from query.results.group_sums import group_sums
from query.results.merge import Answers, merge
from query.results.other_row import other_row, total_row
from query.results.results import data_row, passing_groups


class Totals(NamedTuple):
    """The totals in the vendor's shape.

    top: the listed groups, in the order of the answer.
    data: the members `results`, `total_by_aggregate` and `other_by_aggregate`.
    groups: the member `groups`; None without breakdowns.
    """

    top: list[GroupKey]
    data: dict[str, Any]
    groups: dict[str, Any] | None


def merge_totals(query: QueryRequest, plan: Plan, shares: Answers) -> Totals:
    """Merge the states of shares and calculate what the query asks for."""
    merged = merge(plan, shares)
    spec = query.spec
    passing = passing_groups(query, plan, merged)
    top = passing[: query.limit]
    groups = group_sums(spec, plan, merged, passing, len(top)) if spec.breakdowns else None
    data: dict[str, Any] = {
        "results": [{"data": data_row(spec, plan, merged, (group, None))} for group in top]
    }
    if query.with_total:
        data["total_by_aggregate"] = total_row(spec, plan, shares)
    if query.with_other and spec.breakdowns:
        data["other_by_aggregate"] = other_row(spec, plan, shares, top)
    return Totals(top, data, groups)
