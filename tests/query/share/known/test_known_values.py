"""SQL uses what is known of all rows: whether each has a value, and between which integers."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from query.plan.plan import CalculatedField, Need, Plan, State
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.sources import gather
from query.share.states.statements import Statements
from tests.query.share.rows import Row, block, segment, view

PLAN = Plan(
    dataset="d",
    start_ns=0,
    end_ns=10**9,
    needs=(Need(State.NUMBER, "calc"),),
    calculated=(CalculatedField("calc", "$x * 3 + 1"),),
)
SMALL = [Row(at, {"x": value}) for at, value in enumerate([-5, 0, 2**31])]


def sql_of(stored: Sequence[Sequence[Row]], live: Sequence[Row], folder: Path) -> str:
    segments = [segment(rows, folder, at * 100) for at, rows in enumerate(stored)]
    blocks = [block(live, 1_000)] if live else []
    sources = gather(PLAN, [view(segments=segments, blocks=blocks)], None, FooterFacts())
    return Statements(PLAN, sources).main()


def test_integers_that_cannot_leave_64_bits_are_computed_without_looking(tmp_path: Path) -> None:
    for stored, live in (([SMALL, SMALL[:1]], []), ([], SMALL), ([SMALL], SMALL)):
        sql = sql_of(stored, live, tmp_path)
        assert "TRY(" not in sql
        assert "coalesce" not in sql
        assert "DOUBLE" not in sql


@pytest.mark.parametrize(
    "other",
    [Row(5, {"x": 2**62}), Row(5, {"y": 1}), Row(5, {"x": 0.5}), Row(5, {"x": "1"})],
    ids=["too large", "without a value", "a double", "a text"],
)
def test_one_other_row_anywhere_is_enough_to_look(other: Row, tmp_path: Path) -> None:
    for stored, live in (([SMALL, [other]], []), ([SMALL], [other]), ([], [*SMALL, other])):
        sql = sql_of(stored, live, tmp_path)
        assert "TRY(" in sql or "coalesce" in sql


def test_a_product_with_the_greatest_rate_fits_or_is_computed_wider(tmp_path: Path) -> None:
    assert "HUGEINT" not in sql_of([[Row(0, {"x": 2**30})]], [], tmp_path)
    assert "HUGEINT" in sql_of([[Row(0, {"x": 2**33})]], [], tmp_path)
