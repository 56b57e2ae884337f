"""No request makes the decoder read or write outside of its memory (every access verified)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel_cache import KERNEL_CACHE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[5]


def fuzz(seconds: int, seed: int) -> int:
    """Requests tried in the checked mode, in a process of its own: its code is compiled anew."""
    command = [sys.executable, "-m", "tests.shepherd.otlp.decode.compiled.checked"]
    done = subprocess.run(
        [*command, str(KERNEL_CACHE), str(seconds), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return int(done.stdout)


def test_damaged_requests_with_every_access_checked() -> None:
    assert fuzz(seconds=2, seed=11) > 0


@pytest.mark.scenario
def test_damaged_requests_with_every_access_checked_for_long() -> None:
    for seed in range(10):
        assert fuzz(seconds=60, seed=seed) > 0
