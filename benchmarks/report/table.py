"""A run's results as tables in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import one_line
from benchmarks.harness.results import Result, Run, WorkloadInfo
from benchmarks.report.goals import Goal, goals
from benchmarks.report.ratios import cpu_per_million, events_per_s, ratio
from benchmarks.systems import OURS

COLUMNS = (
    "system", "events/s/core", "CPU-s per M", "least - most", "events/s", "bytes/event",
    "peak MiB", "CPU / ours",
)  # fmt: skip
_STYLES = {"met": "green", "missed": "red", "not measured": "dim"}


def show(run: Run, console: Console) -> None:
    """One table per workload, what must be reached, then what was wrong or missing."""
    console.print(one_line(run.machine), markup=False)
    console.print(", ".join(f"{name} {text}" for name, text in run.versions.items()), markup=False)
    for workload in run.workloads:
        console.print(workload_table(run, workload))
    _show_goals(run, console)
    for one in run.results:
        if told := one.problem or (one.wrong and f"wrong: {one.wrong}"):
            text = " ".join(told.split())[:300]
            console.print(f"{one.workload}, {one.system}: {text}", style="yellow", markup=False)
    for system in run.systems:
        if system.missing:
            console.print(f"{system.name}: {system.missing}", style="yellow", markup=False)


def workload_table(run: Run, workload: WorkloadInfo) -> Table:
    """All systems on one workload; ratios are CPU time against ours in the same turns."""
    size = workload.text_bytes / workload.events
    table = _table(f"{workload.name}: {workload.events:,} events of {size:,.0f} bytes", COLUMNS)
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
    cpu = cpu_per_million(one, workload)
    return [
        one.system + (" (wrong)" if one.wrong else ""),
        f"{events_per_s(one, workload):,.0f}",
        figure(cpu.middle),
        f"{figure(cpu.least)} - {figure(cpu.most)}",
        f"{workload.events / one.wall_s():,.0f}",
        f"{one.stored_bytes / workload.events:,.1f}" if one.stored_bytes else "",
        f"{one.peak_rss_bytes() / 2**20:,.0f}" if one.peak_rss_bytes() else "",
        f"{ratio(one, ours).middle:.2f}" if ours else "",
    ]


def _show_goals(run: Run, console: Console) -> None:
    """What must be reached, of what was measured at a size at which that means something."""
    if run.quick or not all(one.is_whole for one in run.workloads):
        text = (
            "so few events show whether it works, not how fast it is: no bounds are judged. "
            "`--headline` measures the README's figure in a quarter of a minute"
        )
        console.print(text, markup=False)
        return
    found = goals(run)
    measured = [goal for goal in found if goal.found is not None]
    if measured:
        console.print(goals_table(measured))
    if len(measured) < len(found):
        text = (
            f"{len(found) - len(measured)} other bounds need workloads or systems not in this run"
        )
        console.print(text, markup=False)


def goals_table(found: Sequence[Goal]) -> Table:
    """What must be reached, with its verdicts."""
    names = ("path", "against", "bound", "found", "")
    table = _table("What it must reach, in this run", names)
    for goal in found:
        table.add_row(*goal.cells(), style=_STYLES[goal.verdict])
    return table


def figure(value: float) -> str:
    """Three digits that matter, never with an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _table(title: str, names: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        is_text = name in ("system", "path", "against", "")
        table.add_column(name, justify="left" if is_text else "right", no_wrap=name != "path")
    return table
