"""An answer says how many groups there are, and what those that it does not list add up to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, Having, HavingOp, QuerySpec
from query.results.merge.merge import merge
from query.results.rows.order import first_cells, passing_cells
from query.results.totals.group_sums import group_sums
from query.share.compute.computation import Computation
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, view

CALCULATIONS = (Calculation("COUNT"), Calculation("SUM", "x"), Calculation("COUNT", "x", "with_x"),
                Calculation("MAX", "x"))  # fmt: skip


def answered(rows: list[Row], limit: int, havings: tuple[Having, ...] = ()) -> dict[str, object]:
    spec = QuerySpec(CALCULATIONS, breakdowns=("g",), havings=havings, start_s=0, end_s=9)
    request = build_request(spec, "d", 10**18, disable_series=True, limit=limit)
    plan = totals_plan(request, at_least={}, wait_ms=0)
    share = Computation(plan, [view(blocks=[block(rows)])], databases()).run()
    merged = merge(plan, [share.states])
    passing = passing_cells(spec, plan, merged)
    listed = first_cells(spec, plan, merged, passing, request.limit)
    return group_sums(spec, plan, merged, passing, listed)


@settings(max_examples=15, deadline=None)
@given(
    values=st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(-9, 9)), min_size=1),
    limit=st.integers(1, 7),
)
def test_listed_and_other_groups_are_all_of_them(
    values: list[tuple[int, int | None]], limit: int
) -> None:
    rows = [Row(0, {"g": g} | ({} if x is None else {"x": x}), 2) for g, x in values]
    found = answered(rows, limit)
    groups = {g for g, _ in values}
    numbers = [2 * x for _, x in values if x is not None]
    assert found["total"] == len(groups)
    assert found["returned"] == min(limit, len(groups))
    assert found["all"] == {
        "COUNT": 2 * len(values),
        "SUM(x)": sum(numbers) if numbers else None,
        "with_x": 2 * len(numbers),
    }
    if limit >= len(groups):
        assert found["other"] == {"COUNT": 0, "SUM(x)": None, "with_x": 0}


def test_others_are_the_groups_beyond_the_limit_that_pass_the_havings() -> None:
    rows = [Row(0, {"g": g, "x": 0.5}) for g in range(5) for _ in range(g + 1)]
    having = (Having(0, HavingOp.GT, 1),)
    found = answered(rows, 2, having)  # of the groups of 5, 4, 3 and 2 events the first two
    assert found["total"] == 4
    assert found["other"] == {"COUNT": 5, "SUM(x)": 2.5, "with_x": 5}
    assert found["all"] == {"COUNT": 14, "SUM(x)": 7.0, "with_x": 14}


def test_sums_beyond_the_range_of_a_double_are_null() -> None:
    rows = [Row(0, {"g": g, "x": 1e308}) for g in range(3)]
    found = answered(rows, 1)
    assert found["all"] == {"COUNT": 3, "SUM(x)": None, "with_x": 3}
    assert found["other"] == {"COUNT": 2, "SUM(x)": None, "with_x": 2}


@pytest.mark.parametrize("large", [2**62, -(2**62)])
def test_sums_of_integers_are_exact_up_to_what_json_holds(large: int) -> None:
    rows = [Row(0, {"g": g, "x": large}) for g in range(3)]
    found = answered(rows, 1)
    assert found["other"] == {"COUNT": 2, "SUM(x)": float(2 * large), "with_x": 2}
