"""The measuring side of an engine's process."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.queries.asking.asked import Asked
from benchmarks.queries.engines.interface import NoAnswer, Rows
from benchmarks.queries.engines.peers import Done, Start, Task

_SAID_CHARS = 600
_CLOSE_S = 20.0


class PeerProcess:
    """As `Engine`: one of `peers.ENGINES` in a process of its own. Raises NoAnswer."""

    def __init__(self, start: Start) -> None:
        self.name = start.engine
        folder = Path(start.folder)
        folder.mkdir(parents=True)
        self._said = folder / "said.txt"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.queries.engines.peers"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=Path(__file__).parents[3],
                env={**os.environ, "POLARS_MAX_THREADS": str(start.threads)},
            )
        self._folder = folder
        try:
            self._send(start)
        except NoAnswer:
            self.close()
            raise

    def pids(self) -> Sequence[int]:
        """As `Engine.pids`."""
        return [self._process.pid]

    def files(self) -> Sequence[Path]:
        """As `Engine.files`."""
        return [path for path in self._folder.rglob("*") if path.is_file()]

    def ask(self, asked: Asked, sketch: bool) -> tuple[Rows, int]:
        """As `Engine.ask`."""
        done = self._send(Task([statement(self.name, asked, sketch)]))
        return _unpivoted(asked, done.rows), done.took_ns[0]

    def ask_at_once(self, some: Sequence[Asked], askers: int, sketch: bool) -> list[int]:
        """As `Engine.ask_at_once`."""
        return self._send(Task([statement(self.name, one, sketch) for one in some], askers)).took_ns

    def close(self) -> None:
        """As `Engine.close`."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Start | Task) -> Done:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise NoAnswer(self._ended()) from None
        line = self._process.stdout.readline()
        if not line:
            raise NoAnswer(self._ended())
        done = msgspec.json.decode(line, type=Done)
        if done.error:
            raise NoAnswer(done.error)
        return done

    def _ended(self) -> str:
        code = self._process.wait()
        said = self._said.read_text(errors="replace").strip()[-_SAID_CHARS:]
        return f"{self.name}: its process ended with {code}: {said}"


def statement(engine: str, asked: Asked, sketch: bool) -> str:
    """The question in the dialect of an engine."""
    own = {"chdb": asked.clickhouse, "polars": asked.polars}.get(engine.split(",")[0])
    sql = own or asked.duckdb
    return (sql.sketch or sql.exact) if sketch else sql.exact


def _unpivoted(asked: Asked, rows: list[list[object]]) -> Rows:
    """One row of so many values for each name becomes a row for each name."""
    if not asked.unpivot:
        return [tuple(row) for row in rows]
    values = rows[0]
    each = len(values) // len(asked.unpivot)
    return [(name, *values[at * each : (at + 1) * each]) for at, name in enumerate(asked.unpivot)]
