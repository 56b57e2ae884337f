"""VictoriaLogs over HTTP, when the path of its server's binary is given.

Written from its public documentation (JSON lines in at /insert/jsonline, /internal/force_flush,
stats queries, the metric of rows that are only in memory).
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import orjson

from benchmarks.harness.processes import folder_bytes
from benchmarks.serving.client import Sent, request, send_all
from benchmarks.systems import VICTORIALOGS
from benchmarks.systems.base import Group, Keys, Prepared, Written

BINARY = "BELLWETHER_BENCHMARK_VICTORIALOGS"  # names the path of the server's binary
_CONNECTIONS = 8
_WAIT_S = 60.0
_STEP_S = 0.05
_INSERT = {"_time_field": "_time", "_stream_fields": "", "_msg_field": "name,message,msg"}
_IN_MEMORY = 'vl_storage_rows{type="storage/inmemory"}'


class VictoriaLogs:
    """Bodies of JSON lines in; done when no row is only in memory any more."""

    name = VICTORIALOGS
    group = Group.END_TO_END
    note = (
        "acknowledges before anything is on disk and flushes every few seconds; every value is "
        "text, with its own encodings; no digest; done when a flush has left nothing in memory"
    )

    def __init__(self) -> None:
        self._prepared: Prepared | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._requests: list[bytes] = []
        self._sent: Sent | None = None
        self._written: Written | None = None

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        done = subprocess.run([binary(), "-version"], capture_output=True, text=True, check=False)
        return {
            "version": done.stdout.strip()[-200:] or "says none (built without one)",
            "flags": "its defaults, but for the folder, the address and the retention",
            "insert": _INSERT,
            "connections": _CONNECTIONS,
        }

    def available(self) -> str:
        """As `System.available`."""
        if not binary():
            return f"set {BINARY} to the path of the victoria-logs binary"
        return "" if os.access(binary(), os.X_OK) else f"{BINARY}={binary()} cannot be executed"

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._prepared = prepared
        path = f"/insert/jsonline?{urlencode(_INSERT)}"
        headers = {"Content-Type": "application/stream+json"}
        lines = prepared.lines.read_bytes().splitlines(keepends=True)
        self._requests = [
            request(path, headers, b"".join(lines[at : at + prepared.body_events]))
            for at in range(0, len(lines), prepared.body_events)
        ]

    def reset(self) -> None:
        """As `Served.reset`."""
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        address = f"127.0.0.1:{self._port}"
        flags = [f"-storageDataPath={self._folder}", f"-httpListenAddr={address}"]
        self._process = subprocess.Popen([binary(), *flags, "-retentionPeriod=100y"])
        self._wait(self._is_up, "the server to answer")

    def processes(self) -> Sequence[int]:
        """As `Served.processes`."""
        return [self._process.pid] if self._process else []

    def run(self) -> None:
        """As `System.run`."""
        addresses = [("127.0.0.1", self._port)]
        self._sent = send_all(addresses, self._requests, _CONNECTIONS, lambda code, _: code == 200)
        self._get("/internal/force_flush")
        self._wait(lambda: self._in_memory() == 0, "rows in memory to reach the disk")

    def finish(self) -> Mapping[str, float]:
        """As `Served.finish`."""
        if self._prepared is None or self._sent is None:
            raise RuntimeError("not run")
        checks = self._prepared.checks
        first, second = (f"sum({_field(keys)})" for keys in checks.numbers)
        text = f"sum_len({_field(checks.text)})"
        stats = f"* | stats count() rows, {first} a, {second} b, {text} c"
        answer = orjson.loads(self._get("/select/logsql/query", {"query": stats}))
        rows, sums = int(answer["rows"]), (float(answer["a"]), float(answer["b"]))
        self._stop()
        self._written = Written(rows, sums, int(answer["c"]), folder_bytes(self._folder))
        return self._sent.figures(self._prepared.events)

    def written(self) -> Written:
        """As `System.written`."""
        if self._written is None:
            raise RuntimeError("nothing was finished")
        return self._written

    @property
    def _folder(self) -> Path:
        if self._prepared is None:
            raise RuntimeError("not prepared")
        return self._prepared.folder / "victorialogs"

    def _stop(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.terminate()
            process.wait(_WAIT_S)

    def _is_up(self) -> bool:
        try:
            self._get("/health")
        except URLError:
            return False
        return True

    def _in_memory(self) -> int:
        for line in self._get("/metrics").decode().splitlines():
            if line.startswith(_IN_MEMORY):
                return int(float(line.split()[-1]))
        raise RuntimeError(f"its metrics have no {_IN_MEMORY}")

    def _get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        url = f"http://127.0.0.1:{self._port}{path}"
        data = None if parameters is None else urlencode(parameters).encode()
        with urlopen(url, data, timeout=_WAIT_S) as answer:
            found: bytes = answer.read()
            return found

    def _wait(self, test: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _WAIT_S
        while not test():
            if time.monotonic() > until:
                raise RuntimeError(f"waited {_WAIT_S:.0f} s for {what}")
            time.sleep(_STEP_S)


def binary() -> str:
    """The path of the server, empty if none is given."""
    return os.environ.get(BINARY, "")


def _field(keys: Keys) -> str:
    """Nested objects become names with dots."""
    return '"' + ".".join(keys).replace('"', '\\"') + '"'
