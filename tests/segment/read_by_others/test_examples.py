"""The examples of docs/formats.md, as they stand there, over segments that differ in every way."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.query.share.rows import Row, segment

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
MINUTE = 60 * 10**9
BASE = 1_700_000_000 // 60 * MINUTE
WIDE = 300  # columns, so that some are rare enough for the rest column
Segments = list[list[Row]]


def different_segments() -> Segments:
    """Types that differ, fields that are missing, names that differ in case, a rest column, and the
    last nanosecond of a minute.
    """
    small = [
        Row(BASE + MINUTE - 1, {"status": "200", "ms": 2**53 + 1}),
        Row(BASE + MINUTE, {"status": "timeout", "ms": 0.5}, rate=10),
    ]
    usual = [
        Row(BASE + i * 7 * 10**9, {"status": 200 + i % 2, "ms": i}, rate=1 + i % 3)
        for i in range(40)
    ]
    wide = [
        Row(BASE + 2 * MINUTE + i, {f"w{j:03d}": j for j in range(i % 7, WIDE)} | {"status": 503})
        for i in range(WIDE)
    ]
    wide[17].data["rare"] = 7
    plain = [Row(BASE + 3 * MINUTE, {"status": 503, "rare": 5})]
    return [usual, small, [Row(BASE + 5, {"Status": "upper"})], wide, plain]


def expected(segments: Segments) -> list[str]:
    """What each example has to print."""
    events: Counter[tuple[int, str]] = Counter()
    rare: dict[tuple[int, str], int] = {}
    for row in (row for rows in segments for row in rows):
        key = row.time_ns // MINUTE, str(row.data.get("status"))
        events[key] += row.rate
        if "rare" in row.data:
            rare[key] = rare.get(key, 0) + int(str(row.data["rare"]))
    ordered = sorted(events, key=lambda key: (key[0], key[1] == "None", key[1]))
    return [f"{minute} {status} {events[minute, status]} {rare.get((minute, status))}"
            for minute, status in ordered]  # fmt: skip


def example(program: str) -> str:
    """The code below the program's heading."""
    found = re.search(rf"^### {program}\n\n```python\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "program",
    [
        "DuckDB",
        "pyarrow",
        # peers of the benchmarks, which `make.py benchmarks` installs
        pytest.param("Polars", marks=pytest.mark.scenario),
        pytest.param("chdb", marks=pytest.mark.scenario),
    ],
)
def test_example_reads_every_segment_and_counts_every_event(tmp_path: Path, program: str) -> None:
    segments = different_segments()
    folder = tmp_path / "web-files"
    folder.mkdir()
    offset, rests = 0, 0
    for rows in segments:
        made = segment(rows, folder, offset)
        rests += bool(made.overflow_columns)
        offset += len(rows)
    assert rests == 1  # else the rest column would not be tried
    done = subprocess.run(
        [sys.executable, "-c", example(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected(segments)
