"""DuckDB: `read_json` to Parquet."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from benchmarks.systems.base import Group, Keys, Prepared, Written, make_durable

if TYPE_CHECKING:
    import duckdb


class DuckDb:
    """One statement that reads the lines, infers the columns' types and writes Parquet."""

    name = "duckdb"
    group = Group.FILES
    note = (
        "reads plain lines from the page cache and infers types from a sample; no digest, no page "
        "checksums, no page index, no log offsets, no hash of the file; nested objects as structs"
    )

    def __init__(self) -> None:
        self._prepared: Prepared | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        import duckdb

        return {"duckdb": duckdb.__version__, "threads": 1, "statement": self._copy("L", "P")}

    def available(self) -> str:
        """As `System.available`; it is one of our own dependencies."""
        return ""

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        import duckdb

        self._prepared = prepared
        self._connection = duckdb.connect(config={"threads": 1})

    def run(self) -> None:
        """As `System.run`."""
        prepared, connection = self._ready()
        target = prepared.folder / "events.parquet"
        target.unlink(missing_ok=True)
        connection.execute(self._copy(str(prepared.lines), str(target)))
        make_durable(target)

    def written(self) -> Written:
        """As `System.written`."""
        prepared, connection = self._ready()
        target = prepared.folder / "events.parquet"
        first, second = (f"sum(CAST({column(one)} AS DOUBLE))" for one in prepared.checks.numbers)
        text = f"sum(strlen(CAST({column(prepared.checks.text)} AS VARCHAR)))"
        row = connection.execute(
            f"SELECT count(*), {first}, {second}, {text} FROM '{target}'"
        ).fetchone()
        if row is None:
            raise RuntimeError("count(*) gave no row")
        rows, one, two, size = row
        return Written(rows, (one or 0.0, two or 0.0), int(size or 0), target.stat().st_size)

    def _ready(self) -> tuple[Prepared, "duckdb.DuckDBPyConnection"]:
        if self._prepared is None or self._connection is None:
            raise RuntimeError("not prepared")
        return self._prepared, self._connection

    @staticmethod
    def _copy(source: str, target: str) -> str:
        return (
            f"COPY (SELECT * FROM read_json('{source}', format='newline_delimited', "
            f"maximum_object_size=67108864)) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


def column(keys: Keys) -> str:
    """A field as SQL: `"http"."status"`."""
    return ".".join('"' + key.replace('"', '""') + '"' for key in keys)
