"""An indexer on an empty disk: cold start, replay of the log, sealing; the speed of a bootstrap."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.harness.processes import used_s
from benchmarks.serving.client import send_all
from benchmarks.serving.events import is_accepted, requests_of
from benchmarks.serving.roles import Roles
from benchmarks.systems.base import Group
from benchmarks.systems.http_ingest import CONNECTIONS, RolesSystem, segment_files

_LONG_EVENTS = 100_000  # of a log whose replay is worth a first start that compiles everything


@dataclass(frozen=True, slots=True)
class Start:
    """An indexer's start beside an empty log: seconds, and CPU seconds with what it started."""

    ready_s: float
    ready_cpu_s: float
    kernels_s: float
    kernels_cpu_s: float

    @classmethod
    def of(cls, roles: Roles) -> "Start":
        """Start an indexer, and end it when its compiled code serves."""
        began = time.perf_counter()
        roles.start("indexer")
        pid = roles.pids()["indexer"]
        ready_s, ready_cpu_s = time.perf_counter() - began, used_s(pid)
        roles.wait_kernels()
        found = cls(ready_s, ready_cpu_s, time.perf_counter() - began, used_s(pid))
        roles.stop("indexer")
        return found

    def figures(self, name: str) -> dict[str, float]:
        """As the report names them."""
        return {
            f"{name}: ready after s": self.ready_s,
            f"{name}: CPU-s until ready": self.ready_cpu_s,
            f"{name}: compiled code serves after s": self.kernels_s,
            f"{name}: CPU-s until then": self.kernels_cpu_s,
        }


class LogReplay(RolesSystem):
    """The log is full and nothing is sealed; done when the new indexer has published it all.

    The CPU time holds the start of the process. How much that is, each repetition sees beforehand
    at an indexer whose log is empty; for a long log also once where nothing is compiled yet.
    """

    group = Group.END_TO_END
    name = "log replay to sealed"
    note = (
        "starts an indexer process on an empty disk beside a full log: start of Python, compiled "
        "code from its cache, replay, a cut on demand; segments fsynced and published; starts "
        "beside an empty log are apart and not timed: with compiled code in its cache, and once "
        "with none, nor bytecode of Python"
    )

    def __init__(self) -> None:
        super().__init__()
        self._ready_s = 0.0
        self._ready_cpu_s = 0.0
        self._cpu_s = 0.0
        self._first: Start | None = None
        self._start: Start | None = None

    def reset(self) -> None:
        """As `Served.reset`."""
        if self._first is None and self.prepared.events >= _LONG_EVENTS:
            self._first = Start.of(self.begin_anew(self.prepared.folder / "kernel"))
        if self._start is None:
            Start.of(self.begin_anew())  # from now on compiled code, and Python's, is in its cache
        self._start = Start.of(self.begin_anew())
        roles = self.begin_anew()
        roles.start("shepherd")
        requests = requests_of(self.prepared, roles.shepherd.key, time.time_ns())
        send_all([roles.address], requests, CONNECTIONS, is_accepted)
        roles.start("query")

    def processes(self) -> list[int]:
        """As `Served.processes`: the indexer, once it runs."""
        return [pid for role, pid in self.roles.pids().items() if role == "indexer"]

    def run(self) -> None:
        """As `System.run`."""
        roles, began = self.roles, time.perf_counter()
        roles.start("indexer")
        self._ready_s = time.perf_counter() - began
        self._ready_cpu_s = used_s(roles.pids()["indexer"])
        roles.wait(
            lambda: all(one["replay"] and one["replay"]["done"] for one in self._told()), "it"
        )
        roles.shepherd.cut()
        self._cpu_s = used_s(roles.pids()["indexer"])

    def finish(self) -> Mapping[str, float]:
        """As `Served.finish`."""
        replays = [one["replay"] for one in self._told()]
        longest_s = max(one["seconds"] for one in replays)
        log_bytes = sum(one["bytes"] for one in replays)
        figures = {
            "ready after s": self._ready_s,
            "CPU-s until ready": self._ready_cpu_s,
            "CPU-s/M beyond the start": self._beyond_start_s() / self.prepared.events * 1e6,
            "replayed events/s": sum(one["events"] for one in replays) / longest_s,
            "replayed log MB/s": log_bytes / longest_s / 1e6,
            "log bytes per event": log_bytes / self.prepared.events,
            "segments": len(segment_files(self.roles.data)),
        }
        if self._start is not None:
            figures |= self._start.figures("start")
        if self._first is not None:
            figures |= self._first.figures("first start, nothing compiled")
        self._written = self.check()
        self.roles.stop()
        self.end()
        return figures

    def _beyond_start_s(self) -> float:
        """CPU seconds that a start beside an empty log does not take."""
        return self._cpu_s - (0.0 if self._start is None else self._start.kernels_cpu_s)

    def _told(self) -> list[dict[str, dict[str, float]]]:
        return self.roles.partitions()
