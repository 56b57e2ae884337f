"""Writing touches no byte beyond the arrays it is given or makes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_arrays_that_end_where_memory_ends_are_written_like_others() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.segment.parquet.guarded"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]
