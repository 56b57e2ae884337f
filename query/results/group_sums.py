"""Sums over all groups of an answer, and over the groups that it does not list.

Only for additive calculations: COUNT and SUM. Other calculations over all events are not the sum
of their groups; `disable_total_by_aggregate: false` requests them (`query.results.other_row`).
"""

import math
from collections.abc import Iterable
from typing import Any

from query.plan.plan import GroupKey, Plan, State
from query.plan.spec import Calculation, QuerySpec
from query.results.merge import Merged
from query.results.results import whole_number


def group_sums(
    spec: QuerySpec, plan: Plan, merged: Merged, passing: list[GroupKey], returned: int
) -> dict[str, Any]:
    """The member `groups` of an answer.

    total: number of groups that pass the havings.
    returned: number of listed groups.
    all: by label, each additive calculation over all groups that pass.
    other: by label, the same over the groups that are not listed.
    """
    additive = [c for c in spec.calculations if _adds_up(c)]
    return {
        "total": len(passing),
        "returned": returned,
        "all": {c.label: _sum(plan, merged, c, passing) for c in additive},
        "other": {c.label: _sum(plan, merged, c, passing[returned:]) for c in additive},
    }


def _adds_up(calculation: Calculation) -> bool:
    return calculation.op == "SUM" or calculation.need.state is State.COUNT


def _sum(
    plan: Plan, merged: Merged, calculation: Calculation, groups: Iterable[GroupKey]
) -> int | float | None:
    """COUNT: 0 without events; SUM: None without a number."""
    name = f"a{plan.needs.index(calculation.need)}"
    rows = (merged.main.get((group, None), {}) for group in groups)
    if calculation.op == "COUNT":
        return whole_number(sum(row.get(f"{name}_w") or 0 for row in rows))
    whole, real = 0, list[float]()
    seen = False
    for row in rows:
        isum, fsum = row.get(f"{name}_isum"), row.get(f"{name}_fsum")
        if row.get(f"{name}_w") is not None:
            seen = True
            whole += int(isum or 0)
            if fsum is not None:
                real.append(fsum)
    if not seen:
        return None
    return whole_number(whole) if not real else _float_sum(whole, real)


def _float_sum(whole: int, real: list[float]) -> float | None:
    try:
        total = math.fsum([float(whole), *real])
    except (OverflowError, ValueError):  # beyond the range of a double
        return None
    return total if math.isfinite(total) else None
