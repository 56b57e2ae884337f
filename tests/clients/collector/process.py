"""A running Collector: OTLP comes in over HTTP and gRPC, and goes out as its configuration says."""

import contextlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

SIGNALS: Final = ("traces", "logs", "metrics")
_READY_S: Final = 60.0
_STOP_S: Final = 120.0
_STEP_S: Final = 0.05
_HOST: Final = "127.0.0.1"


class Collector:
    """One Collector with a folder of its own. Stop, kill and start it as often as wanted."""

    def __init__(
        self,
        program: Path,
        folder: Path,
        exporter: Mapping[str, Any],
        *,
        batch: Mapping[str, Any] | None = None,
    ) -> None:
        """exporter: by its name, its settings. batch: settings of a batch processor, if any."""
        self._program = program
        self._said = folder / "said"
        self._config = folder / "config.json"
        http, grpc = free_port(), free_port()
        self.url = f"http://{_HOST}:{http}"
        self.grpc = f"{_HOST}:{grpc}"
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "queue").mkdir(parents=True)
        protocols = {"http": {"endpoint": f"{_HOST}:{http}"}, "grpc": {"endpoint": self.grpc}}
        pipeline = {
            "receivers": ["otlp"],
            "processors": ["batch"] if batch else [],
            "exporters": list(exporter),
        }
        config = {
            "receivers": {"otlp": {"protocols": protocols}},
            "processors": {"batch": batch} if batch else {},
            "exporters": exporter,
            "extensions": {"file_storage": {"directory": str(folder / "queue")}},
            "service": {
                "extensions": ["file_storage"],
                "pipelines": dict.fromkeys(SIGNALS, pipeline),
                "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "info"}},
            },
        }
        self._config.write_text(json.dumps(config))  # which is YAML too

    @property
    def said(self) -> str:
        """What it has logged since its first start."""
        return self._said.read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it and wait until it takes requests. Raises RuntimeError if it does not."""
        with self._said.open("ab") as said:
            self.process = subprocess.Popen(
                [str(self._program), f"--config=file:{self._config}"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        until = time.monotonic() + _READY_S
        while not all(_listens(one) for one in (self.url.removeprefix("http://"), self.grpc)):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the Collector is not ready: {self.said[-2_000:]}")
            time.sleep(_STEP_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it; it sends what it holds, but for what is kept in files."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(_STOP_S)
            self.process = None


@contextlib.contextmanager
def started(one: Collector) -> Iterator[Collector]:
    """It runs; at the end it is killed if it was not stopped."""
    try:
        one.start()
        yield one
    finally:
        one.kill()


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return int(one.getsockname()[1])


def _listens(address: str) -> bool:
    host, port = address.split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
        return True
    return False
