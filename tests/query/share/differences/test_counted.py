"""Few events are counted column by column: what comes out is what SQL counts."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from common import limits
from query.differences.request import read_differences_request
from query.plan.plan import Plan
from query.share.compute.computation import Computation
from query.share.states.buckets import bucket_middles
from tests.query.differences.generated import START_S
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, Value, block, view

VALUES: list[Value | Json | None] = [
    1, 1.0, 2.5, True, False, "1", "true", "\u00e9" * 300, None, -3, 0, -0.0, 2**53 + 1, 2.0**70,
    "", Json("[1]"),
]  # fmt: skip


def odd(value: Value | Json | None) -> dict[str, Value | Json]:
    return {} if value is None else {"odd": value}


FIELDS = ("odd", "id", "missing", "ms")
ROWS = [
    Row(
        (START_S + at) * 10**9,
        {
            "id": f"id{at}",
            "ms": at * 0.5 - 30,
            **odd(VALUES[at % 16]),
        },
        1 + at % 3,
    )
    for at in range(600)
]
SLOW = [{"column": "ms", "op": ">", "value": 100}]


def counted() -> list[dict[str, Any]]:
    """The state `values` of what differs between slow events and others."""
    asked = {
        "query": {"start_time": START_S, "end_time": START_S + 3_600},
        "selection": SLOW,
    }
    plan: Plan = read_differences_request(asked, "d" * 24, 0).plan(
        FIELDS, at_least={}, wait_ms=0, log=""
    )
    share = Computation(plan, [view(0, blocks=[block(ROWS)])], databases()).run()
    found: list[dict[str, Any]] = share.states["values"].to_pylist()
    return found


def of(rows: list[dict[str, Any]], field: str) -> Counter[tuple[object, ...]]:
    """Each value of a field, with its weights."""
    values = (one for one in rows if one["field"] == FIELDS.index(field) and not one["again"])
    return Counter(tuple(one[part] for part in (*"nfbs", "wi", "wo")) for one in values)


def test_values_of_every_type_are_those_that_sql_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    few = counted()
    monkeypatch.setattr(limits, "DIFFERENCES_SMALL", 0)
    many = counted()
    assert of(few, "odd") == of(many, "odd")
    assert len(of(few, "odd")) == 14  # 1 and 1.0 are one number, so are 0 and -0.0, and none
    assert of(few, "missing") == of(many, "missing") == Counter()


def test_values_that_are_not_listed_are_added_up_and_numbers_are_in_buckets_too() -> None:
    rows = counted()
    inside = sum(1 + at % 3 for at in range(600) if at * 0.5 - 30 > 100)
    outside = sum(1 + at % 3 for at in range(600)) - inside
    for field in ("odd", "id", "ms"):
        some = [one for one in rows if one["field"] == FIELDS.index(field) and not one["again"]]
        assert sum(one["wi"] for one in some) == inside
        assert sum(one["wo"] for one in some) == outside
    [others] = [one for one in rows if one["others"] and one["field"] == FIELDS.index("id")]
    assert others["number"] == 600 - limits.DIFFERENCES_TEXTS_LISTED
    buckets = [one for one in rows if one["again"] and one["field"] == FIELDS.index("ms")]
    assert sum(one["wi"] for one in buckets) == inside
    assert sum(one["wo"] for one in buckets) == outside
    middles = bucket_middles(np.array([one["e"] for one in buckets if one["wi"]]))
    assert middles.min() == pytest.approx(100.5, rel=0.01)


def test_more_values_than_one_statement_may_read_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = counted()
    monkeypatch.setattr(limits, "DIFFERENCES_TEXT_CELLS_MAX", 600)
    by_one = counted()
    assert [of(at_once, one) for one in FIELDS] == [of(by_one, one) for one in FIELDS]
