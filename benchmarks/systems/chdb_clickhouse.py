"""ClickHouse inside of the process (chdb): a typed table, its JSON type, and Parquet.

Tables are MergeTree with every part and its folder fsynced before the insert returns, compressed
with zstd as every other system's files. They are not sorted, as ours are not by anything but the
log's order. One thread parses, inserts and writes; ClickHouse's own background threads stay.
With LZ4, its default, the typed table took about a fifth less CPU here, and twice the bytes.
"""

from collections.abc import Mapping
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.systems.base import Group, Keys, Prepared, Written
from benchmarks.systems.parquet_peer import ParquetPeer, missing
from benchmarks.systems.shapes import Kind, Shape, shape_of

_ONE_THREAD = (
    "max_threads=1, max_insert_threads=1, input_format_parallel_parsing=0, "
    "output_format_parallel_formatting=0, output_format_parquet_parallel_encoding=0"
)
_DURABLE = "fsync_after_insert=1, fsync_part_directory=1, default_compression_codec='ZSTD(1)'"
_TABLE = "ENGINE=MergeTree ORDER BY tuple() SETTINGS " + _DURABLE
_SCALARS = {
    Kind.BOOL: "Bool",
    Kind.INT: "Int64",
    Kind.FLOAT: "Float64",
    Kind.TEXT: "String",
    Kind.MIXED: "String",
}
_PACKAGE = "chdb"


class TableKind(StrEnum):
    """How the table holds events."""

    TYPED = "chdb (typed)"
    JSON = "chdb (JSON type)"


class ChdbTable:
    """Lines into a new MergeTree table."""

    group = Group.FILES

    def __init__(self, kind: TableKind) -> None:
        self._kind = kind
        self._structure = "data JSON"
        self._prepared: Prepared | None = None
        self._session: Any = None  # chdb.session.Session, which has no types

    @property
    def name(self) -> str:
        """As `System.name`."""
        return self._kind.value

    @property
    def note(self) -> str:
        """As `System.note`."""
        if self._kind is TableKind.TYPED:
            types = "is told every column and its type (nullable only where a value is missing)"
        else:
            types = "infers a column per path, up to 1,024, more in a shared one"
        return (
            f"reads plain lines from the page cache and {types}; part checksums, parts and folder "
            "fsynced, a sparse index; no digest; mixed types as text; loose JSON accepted"
        )

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {"chdb": version(_PACKAGE), "table": _TABLE, "insert": _ONE_THREAD}

    def available(self) -> str:
        """As `System.available`."""
        return missing(_PACKAGE, "chdb")

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._prepared = prepared
        self._session = open_session(prepared.folder)
        if self._kind is TableKind.TYPED:
            self._structure = structure_of(prepared.lines)

    def run(self) -> None:
        """As `System.run`."""
        prepared, session = self._ready()
        session.query("DROP TABLE IF EXISTS events SYNC")
        session.query(f"CREATE TABLE events ({self._structure}) {_TABLE}")
        if self._kind is TableKind.TYPED:
            source = f"file('{prepared.lines}', JSONEachRow, {_quoted(self._structure)})"
        else:
            source = f"file('{prepared.lines}', JSONAsObject)"
        session.query(f"INSERT INTO events SELECT * FROM {source} SETTINGS {_ONE_THREAD}")

    def written(self) -> Written:
        """As `System.written`."""
        prepared, session = self._ready()
        first, second = (
            f"sum(accurateCastOrNull({self._field(keys)}, 'Float64'))"
            for keys in prepared.checks.numbers
        )
        text = f"sum(length(toString({self._field(prepared.checks.text)})))"
        asked = f"SELECT count(), ifNull({first}, 0), ifNull({second}, 0), ifNull({text}, 0)"
        rows, one, two, size = str(session.query(f"{asked} FROM events", "TSV")).split()
        stored = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'events'"
        found = str(session.query(stored, "TSV"))
        return Written(int(rows), (float(one), float(two)), int(size), int(found))

    def _field(self, keys: Keys) -> str:
        if self._kind is TableKind.TYPED:
            return _path(keys)
        parts = [part for key in keys for part in key.split(".")]
        return _path(("data", *parts))

    def _ready(self) -> tuple[Prepared, Any]:
        if self._prepared is None or self._session is None:
            raise RuntimeError("not prepared")
        return self._prepared, self._session


class ChdbParquet(ParquetPeer):
    """Lines to Parquet by ClickHouse's own reader and writer."""

    name = "chdb (typed, Parquet)"
    package = _PACKAGE
    module = "chdb"
    note = (
        "reads plain lines from the page cache and is told every column and its type; no digest, "
        "no offsets, no hash of the file; mixed types as text; loose JSON accepted; fsynced"
    )

    def __init__(self) -> None:
        super().__init__()
        self._structure = ""
        self._session: Any = None  # chdb.session.Session, which has no types

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {"chdb": version(_PACKAGE), "insert": _ONE_THREAD, "compression": "zstd"}

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._session = open_session(prepared.folder)
        super().prepare(prepared)

    def get_ready(self, source: Path) -> None:
        """As `ParquetPeer.get_ready`."""
        self._structure = structure_of(source)

    def write(self, source: Path, target: Path) -> None:
        """As `ParquetPeer.write`."""
        if self._session is None:
            raise RuntimeError("not prepared")
        lines = f"file('{source}', JSONEachRow, {_quoted(self._structure)})"
        self._session.query(
            f"INSERT INTO FUNCTION file('{target}', Parquet) SELECT * FROM {lines} "
            f"SETTINGS {_ONE_THREAD}, output_format_parquet_compression_method='zstd'"
        )


def open_session(folder: Path) -> Any:
    """The one ClickHouse of this process."""
    from chdb.session import Session

    opened: Any = Session
    return opened(str(folder / "clickhouse"))


def structure_of(source: Path) -> str:
    """The columns of a workload as ClickHouse is told them."""
    with source.open("rb") as lines:
        shape = shape_of(lines)
    return ", ".join(_columns(shape, shape.times))


def _columns(shape: Shape, rows: int) -> list[str]:
    return [f"{_path((name,))} {_type(below, rows)}" for name, below in shape.members.items()]


def _type(shape: Shape, rows: int) -> str:
    if shape.kind is Kind.OBJECT:
        return f"Tuple({', '.join(_columns(shape, rows))})"
    scalar = _SCALARS[shape.kind or Kind.TEXT]
    return scalar if shape.times == rows else f"Nullable({scalar})"


def _path(keys: Keys) -> str:
    return ".".join("`" + key.replace("\\", "\\\\").replace("`", "\\`") + "`" for key in keys)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
