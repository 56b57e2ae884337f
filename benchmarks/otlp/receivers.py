"""Programs that take OTLP over HTTP, beside which Bellwether is measured: a Collector, and rotel.

The Collector is the one of the tests, built from pinned sources; rotel is the agent in the package
of that name, where it is installed.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Protocol

from benchmarks.serving.client import Address
from benchmarks.serving.roles import free_port
from tests.clients.collector.process import Collector

_STEP_S = 0.05
_WRITTEN_S = 120.0
_ROTEL_BATCH_S = 0.5  # more than its batch time-out
_STOP_S = 30.0
_FLUSH = {"flush_interval": "100ms"}  # soon, so that turns are short
_LENGTH_BYTES = 4  # before each message, the most significant first
_TRACE_ID = b'"traceId":"'


class NotWritten(Exception):
    """Spans that were acknowledged are not where they should be."""


class Receiver(Protocol):
    """A running program that takes spans at `/v1/traces`."""

    @property
    def name(self) -> str:
        """As it is shown."""

    @property
    def address(self) -> Address:
        """Where it listens."""

    @property
    def pid(self) -> int:
        """Its process, which starts no other."""

    def wait_until_written(self, spans: int) -> None:
        """Wait until all of them, since its start, are where they go. Raises NotWritten."""

    def stop(self) -> None:
        """End it."""


class CollectorToFile:
    """form: `proto` or `json`, of the file. It answers before the operating system has the bytes,
    and never asks for them to be on the disk.
    """

    def __init__(self, program: Path, folder: Path, form: str) -> None:
        self.name = f"a Collector to a file, {form}"
        self._file = folder / "spans"
        settings: Mapping[str, Any] = {"path": str(self._file), "format": form} | _FLUSH
        self._collector = Collector(program, folder, {"file": settings})
        self._count: Callable[[bytes], tuple[int, int]] = (
            _in_messages if form == "proto" else _in_lines
        )
        self._read, self._found = 0, 0
        self._collector.start()

    @property
    def address(self) -> Address:
        """As `Receiver.address`."""
        host, port = self._collector.url.removeprefix("http://").split(":")
        return host, int(port)

    @property
    def pid(self) -> int:
        """As `Receiver.pid`."""
        process = self._collector.process
        assert process is not None, "it was started, and not stopped"
        return process.pid

    def wait_until_written(self, spans: int) -> None:
        """As `Receiver.wait_until_written`; they are counted in the file."""
        until = time.monotonic() + _WRITTEN_S
        while self._found < spans:
            with self._file.open("rb") as file:
                file.seek(self._read)
                used, found = self._count(file.read())
            self._read, self._found = self._read + used, self._found + found
            if time.monotonic() > until:
                raise NotWritten(f"{self.name}: {self._found} of {spans} spans are in its file")
            time.sleep(_STEP_S)
        if self._found > spans:
            raise NotWritten(f"{self.name}: {self._found} spans are in its file, {spans} were sent")

    def stop(self) -> None:
        """As `Receiver.stop`."""
        self._collector.stop()


class Rotel:
    """Its version on PyPI has no exporter to files: it decodes, batches, and throws away. That is
    less than what it must do to store, so what it costs is a floor.
    """

    name = "rotel, which throws away"

    def __init__(self, program: Path, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.address: Address = ("127.0.0.1", free_port())
        http, grpc = f"127.0.0.1:{self.address[1]}", f"127.0.0.1:{free_port()}"
        command = [str(program), "start", "--exporter", "blackhole"]
        with (folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "--otlp-http-endpoint", http, "--otlp-grpc-endpoint", grpc],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self.pid = self._process.pid

    def wait_until_written(self, spans: int) -> None:
        """Its last batch is thrown away within its batch time-out."""
        time.sleep(_ROTEL_BATCH_S)

    def stop(self) -> None:
        """As `Receiver.stop`."""
        self._process.terminate()
        self._process.wait(_STOP_S)


def rotel_program() -> tuple[Path, str] | None:
    """rotel's agent and its version; None where the package is not installed."""
    try:
        found = distribution("rotel")
    except PackageNotFoundError:
        return None
    program = shutil.which(str(found.locate_file("rotel/rotel-agent")))
    return None if program is None else (Path(program), found.version)


def _in_messages(content: bytes) -> tuple[int, int]:
    """Of messages with their lengths before them: bytes of the whole ones, and their spans."""
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    used, spans = 0, 0
    while used + _LENGTH_BYTES <= len(content):
        begin = used + _LENGTH_BYTES
        end = begin + int.from_bytes(content[used:begin])
        if end > len(content):
            break
        data = TracesData.FromString(content[begin:end])
        spans += sum(len(s.spans) for r in data.resource_spans for s in r.scope_spans)
        used = end
    return used, spans


def _in_lines(content: bytes) -> tuple[int, int]:
    """Of lines of JSON: bytes of the whole ones, and their spans."""
    used = content.rfind(b"\n") + 1
    return used, content.count(_TRACE_ID, 0, used)
