"""`python -m benchmarks queries`: the questions, asked of every engine in one run."""

import shutil
import tempfile
import time
from pathlib import Path

import click
import msgspec
from rich.console import Console

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.queries.measure import ask_all
from benchmarks.queries.ours import segment_files
from benchmarks.queries.peers import ENGINES
from benchmarks.queries.prepare import Layout, engines
from benchmarks.queries.questions import EIGHT
from benchmarks.queries.results import Case
from benchmarks.queries.rows import Shape
from benchmarks.queries.table import show

_DAY_NS = 24 * 3600 * 10**9
_WIDTH = 130


@click.command()
@click.option("--rows", default=200_000, show_default=True)
@click.option("--pieces", default=0, show_default=True, help="Cuts by marker; 0: by size.")
@click.option("--partitions", default=1, show_default=True)
@click.option("--threads", default=2, show_default=True, help="Of each engine, for one question.")
@click.option("--users", default=50_000, show_default=True, help="Distinct users.")
@click.option("--rounds", default=7, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option("--peer", "peers", multiple=True, help="Only these; all by default.")
@click.option("--other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON of the run.")
def main(
    rows: int,
    pieces: int,
    partitions: int,
    threads: int,
    users: int,
    rounds: int,
    seed: int,
    peers: tuple[str, ...],
    other: Path | None,
    out: Path | None,
) -> None:
    """Ask Bellwether, and the same of the engines beside it over the same rows.

    --other: the folder of another checkout of Bellwether, which is asked too.
    """
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(one_line(describe_machine()), highlight=False)
    console.print(str(describe_versions()), highlight=False)
    now_ns = time.time_ns()
    shape = Shape(rows, seed, now_ns - 60 * 10**9, _DAY_NS, users)
    layout = Layout(pieces, partitions, threads)
    folder = Path(tempfile.mkdtemp(prefix="queries-"))
    try:
        with engines(folder, shape, layout, other, list(peers or ENGINES)) as some:
            results, memory = ask_all(some, EIGHT, shape, rounds, seed, lambda _: None)
            files = segment_files(folder / "build-0" / "data")
            size = sum(path.stat().st_size for path in files)
            case = Case(
                "spans", rows, pieces, partitions, threads, len(files), size, results, memory
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(case, console)
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=1))
