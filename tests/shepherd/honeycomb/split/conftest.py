"""Compiled code goes to the tests' own folder; this has to be said before it is imported."""

import pytest

from shepherd.honeycomb.split.load_compiled import use_cache
from tests.kernel_cache import KERNEL_CACHE

use_cache(KERNEL_CACHE)

from shepherd.honeycomb.split.compiled.splitter import KernelSplitter  # noqa: E402 - after use_cache


@pytest.fixture(scope="session")
def splitter() -> KernelSplitter:
    """The compiled splitter; whoever is first waits for the compiler."""
    return KernelSplitter()
