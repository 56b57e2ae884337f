"""No encoder touches memory that is not its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.kernels.compile import options

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]


def test_with_every_access_checked_all_of_it_is_within_the_arrays() -> None:
    assert not options.checked
    done = subprocess.run(
        [sys.executable, "-m", "tests.segment.parquet.kernel.checked"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
