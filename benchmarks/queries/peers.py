"""The engines beside Bellwether, each in a process of its own that runs this module.

A line of JSON on standard input is a question, a line on standard output its answer. Rows are
fetched as Python values within the measured time, as a program that asks an engine needs them.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from benchmarks.queries.questions import FIELDS, VIEW


class Start(msgspec.Struct, frozen=True):
    """What an engine is started with. folder: its own, for what it writes."""

    engine: str
    files: list[str]
    folder: str
    threads: int


class Task(msgspec.Struct, frozen=True):
    """One question: SQL in the engine's dialect."""

    sql: str


class Done(msgspec.Struct, frozen=True):
    """Its answer, and the nanoseconds of the clock that it took; or an error's text."""

    rows: list[list[Any]] = []
    took_ns: int = 0
    error: str = ""


class Peer(Protocol):
    """An engine that is ready."""

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The answer's rows."""


def alias(name: str) -> str:
    """A field's name as a column of every engine."""
    return name.replace(".", "_")


def columns(quote: str) -> str:
    """The columns of the view, from those of the segments."""
    fields = (
        f"{quote}f:{name}:{letter}{quote} AS {alias(name)}" for name, letter in FIELDS.items()
    )
    return ", ".join([f"{quote}_time{quote} AS t", f"{quote}_rate{quote} AS r", *fields])


class DuckDb:
    """Plain DuckDB with its defaults; its threads are as many as Bellwether's."""

    def __init__(self, start: Start, source: str) -> None:
        import duckdb

        self._connection = duckdb.connect()
        self._connection.execute(f"SET threads = {start.threads:d}")
        self._connection.execute(f"CREATE VIEW {VIEW} AS {source}")

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """As `Peer.rows`."""
        return self._connection.execute(sql).fetchall()


def _parquet(files: Sequence[str]) -> str:
    listed = ", ".join("'" + one.replace("'", "''") + "'" for one in files)
    return f"SELECT {columns(chr(34))} FROM read_parquet([{listed}])"


def duckdb_same_files(start: Start) -> Peer:
    """Over the very files of Bellwether."""
    return DuckDb(start, _parquet(start.files))


def duckdb_own_file(start: Start) -> Peer:
    """Over one file that DuckDB wrote itself from the same rows, sorted by time."""
    import duckdb

    own = Path(start.folder) / "own.parquet"
    sorted_rows = f"{_parquet(start.files)} ORDER BY t"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sorted_rows}) TO '{own}' (FORMAT parquet, COMPRESSION zstd)")
    return DuckDb(start, f"SELECT * FROM read_parquet('{own}')")


ENGINES: Mapping[str, Callable[[Start], Peer]] = {
    "duckdb, same files": duckdb_same_files,
    "duckdb, one sorted file": duckdb_own_file,
}


def _done(peer: Peer, task: Task) -> Done:
    try:
        began = time.perf_counter_ns()
        rows = peer.rows(task.sql)
        took_ns = time.perf_counter_ns() - began
    except Exception as error:  # noqa: BLE001 - an engine may raise anything; it is reported
        traceback.print_exc()
        return Done(error=f"{type(error).__name__}: {error}")
    return Done([list(row) for row in rows], took_ns)


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
