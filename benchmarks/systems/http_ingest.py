"""Events over HTTP to real role processes: to acknowledged, and to sealed segments.

Every repetition starts the processes on an empty folder, and ends with a query for everything and
with the segments read by another engine; neither is timed. CPU and memory are those of the roles.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness.processes import usage
from benchmarks.serving.client import Sent, percentiles_ms, send_all
from benchmarks.serving.events import dataset_name, is_accepted, query_stored, requests_of, weighted
from benchmarks.serving.roles import Roles
from benchmarks.systems.base import Group, Prepared, Written
from benchmarks.systems.bellwether import read_segments

CONNECTIONS = 8
_PROBES = 30  # single events on the idle system, for the time until they are visible
ALL_ROLES = ("indexer", "query", "shepherd")


class RolesSystem:
    """What systems of real roles have in common. partitions: of the log; 0: as `up` makes it."""

    group = Group.END_TO_END

    def __init__(self, partitions: int = 0) -> None:
        self._partitions = partitions
        self._prepared: Prepared | None = None
        self._roles: Roles | None = None
        self._written: Written | None = None

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`."""
        return {
            "partitions": self._partitions or "the default",
            "connections": CONNECTIONS,
            "fsync": "every record before its acknowledgement, every segment before its manifest",
        }

    def available(self) -> str:
        """As `System.available`."""
        return ""

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        self._prepared = prepared

    def processes(self) -> Sequence[int]:
        """As `Served.processes`."""
        return list(self.roles.pids().values())

    def written(self) -> Written:
        """As `System.written`."""
        if self._written is None:
            raise RuntimeError("nothing was finished")
        return self._written

    @property
    def prepared(self) -> Prepared:
        """What `prepare` was given."""
        if self._prepared is None:
            raise RuntimeError("not prepared")
        return self._prepared

    @property
    def roles(self) -> Roles:
        """Those of this repetition."""
        if self._roles is None:
            raise RuntimeError("not started")
        return self._roles

    @property
    def datasets(self) -> int:
        """As many as partitions that were asked for: a small dataset uses only a few of them."""
        bodies = -(-self.prepared.events // self.prepared.body_events)
        return min(max(self._partitions, 1), bodies)

    def begin_anew(self, kernels: Path | None = None) -> Roles:
        """Roles on an empty folder; none is started. kernels: other than the usual cache."""
        self.end()
        folder = self.prepared.folder / "roles"
        shutil.rmtree(folder, ignore_errors=True)
        settings = {"BELLWETHER_LOG_PARTITIONS": str(self._partitions)} if self._partitions else {}
        self._roles = Roles(folder, kernels or self.prepared.cache / "kernel", settings)
        return self._roles

    def end(self) -> None:
        """Stop what still runs."""
        if self._roles is not None:
            roles, self._roles = self._roles, None
            roles.close()

    def check(self) -> Written:
        """What queries and segments hold. Raises RuntimeError when queries say anything else."""
        right, checks = weighted(self.prepared), self.prepared.checks
        found = [
            query_stored(self.roles.shepherd, checks, dataset_name(number))
            for number in range(self.datasets)
        ]
        count = sum(one.count for one in found)
        sums = (sum(one.sums[0] for one in found), sum(one.sums[1] for one in found))
        if count != right.count or not _close(sums, right.sums):
            raise RuntimeError(f"queries say {count} and {sums}, not {right}")
        return read_segments(self.prepared, segment_files(self.roles.data))


def segment_files(data: Path) -> list[Path]:
    """The sealed segments in the object store of a data folder."""
    return sorted((data / "objects").rglob("*.parquet"))


def cpu_by_role(roles: Roles) -> dict[str, float]:
    """CPU seconds since their start."""
    return {role: usage(pid).cpu_s for role, pid in roles.pids().items()}


def spent(before: Mapping[str, float], after: Mapping[str, float], events: int) -> dict[str, float]:
    """CPU seconds per million events between two moments, of each role."""
    return {f"{role} CPU-s/M": (after[role] - before[role]) / events * 1e6 for role in before}


def _close(mine: tuple[float, float], right: tuple[float, float]) -> bool:
    return all(abs(a - b) <= 1e-9 * abs(b) + 1e-6 for a, b in zip(mine, right, strict=True))


class HttpToSealed(RolesSystem):
    """Bodies in; done when all of it is in segments of the object store, by a cut on demand."""

    name = "http to sealed"
    note = (
        "shepherd, indexer and query role; every event is checked, fsynced in the log before "
        "its acknowledgement, then indexed, sealed, published and queryable"
    )

    def __init__(self, partitions: int = 0) -> None:
        super().__init__(partitions)
        self._requests: list[bytes] = []
        self._sent: Sent | None = None
        self._before: dict[str, float] = {}
        self._after: dict[str, float] = {}

    def reset(self) -> None:
        """As `Served.reset`."""
        roles = self.begin_anew()
        roles.start(*ALL_ROLES)
        roles.wait_kernels()
        self._requests = requests_of(
            self.prepared, roles.shepherd.key, time.time_ns(), self.datasets
        )
        self._before = cpu_by_role(roles)

    def run(self) -> None:
        """As `System.run`."""
        self._sent = send_all([self.roles.address], self._requests, CONNECTIONS, is_accepted)
        self.roles.shepherd.cut()

    def finish(self) -> Mapping[str, float]:
        """As `Served.finish`."""
        if self._sent is None:
            raise RuntimeError("not run")
        events = self.prepared.events
        figures = self._sent.figures(events)
        figures |= spent(self._before, cpu_by_role(self.roles), events)
        figures["segments"] = len(segment_files(self.roles.data))
        self._written = self.check()
        figures |= percentiles_ms("ack to visible", self.roles.shepherd.visible_waits_s(_PROBES))
        self.roles.stop()
        self.end()
        return figures


class HttpToAcknowledged(RolesSystem):
    """Bodies in; done when all are acknowledged. Only the shepherd runs while that is measured."""

    name = "http to acknowledged"
    note = (
        "the shepherd alone: decoding, checking, batching, zstd, one fsync for what waits, "
        "then the answers; afterwards everything is sealed and counted, not timed"
    )

    def __init__(self) -> None:
        super().__init__()
        self._requests: list[bytes] = []
        self._sent: Sent | None = None

    def reset(self) -> None:
        """As `Served.reset`."""
        roles = self.begin_anew()
        roles.start("shepherd")
        roles.wait_kernels()
        self._requests = requests_of(self.prepared, roles.shepherd.key, time.time_ns())

    def run(self) -> None:
        """As `System.run`."""
        self._sent = send_all([self.roles.address], self._requests, CONNECTIONS, is_accepted)

    def finish(self) -> Mapping[str, float]:
        """As `Served.finish`."""
        if self._sent is None:
            raise RuntimeError("not run")
        figures = self._sent.figures(self.prepared.events)
        self.roles.start("indexer", "query")
        self.roles.shepherd.cut()
        self._written = self.check()
        self.roles.stop()
        self.end()
        return figures
