"""The measuring side of an engine's process."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.queries.engine import NoAnswer, Rows
from benchmarks.queries.peers import Done, Start, Task
from benchmarks.queries.questions import Asked

_SAID_CHARS = 600
_CLOSE_S = 20.0


class PeerProcess:
    """As `Engine`: one of `peers.ENGINES` in a process of its own. Raises NoAnswer."""

    def __init__(self, name: str, files: Sequence[Path], folder: Path, threads: int) -> None:
        self.name = name
        folder.mkdir(parents=True)
        self._said = folder / "said.txt"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.queries.peers"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "POLARS_MAX_THREADS": str(threads)},
            )
        self._send(Start(name, [str(one) for one in files], str(folder), threads))

    def pids(self) -> Sequence[int]:
        """As `Engine.pids`."""
        return [self._process.pid]

    def ask(self, asked: Asked, sketch: bool) -> tuple[Rows, int]:
        """As `Engine.ask`."""
        done = self._send(Task(statement(self.name, asked, sketch)))
        return [tuple(row) for row in done.rows], done.took_ns

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
        done: Any = msgspec.json.decode(line, type=Done)
        if done.error:
            raise NoAnswer(done.error)
        return done  # type: ignore[no-any-return]  # decoded as Done

    def _ended(self) -> str:
        code = self._process.wait()
        said = self._said.read_text(errors="replace").strip()[-_SAID_CHARS:]
        return f"{self.name}: its process ended with {code}: {said}"


def statement(engine: str, asked: Asked, sketch: bool) -> str:
    """The question in the dialect of an engine."""
    if engine.startswith("chdb"):
        exact = asked.clickhouse or asked.sql
        return (asked.clickhouse_sketch or exact) if sketch else exact
    return (asked.sketch or asked.sql) if sketch else asked.sql
