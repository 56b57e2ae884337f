"""An indexer on an empty disk: cold start, replay of the log, sealing; the speed of a bootstrap."""

import time
from collections.abc import Mapping

from benchmarks.processes import usage
from benchmarks.serving.client import send_all
from benchmarks.serving.events import is_accepted, requests_of
from benchmarks.systems.base import Group
from benchmarks.systems.http_ingest import CONNECTIONS, RolesSystem, segment_files


class LogReplay(RolesSystem):
    """The log is full and nothing is sealed; done when the new indexer has published it all.

    The CPU time holds the start of the process, which the figures tell apart.
    """

    group = Group.END_TO_END
    name = "log replay to sealed"
    note = (
        "starts an indexer process on an empty disk beside a full log: start of Python, compiled "
        "code from its cache, replay, a cut on demand; segments fsynced and published"
    )

    def __init__(self) -> None:
        super().__init__()
        self._ready_s = 0.0
        self._ready_cpu_s = 0.0

    def reset(self) -> None:
        """As `Served.reset`."""
        roles = self.begin_anew()
        roles.start("shepherd")
        requests = requests_of(self.prepared, roles.door.key, time.time_ns())
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
        self._ready_cpu_s = usage(roles.pids()["indexer"]).cpu_s
        roles.wait(
            lambda: all(one["replay"] and one["replay"]["done"] for one in self._told()), "it"
        )
        roles.door.cut()

    def finish(self) -> Mapping[str, float]:
        """As `Served.finish`."""
        replays = [one["replay"] for one in self._told()]
        longest_s = max(one["seconds"] for one in replays)
        log_bytes = sum(one["bytes"] for one in replays)
        figures = {
            "ready after s": self._ready_s,
            "CPU-s until ready": self._ready_cpu_s,
            "replayed events/s": sum(one["events"] for one in replays) / longest_s,
            "replayed log MB/s": log_bytes / longest_s / 1e6,
            "log bytes per event": log_bytes / self.prepared.events,
            "segments": len(segment_files(self.roles.data)),
        }
        self._written = self.check()
        self.roles.stop()
        self.end()
        return figures

    def _told(self) -> list[dict[str, dict[str, float]]]:
        return self.roles.partitions()
