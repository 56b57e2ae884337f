"""The runner's side of a worker: a process that is told what to do and may crash, hang or fail."""

import contextlib
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import msgspec

from benchmarks.harness.worker import Done, Task
from benchmarks.systems.base import Prepared, System

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "ARROW_NUM_THREADS", "ARROW_IO_THREADS", "POLARS_MAX_THREADS",
     "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"),
    "1",
)  # fmt: skip
_SAID_CHARS = 600  # of what it said last
_CLOSE_TIMEOUT_S = 20.0


class WorkerFailed(Exception):
    """What a system's process could not do. The message states the cause."""


class WorkerProcess:
    """A process for one system or some, for one workload. folder: for what it says."""

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._said = folder / "said.txt"
        self._unread = b""
        self._systems = 0
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.harness.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,  # so that what it starts can be ended with it
                env={**os.environ, **_ONE_THREAD},
            )

    def prepare(self, system: System, prepared: Prepared) -> tuple[int, Done]:
        """As `System.prepare`; and the number under which it is known. Raises WorkerFailed."""
        number, self._systems = self._systems, self._systems + 1
        return number, self._ask(Task("prepare", number, pickle.dumps(system), prepared))

    def run(self, number: int) -> Done:
        """As `System.run`, measured. Raises WorkerFailed."""
        return self._ask(Task("run", number))

    def written(self, number: int) -> Done:
        """As `System.written`. Raises WorkerFailed."""
        return self._ask(Task("written", number))

    def close(self) -> None:
        """End it: by the end of its input, or by force."""
        stdin, _ = self._pipes()
        stdin.close()
        try:
            self._process.wait(_CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _ask(self, task: Task) -> Done:
        stdin, _ = self._pipes()
        try:
            stdin.write(msgspec.json.encode(task, enc_hook=str) + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self._ended()) from None
        done = msgspec.json.decode(self._line(), type=Done)
        if done.error:
            raise WorkerFailed(done.error)
        return done

    def _line(self) -> bytes:
        _, stdout = self._pipes()
        until = time.monotonic() + self._timeout_s
        while b"\n" not in self._unread:
            left = until - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                self._kill()
                raise WorkerFailed(f"took more than {self._timeout_s:.0f} s")
            read = os.read(stdout.fileno(), 65_536)
            if not read:
                raise WorkerFailed(self._ended())
            self._unread += read
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _ended(self) -> str:
        code = self._process.wait()
        said = self._said.read_text(errors="replace").strip()[-_SAID_CHARS:]
        return f"its process ended with {code}: {said}"

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("started without pipes")
        return self._process.stdin, self._process.stdout
