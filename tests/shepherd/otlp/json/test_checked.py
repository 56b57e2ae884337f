"""No text makes the transcoder read or write outside of its memory (every access verified)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel_cache import KERNEL_CACHE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]


def fuzz(seconds: int, seed: int) -> int:
    """Texts tried in the checked mode, in a process of its own: its code is compiled anew."""
    command = [sys.executable, "-m", "tests.shepherd.otlp.json.checked"]
    done = subprocess.run(
        [*command, str(KERNEL_CACHE), str(seconds), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return int(done.stdout)


def test_damaged_texts_with_every_access_checked() -> None:
    assert fuzz(seconds=2, seed=11) > 0


@pytest.mark.scenario
def test_damaged_texts_with_every_access_checked_for_long() -> None:
    for seed in range(5):
        assert fuzz(seconds=60, seed=seed) > 0
