"""`python -m benchmarks`: named workloads against named systems on this machine, in one run."""

import argparse
import os
import signal
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.harness.machine import describe_machine, describe_versions
from benchmarks.harness.options import (
    chosen_systems,
    chosen_workloads,
    folders,
    parse,
    plan_of,
    suiting,
)
from benchmarks.harness.results import (
    COMMIT,
    FORMAT,
    Along,
    NoRun,
    Run,
    SystemInfo,
    other_versions,
    read_run,
    with_workload,
    write_run,
)
from benchmarks.harness.runner import Plan, measure_workload, steps
from benchmarks.report.page import write_page
from benchmarks.report.picture import picture
from benchmarks.report.table import show
from benchmarks.systems import all_systems, is_ours
from benchmarks.systems.base import Grows, System
from benchmarks.workloads import REAL_DATA, REAL_FILES

_TERMINATED = 128 + signal.SIGTERM
_INTERRUPTED = 128 + signal.SIGINT
# Families of workloads with options of their own, and their modules.
_APART = {
    "queries": "queries.cli",
    "storing": "queries.storing",
    "under-load": "queries.under_load",
    "trace-lookup": "queries.trace_lookup",
    "differences": "queries.differing",
    "otlp": "otlp.decode",
    "otlp-storing": "otlp.storing",
    "otlp-peers": "otlp.peers",
    "zipkin": "otlp.zipkin",
    "page": "page.cli",
}
_WIDTH = 130  # of tables that go to a file


def begin(options: argparse.Namespace, plan: Plan, target: Path) -> Run:
    """A run without results, or what is in the file with `--add`. Exits if they do not fit."""
    run = Run(
        format=FORMAT,
        taken=datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        seed=plan.seed,
        repetitions=plan.repetitions,
        quick=options.quick,
        machine=describe_machine(),
        versions=describe_versions(),
        workloads=[],
        systems=[
            SystemInfo(one.name, one.group.value, one.note, one.available(), _along(one))
            for one in all_systems()
        ],
        results=[],
    )
    if not (options.add and target.exists()):
        return run
    before = read_run(target)
    if (other_versions(before), before.seed) != (other_versions(run), run.seed):
        sys.exit(f"{target} was made with other versions or another seed: choose another --out")
    return msgspec.structs.replace(before, systems=run.systems)


def _along(system: System) -> Along | None:
    return system.along if isinstance(system, Grows) else None


def measure(options: argparse.Namespace, console: Console, plan: Plan, target: Path) -> Run:
    """Everything that was asked for; written after every workload."""
    workloads = chosen_workloads(options, _real_data())
    systems = [one for one in chosen_systems(options) if not one.available()]
    run = begin(options, plan, target)
    columns = (TextColumn("{task.percentage:3.0f} %"), BarColumn(20), TimeElapsedColumn())
    order, commit = [one.name for one in all_systems()], describe_versions().get(COMMIT, "")
    with Progress(*columns, TextColumn("{task.description}"), console=console) as progress:
        total = sum(steps(plan, suiting(options, systems, one)) for one in workloads)
        task = progress.add_task("", total=total)
        for workload in workloads:
            info, some = measure_workload(
                plan,
                workload,
                suiting(options, systems, workload),
                lambda text: progress.update(task, description=text, advance=1),
            )
            some = [msgspec.structs.replace(one, commit=commit) for one in some]
            run = with_workload(run, info, some, order)
            write_run(run, target)
    return run


def _real_data() -> Path | None:
    """The folder of real files, if one is named. Exits if it has not what is read."""
    if not (named := os.environ.get(REAL_DATA)):
        return None
    folder = Path(named)
    if missing := [name for name in REAL_FILES if not (folder / name).is_file()]:
        sys.exit(f"{REAL_DATA}: {folder} has no {' and no '.join(missing)}")
    return folder


def _make_folder(folder: Path) -> None:
    """Exits when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"cannot write to {folder}: {error}")


def main(arguments: list[str]) -> int:
    """Measure, show and write. Fails when ours failed or gave back anything else than it got."""
    if arguments and arguments[0] in _APART:
        command = import_module(f"benchmarks.{_APART[arguments[0]]}").main
        command(arguments[1:], prog_name=f"python -m benchmarks {arguments[0]}")
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # ends the workers too
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    if options.list:
        for workload in chosen_workloads(options, None):
            console.print(f"{workload.name}: {workload.note}", markup=False)
        for system in chosen_systems(options):
            console.print(f"{system.name}: {system.available() or system.note}", markup=False)
        return 0
    try:
        if options.write_docs:
            write_page(read_run(options.write_docs), Path(__file__).parents[1])
            return 0
        now = datetime.fromtimestamp(time.time(), UTC)
        out, shared = folders(options, now)
        _make_folder(out)
        run = measure(options, console, plan_of(options, out, shared), out / "run.json")
        (out / "run.svg").write_text(picture(run))
    except KeyboardInterrupt:
        text = (
            f"interrupted: run.json in {out} has what was finished; --add --out {out} keeps it and "
            "measures the rest"
        )
        console.print(text, markup=False)
        return _INTERRUPTED
    except NoRun as error:
        sys.exit(str(error))
    show(run, console)
    console.print(f"written: run.json and run.svg in {out}", markup=False)
    ours = [one for one in run.results if is_ours(one.system, one.group)]
    return int(any(one.problem or one.wrong for one in ours))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
