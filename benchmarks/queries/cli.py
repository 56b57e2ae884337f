"""`python -m benchmarks queries`: the questions, asked of every engine in one run."""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import click
import msgspec
from rich.console import Console

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.queries.engines.interface import NoAnswer
from benchmarks.queries.engines.peers import installed
from benchmarks.queries.engines.victorialogs import VICTORIALOGS
from benchmarks.queries.measure import Measuring, Rounds
from benchmarks.queries.plans import PLANS, Wanted
from benchmarks.queries.prepare import OTHER, Layout, engines, wait_idle
from benchmarks.queries.results import FORMAT, Case, QueriesRun, read_queries, write_queries
from benchmarks.queries.results import Layout as Measured
from benchmarks.queries.rows.kinds import KINDS
from benchmarks.queries.rows.shape import Shape
from benchmarks.queries.table import show_case, show_goals
from benchmarks.report.queries_page import write_queries_page
from benchmarks.systems.victorialogs import binary
from benchmarks.two_builds import environment_of

_HOUR_NS = 3_600 * 10**9
_BEFORE_NOW_NS = 60 * 10**9  # the last row's age
_TERMINATED = 128 + signal.SIGTERM
_WIDTH = 150


@dataclass(frozen=True, slots=True)
class Run:
    """What holds for every case."""

    rounds: int
    seed: int
    threads: int
    other: Path | None
    peers: Sequence[str]
    compiled: bool = True


