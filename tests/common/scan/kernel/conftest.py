"""Compiled code goes to the tests' own folder; this has to be set before it is imported."""

from indexer.shred.load_compiled import use_cache
from tests.kernel_cache import KERNEL_CACHE

use_cache(KERNEL_CACHE)
