"""The command line of `python -m benchmarks`, and what it chooses."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.harness.runner import Plan
from benchmarks.systems import OURS, all_systems
from benchmarks.systems.base import Group, System
from benchmarks.workloads import Workload, all_workloads
from benchmarks.workloads.base import WITHOUT_SERVERS
from benchmarks.workloads.wide import WIDE

_QUICK_EVENTS = 1_024  # the reference takes 3 ms of each nginx document, three times
_QUICK_REPETITIONS = 2
_REPETITIONS = 5
_HEADLINE_WORKLOADS, _HEADLINE_SYSTEMS = (WIDE.name,), (OURS, "duckdb")
_HEADLINE_REPETITIONS = 3
RESULTS = Path("benchmark-results")
_WORKING = "benchmarks-working"  # emptied and removed: no name that others might use beside it
_GROUPS = {one.name.lower().replace("_", "-"): one for one in Group}


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Named workloads against named systems on this machine, in one run.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="few events, no servers: does it work at all")
    add(
        "--headline", action="store_true",
        help="the README's figure: wide spans, ours beside DuckDB, in a quarter of a minute",
    )  # fmt: skip
    add("--workload", action="append", metavar="NAME", help="only this one (may be repeated)")
    add("--system", action="append", metavar="NAME", help="only this one (may be repeated)")
    add("--group", action="append", choices=_GROUPS, help="only systems of it (may be repeated)")
    add("--repetitions", type=_count, metavar="N", help=f"of each (default: {_REPETITIONS})")
    add("--events", type=_count, default=0, metavar="N", help="at most so many of each workload")
    add("--seed", type=int, default=7, help="of events and of the order of calls")
    add(
        "--out", type=Path, metavar="FOLDER",
        help=f"where run.json is written (default: a new folder for each run below {RESULTS})",
    )  # fmt: skip
    add(
        "--add", action="store_true",
        help="add to the run.json of --out, keeping what it has of other workloads",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="replace the run.json of --out")
    add("--list", action="store_true", help="show workloads and systems, and end")
    text = "make docs/performance.md and the README's line from a run's file, and end"
    add("--write-docs", type=Path, metavar="FILE", help=text)
    options = parser.parse_args(arguments)
    if (options.add or options.overwrite) and options.out is None:
        parser.error("--add and --overwrite need --out, the folder of the run that is meant")
    if options.headline:
        options.workload = options.workload or list(_HEADLINE_WORKLOADS)
        options.system = options.system or list(_HEADLINE_SYSTEMS)
        options.repetitions = options.repetitions or _HEADLINE_REPETITIONS
    return options


def folders(options: argparse.Namespace, now: datetime) -> tuple[Path, Path]:
    """Where this run is written, and where what runs share is kept. Exits rather than overwrite."""
    if options.out is None:
        out = RESULTS / f"{now:%Y%m%dT%H%M%SZ}"
        shared = RESULTS
    else:
        out = shared = options.out
    if (out / "run.json").exists() and not (options.add or options.overwrite):
        sys.exit(
            f"{out / 'run.json'} is there already: choose another --out, or say --add to keep what "
            "it has of other workloads, or --overwrite to replace it"
        )
    return out, shared


def _count(text: str) -> int:
    """A number of events or repetitions."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return number


def plan_of(options: argparse.Namespace, out: Path, shared: Path) -> Plan:
    """How to measure. out: the run's own folder. shared: of all runs, what is fetched once."""
    return Plan(
        seed=options.seed,
        repetitions=options.repetitions or (_QUICK_REPETITIONS if options.quick else _REPETITIONS),
        events=options.events or (_QUICK_EVENTS if options.quick else 0),
        folder=out.absolute() / _WORKING,
        cache=shared.absolute() / "cache",
    )


def chosen_workloads(options: argparse.Namespace, real_data: Path | None) -> list[Workload]:
    """Those asked for. Exits with their names when one is unknown."""
    known = {one.name: one for one in all_workloads(real_data)}
    all_names = [name for name, one in known.items() if one.quick or not options.quick]
    names = options.workload or all_names
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no workload {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def chosen_systems(options: argparse.Namespace) -> list[System]:
    """Those asked for. Exits with their names when one is unknown."""
    known = {one.name: one for one in all_systems()}
    if unknown := [name for name in options.system or () if name not in known]:
        sys.exit(f"no system {unknown[0]!r}; there are: {', '.join(known)}")
    groups = [_GROUPS[name] for name in options.group or _GROUPS]
    names = options.system or [name for name, one in known.items() if one.group in groups]
    return [known[name] for name in names]


def suiting(
    options: argparse.Namespace, systems: Sequence[System], workload: Workload
) -> list[System]:
    """Those to measure on a workload. Servers and growth take minutes: not for `--quick`."""
    if options.system:
        return list(systems)
    groups = WITHOUT_SERVERS & workload.groups if options.quick else workload.groups
    named = workload.systems
    return [one for one in systems if one.group in groups and (not named or one.name in named)]
