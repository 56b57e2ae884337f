"""Tests can be run on a machine that has no time for them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(("body", "code"), [("pass", 0), ("assert False", 1)])
def test_stops_change_nothing_about_what_passes_and_fails(
    tmp_path: Path, body: str, code: int
) -> None:
    file = tmp_path / "test_one.py"
    file.write_text(f"import time\n\ndef test_one():\n    time.sleep(1)\n    {body}\n")
    command = [sys.executable, "-m", "tests.stalled", "-q", "-p", "no:cacheprovider", str(file)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
        timeout=5 * PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    stops = re.search(r"stopped (\d+) times", done.stdout)
    assert stops is not None
    assert int(stops[1]) > 0
