"""The first cells are those of the whole order, however few are wanted."""

import random
from typing import Any

import numpy as np
import pytest

from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, Having, HavingOp, Order, QuerySpec
from query.results.merge.merge import merge
from query.results.rows.order import first_cells, passing_cells
from tests.query.results.merge.test_merge import states_of
from tests.query.share.rows import Row

VALUES: list[Any] = [
    None,
    0,
    -1,
    0.5,
    2**53,
    2**53 + 1,
    2.0**53,
    -(2**63),
    2**63 - 1,
    2.0**63,
    -0.5,
]
ORDERS = [
    (),
    (Order(0, False),),
    (Order(1, True),),
    (Order(1, False), Order("g", True)),
    (Order(2, True), Order(0, True)),
    (Order("g", False), Order(1, True)),
]


@pytest.mark.parametrize("orders", ORDERS, ids=str)
@pytest.mark.parametrize("havings", [(), (Having(0, HavingOp.GE, 2),)])
def test_the_first_cells_are_those_of_the_whole_order(
    orders: tuple[Order, ...], havings: tuple[Having, ...]
) -> None:
    draw = random.Random(1)
    rows = []
    for group in range(60):
        value = draw.choice(VALUES)
        data = {"g": draw.choice([group, str(group), group + 0.5])}
        rows.append(Row(1, data | ({} if value is None else {"x": value}), draw.randrange(1, 4)))
    spec = QuerySpec(
        (Calculation("COUNT"), Calculation("MAX", "x"), Calculation("AVG", "x")),
        breakdowns=("g",),
        havings=havings,
        orders=orders,
        start_s=0,
        end_s=9,
    )
    asked = build_request(spec, "d", 10**18, disable_series=True)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    merged = merge(plan, [states_of(plan, rows)])
    passing = passing_cells(spec, plan, merged)
    whole = first_cells(spec, plan, merged, passing, merged.cells).tolist()
    assert sorted(whole) == np.flatnonzero(passing).tolist()
    for limit in (1, 2, 5, 17, len(whole) - 1):
        assert first_cells(spec, plan, merged, passing, limit).tolist() == whole[:limit]
