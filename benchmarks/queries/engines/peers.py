"""The engines beside Bellwether, each in a process of its own that runs this module.

A line of JSON on standard input is a task, a line on standard output its answer. Rows are fetched
as Python values within the measured time, as a program that asks an engine needs them.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import msgspec
import orjson

from benchmarks.queries.asking.asked import TABLE
from benchmarks.queries.rows.kinds import KINDS, alias


class Start(msgspec.Struct, frozen=True):
    """What an engine is started with. kind: of the rows. folder: its own, for what it writes."""

    engine: str
    kind: str
    files: list[str]
    folder: str
    threads: int


class Task(msgspec.Struct, frozen=True):
    """Statements in the engine's dialect, one by one or by several askers at once."""

    statements: list[str]
    askers: int = 1


class Done(msgspec.Struct, frozen=True):
    """The last statement's rows, and the clock's nanoseconds of each; or an error's text."""

    rows: list[list[Any]] = []
    took_ns: list[int] = []
    error: str = ""


Rows = Sequence[Sequence[Any]]


class Peer(Protocol):
    """An engine that is ready."""

    def rows(self, statement: str) -> Rows:
        """The answer's rows. Called by several threads at once only where `asks_at_once`."""


def columns(kind: str, quote: str) -> str:
    """The columns of the view, from those of the segments."""
    fields = (
        f"{quote}f:{name}:{letter}{quote} AS {alias(name)}"
        for name, letter in KINDS[kind].fields.items()
    )
    return ", ".join([f"{quote}_time{quote} AS t", f"{quote}_rate{quote} AS r", *fields])


class DuckDb:
    """Plain DuckDB with its defaults; its threads are as many as Bellwether's."""

    def __init__(self, start: Start, source: str) -> None:
        import duckdb

        self._connection = duckdb.connect(config=_spill(start))
        self._connection.execute(f"SET threads = {start.threads:d}")
        self._connection.execute(f"CREATE VIEW {TABLE} AS {source}")

    def rows(self, statement: str) -> Rows:
        """As `Peer.rows`: each on a cursor, so that threads do not wait for each other."""
        with self._connection.cursor() as cursor:
            return cursor.execute(statement).fetchall()


def _spill(start: Start) -> dict[str, str | bool | int | float | list[str]]:
    """It would spill into the folder in which the benchmark was started."""
    return {"temp_directory": str(Path(start.folder) / "spill")}


def _parquet(start: Start) -> str:
    listed = ", ".join("'" + one.replace("'", "''") + "'" for one in start.files)
    return f"SELECT {columns(start.kind, chr(34))} FROM read_parquet([{listed}])"


def _duckdb_same_files(start: Start) -> Peer:
    return DuckDb(start, _parquet(start))


def _duckdb_own_file(start: Start) -> Peer:
    import duckdb

    own = Path(start.folder) / "own.parquet"
    with duckdb.connect(config=_spill(start)) as connection:
        ordered = f"{_parquet(start)} ORDER BY t"
        connection.execute(f"COPY ({ordered}) TO '{own}' (FORMAT parquet, COMPRESSION zstd)")
    return DuckDb(start, f"SELECT * FROM read_parquet('{own}')")


class Chdb:
    """ClickHouse inside of the process. Its result cache is off, as by default."""

    def __init__(self, start: Start, table: str) -> None:
        from chdb.session import Session

        opened: Any = Session  # has no types
        self._session = opened(str(Path(start.folder) / "chdb"))
        self._settings = (
            f"SETTINGS max_threads={start.threads:d}, output_format_json_quote_64bit_integers=0, "
            "use_query_cache=0, use_uncompressed_cache=0, use_query_condition_cache=0"
        )
        links = Path(start.folder) / "files"  # a list of paths is no pattern of this engine
        links.mkdir()
        for number, file in enumerate(start.files):
            (links / f"{number}.parquet").hardlink_to(file)
        source = f"SELECT {columns(start.kind, '`')} FROM file('{links}/*.parquet', Parquet)"
        self._session.query("CREATE DATABASE benchmark")
        self._session.query("USE benchmark")
        self._session.query(f"CREATE {table} AS {source}")

    def optimize(self) -> "Chdb":
        """Merge the table's parts, as it does in time."""
        self._session.query(f"OPTIMIZE TABLE {TABLE} FINAL")
        return self

    def rows(self, statement: str) -> Rows:
        """As `Peer.rows`."""
        found = self._session.query(f"{statement} {self._settings}", "JSONCompactEachRow").bytes()
        return [orjson.loads(line) for line in found.splitlines()]


