"""What a run found, as it is kept in its JSON file: raw repetitions, seeds, versions, settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec

FORMAT = 1
COMMIT = "commit"  # among the versions: of our sources
_OWN = ("bellwether", COMMIT)


class NoRun(Exception):
    """A file that is not one of a run's. The message states the cause."""


class Repetition(msgspec.Struct, frozen=True):
    """One timed call. cpu_s and peak_rss_bytes: of the process and everything it started.

    Of a system with servers: of those alone. figures: what such a system says more.
    """

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int
    figures: Mapping[str, float] = {}


class Result(msgspec.Struct, frozen=True):
    """One system on one workload. problem: empty, or why there is nothing or nothing right.

    wrong: what it wrote differs from the truth (so there are repetitions all the same).
    commit: of our sources when this was measured; empty in older files.
    """

    workload: str
    system: str
    group: str
    repetitions: list[Repetition] = []
    rows: int = 0
    stored_bytes: int = 0
    settings: Mapping[str, object] = {}
    problem: str = ""
    wrong: str = ""
    commit: str = ""

    @property
    def measured(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.repetitions)

    def cpu_s(self) -> float:
        """Median CPU seconds."""
        return median(one.cpu_s for one in self.repetitions)

    def wall_s(self) -> float:
        """Median seconds."""
        return median(one.wall_s for one in self.repetitions)

    def peak_rss_bytes(self) -> int:
        """The highest peak."""
        return max(one.peak_rss_bytes for one in self.repetitions)


class Along(msgspec.Struct, frozen=True):
    """Where something stands in a direction in which work grows: 100 columns, 2 processes."""

    what: str
    size: int


class WorkloadInfo(msgspec.Struct, frozen=True):
    """A workload as it was in this run. text_bytes: of its JSON lines.

    load_before: the machine's, averaged over the minute before it was measured. along: where it
    stands among workloads that differ in nothing else. events_full: what it has when it is not
    made smaller; 0 in older files, whose workloads are whole.
    """

    name: str
    note: str
    events: int
    text_bytes: int
    body_events: int
    depth: int
    load_before: float
    along: Along | None = None
    events_full: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it was measured at the size for which figures mean something."""
        return self.events >= self.events_full


class SystemInfo(msgspec.Struct, frozen=True):
    """A system as it was in this run. missing: why it could not run here. along: as above."""

    name: str
    group: str
    note: str
    missing: str = ""
    along: Along | None = None


class Run(msgspec.Struct, frozen=True):
    """Everything of one run. machine: described by `benchmarks.harness.machine`."""

    format: int
    taken: str
    seed: int
    repetitions: int
    quick: bool
    machine: Mapping[str, object]
    versions: Mapping[str, str]
    workloads: list[WorkloadInfo]
    systems: list[SystemInfo]
    results: list[Result]

    def find(self, workload: str, system: str) -> Result | None:
        """The result of this pair, if it was measured."""
        for one in self.results:
            if (one.workload, one.system) == (workload, system) and one.measured:
                return one
        return None


def with_workload(
    run: Run, info: WorkloadInfo, results: Sequence[Result], order: Sequence[str]
) -> Run:
    """The run with these results in place of those of the same workload and groups.

    order: of systems in the report.
    """
    groups = {one.group for one in results}
    kept = [x for x in run.results if x.workload != info.name or x.group not in groups]
    names = [one.name for one in run.workloads]
    workloads = [info if one.name == info.name else one for one in run.workloads]
    if info.name not in names:
        workloads.append(info)
        names.append(info.name)
    found = sorted(
        [*kept, *results], key=lambda one: (names.index(one.workload), order.index(one.system))
    )
    return msgspec.structs.replace(run, workloads=workloads, results=found)


def with_kept(run: Run, before: Run, order: Sequence[str]) -> Run:
    """The run with what an earlier one has of other workloads and groups, if they fit together.

    Nothing is kept of other versions of peers, of another seed, or of a workload that had another
    number of events.
    """
    if (other_versions(before), before.seed) != (other_versions(run), run.seed):
        return run
    sizes = {one.name: one.events for one in run.workloads}
    measured = {(one.workload, one.group) for one in run.results}
    for info in before.workloads:
        if sizes.get(info.name, info.events) != info.events:
            continue
        kept = [
            msgspec.structs.replace(one, commit=one.commit or before.versions.get(COMMIT, ""))
            for one in before.results
            if one.workload == info.name and (one.workload, one.group) not in measured
        ]
        if kept:
            now = next((one for one in run.workloads if one.name == info.name), info)
            run = with_workload(run, now, kept, order)
    return run


def in_order(run: Run, names: Sequence[str]) -> Run:
    """The run with its workloads in the order of these names."""
    workloads = sorted(run.workloads, key=lambda one: names.index(one.name))
    results = sorted(run.results, key=lambda one: names.index(one.workload))
    return msgspec.structs.replace(run, workloads=workloads, results=results)


def other_versions(run: Run) -> dict[str, str]:
    """Of everything but ours: what is added may be of another commit, which is then said."""
    return {name: text for name, text in run.versions.items() if name not in _OWN}


def write_run(run: Run, path: Path) -> None:
    """Write it as JSON; an interrupted write leaves the file as it was."""
    made = path.with_suffix(".new")
    made.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
    made.replace(path)


def read_run(path: Path) -> Run:
    """Read what `write_run` wrote. Raises NoRun."""
    try:
        run = msgspec.json.decode(path.read_bytes(), type=Run)
    except (OSError, msgspec.DecodeError) as error:
        raise NoRun(f"{path} cannot be read as the file of a run: {error}") from error
    if run.format != FORMAT:
        raise NoRun(f"{path} has format {run.format}; this program reads {FORMAT}")
    return run
