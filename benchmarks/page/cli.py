"""`python -m benchmarks page`: how fast the page shows what the server knows, in a real browser.

A `bellwether up` of its own takes events at a steady rate. Each repetition opens the page, asks,
draws many groups and scrolls a long trace; beside each stands the API's own time for the same
requests. `--beside` measures another build of the page in turns with this one.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.page.browser import DRIVER, NoBrowser, drive, driver_folder, find_browser
from benchmarks.page.events import LOAD, MANY, QUICK, STEP_S, TRACE, Load, Size, fill
from benchmarks.page.show import show_sizes, show_times
from benchmarks.page.sizes import Loaded, peer_size, size_of
from benchmarks.queries.prepare import KERNELS
from benchmarks.serving.shepherd_client import ShepherdClient
from benchmarks.two_builds import ROOT, Installation
from query.page.bundle import INDEX, NoBundle, find_bundle

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _page_files(folder: Path, builds: list[tuple[str, Path | None]]) -> list[dict[str, str]]:
    """Writes the files of all builds into one folder; the index is the first one's.

    Returns name and index of each. Raises NoBundle.
    """
    folder.mkdir()
    found = []
    for name, source in reversed(builds):
        files = find_bundle(source)
        for file, one in files.items():
            (folder / file).write_bytes(one.data)
        found.append({"name": name, "index": files[INDEX].data.decode()})
    return found[::-1]


def _login_link(output: Path) -> str:
    """The link that logs in once, as `up` printed it."""
    return next(word for word in output.read_text().split() if "#login=" in word)


def measure(
    builds: list[tuple[str, Path | None]],
    size: Size,
    repetitions: int,
    per_s: int,
    seed: int,
    console: Console,
) -> None:
    """Start, fill, drive, show. Asserts no time. Raises NoBrowser, NoBundle, RuntimeError."""
    find_browser()
    driver_folder()
    folder = Path(tempfile.mkdtemp(prefix="page-benchmark-"))
    one = Installation("page", ROOT, folder)
    try:
        pages = _page_files(folder / "page", builds)
        one.start(
            KERNELS,
            settings={
                "BELLWETHER_QUERY_PAGE_FOLDER": str(folder / "page"),
                "BELLWETHER_SHEPHERD_OTLP_GRPC_PORT": "-1",
            },
        )
        host, port = one.url.removeprefix("http://").split(":")
        client = ShepherdClient((host, int(port)), one.key)
        start, end = fill(client, size, seed, time.time())
        told: dict[str, Any] = {
            "builds": pages,
            "key": one.key,
            "origin": one.url,
            "link": _login_link(folder / "up.out"),
            "repetitions": repetitions,
            "load": LOAD,
            "many": {
                "dataset": MANY,
                "text": "MAX(duration_ms) WHERE duration_ms > UNLIKE GROUP BY host "
                f"LIMIT 1000 EVERY {STEP_S}s BETWEEN {start} AND {end}",
            },
            "trace": {"id": TRACE},
        }
        lines = []
        with Load(client, per_s, seed) as load:
            for line in drive(told):
                lines.append({**line, "load": os.getloadavg()[0]})
        browser = lines.pop(0)["version"]
        console.print(
            f"Chromium {browser}, {DRIVER}; {repetitions} repetitions of each build in turns, "
            f"{load.sent:,} events sent meanwhile ({per_s:,} a second asked for, "
            f"{load.late} requests late{f', ended by {load.problem}' if load.problem else ''})",
            markup=False,
            highlight=False,
        )
        show_times(lines, size, console)
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


@click.command()
@click.option("--page", type=_FOLDER, help="The built page; else what came with the program.")
@click.option("--beside", type=_FOLDER, help="Another build of the page, measured in turns.")
@click.option("--repetitions", default=5, show_default=True)
@click.option("--events-per-s", default=1_000, show_default=True, help="Of the load; 0: none.")
@click.option("--seed", default=7, show_default=True)
@click.option("--quick", is_flag=True, help="Little of everything, to see that it works.")
@click.option("--no-peer", is_flag=True, help="Without the size of VictoriaLogs' page.")
def main(
    page: Path | None,
    beside: Path | None,
    repetitions: int,
    events_per_s: int,
    seed: int,
    quick: bool,
    no_peer: bool,
) -> None:
    """First view, question to graph, many groups, scrolling a long trace, and the page's size."""
    console = Console(width=150)
    console.print(one_line(describe_machine()), markup=False)
    versions = ", ".join(f"{name} {one}" for name, one in describe_versions().items())
    console.print(versions, markup=False)
    builds = [("this", page)] + ([("beside", beside)] if beside else [])
    try:
        measure(builds, QUICK if quick else Size(), 1 if quick else repetitions, events_per_s,
                seed, console)  # fmt: skip
        sizes = [_size(name, folder) for name, folder in builds]
    except (NoBrowser, NoBundle) as error:
        sys.exit(str(error))
    show_sizes(sizes, None if no_peer else peer_size(), console)


def _size(name: str, folder: Path | None) -> Loaded:
    with tempfile.TemporaryDirectory(prefix="page-files-") as place:
        for file, one in find_bundle(folder).items():
            (Path(place) / file).write_bytes(one.data)
        return size_of(name, Path(place))


if __name__ == "__main__":
    main()
