"""`python -m benchmarks`: named workloads against named systems on this machine, in one run."""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.machine import describe_machine, describe_versions
from benchmarks.report.page import PAGE_FILE, PICTURE_FILE, RUN_FILE, page, with_readme_line
from benchmarks.report.picture import picture
from benchmarks.report.table import show
from benchmarks.results import FORMAT, Result, Run, SystemInfo, WorkloadInfo, read_run, write_run
from benchmarks.runner import Plan, measure_workload, steps
from benchmarks.systems import all_systems, is_ours
from benchmarks.systems.base import System
from benchmarks.workloads import REAL_DATA, Workload, all_workloads
from benchmarks.workloads.base import WITHOUT_SERVERS

_QUICK_EVENTS = 4_096
_QUICK_REPETITIONS = 2
_REPETITIONS = 5


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few events: does it work at all")
    parser.add_argument("--workload", action="append", help="only this one (may be repeated)")
    parser.add_argument("--system", action="append", help="only this one (may be repeated)")
    parser.add_argument("--repetitions", type=int, help=f"of each (default: {_REPETITIONS})")
    parser.add_argument("--events", type=int, default=0, help="at most so many of each workload")
    parser.add_argument("--seed", type=int, default=7, help="of events and of the order of calls")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmark-results"), help="folder of what it writes"
    )
    parser.add_argument("--list", action="store_true", help="show workloads and systems, and end")
    parser.add_argument(
        "--write-docs", type=Path, metavar="RUN", help="make the documentation from a run's file"
    )
    return parser.parse_args(arguments)


def chosen_workloads(options: argparse.Namespace) -> list[Workload]:
    """Those asked for. Exits with their names when one is unknown."""
    real_data = os.environ.get(REAL_DATA)
    known = {one.name: one for one in all_workloads(Path(real_data) if real_data else None)}
    all_names = [name for name, one in known.items() if one.quick or not options.quick]
    names = options.workload or all_names
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no workload {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def chosen_systems(options: argparse.Namespace) -> list[System]:
    """Those asked for. Exits with their names when one is unknown."""
    known = {one.name: one for one in all_systems()}
    names = options.system or list(known)
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no system {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def suiting(options: argparse.Namespace, systems: list[System], workload: Workload) -> list[System]:
    """Those to measure on a workload. Servers and growth take minutes: not for `--quick`."""
    if options.system:
        return systems
    groups = WITHOUT_SERVERS & workload.groups if options.quick else workload.groups
    return [one for one in systems if one.group in groups]


def run(options: argparse.Namespace, console: Console) -> Run:
    """Measure everything that was asked for."""
    workloads = chosen_workloads(options)
    found = [(one, one.available()) for one in chosen_systems(options)]
    systems = [one for one, missing in found if not missing]
    plan = Plan(
        seed=options.seed,
        repetitions=options.repetitions or (_QUICK_REPETITIONS if options.quick else _REPETITIONS),
        events=options.events or (_QUICK_EVENTS if options.quick else 0),
        folder=options.out.absolute() / "working",
        cache=options.out.absolute() / "cache",
    )
    machine = describe_machine()
    infos: list[WorkloadInfo] = []
    results: list[Result] = []
    columns = (TextColumn("{task.percentage:3.0f} %"), BarColumn(20), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console) as progress:
        task = progress.add_task(
            "", total=sum(steps(plan, suiting(options, systems, one)) for one in workloads)
        )
        for workload in workloads:
            info, some = measure_workload(
                plan,
                workload,
                suiting(options, systems, workload),
                lambda text: progress.update(task, description=text, advance=1),
            )
            infos.append(info)
            results += some
    return Run(
        format=FORMAT,
        taken=datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        seed=plan.seed,
        repetitions=plan.repetitions,
        quick=options.quick,
        machine=machine,
        versions=describe_versions(),
        workloads=infos,
        systems=[SystemInfo(one.name, one.group.value, one.note, why) for one, why in found],
        results=results,
    )


def write_docs(source: Path, root: Path) -> None:
    """Keep the run beside the page, and make the page, its picture and the README's line of it."""
    run = read_run(source)
    (root / RUN_FILE).parent.mkdir(exist_ok=True)
    write_run(run, root / RUN_FILE)
    (root / PICTURE_FILE).write_text(picture(run))
    (root / PAGE_FILE).write_text(page(run))
    readme = root / "README.md"
    readme.write_text(with_readme_line(readme.read_text(), run))


def main(arguments: list[str]) -> int:
    """Measure, show and write. Fails when ours failed or gave back anything else than it got."""
    options = parse(arguments)
    console = Console()
    if options.list:
        for workload in chosen_workloads(options):
            console.print(f"{workload.name}: {workload.note}", markup=False)
        for system in all_systems():
            console.print(f"{system.name}: {system.available() or system.note}", markup=False)
        return 0
    if options.write_docs:
        write_docs(options.write_docs, Path(__file__).parents[1])
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    found = run(options, console)
    show(found, console)
    write_run(found, options.out / "run.json")
    (options.out / "run.svg").write_text(picture(found))
    console.print(f"written: run.json and run.svg in {options.out}", markup=False)
    ours = [one for one in found.results if is_ours(one.system, one.group)]
    return int(any(one.problem or one.wrong for one in ours))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
