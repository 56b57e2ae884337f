"""Sums over all groups of an answer, and over the groups that it does not list.

Only for additive calculations: COUNT and SUM. Other calculations over all events are not the sum
of their groups; `disable_total_by_aggregate: false` requests them (`query.results.totals.totals`).
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from query.plan.plan import Plan, State
from query.plan.spec import Calculation, QuerySpec
from query.results.merge.columns import exact_sum, sum_of_doubles
from query.results.merge.merge import Merged

Array = npt.NDArray[Any]
_JSON_INT_MAX = 2**63 - 1


def group_sums(
    spec: QuerySpec, plan: Plan, merged: Merged, passing: Array, listed: Array
) -> dict[str, Any]:
    """The member `groups` of an answer. passing: bool by cell. listed: the listed cells.

    total: number of groups that pass the havings.
    returned: number of listed groups.
    all: by label, each additive calculation over all groups that pass.
    other: by label, the same over the groups that are not listed.
    """
    additive = [c for c in spec.calculations if _adds_up(c) and not c.hidden]
    others = passing.copy()
    others[listed] = False
    return {
        "total": int(passing.sum()),
        "returned": len(listed),
        "all": {c.label: _sum(plan, merged, c, passing) for c in additive},
        "other": {c.label: _sum(plan, merged, c, others) for c in additive},
    }


def _adds_up(calculation: Calculation) -> bool:
    return calculation.op == "SUM" or calculation.need.state is State.COUNT


def _sum(plan: Plan, merged: Merged, calculation: Calculation, kept: Array) -> int | float | None:
    """COUNT: 0 without events; SUM: None without a number."""
    name = f"a{plan.needs.index(calculation.need)}"
    taken = {
        kind: merged.columns[f"{name}_{kind}"]
        for kind in ("w", "isum", "fsum")
        if f"{name}_{kind}" in merged.columns
    }
    if not kept.all():
        chosen = np.flatnonzero(kept)
        taken = {kind: column.take(chosen) for kind, column in taken.items()}
    if calculation.op == "COUNT":
        return _whole_number(exact_sum(taken["w"]) if "w" in taken else 0)
    if "w" not in taken or not taken["w"].held.any():
        return None
    whole = exact_sum(taken["isum"]) if "isum" in taken else 0
    if "fsum" not in taken or not taken["fsum"].held.any():
        return _whole_number(whole)
    total = sum_of_doubles(taken["fsum"].values[taken["fsum"].held])
    try:
        total = math.fsum([float(whole), total])
    except (OverflowError, ValueError):  # beyond the range of a double
        return None
    return total if math.isfinite(total) else None


def _whole_number(value: int) -> int | float:
    """The value; an integer beyond 64 bits becomes the nearest double."""
    return float(value) if abs(value) > _JSON_INT_MAX else value
