"""No input makes the kernel read or write outside of its memory (every access verified)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel_cache import KERNEL_CACHE

ROOT = Path(__file__).parents[3]


def fuzz(seconds: int, seed: int) -> int:
    """Events tried in the checked mode, in a process of its own: its code is compiled anew."""
    command = [sys.executable, "-m", "tests.indexer.kernel.checked"]
    done = subprocess.run(
        [*command, str(KERNEL_CACHE), str(seconds), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return int(done.stdout)


def test_damaged_events_with_every_access_checked() -> None:
    assert fuzz(seconds=3, seed=11) > 0


@pytest.mark.scenario
def test_damaged_events_with_every_access_checked_for_long(request: pytest.FixtureRequest) -> None:
    for seed in range(10):
        assert fuzz(seconds=60, seed=seed) > 0
