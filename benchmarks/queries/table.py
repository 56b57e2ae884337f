"""A run as tables in the terminal."""

from rich.console import Console
from rich.table import Table

from benchmarks.queries.judge import clock_ratio, cpu_ratio, goals
from benchmarks.queries.prepare import THIS
from benchmarks.queries.results import Case, Measured, QueriesRun

COLUMNS = ("question", "engine", "p50 ms", "p95 ms", "CPU ms", "MB read", "clock x", "CPU x")
AT_ONCE = ("question", "engine", "askers", "p50 ms", "p95 ms", "CPU ms each", "answers/s")
GOALS = ("case", "what", "against", "at most", "found", "")


def show_case(case: Case, console: Console) -> None:
    """Every question and engine; ratios are Bellwether's over the engine's, medians of rounds."""
    console.print(_table(case.name, COLUMNS, rows(case), 2))
    if case.at_once:
        console.print(_table("several askers at once", AT_ONCE, at_once_rows(case), 2))
    for memory in case.memory:
        console.print(f"peak memory: {memory.text}", highlight=False)
    for one in case.results:
        if one.problem:
            console.print(f"{one.question}, {one.engine}: {one.problem}", markup=False)


def show_goals(run: QueriesRun, console: Console) -> None:
    """What must be reached, as far as the run has figures: how much is, and what is not."""
    found = goals(run)
    missed = [one.cells() for one in found if not one.met]
    if found:
        console.print(f"{len(found) - len(missed)} of {len(found)} bounds met", highlight=False)
    if missed:
        console.print(_table("Missed", GOALS, missed, 3))


def rows(case: Case) -> list[tuple[str, ...]]:
    """The cells of a case's table."""
    found, last = [], ""
    for one in case.results:
        question = one.question + (" (estimates)" if one.estimates else "")
        found.append((question if one.question != last else "", one.engine, *_cells(case, one)))
        last = one.question
    return found


def at_once_rows(case: Case) -> list[tuple[str, ...]]:
    """The cells of the table of several askers."""
    return [
        (one.question, one.engine, f"{one.askers}", f"{one.wait_ms():.1f}",
         f"{one.wait_ms(95):.1f}", f"{one.cpu_ms():.1f}", f"{one.per_s():.1f}")
        for one in case.at_once
    ]  # fmt: skip


def _cells(case: Case, one: Measured) -> list[str]:
    if not one.samples:
        return ["no answer" if one.problem else ""] + [""] * 5
    cells = [f"{one.clock_ms():.1f}", f"{one.clock_ms(95):.1f}", f"{one.cpu_ms():.1f}"]
    cells.append(f"{one.read_mb():.1f}")
    ours = case.find(one.question, THIS)
    if ours is None or one.engine == THIS:
        return [*cells, "", ""]
    return [*cells, f"{clock_ratio(ours, one):.2f}", f"{cpu_ratio(ours, one):.2f}"]


def _table(title: str, names: tuple[str, ...], some: list[tuple[str, ...]], texts: int) -> Table:
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number < texts else "right")
    for row in some:
        table.add_row(*row)
    return table
