"""Where compiled code is kept while tests run: one folder for all, so that it is compiled once."""

from pathlib import Path

KERNEL_CACHE = Path(__file__).parents[1] / ".pytest_cache" / "kernel"
OLD_KERNEL_CACHE = KERNEL_CACHE.parent / "old-kernel"  # of an earlier build
