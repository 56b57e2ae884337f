"""Doubles written by the kernel against Python's own text: `python -m tests.fuzz.decimals 60`.

The sorts of doubles of tests/common/scan/kernel/test_decimals.py, for so many seconds.
"""

import sys
import time

import numpy as np

from indexer.shred.load_compiled import use_cache
from tests.kernel_cache import KERNEL_CACHE

_AT_ONCE = 200_000


def main(seconds: str) -> None:
    """Compare until the time is up; the seed is printed first."""
    use_cache(KERNEL_CACHE)
    from tests.common.scan.kernel.test_decimals import assert_written, sorts_of_doubles

    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}", flush=True)
    dice = np.random.default_rng(seed)
    end_s = time.monotonic() + float(seconds)
    tried = 0
    while time.monotonic() < end_s:
        for values in sorts_of_doubles(dice, _AT_ONCE):
            assert_written(values)
            tried += 2 * len(values)
    print(f"{tried:,} doubles")


if __name__ == "__main__":
    main(*sys.argv[1:])
