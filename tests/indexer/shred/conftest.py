"""Compiled code goes to the tests' own folder; this has to be said before it is imported."""

import pytest

from indexer.shred.load_compiled import use_cache
from tests.kernel_cache import KERNEL_CACHE

use_cache(KERNEL_CACHE)

from indexer.shred.compiled.shredder import KernelShredder  # noqa: E402 - after use_cache

SEEDS = (0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8)


@pytest.fixture(scope="session")
def kernel() -> KernelShredder:
    """The compiled shredder; whoever is first waits for the compiler."""
    return KernelShredder(SEEDS)
