"""Databases of tests: those of one kind are opened once, and read segments in any test's folder."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from query.share.compute.database import DatabaseLimits, Databases


@cache
def databases(*, memory_mb: int = 256, threads: int = 1, count: int = 1, **more: Any) -> Databases:
    return Databases(DatabaseLimits(memory_mb, threads, **more), count, Path(tempfile.gettempdir()))
