"""What a run says of work that grows in one direction: cores, datasets, partitions, columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.harness.results import Along, Result, Run, WorkloadInfo
from benchmarks.report.ratios import Spread
from benchmarks.systems import OURS
from benchmarks.systems.base import Group

_BY_THE_CLOCK = frozenset({"processes", "threads"})  # more of them spend no less CPU time


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. system: its line; those that grow themselves are all ours."""

    along: Along
    system: str
    result: Result
    workload: WorkloadInfo

    @property
    def is_by_the_clock(self) -> bool:
        """Whether its speed is one of the clock, not of one core."""
        return self.along.what in _BY_THE_CLOCK

    def speed(self) -> Spread:
        """Events per second, of one core or by the clock."""
        spent = [
            one.wall_s if self.is_by_the_clock else one.cpu_s for one in self.result.repetitions
        ]
        return Spread.of([self.workload.events / each for each in spent])


def directions(run: Run) -> dict[str, list[Point]]:
    """All points of each direction that was measured, the smallest first."""
    found: dict[str, list[Point]] = {}
    for point in _points(run):
        found.setdefault(point.along.what, []).append(point)
    return {what: sorted(some, key=lambda one: one.along.size) for what, some in found.items()}


def _points(run: Run) -> Iterator[Point]:
    workloads = {one.name: one for one in run.workloads}
    systems = {one.name: one for one in run.systems}
    for one in run.results:
        if not one.measured or one.wrong:
            continue
        workload = workloads[one.workload]
        if (along := systems[one.system].along) and one.group == Group.GROWTH:
            yield Point(along, OURS, one, workload)
        elif along := workload.along:
            yield Point(along, one.system, one, workload)
