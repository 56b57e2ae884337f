"""`bellwether send` of two builds, in one run: `python -m benchmarks.loading OTHER_CHECKOUT`.

Two installations run side by side, this build and the other. Each round loads the same generated
file into each with that build's own `send`, in a random order: access-log lines, CSV and JSON
lines. Told are lines per second, CPU of the client and of shepherd and indexer until all is
indexed, and their ratios; medians of the rounds. `--mb 1000` makes files of 1 GB.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.two_builds import ROLES, ROOT, Installation
from benchmarks.workloads.access import generated

_START = datetime(2026, 1, 1, tzinfo=UTC)
_ACCESS_LINES = 100_000  # made once and repeated: a day's worth at three a second


class Run(NamedTuple):
    """One load: CPU in nanoseconds per line."""

    lines_per_s: float
    client_ns: float
    server_ns: float


def _access(chance: random.Random) -> Iterator[str]:
    lines = generated(chance.randrange(2**30), _ACCESS_LINES)
    while True:
        yield from lines


def _events(chance: random.Random) -> Iterator[dict[str, object]]:
    moment = _START
    while True:
        moment += timedelta(microseconds=chance.randrange(2_000))
        yield {
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
            "service": f"svc-{chance.randrange(24)}",
            "route": f"/v1/things/{chance.randrange(240)}",
            "status": chance.choice([200, 200, 200, 404, 500]),
            "duration_ms": round(chance.expovariate(0.05), 3),
            "user": f"user-{chance.randrange(50_000)}",
            "host": f"host-{chance.randrange(40)}",
            "trace_id": f"{chance.getrandbits(128):032x}",
        }


def _json(chance: random.Random) -> Iterator[str]:
    return (json.dumps(event) for event in _events(chance))


def _csv(chance: random.Random) -> Iterator[str]:
    events = _events(chance)
    yield ",".join(next(events))
    yield from (",".join(map(str, event.values())) for event in events)


FILES: dict[str, Callable[[random.Random], Iterator[str]]] = {
    "access.log": _access, "table.csv": _csv, "lines.json": _json,
}  # fmt: skip


def _write(path: Path, lines: Iterator[str], size: int) -> int:
    """Write a file of about this size; returns the number of its events."""
    count = written = 0
    with path.open("w") as file:
        for line in lines:
            written += file.write(f"{line}\n")
            count += 1
            if written >= size:
                break
    return count - (path.suffix == ".csv")


def _load(one: Installation, path: Path, dataset: str, events: int) -> Run:
    """Load the file with the build's own client, and wait until all of it is indexed."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    environ |= {
        "PYTHONPATH": str(one.checkout),
        "BELLWETHER_URL": one.url,
        "BELLWETHER_KEY": one.key,
        "XDG_STATE_HOME": str(one.folder / "state"),
    }
    before = one.used()
    start = time.monotonic()
    command = [sys.executable, "-m", "bellwether", "send", dataset, str(path), "--again"]
    process = subprocess.Popen(command, cwd=one.folder, env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took_s = time.monotonic() - start
    if process.returncode != 0:
        raise RuntimeError(f"{one.name}: send ended with {process.returncode}")
    one.wait_until_indexed()
    after = one.used()
    client_ns = (usage.ru_utime + usage.ru_stime) * 1e9
    server_ns = sum(after[role] - before[role] for role in ROLES)
    return Run(events / took_s, client_ns / events, server_ns / events)


@click.command()
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mb", default=20, show_default=True, help="Size of each file.")
@click.option("--rounds", default=5, show_default=True)
def main(other: Path, mb: int, rounds: int) -> None:
    """Compare the loading of this checkout with that of OTHER, the folder of another one."""
    chance = random.Random(1)
    print(one_line(describe_machine()))
    print(describe_versions(), flush=True)
    root = Path(tempfile.mkdtemp(prefix="loading-"))
    kernels = Path.home() / ".cache" / "bellwether" / "two-builds"
    installed: list[Installation] = []
    try:
        for name, checkout in (("this", ROOT), ("other", other.resolve())):
            folder = root / name
            folder.mkdir()
            installed.append(Installation(name, checkout, folder))
            installed[-1].start(kernels)
        for file, make in FILES.items():
            path = root / file
            events = _write(path, make(chance), mb * 1_000_000)
            runs: dict[str, list[Run]] = {one.name: [] for one in installed}
            for number in range(rounds + 1):
                for one in chance.sample(installed, len(installed)):
                    run = _load(one, path, f"load-{number}", events)
                    if number:  # the first warms up
                        runs[one.name].append(run)
            _show(file, events, runs)
            path.unlink()
    finally:
        for one in installed:
            one.stop()
        shutil.rmtree(root, ignore_errors=True)


def _show(file: str, events: int, runs: dict[str, list[Run]]) -> None:
    """One line per build, and this one against the other, round by round."""
    print(f"{file}: {events:,} events, {len(runs['this'])} rounds, medians")
    for name, found in runs.items():
        speed, client, server = (statistics.median(column) for column in zip(*found, strict=True))
        print(
            f"  {name:6} {speed:9,.0f} lines/s; CPU per line: client {client / 1000:6.2f} us, "
            f"server {server / 1000:6.2f} us, client/server {client / server:.2f}"
        )
    pairs = list(zip(runs["this"], runs["other"], strict=True))
    speed = statistics.median(a.lines_per_s / b.lines_per_s for a, b in pairs)
    client = statistics.median(b.client_ns / a.client_ns for a, b in pairs)
    print(f"  this / other: {speed:.2f} x the lines per second, 1/{client:.2f} of the client's CPU")


if __name__ == "__main__":
    main()