def _chdb_files(start: Start) -> Peer:
    return Chdb(start, f"VIEW {TABLE}")


def _chdb_table(start: Start) -> Peer:
    return Chdb(start, f"TABLE {TABLE} ENGINE = MergeTree ORDER BY t").optimize()


class Polars:
    """polars' own SQL over the files, lazily."""

    def __init__(self, start: Start) -> None:
        import polars as pl

        fields = KINDS[start.kind].fields
        self._names = [alias(name) for name in fields]
        self._frame = pl.scan_parquet(start.files).select(
            pl.col("_time").alias("t"),
            pl.col("_rate").alias("r"),
            *(pl.col(f"f:{name}:{letter}").alias(alias(name)) for name, letter in fields.items()),
        )
        self._context = pl.SQLContext({TABLE: self._frame})

    def rows(self, statement: str) -> Rows:
        """As `Peer.rows`."""
        if statement.startswith(TOP_VALUES):
            return self._top_values(statement.removeprefix(TOP_VALUES))
        found: Rows = self._context.execute(statement, eager=True).rows()
        return found

    def _top_values(self, where: str) -> Rows:
        """One row: of each field the weight of the rows that have it, and its commonest value."""
        import polars as pl

        low, high = (int(one) for one in where.split())
        within = self._frame.filter(pl.col("t") >= low, pl.col("t") < high)
        held = [
            pl.col("r").filter(pl.col(name).is_not_null()).sum().alias(name) for name in self._names
        ]
        tops = [
            within.select(pl.col(name).drop_nulls().value_counts(sort=True).head(10))
            for name in self._names
        ]
        found = pl.collect_all([within.select(held), *tops])
        answer: list[object] = []
        for weight, top, name in zip(found[0].row(0), found[1:], self._names, strict=True):
            answer += [weight, str(top.to_series().struct.field(name)[0])]
        return [answer]


TOP_VALUES = "TOP VALUES "  # no SQL of polars finds these in one pass; then two bounds of `t`


ENGINES: Mapping[str, Callable[[Start], Peer]] = {
    "duckdb, same files": _duckdb_same_files,
    "duckdb, one sorted file": _duckdb_own_file,
    "chdb, same files": _chdb_files,
    "chdb, MergeTree": _chdb_table,
    "polars, same files": Polars,
}


def installed() -> list[str]:
    """The engines whose library is installed here."""
    return [name for name in ENGINES if find_spec(name.split(",")[0])]


def asks_at_once(engine: str) -> bool:
    """Whether several threads may ask it at once."""
    return engine.startswith("duckdb")


def _done(peer: Peer, task: Task) -> Done:
    def ask(statement: str) -> tuple[Rows, int]:
        began = time.perf_counter_ns()
        rows = peer.rows(statement)
        return rows, time.perf_counter_ns() - began

    try:
        with ThreadPoolExecutor(task.askers) as threads:
            found = list((threads.map if task.askers > 1 else map)(ask, task.statements))
    except Exception as error:  # noqa: BLE001 - an engine may raise anything; it is reported
        traceback.print_exc()
        return Done(error=f"{type(error).__name__}: {error}")
    return Done([list(row) for row in found[-1][0]], [took_ns for _, took_ns in found])


def main() -> None:
    """Serve until standard input ends; whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    encode = msgspec.json.Encoder(enc_hook=float).encode
    peer: Peer | None = None
    for line in sys.stdin.buffer:
        if peer is None:
            start = msgspec.json.decode(line, type=Start)
            peer = ENGINES[start.engine](start)
            done = Done()
        else:
            done = _done(peer, msgspec.json.decode(line, type=Task))
        answers.write(encode(done) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
