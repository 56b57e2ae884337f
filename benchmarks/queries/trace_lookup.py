"""`python -m benchmarks trace-lookup`: one trace by its id, among thousands of segments of 60 days.

The spans of each trace are in two partitions or more, and whether a segment holds some of them,
nothing but its rows says. Beside it plain DuckDB reads the very same files, and is told which of
them hold the trace, which is what a lookup has to find out. Counted is the clock, from the request
until the answer is read; of a trace that does not exist DuckDB has nothing to do.
"""

import random
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.queries.engines.interface import NoAnswer
from benchmarks.queries.engines.ours import Bellwether
from benchmarks.queries.engines.peers import columns
from benchmarks.queries.meter import Processes
from benchmarks.queries.prepare import THIS, Layout, export, start_build, target, wait_idle
from benchmarks.queries.rows.kinds import ROWS_PER_TRACE
from benchmarks.queries.rows.log import write_log
from benchmarks.queries.rows.shape import Shape
from benchmarks.two_builds import ROOT

_DAY_NS = 86_400 * 10**9
_DAYS = 59  # that far back nothing expires while it runs
_BODY_ROWS = 6  # fewer than spans of a trace: they go to several partitions
_BODIES = 7  # of a piece in each partition
_NS_PER_MS = 1_000_000
_GOAL_MS = 50.0  # beyond DuckDB
_KNOWN, _UNKNOWN = "a trace", "none has the id"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One that was made. duckdb_ns: of a trace that does not exist 0."""

    clock_ns: int
    cpu_ns: int
    duckdb_ns: int


class Lookups:
    """Asks a build and DuckDB for the same traces; answers must have the same number of spans."""

    def __init__(self, one: Bellwether, files: Sequence[Path], shape: Shape, seed: int) -> None:
        self._one = one
        self._processes = Processes(one.pids())
        self._shape = shape
        self._dice = random.Random(seed)
        self._duckdb = duckdb.connect()
        self._duckdb.execute("SET threads = 2")
        self._files = self._files_of_traces(files)

    def partitions_of_a_trace(self) -> float:
        """In how many files a trace is, the mean."""
        return statistics.mean(map(len, self._files.values()))

    def known(self) -> Lookup:
        """Any trace. Raises NoAnswer."""
        number = self._dice.randrange(self._shape.rows // ROWS_PER_TRACE)
        (trace,) = self._duckdb.execute(
            "SELECT md5(?)", [f"trace{number}-{self._shape.seed}"]
        ).fetchall()[0]
        listed = ", ".join(f"'{one}'" for one in self._files[trace])
        statement = (
            f"SELECT * FROM (SELECT {columns(self._shape.kind, chr(34))} "
            f"FROM read_parquet([{listed}], union_by_name = true)) WHERE trace_trace_id = '{trace}'"
        )
        began = time.perf_counter_ns()
        rows = self._duckdb.execute(statement).fetchall()
        duckdb_ns = time.perf_counter_ns() - began
        return self._ask(trace, len(rows), duckdb_ns)

    def unknown(self) -> Lookup:
        """A trace that does not exist. Raises NoAnswer."""
        return self._ask(self._dice.randbytes(16).hex(), 0, 0)

    def _ask(self, trace: str, spans: int, duckdb_ns: int) -> Lookup:
        before_ns = self._processes.sample().cpu_ns
        began = time.perf_counter_ns()
        status, body = self._one.request("GET", f"/bw/1/traces/{trace}")
        clock_ns = time.perf_counter_ns() - began
        cpu_ns = self._processes.sample().cpu_ns - before_ns
        found = int(orjson.loads(body)["spans"]) if status == 200 else 0
        if found != spans or status != (200 if spans else 404):
            raise NoAnswer(f"{status}, {found} spans instead of {spans}: {body[:300]!r}")
        return Lookup(clock_ns, cpu_ns, duckdb_ns)

    def _files_of_traces(self, files: Sequence[Path]) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path, trace in self._duckdb.execute(
            'SELECT DISTINCT filename, "f:trace.trace_id:s" FROM read_parquet(?, filename = true)',
            [[str(one) for one in files]],
        ).fetchall():
            found[trace].append(path)
        return found


def measure(
    segments: int, partitions: int, rounds: int, seed: int, folder: Path, console: Console
) -> None:
    """Make the segments, and ask. Asserts no time. Raises NoAnswer."""
    pieces = max(segments // partitions, 1)
    rows = pieces * partitions * _BODIES * _BODY_ROWS
    end_ns = time.time_ns() // _DAY_NS * _DAY_NS
    shape = Shape(rows=rows, seed=seed, end_ns=end_ns, span_ns=_DAYS * _DAY_NS)
    log, files = folder / "log", folder / "files"
    write_log(log, target(), shape, pieces, partitions, body_rows=_BODY_ROWS)
    # asking is measured: how the segments were made does not matter
    layout = Layout(pieces=pieces, partitions=partitions, compiled=False)
    one = start_build(THIS, ROOT, folder / "build", log, layout)
    try:
        wait_idle(one)
        export(one, files)
        paths = sorted(files.glob("*.parquet"))
        asking = Lookups(one, paths, shape, seed)
        first = asking.unknown()
        found: dict[str, list[Lookup]] = {_KNOWN: [], _UNKNOWN: []}
        ways: dict[str, Callable[[], Lookup]] = {_KNOWN: asking.known, _UNKNOWN: asking.unknown}
        for _ in range(rounds):
            for name, ask in ways.items():
                found[name].append(ask())
        console.print(
            f"{len(paths)} segments of {rows} spans over {_DAYS} days and {partitions} "
            f"partitions; {asking.partitions_of_a_trace():.1f} segments hold a trace of "
            f"{ROWS_PER_TRACE} spans; {rounds} of each; medians, ms",
            markup=False,
        )
        _show(first, found, console)
    finally:
        one.close()


def _show(first: Lookup, found: Mapping[str, Sequence[Lookup]], console: Console) -> None:
    table = Table("looked up", "clock", "beyond DuckDB", "one in ten takes", "CPU", "DuckDB")
    for name, some in {"the first of all": [first], **found}.items():
        beyond = [one.clock_ns - one.duckdb_ns for one in some]
        slow = sorted(one.clock_ns for one in some)[-1 - len(some) // 10]
        shown = (
            statistics.median(one.clock_ns for one in some),
            statistics.median(beyond),
            slow,
            statistics.median(one.cpu_ns for one in some),
            statistics.median(one.duckdb_ns for one in some),
        )
        table.add_row(name, *(f"{value / _NS_PER_MS:.1f}" for value in shown))
    console.print(table)
    console.print(f"goal: at most {_GOAL_MS:.0f} ms beyond DuckDB", markup=False)


@click.command()
@click.option("--segments", default=5_000, show_default=True)
@click.option("--partitions", default=12, show_default=True)
@click.option("--rounds", default=100, show_default=True, help="Lookups of each kind.")
@click.option("--seed", default=1, show_default=True)
def main(segments: int, partitions: int, rounds: int, seed: int) -> None:
    """Clock of looking up a trace among many segments, beside DuckDB that is told where it is."""
    console = Console(width=120)
    console.print(one_line(describe_machine()), markup=False)
    versions = ", ".join(f"{name} {one}" for name, one in describe_versions().items())
    console.print(versions, markup=False)
    folder = Path(tempfile.mkdtemp(prefix="trace-lookup-"))
    try:
        measure(segments, partitions, rounds, seed, folder, console)
    except NoAnswer as error:
        raise click.ClickException(str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
