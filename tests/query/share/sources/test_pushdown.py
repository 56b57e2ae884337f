"""What reaches the Parquet scan: bare comparisons, and times only where they can matter."""

from pathlib import Path

import pytest

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, State
from query.share.sources.sources import gather
from query.share.states.statements import Statements
from segment.columns.key import TIME
from tests.query.share.databases import databases
from tests.query.share.rows import Row, segment, view


def scanned(folder: Path, one: Filter, rows: list[Row]) -> str:
    """The plan of a COUNT over a segment of these rows, as DuckDB explains it."""
    plan = Plan(dataset="d", start_ns=0, end_ns=100, needs=(Need(State.COUNT),), filters=(one,))
    statements = Statements(plan, gather(plan, [view(segments=[segment(rows, folder)])]))
    with databases().use() as connection:
        text = f"EXPLAIN {statements.main()}"
        found = connection.execute(text, statements.parameters).fetchall()
    return " ".join("".join(line for _, line in found).replace("│", " ").split())


@pytest.mark.parametrize(
    ("one", "seen"),
    [
        (Filter("s", FilterOp.EQ, ("b",)), "f:s:s = 'b'"),
        (Filter("i", FilterOp.GE, (5,)), "f:i:i >= 5"),
        (Filter("f", FilterOp.LT, (0.5,)), "f:f:f < 0.5"),
        (Filter("", FilterOp.ALL_OF, inside=(Filter("s", FilterOp.EQ, ("b",)),)), "f:s:s = 'b'"),
    ],
)
def test_comparison_of_a_field_of_one_type_reaches_the_scan(
    tmp_path: Path, one: Filter, seen: str
) -> None:
    rows = [Row(at, {"s": "abc"[at % 3], "i": at, "f": at / 4}) for at in range(12)]
    explained = scanned(tmp_path, one, rows)
    assert seen in explained
    assert "coalesce" not in explained.lower()


def test_negated_comparison_is_true_for_rows_without_the_field(tmp_path: Path) -> None:
    rows = [Row(1, {"s": "a"}), Row(2, {"s": "b"}), Row(3, {})]
    one = view(segments=[segment(rows, tmp_path)])
    plan = Plan(
        dataset="d",
        start_ns=0,
        end_ns=100,
        needs=(Need(State.COUNT),),
        filters=(
            Filter("", FilterOp.NONE_OF, inside=(
                Filter("", FilterOp.ANY_OF, inside=(Filter("s", FilterOp.EQ, ("a",)),)),)),
        ),
    )  # fmt: skip
    statements = Statements(plan, gather(plan, [one]))
    with databases().use() as connection:
        found = connection.execute(statements.main(), statements.parameters).fetchall()
    assert found == [(2,)]


def test_times_are_compared_only_in_segments_that_reach_beyond_the_range(tmp_path: Path) -> None:
    inside = segment([Row(10, {"x": 1}), Row(20, {"x": 2})], tmp_path)
    across = segment([Row(50, {"x": 1}), Row(150, {"x": 2})], tmp_path, 2)
    plan = Plan(dataset="d", start_ns=0, end_ns=100, needs=(Need(State.COUNT),))
    selects = gather(plan, [view(segments=[inside, across])]).sql.split(" UNION ALL ")
    compared = {f'"{TIME}" <' in one: one for one in selects}
    assert str(inside.path) in compared[False]
    assert str(across.path) in compared[True]
