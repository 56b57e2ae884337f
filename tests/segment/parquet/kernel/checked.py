"""The tests beside this file with every access to memory verified: `python -m` this module.

0 if all pass, and if an access outside of an array really is an error.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from common.kernels.compile import options

_EXAMPLES = 30  # of each property: checked code is slow, and unchecked it has seen more


class _Fewer:
    """Chosen after `tests/conftest.py` has chosen the profile of this machine."""

    def pytest_sessionstart(self) -> None:
        from hypothesis import settings

        settings.register_profile("checked", settings(), max_examples=_EXAMPLES)
        settings.load_profile("checked")


def main() -> int:
    """Run them all."""
    options.checked = True  # before anything of the kernel is imported
    here = Path(__file__).parent
    unwanted = ["-p", "no:cacheprovider", f"--ignore={here / 'test_checked.py'}"]
    code = pytest.main([str(here), *unwanted], plugins=[_Fewer()])
    return int(code) or _unnoticed()


def _unnoticed() -> int:
    """How many accesses outside of an array were no error."""
    from segment.parquet.kernel.bloom import xxh64
    from segment.parquet.kernel.delta import delta_packed
    from segment.parquet.kernel.dictionary import distinct_texts

    few = np.zeros(8, np.uint8)
    few.flags.writeable = False
    numbers = np.arange(8)
    numbers.flags.writeable = False
    scratch, indices = np.zeros(64, np.int64), np.zeros(7, np.uint32)
    calls = (
        lambda: xxh64(few, 4, 8, 0),
        lambda: delta_packed(numbers, 0, 9, np.zeros(5_000, np.uint8), 0),
        lambda: distinct_texts(numbers, few, 1, 1, 2, scratch, indices, indices[:0]),
        lambda: distinct_texts(numbers, few[:6], 9, 1, 2, scratch, indices, indices),
    )
    unnoticed = 0
    for call in calls:
        try:
            call()
        except IndexError:
            continue
        unnoticed += 1
    return unnoticed


if __name__ == "__main__":
    sys.exit(main())
