"""Figures of a run that every form of the report shares."""

from dataclasses import dataclass
from statistics import median

from benchmarks.harness.results import Result, Run, WorkloadInfo
from benchmarks.systems import AGAIN, OURS
from benchmarks.systems.base import Group


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of some repetitions."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))


def cpu_per_million(one: Result, workload: WorkloadInfo) -> Spread:
    """CPU seconds per million events."""
    return Spread.of([each.cpu_s / workload.events * 1e6 for each in one.repetitions])


def events_per_s(one: Result, workload: WorkloadInfo) -> float:
    """Events per second of one core: of CPU time, not of the clock."""
    return 1e6 / cpu_per_million(one, workload).middle


def megabytes_per_s(one: Result, workload: WorkloadInfo) -> float:
    """Megabytes of JSON lines per second of one core."""
    return workload.text_bytes / 1e6 / one.cpu_s()


def ratio(one: Result, ours: Result) -> Spread:
    """How many times our CPU time it takes, each turn compared with the same turn of ours."""
    pairs = list(zip(one.repetitions, ours.repetitions, strict=False))
    return Spread.of([theirs.cpu_s / mine.cpu_s for theirs, mine in pairs])


def stored_per_event(one: Result, workload: WorkloadInfo) -> float:
    """Bytes on disk."""
    return one.stored_bytes / workload.events


def peers(run: Run, workload: str) -> list[Result]:
    """What did the same job as ours on this workload and wrote what it was given."""
    return [
        one
        for one in run.results
        if one.workload == workload
        and one.group == Group.FILES
        and one.measured
        and not one.wrong
        and one.system not in (OURS, AGAIN)
    ]


def best_peer(run: Run, workload: str) -> Result | None:
    """The peer with the least CPU time."""
    return min(peers(run, workload), key=Result.cpu_s, default=None)


def smallest_peer(run: Run, workload: str) -> Result | None:
    """The peer with the fewest bytes on disk."""
    return min(peers(run, workload), key=lambda one: one.stored_bytes, default=None)
