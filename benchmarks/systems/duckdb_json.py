"""DuckDB: `read_json` to Parquet, with types inferred and with types given."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.systems.parquet_peer import ParquetPeer, column

if TYPE_CHECKING:
    import duckdb

_OPTIONS = "format='newline_delimited', maximum_object_size=67108864"
_PARQUET = "FORMAT parquet, COMPRESSION zstd"


class DuckDb(ParquetPeer):
    """One statement that reads the lines, infers the columns' types and writes Parquet.

    typed: the columns are given, as DuckDB itself infers them from all lines beforehand.
    """

    def __init__(self, *, typed: bool = False) -> None:
        super().__init__()
        self._typed = typed
        self._columns = ""
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def name(self) -> str:
        """As `System.name`."""
        return "duckdb (columns given)" if self._typed else "duckdb"

    @property
    def note(self) -> str:
        """As `System.note`."""
        types = (
            "is told every column and its type, so that it neither samples nor infers"
            if self._typed
            else "infers types from a sample: a field that first comes later is not stored"
        )
        return (
            f"reads plain lines from the page cache and {types}; no digest, no page checksums, no "
            "page index, no log offsets, no hash of the file; nested objects as structs; fsynced"
        )

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        import duckdb

        columns = ", columns={...}" if self._typed else ""
        return {
            "duckdb": duckdb.__version__,
            "threads": 1,
            "statement": _copy("LINES", "PARQUET", columns),
        }

    def get_ready(self, source: Path) -> None:
        """As `ParquetPeer.get_ready`."""
        import duckdb

        self._connection = duckdb.connect(config={"threads": 1})
        if not self._typed:
            return
        found = self._connection.execute(
            f"DESCRIBE SELECT * FROM read_json('{source}', {_OPTIONS}, sample_size=-1, "
            "map_inference_threshold=-1, field_appearance_threshold=0)"
        ).fetchall()
        types = ", ".join(f"{column((name,))}: '{_text(kind)}'" for name, kind, *_ in found)
        self._columns = f", columns={{{types}}}"

    def write(self, source: Path, target: Path) -> None:
        """As `ParquetPeer.write`."""
        if self._connection is None:
            raise RuntimeError("not prepared")
        self._connection.execute(_copy(str(source), str(target), self._columns))


def _copy(source: str, target: str, columns: str) -> str:
    lines = f"read_json('{source}', {_OPTIONS}{columns})"
    return f"COPY (SELECT * FROM {lines}) TO '{target}' ({_PARQUET})"


def _text(kind: str) -> str:
    """A type within a string of SQL; of a field that is always null, something that can hold it."""
    return kind.replace('"NULL"', "VARCHAR").replace("'", "''")
