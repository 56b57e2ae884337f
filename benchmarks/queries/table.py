"""A case as a table in the terminal."""

from rich.console import Console
from rich.table import Table

from benchmarks.queries.prepare import THIS
from benchmarks.queries.results import Case, Measured


def show(case: Case, console: Console) -> None:
    """Every question and engine; ratios are Bellwether's median over the engine's, in this run."""
    title = (
        f"{case.name}: {case.rows:,} rows in {case.files} files, {case.bytes / 1e6:,.1f} MB, "
        f"{case.partitions} partitions, {case.threads} threads"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("question")
    table.add_column("engine")
    for name in ("p50 ms", "p95 ms", "CPU ms", "MB read", "clock x", "CPU x"):
        table.add_column(name, justify="right")
    last = ""
    for one in case.results:
        question = one.question + (" (estimates)" if one.estimates else "")
        table.add_row(question if one.question != last else "", one.engine, *_cells(case, one))
        last = one.question
    console.print(table)
    for memory in case.memory:
        console.print(f"peak memory of {memory.engine}: {memory.peak_bytes / 2**20:,.0f} MiB")
    for one in case.results:
        if one.problem:
            console.print(f"{one.question}, {one.engine}: {one.problem}", markup=False)


def _cells(case: Case, one: Measured) -> list[str]:
    if not one.samples:
        return ["no answer" if one.problem else ""] + [""] * 5
    cells = [f"{one.clock_ms():.1f}", f"{one.clock_ms(95):.1f}", f"{one.cpu_ms():.1f}"]
    cells.append(f"{one.read_mb():.1f}")
    ours = case.find(one.question, THIS)
    if ours is None or one.engine == THIS:
        return [*cells, "", ""]
    ratios = ours.clock_ms() / one.clock_ms(), ours.cpu_ms() / max(one.cpu_ms(), 1e-6)
    return [*cells, *(f"{ratio:.2f}" for ratio in ratios)]
