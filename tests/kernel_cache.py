"""Where compiled code is kept while tests run: one folder for all, so that it is compiled once."""

from pathlib import Path

KERNEL_CACHE = Path(__file__).parents[1] / ".pytest_cache" / "kernel"
