"""The harness measures real role processes, and checks what they hold, by queries and segments."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.results import read_run
from tests.kernel_cache import KERNEL_CACHE
from tests.system.harness import ROOT

# a measurement of a minute, run like the other scenarios
pytestmark = [pytest.mark.system, pytest.mark.scenario]


def test_events_over_http_are_acknowledged_sealed_and_counted(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "kernel").symlink_to(KERNEL_CACHE)
    KERNEL_CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--workload", "wide spans, bodies of 10",
         "--system", "http to sealed", "--events", "300", "--repetitions", "1",
         "--out", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=1_200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = read_run(tmp_path / "run.json").results
    assert (found.problem, found.wrong, found.rows) == ("", "", 300)
    (repetition,) = found.repetitions
    assert repetition.figures["segments"] >= 1
    assert {"shepherd CPU-s/M", "indexer CPU-s/M", "ack p99 ms"} <= repetition.figures.keys()
