"""VictoriaLogs over the same log lines, where the path of its server's binary is given.

Only words in lines are asked of it. Lines go in by its JSON endpoint; every value is text there.
"""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import orjson

from benchmarks.queries.asking.asked import Asked
from benchmarks.queries.engines.interface import NoAnswer, Rows
from benchmarks.queries.rows.shape import Shape, bodies
from benchmarks.serving.client import request, send_all
from benchmarks.systems.victorialogs import binary

VICTORIALOGS = "victorialogs"
_INSERT = {"_time_field": "_time", "_stream_fields": "", "_msg_field": "message"}
_CONNECTIONS = 4
_WAIT_S = 120.0
_STEP_S = 0.05


class VictoriaLogs:
    """A server process of its own, with its defaults. As `Engine`."""

    name = VICTORIALOGS

    def __init__(self, shape: Shape, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        flags = [f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{self._port}"]
        with (folder / "said.txt").open("wb") as said:
            self._process = subprocess.Popen(
                [binary(), *flags, "-retentionPeriod=100y"], stdout=said, stderr=said
            )
        try:
            self._wait(self._is_up, "the server to answer")
            path = f"/insert/jsonline?{urlencode(_INSERT)}"
            headers = {"Content-Type": "application/stream+json"}
            requests = (request(path, headers, lines) for lines in _lines(shape))
            address = ("127.0.0.1", self._port)
            send_all([address], requests, _CONNECTIONS, lambda code, _: code == 200)
            self._get("/internal/force_flush")
        except BaseException:
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
        began = time.perf_counter_ns()
        answer = self._get("/select/logsql/query", {"query": asked.logsql})
        took_ns = time.perf_counter_ns() - began
        return [(int(orjson.loads(answer)["n"] or 0),)], took_ns

    def ask_at_once(self, some: Sequence[Asked], askers: int, sketch: bool) -> list[int]:
        """As `Engine.ask_at_once`."""
        with ThreadPoolExecutor(askers) as threads:
            return list(threads.map(lambda one: self.ask(one, sketch)[1], some))

    def close(self) -> None:
        """As `Engine.close`."""
        self._process.terminate()
        self._process.wait(_WAIT_S)

    def _is_up(self) -> bool:
        try:
            self._get("/health")
        except URLError:
            return False
        return True

    def _get(self, path: str, parameters: dict[str, str] | None = None) -> bytes:
        data = None if parameters is None else urlencode(parameters).encode()
        with urlopen(f"http://127.0.0.1:{self._port}{path}", data, timeout=_WAIT_S) as answer:
            found: bytes = answer.read()
            return found

    def _wait(self, test: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _WAIT_S
        while not test():
            if time.monotonic() > until or self._process.poll() is not None:
                raise NoAnswer(f"{self.name}: waited in vain for {what}")
            time.sleep(_STEP_S)


def _lines(shape: Shape) -> Iterator[bytes]:
    """The rows with `_time` and `r` beside the fields, a body at a time."""
    for body in bodies(shape):
        found = []
        for line in body.lines.splitlines():
            row = orjson.loads(line)
            found.append(orjson.dumps({"_time": row["t"], "r": row["r"], **row["d"]}))
        yield b"\n".join(found)
