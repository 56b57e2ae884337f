"""The rows beside the listed groups: one over all groups, and OTHER over those not listed.

They are merged from the shares of all groups, so that every calculation is exact and not only those
that add up (`query.results.group_sums`).
"""

from typing import Any

from query.plan.plan import GroupKey, Plan
from query.plan.spec import QuerySpec
from query.results.merge import Answers, merge
from query.results.results import data_row


def total_row(spec: QuerySpec, plan: Plan, shares: Answers) -> dict[str, Any]:
    """The member `total_by_aggregate`: the calculations over all groups."""
    merged = merge(plan, shares, by_group=False)
    return data_row(spec, plan, merged, ((), None), grouped=False)


def other_row(
    spec: QuerySpec, plan: Plan, shares: Answers, listed: list[GroupKey]
) -> dict[str, Any]:
    """The member `other_by_aggregate`: the calculations over the groups that are not listed."""
    shown = frozenset(listed)
    merged = merge(plan, shares, by_group=False, keep=lambda group: group not in shown)
    return data_row(spec, plan, merged, ((), None), grouped=False)
