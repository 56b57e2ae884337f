"""The page draws an answer in rows, as an earlier server gives it, like one in columns."""

from pathlib import Path

import pytest

from tests.page.units.node import answer_of
from tests.query.api.test_every_calculation import newest
from tests.query.harness import ROWS, TIMES


@pytest.mark.slow
async def test_rows_and_columns_are_drawn_alike(tmp_path: Path) -> None:
    spec = {
        "calculations": [
            {"op": "COUNT"},
            {"op": "P50", "column": "ms"},
            {"op": "HEATMAP", "column": "ms"},
        ],
        "breakdowns": ["status"],
        "granularity": 10,
        "compare_time_offset_seconds": 60,
        **TIMES,
    }
    async with newest(tmp_path) as there:
        answers = [
            await there.ask(spec, disable_total_by_aggregate=False, series_form=form)
            for form in ("rows", "columns")
        ]
    rows, columns = answer_of("series.mjs", answers)
    assert rows == columns
    lines = dict(rows["lines"])
    counted = [sum(line) for key, line in lines["COUNT"] if key != "total"]
    assert sum(counted) == len(ROWS)
    assert sum(one["count"] for step in rows["heats"][0][1] for one in step) == len(ROWS)
    assert any(value is not None for _, line in dict(rows["before"])["P50(ms)"] for value in line)
