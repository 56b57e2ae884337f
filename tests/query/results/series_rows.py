"""Rows of series, read from their JSON."""

from typing import Any

import msgspec

from query.plan.parts.conditions import GroupKey
from query.plan.plan import Plan
from query.plan.planner import QueryRequest
from query.results.merge.merge import Merged
from query.results.rows.results import series_parts


def series_rows(
    query: QueryRequest, plan: Plan, merged: Merged, groups: list[GroupKey]
) -> list[dict[str, Any]]:
    found = []
    for part in series_parts(query, plan, merged, groups):
        rows = msgspec.json.decode(b"[%b]" % part.json)
        assert len(rows) == part.rows
        found += rows
    return found
