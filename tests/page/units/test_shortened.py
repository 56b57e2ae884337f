"""What is drawn of many things loses none: compared traces' spans, and peaks of graphs' lines."""

import random
from typing import Any

import pytest

from tests.page.units.node import answer_of

pytestmark = pytest.mark.slow
WIDTH, HEIGHT = 100, 40
Line = dict[str, Any]


def made(told: dict[str, Any]) -> Any:
    return answer_of("shortened.mjs", told)


def spans(*steps: tuple[int, str]) -> list[Line]:
    """Lines of a trace by depth and name; each span is called after its place."""
    return [
        {"kind": "span", "depth": depth, "name": name, "span_id": f"{at} {name}"}
        for at, (depth, name) in enumerate(steps)
    ]


def any_trace(dice: random.Random) -> list[Line]:
    steps, depth = [(0, "a")], 0
    for _ in range(dice.randrange(40)):
        depth = dice.randint(1, depth + 1)
        steps.append((depth, dice.choice("abc")))
    return spans(*steps)


def test_the_same_step_of_two_traces_stands_in_one_row_and_others_are_marked() -> None:
    one = spans((0, "root"), (1, "plan"), (2, "make"), (2, "make"), (1, "end"))
    other = spans((0, "root"), (1, "plan"), (2, "make"), (2, "check"), (1, "end"))
    (rows,) = made({"pairs": [[one, other]], "lines": []})["pairs"]
    assert rows == [
        ["0 root", "0 root", False],
        ["1 plan", "1 plan", False],
        ["2 make", "2 make", False],
        ["3 make", None, True],
        [None, "3 check", False],
        ["4 end", "4 end", False],
    ]


def test_every_span_of_any_two_traces_stands_in_one_row_in_the_order_of_its_trace() -> None:
    dice = random.Random(5)
    pairs = [[any_trace(dice), any_trace(dice)] for _ in range(50)]
    for (one, other), rows in zip(pairs, made({"pairs": pairs, "lines": []})["pairs"], strict=True):
        assert [here for here, _, _ in rows if here] == [line["span_id"] for line in one]
        assert [there for _, there, _ in rows if there] == [line["span_id"] for line in other]


def test_a_line_of_many_points_keeps_the_peaks_of_each_column_of_pixels_and_its_gaps() -> None:
    dice = random.Random(5)
    values = [
        None if at % 97 == 0 else (40 if at % 501 == 0 else dice.randint(0, 9))
        for at in range(5_000)
    ]
    told = {"values": values, "width": WIDTH, "height": HEIGHT}
    (points,) = made({"pairs": [], "lines": [told]})["lines"]
    drawn: dict[int, set[int]] = {}
    for _, x, y in points:
        drawn.setdefault(x, set()).add(y)
    wanted: dict[int, set[int]] = {}
    for at, value in enumerate(values):
        if value is not None:
            x = int(at * WIDTH / (len(values) - 1) + 0.5)
            wanted.setdefault(x, set()).add(int((1 - value / 40) * HEIGHT + 0.5))
    for x, ys in wanted.items():
        assert (min(drawn[x]), max(drawn[x])) == (min(ys), max(ys)), x
    assert sum(kind == "M" for kind, _, _ in points) == len([v for v in values if v is None])
    assert len(points) < len(values) / 5


def test_a_level_line_is_two_points() -> None:
    told = {"values": [3] * 1_000, "width": WIDTH, "height": HEIGHT}
    (points,) = made({"pairs": [], "lines": [told]})["lines"]
    assert [kind for kind, _, _ in points] == ["M", "L"]
