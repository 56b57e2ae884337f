"""A DuckDB for each share: bounded, and unable to read anything but the segments of the share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common import limits
from query.share.sources import quote_text

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """The resources that one share may use.

    rows_max: number of groups times steps of one state.
    quantile_exact_rows_max: values of a quantile that are sent exactly; more are sent in buckets.
    """

    memory_mb: int
    threads: int
    rows_max: int = limits.SHARE_ROWS_MAX
    quantile_exact_rows_max: int = limits.QUANTILE_EXACT_ROWS_MAX


def open_database(paths: Sequence[Path], allowed: DatabaseLimits) -> duckdb.DuckDBPyConnection:
    """A connection that can read only these files; its configuration is locked."""
    import duckdb  # 40 MB of memory: only in a process that computes shares

    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{allowed.memory_mb}MB",
            "threads": allowed.threads,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": False,
        },
    )
    files = ", ".join(quote_text(str(path)) for path in paths)
    connection.execute(f"SET allowed_paths = [{files}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
