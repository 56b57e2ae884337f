"""A run's results as tables in the terminal."""

from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.machine import one_line
from benchmarks.results import Result, Run, WorkloadInfo
from benchmarks.systems import OURS

_COLUMNS = (
    "system",
    "events/s/core",
    "CPU-s/M",
    "spread",
    "wall s",
    "B/event",
    "peak MiB",
    "ratio",
)


def show(run: Run, console: Console) -> None:
    """One table per workload, then what was wrong."""
    console.print(one_line(run.machine))
    console.print(", ".join(f"{name} {text}" for name, text in run.versions.items()))
    for workload in run.workloads:
        console.print(workload_table(run, workload))
    for one in run.results:
        if one.problem or one.wrong:
            told = one.problem or f"wrong: {one.wrong}"
            console.print(f"{one.workload}, {one.system}: {told}", style="yellow", markup=False)
    for system in run.systems:
        if system.missing:
            console.print(f"{system.name} is not here: {system.missing}", markup=False)


def workload_table(run: Run, workload: WorkloadInfo) -> Table:
    """All systems on one workload; ratios are CPU time against ours in the same turns."""
    size = workload.text_bytes / workload.events
    table = Table(title=f"{workload.name}: {workload.events:,} events of {size:.0f} bytes")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "system" else "right", no_wrap=True)
    group = ""
    ours = run.find(workload.name, OURS)
    for one in run.results:
        if one.workload != workload.name or not one.measured:
            continue
        if group and one.group != group:
            table.add_section()
        group = one.group
        table.add_row(*row(one, workload, ours))
    return table


def row(one: Result, workload: WorkloadInfo, ours: Result | None) -> list[str]:
    """A result's cells."""
    per_million = 1e6 / workload.events
    cpu = [each.cpu_s * per_million for each in one.repetitions]
    return [
        one.system + (" (wrong)" if one.wrong else ""),
        f"{1e6 / median(cpu):,.0f}",
        f"{median(cpu):.3g}",
        f"{min(cpu):.3g}-{max(cpu):.3g}",
        f"{one.wall_s():.2f}",
        f"{one.stored_bytes / workload.events:.1f}" if one.stored_bytes else "",
        f"{one.peak_rss_bytes() / 2**20:,.0f}",
        f"{ratio(one, ours):.2f} x" if ours and ours.group == one.group else "",
    ]


def ratio(one: Result, ours: Result) -> float:
    """How many times our CPU time it takes: the median over repetitions of the same turn."""
    pairs = zip(one.repetitions, ours.repetitions, strict=False)
    return median(theirs.cpu_s / mine.cpu_s for theirs, mine in pairs)
