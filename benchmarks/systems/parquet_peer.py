"""What peers that write one Parquet file have in common: its place, fsync, and reading it back."""

from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path

from benchmarks.systems.base import Checks, Group, Keys, Prepared, Written, make_durable


class ParquetPeer(ABC):
    """Reads the file of lines and writes one file of zstd-compressed columns, fsynced.

    A peer says how in `write`; what it does not want to be timed goes into `get_ready`.
    """

    group = Group.FILES
    package = ""  # to be installed, as pip knows it; empty: one of our own dependencies
    module = ""  # its name in Python

    def __init__(self) -> None:
        self._prepared: Prepared | None = None

    def available(self) -> str:
        """As `System.available`."""
        return missing(self.package, self.module)

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._prepared = prepared
        self.get_ready(prepared.lines)

    def run(self) -> None:
        """As `System.run`."""
        prepared, target = self._places()
        target.unlink(missing_ok=True)
        self.write(prepared.lines, target)
        make_durable(target)

    def written(self) -> Written:
        """As `System.written`."""
        prepared, target = self._places()
        return read_parquet(target, prepared.checks)

    def get_ready(self, source: Path) -> None:  # noqa: B027  # most have nothing to prepare
        """Import, connect, look up types. Not timed."""

    @abstractmethod
    def write(self, source: Path, target: Path) -> None:
        """The job, without fsync. Timed."""

    def _places(self) -> tuple[Prepared, Path]:
        if self._prepared is None:
            raise RuntimeError("not prepared")
        return self._prepared, self._prepared.folder / "events.parquet"


def missing(package: str, module: str) -> str:
    """Empty, or how to get the package."""
    if not module or find_spec(module) is not None:
        return ""
    return f"not installed: pip install {package} (all of them: requirements-benchmarks.txt)"


def read_parquet(target: Path, checks: Checks) -> Written:
    """Rows, sums and size of a Parquet file, read by DuckDB, whatever system wrote it."""
    import duckdb

    first, second = (f"sum(TRY_CAST({column(keys)} AS DOUBLE))" for keys in checks.numbers)
    text = f"sum(strlen(CAST({column(checks.text)} AS VARCHAR)))"
    with duckdb.connect() as connection:
        row = connection.execute(
            f"SELECT count(*), {first}, {second}, {text} FROM '{target}'"
        ).fetchone()
    if row is None:
        raise RuntimeError("count(*) gave no row")
    rows, one, two, size = row
    return Written(rows, (one or 0.0, two or 0.0), int(size or 0), target.stat().st_size)


def column(keys: Keys) -> str:
    """A field as SQL: `"http"."status"`."""
    return ".".join('"' + key.replace('"', '""') + '"' for key in keys)
