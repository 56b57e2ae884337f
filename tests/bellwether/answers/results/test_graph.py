"""Graphs: what shares a bar is joined as suits the calculation, zero is no gap, one scale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.answers.results.graph import Axis, Join, axis_of, join_of, joined, scale_of

FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e150, max_value=1e150)


@pytest.mark.parametrize(
    ("op", "join"),
    [
        ("COUNT", Join.SUM),
        ("SUM", Join.SUM),
        ("MAX", Join.LARGEST),
        ("P50", Join.LARGEST),
        ("P999", Join.LARGEST),
        ("COUNT_DISTINCT", Join.LARGEST),
        ("MIN", Join.SMALLEST),
        ("AVG", Join.MEAN),
    ],
)
def test_steps_are_joined_as_suits_the_calculation(op: str, join: Join) -> None:
    assert join_of(op) is join


@pytest.mark.parametrize(
    ("join", "weights", "found"),
    [
        (Join.SUM, None, [3.0, 7.0]),
        (Join.LARGEST, None, [2.0, 4.0]),
        (Join.SMALLEST, None, [1.0, 3.0]),
        (Join.MEAN, None, [1.5, 3.5]),
        (Join.MEAN, [3.0, 1.0, 0.0, 9.0], [1.25, 4.0]),
        (Join.MEAN, [0.0, 0.0, None, 1.0], [1.5, 3.5]),
    ],
)
def test_two_steps_become_one_value(
    join: Join, weights: list[float | None] | None, found: list[float]
) -> None:
    assert joined([1.0, 2.0, 3.0, 4.0], 2, join, weights) == found


@pytest.mark.parametrize("join", list(Join))
def test_a_gap_stays_one_only_where_no_step_has_a_value(join: Join) -> None:
    assert joined([None, None, None, 5.0], 2, join) == [None, 5.0]


@given(st.lists(st.none() | FLOATS, max_size=200), st.sampled_from(list(Join)))
def test_every_bar_is_drawn(values: list[float | None], join: Join) -> None:
    line = joined(values, 32, join)
    bars = scale_of([line]).bars(line)
    size = max(1, -(-len(values) // 32))
    assert len(bars) == -(-len(values) // size) <= 32
    assert [bar == " " for bar in bars] == [value is None for value in line]


def test_zero_stands_apart_from_little_and_from_a_gap() -> None:
    assert scale_of([[0.0, 1000.0]]).bars([0.0, 0.001, None, 500.0, 1000.0]) == "▁▂ ▅█"


@pytest.mark.parametrize("least", [5e-324, 1e-310, -5e-324])
def test_the_smallest_numbers_there_are_can_be_drawn(least: float) -> None:
    assert len(scale_of([[least, 0.0]]).bars([least, 0.0])) == 2


def test_all_lines_have_one_scale() -> None:
    scale = scale_of([[1.0, 2.0], [8.0, None]])
    assert scale.bars([1.0, 2.0]) == "▂▃"
    assert scale.bars([8.0, None]) == "█ "


def test_values_below_zero_begin_at_the_smallest() -> None:
    assert scale_of([[-7.0, 0.0, 7.0]]).bars([-7.0, 0.0, 7.0]) == "▁▅█"
    assert scale_of([[-2.0, -1.0]]).bars([-2.0, -1.0]) == "▁▅"


def test_one_peak_within_a_thousand_steps_is_seen() -> None:
    values: list[float | None] = [1.0] * 999 + [100.0]
    line = joined(values, 32, join_of("P99"))
    assert scale_of([line]).bars(line) == "▂" * 31 + "█"


def test_steady_counts_are_a_flat_line_however_many_steps_share_a_bar() -> None:
    for steps in range(33, 400):
        line = joined([5.0] * steps, 32, Join.SUM)
        assert len(set(line[:-1])) == 1  # the last bar may have fewer steps, and no bar has more
        assert line[-1] <= line[0]  # type: ignore[operator]


def test_the_axis_has_the_steps_that_no_group_has_a_row_for() -> None:
    document = {
        "data": {"series": [{"time": "2020-01-01T00:01:00Z", "data": {"COUNT": 1}}]},
        "range": {"start_time": 1_577_836_805, "end_time": 1_577_837_101, "granularity": 60},
    }
    axis = axis_of(document)
    assert axis == Axis(1_577_836_800, 60, 6)
    assert axis.step_of("2020-01-01T00:01:00Z") == 1
    assert axis.step_of("2020-01-01T00:01:01Z") is None
    assert axis.step_of("2020-01-01T00:06:00Z") is None
