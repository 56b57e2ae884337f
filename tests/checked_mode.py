"""Runs a kernel's `checked` module, in which every access to its memory is verified."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.kernel_cache import KERNEL_CACHE

_ROOT: Final = Path(__file__).parents[1]


def tried_in_checked_mode(module: str, seconds: int, seed: int) -> int:
    """Inputs that were tried, in a process of its own: its code is compiled anew."""
    done = subprocess.run(
        [sys.executable, "-m", module, str(KERNEL_CACHE), str(seconds), str(seed)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return int(done.stdout)
