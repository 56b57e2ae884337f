"""What a person sees: sparklines, values, coverage, readable crash lines, log files."""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from bellwether.answers.results.cells import show
from bellwether.answers.results.view import coverage_line, render
from bellwether.supervisor.console import readable
from bellwether.supervisor.log_files import LogFile


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (True, "true"), (1234567, "1,234,567"), (0.5, "0.5"), ("x", "x"),
     (12345678.9, "12,345,679")],
)  # fmt: skip
def test_values_are_shown_for_people(value: object, text: str) -> None:
    assert show(value) == text


def test_incomplete_answers_say_so_and_why() -> None:
    coverage = {"complete": False, "partitions": [{"complete": True},
                {"complete": False, "reason": "no indexer"}]}  # fmt: skip
    assert coverage_line(coverage).plain == "INCOMPLETE: 1 of 2 partitions (no indexer)"


def test_results_are_a_table_with_a_sparkline_per_group() -> None:
    series = [{"time": f"2020-01-01T00:0{n}:00Z", "data": {"s": "[web]", "COUNT": n}}
              for n in range(4)]  # fmt: skip
    document = {
        "data": {"results": [{"data": {"s": "[web]", "COUNT": 6}}], "series": series},
        "coverage": {"complete": True, "partitions": [{"complete": True}]},
        "notes": ["mixed types"],
    }
    out = io.StringIO()
    Console(file=out, width=100).print(render(document, ["s"]))
    for words in ("[web]", "6", "▁▃▆█", "complete: 1 of 1", "note: mixed types"):
        assert words in out.getvalue()


def test_crash_lines_are_made_readable() -> None:
    lines = ['{"level":"error","message":"role failed","exception":"Traceback\\nX: why"}', "plain"]
    assert readable(lines) == ["error role failed", "Traceback", "X: why", "plain"]


def test_log_files_are_bounded_and_remember_the_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    log = LogFile(os.fdopen(reading, "rb"), tmp_path / "role.log", bytes_max=1_000)
    with os.fdopen(writing, "wb") as stream:
        for number in range(500):
            stream.write(b"line %d\n" % number)
    assert log.last_lines(5.0)[-1] == "line 499"
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == ["role.log", "role.log.1"]
    assert all(f.stat().st_size <= 1_100 for f in files)
