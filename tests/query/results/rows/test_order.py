"""The order of groups is that of exact values, also where several have the same nearest double."""

import json
import operator

import pytest

from query.plan.spec import Calculation, Having, HavingOp, Order, QuerySpec
from tests.query.results.merge.test_merge import answer
from tests.query.share.rows import Row

# ascending; neighbours within 2^53 and its kind have the same nearest double
ASCENDING = [-(2**63), -(2**53) - 1, -(2.0**53), 2.0**53, 2**53 + 1, 2**63 - 2, 2**63 - 1, 2.0**63]


def rows(field: str) -> list[Row]:
    shuffled = ASCENDING[::2] + ASCENDING[1::2]
    return [Row(10**9, {field: value, "g": f"{ASCENDING.index(value)}"}) for value in shuffled]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [3, 100])
@pytest.mark.parametrize("by_key", [False, True])
def test_integers_and_doubles_that_are_almost_equal_are_ordered_exactly(
    by_key: bool, limit: int, descending: bool
) -> None:
    spec = QuerySpec(
        (Calculation("MAX", "x"),),
        breakdowns=("x",) if by_key else ("g",),
        orders=(Order("x" if by_key else 0, descending),),
        start_s=0,
        end_s=9,
    )
    every = rows("x")
    for parts in ([every], [every[:3], every[3:]], [[row] for row in every]):
        data, _ = json.loads(answer(spec, parts, limit))
        found = [one["data"]["MAX(x)"] for one in data["results"]]
        assert found == (ASCENDING[::-1] if descending else ASCENDING)[:limit]


def test_equal_values_are_ordered_by_group_whatever_their_types() -> None:
    spec = QuerySpec((Calculation("MAX", "x"),), breakdowns=("g",), start_s=0, end_s=9)
    every = [
        Row(10**9, {"x": 2**60, "g": "b"}),
        Row(10**9, {"x": 2.0**60, "g": "a"}),
        Row(10**9, {"x": 2.0**60, "g": "c"}),
    ]
    data, _ = json.loads(answer(spec, [every], 9))
    assert [one["data"]["g"] for one in data["results"]] == ["a", "b", "c"]


@pytest.mark.parametrize("limit", ASCENDING)
@pytest.mark.parametrize("op", list(HavingOp))
def test_havings_compare_integers_and_doubles_exactly(op: HavingOp, limit: float) -> None:
    having = Having(0, op, limit)
    spec = QuerySpec(
        (Calculation("MAX", "x"),), breakdowns=("g",), havings=(having,), start_s=0, end_s=9
    )
    data, _ = json.loads(answer(spec, [rows("x")], 100))
    compare = getattr(operator, op.name.lower())  # Python compares them exactly
    passing = [value for value in ASCENDING if compare(value, limit)]
    assert [one["data"]["MAX(x)"] for one in data["results"]] == passing[::-1]
