"""A heatmap in a terminal: what is drawn where, with colour and without."""

import io
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from bellwether.answers.results.arrow_stream import write_arrow
from bellwether.answers.results.formats import format_lines
from bellwether.answers.results.view import render

START_S = 1_700_000_040
NAME = "HEATMAP(ms)"


def bins(*counts: tuple[float, int]) -> list[dict[str, Any]]:
    """Bins that are an octave wide. counts: lower bound, number of events."""
    return [{"low": low, "high": 2 * low, "count": count} for low, count in counts]


def document(steps: list[list[dict[str, Any]]]) -> dict[str, Any]:
    series = [
        {"time": f"2023-11-14T22:{14 + at:02}:00Z", "data": {NAME: one}}
        for at, one in enumerate(steps)
    ]
    return {
        "query": {"calculations": [{"op": "HEATMAP", "column": "ms"}]},
        "data": {"results": [{"data": {NAME: bins((1, 5), (8, 100))}}], "series": series},
        "range": {
            "start_time": START_S,
            "end_time": START_S + 60 * len(steps),
            "granularity": 60,
        },
        "coverage": {"complete": True, "partitions": []},
    }


def drawn(answer: dict[str, Any], *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=colour, highlight=False,
                      color_system="256" if colour else None)  # fmt: skip
    console.print(render(answer, []))
    return out.getvalue()


def picture(answer: dict[str, Any]) -> list[str]:
    return [line for line in drawn(answer).splitlines() if "│" in line]


def test_empty_rows_between_are_drawn_and_more_events_are_darker() -> None:
    answer = document([bins((1, 1)), [], bins((1, 4), (8, 100))])
    assert picture(answer) == ["8 │  █", "4 │   ", "2 │   ", "1 │░ ▒"]
    assert "105 in 2 bins" in drawn(answer)
    assert "a column is 1m" in drawn(answer)
    assert "at most 100" in drawn(answer)


def test_zero_negative_numbers_and_what_is_beyond_have_rows() -> None:
    below = [{"low": None, "high": -4.0, "count": 1}, {"low": -4.0, "high": -2.0, "count": 1}]
    zero = [{"low": 0.0, "high": 0.0, "count": 1}]
    beyond = [{"low": 1.7e308, "high": None, "count": 1}]
    rows = picture(document([[*below, *zero, *bins((2, 1)), *beyond], []]))
    assert [row.split("│")[0].strip() for row in rows] == ["1.7e+308", "2", "0", "-4", "less"]
    assert all(row.endswith("│█ ") for row in rows)


def test_colour_stands_beside_the_shades_that_tell_the_same_without_it() -> None:
    answer = document([bins((1, 1)), bins((8, 100))])
    coloured = drawn(answer, colour=True)
    assert "\x1b[38;5;27m█" in coloured
    assert "\x1b[" not in drawn(answer)


@pytest.mark.parametrize("steps", [1, 61, 500])
def test_many_steps_and_bins_are_joined_until_they_fit_a_screen(steps: int) -> None:
    many = [{"low": 2 ** (k / 4), "high": 2 ** ((k + 1) / 4), "count": 1} for k in range(50)]
    rows = picture(document([many] * min(steps, 40)) | {"range": {
        "start_time": START_S, "end_time": START_S + 60 * steps, "granularity": 60}})  # fmt: skip
    assert 10 < len(rows) <= 20
    assert max(len(row.split("│")[1]) for row in rows) <= 60


def test_a_heatmap_in_csv_is_one_quoted_cell_of_json() -> None:
    lines = list(format_lines(document([[]]), [], "csv", series=False))
    assert lines[0] == NAME
    assert lines[1].startswith('"[{""low"":1,""high"":2,""count"":5}')


def test_a_heatmap_in_arrow_is_a_list_of_bins() -> None:
    out = io.BytesIO()
    write_arrow(document([bins((1, 1)), []]), [], out, series=True)
    table = pa.ipc.open_stream(out.getvalue()).read_all()
    assert table.column(NAME).to_pylist() == [[{"low": 1.0, "high": 2.0, "count": 1}], []]