def measure_case(wanted: Wanted, run: Run, folder: Path, console: Console) -> Case:
    """One case, in a folder that is emptied afterwards."""
    end_ns = time.time_ns() - _BEFORE_NOW_NS
    span_ns = wanted.hours * _HOUR_NS
    shape = Shape(wanted.rows, run.seed, end_ns, span_ns, wanted.users, wanted.kind, wanted.columns)
    layout = Layout(
        wanted.pieces, wanted.partitions, wanted.live, wanted.indexers, run.threads, run.compiled,
        wanted.compacted, environment_of(wanted.settings),
    )  # fmt: skip
    rounds = Rounds(run.rounds, run.seed, wanted.cold, wanted.askers, console.print)
    questions = wanted.chosen()
    try:
        with engines(folder, shape, layout, run.other, _peers(wanted, run)) as ready:
            for one in ready.builds:
                waited_s = wait_idle(one)
                console.print(f"{one.name}: waited {waited_s:.0f} s until nothing is put together "
                              "or summarized", highlight=False)  # fmt: skip
            measuring = Measuring(ready.engines, shape, rounds)
            results = measuring.ask_all(questions)
            at_once = measuring.ask_at_once(questions[0])
            if not all(one.is_sealed(wanted.live) for one in ready.builds):
                raise NoAnswer("an hour ended and its live rows were cut: measure again")
            return Case(
                Measured(
                    wanted.kind, wanted.rows, wanted.users, wanted.columns, wanted.pieces,
                    wanted.live, wanted.partitions, wanted.indexers, run.threads, wanted.cold,
                ),
                len(ready.files),
                sum(path.stat().st_size for path in ready.files),
                results,
                at_once,
                measuring.memory(),
                wanted.compacted,
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _peers(wanted: Wanted, run: Run) -> list[str]:
    parts = run.peers or wanted.peers
    found = [one for one in installed() if not parts or any(part in one for part in parts)]
    if wanted.kind == "logs" and binary() and not parts:
        found.append(VICTORIALOGS)
    return found


def _begin(seed: int, other: Path | None, kept: Path | None) -> QueriesRun:
    """A run without cases, or with those of a file that is added to."""
    before = read_queries(kept) if kept is not None and kept.exists() else None
    taken = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
    return QueriesRun(
        FORMAT, taken, seed, describe_machine(), describe_versions(), str(other or ""),
        before.cases if before else [],
    )  # fmt: skip


class _Numbers(click.ParamType):  # type: ignore[type-arg]  # generic in some versions only
    """Whole numbers with commas between them."""

    name = "N,N,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(one) for one in str(value).split(",") if one)
        except ValueError:
            self.fail(f"{value}: whole numbers with commas between them", param, ctx)


_NUMBERS = _Numbers()


@click.command()
@click.option(
    "--plan",
    "plans",
    multiple=True,
    type=click.Choice(list(PLANS)),
    help="A named set of cases; may be repeated. Without: one case per combination of "
    "the numbers below.",
)
@click.option("--kind", default="spans", type=click.Choice(list(KINDS)), show_default=True)
@click.option("--rows", type=_NUMBERS, default=(200_000,))
@click.option("--pieces", type=_NUMBERS, default=(0,), help="Cuts by marker; 0: by size.")
@click.option("--live", type=_NUMBERS, default=(0,), help="Rows that are in no segment yet.")
@click.option("--partitions", type=_NUMBERS, default=(1,))
@click.option("--indexers", type=_NUMBERS, default=(1,))
@click.option("--columns", type=_NUMBERS, default=(0,), help="Of --kind columns.")
@click.option("--users", type=_NUMBERS, default=(50_000,), help="Distinct users of spans.")
@click.option("--askers", type=_NUMBERS, default=(), help="So many at once, too.")
@click.option("--hours", default=24, show_default=True, help="That the rows span.")
@click.option("--compacted", is_flag=True, help="Small segments are put together first.")
@click.option("--cold", is_flag=True, help="Files are dropped from the page cache each time.")
@click.option("--question", "questions", multiple=True, help="Part of the name of questions.")
@click.option("--peer", "peers", multiple=True, help="Part of the name of engines beside.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="SECTION.NAME=VALUE",
    help="A setting of this build, as of `bellwether up`.",
)
@click.option("--threads", default=2, show_default=True, help="Of each engine, for one question.")
@click.option("--rounds", default=7, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option(
    "--other",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of another checkout of Bellwether, which is asked too.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON of the run.")
@click.option("--add", is_flag=True, help="Keep the cases that are in --out.")
@click.option(
    "--write-docs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Measure nothing: make the page of the documentation from this file.",
)
@click.option(
    "--costs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="As --write-docs: the file of a run of `python -m benchmarks storing`.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="For data, in a new folder there; removed afterwards.",
)
@click.option("--without-compiled-code", "compiled", flag_value=False, default=True, type=bool,
              hidden=True)  # fmt: skip
def main(
    plans: tuple[str, ...], kind: str, rows: tuple[int, ...], pieces: tuple[int, ...],
    live: tuple[int, ...], partitions: tuple[int, ...], indexers: tuple[int, ...],
    columns: tuple[int, ...], users: tuple[int, ...], askers: tuple[int, ...], hours: int,
    compacted: bool, cold: bool, questions: tuple[str, ...], peers: tuple[str, ...],
    sets: tuple[str, ...], threads: int, rounds: int, seed: int, other: Path | None,
    out: Path | None, add: bool, folder: Path | None, compiled: bool,
    write_docs: Path | None, costs: Path | None,
) -> None:  # fmt: skip
    """Ask Bellwether questions through HTTP, and the same of the engines beside it.

    Every engine reads the same rows; each question is another one every time; answers are compared
    before their times count. Ends with 1 if an engine has no answer or a different one; the other
    build may.
    """
    if write_docs is not None or costs is not None:
        write_queries_page(Path(__file__).parents[2], write_docs, costs)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # ends what was started, too
    settings = dict(one.split("=", 1) for one in sets)
    wanted = [one for name in plans for one in PLANS[name]] or [
        Wanted(kind, *some, questions=questions, compacted=compacted, cold=cold, askers=askers)
        for some in product(rows, users, columns, (hours,), pieces, live, partitions, indexers)
    ]
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    run = _begin(seed, other, out if add else None)
    console.print(one_line(run.machine), highlight=False)
    console.print(", ".join(f"{k} {v}" for k, v in run.versions.items()), highlight=False)
    how = Run(rounds, seed, threads, other, peers, compiled)
    root = Path(tempfile.mkdtemp(prefix="queries-", dir=folder))
    try:
        for number, one in enumerate(wanted):
            one = replace(one, settings={**one.settings, **settings})
            case = measure_case(one, how, root / str(number), console)
            run = msgspec.structs.replace(run, cases=[*run.cases, case])
            show_case(case, console)
            if out is not None:
                write_queries(run, out)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    show_goals(run, console)
    found = [one for case in run.cases for one in case.results if one.engine != OTHER]
    sys.exit(any(one.problem for one in found))
