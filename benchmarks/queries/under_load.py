"""`python -m benchmarks under-load`: ingest and questions at the same time, on one installation.

First how many events a second are acknowledged at full speed. Then batches come at half of that,
each at its own time, whether or not the one before was answered: without questions, and with so
many askers at once. What counts is the 99th percentile of the acknowledgements' waits with askers,
against that without, in turn, how long the questions took, and how soon computing ends when a
caller hangs up.
"""

import asyncio
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import numpy as np
from rich.console import Console

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.queries.asking.askers import Answered, Asking, asking
from benchmarks.queries.asking.hang_ups import hang_ups
from benchmarks.queries.engines.ours import Bellwether
from benchmarks.queries.prepare import THIS, Layout, start_build, write_rows
from benchmarks.queries.rows.shape import Shape
from benchmarks.serving.client import request, send_all
from benchmarks.serving.events import is_accepted
from benchmarks.two_builds import ROOT, bodies_of_spans

_CONNECTIONS = 8
_BODY_EVENTS = 100
_DAY_NS = 24 * 3_600 * 10**9
_HANG_UPS = 10
_HANG_UP_S = 0.2
_TIMES = 2.0  # of the wait without askers, at most
_BODIES = 400  # made once and sent again and again


@dataclass(slots=True)
class Found:
    """Waits in seconds, of acknowledgements and of questions; what was refused."""

    acks: list[float]
    asked: Answered

    def ack_ms(self, percent: float) -> float:
        """A percentile."""
        return float(np.percentile(self.acks, percent)) * 1e3

    def answer_ms(self, percent: float) -> float:
        """A percentile; 0 without questions."""
        answers = self.asked.answers
        return float(np.percentile(answers, percent)) * 1e3 if answers else 0.0


class _Load:
    """One installation that is sent events and asked questions."""

    def __init__(self, build: Bellwether, shape: Shape, seed: int) -> None:
        self._build, self._shape = build, shape
        one = build.installation
        host, port = one.url.removeprefix("http://").split(":")
        self._address = (host, int(port))
        head = {"X-Honeycomb-Team": one.key, "Content-Type": "application/json"}
        dice = random.Random(seed)
        made = bodies_of_spans(_BODIES, _BODY_EVENTS, dice)
        self._requests = [request("/1/batch/load", head, body) for body in made]
        self._seed = seed

    def full_speed(self, seconds: float) -> float:
        """Acknowledged events per second."""
        began, sent = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            send_all([self._address], self._requests, _CONNECTIONS, is_accepted)
            sent += len(self._requests) * _BODY_EVENTS
        return sent / (time.monotonic() - began)

    def run(self, events_per_s: float, askers: int, seconds: float) -> Found:
        """Events at this speed and so many askers, each with one question after the other."""
        one, self._seed = self._build.installation, self._seed + 1
        with asking(Asking(one.url, one.key, self._shape, askers, self._seed)) as asked:
            acks = asyncio.run(self._send(events_per_s, seconds))
        return Found(acks, asked)

    def hang_ups(self, count: int) -> list[float]:
        """Seconds that indexers went on computing after callers hung up."""
        return hang_ups(self._build, self._shape, count, self._seed)

    async def _send(self, events_per_s: float, seconds: float) -> list[float]:
        """Waits of batches that are sent at their times; a wait begins when a batch is due."""
        batches = int(seconds * events_per_s / _BODY_EVENTS)
        due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
        waits: list[float] = []

        async def connection() -> None:
            reader, writer = await asyncio.open_connection(*self._address)
            while (one := await due.get())[0] >= 0:
                writer.write(self._requests[one[0] % _BODIES])
                status, body = await _answer(reader)
                if not is_accepted(status, body):
                    raise RuntimeError(f"{status} {body[:300]!r}")
                waits.append(time.monotonic() - one[1])
            writer.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(_CONNECTIONS):
                group.create_task(connection())
            began = time.monotonic()
            for number in range(batches):
                at = began + number * _BODY_EVENTS / events_per_s
                if (left := at - time.monotonic()) > 0:
                    await asyncio.sleep(left)
                due.put_nowait((number, at))
            for _ in range(_CONNECTIONS):
                due.put_nowait((-1, 0.0))
        return waits


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next(int(x.split(b":")[1]) for x in head if x.startswith(b"content-length"))
    return int(head[0].split()[1]), await reader.readexactly(length)


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="That questions are about.")
@click.option("--askers", default=32, show_default=True)
@click.option("--seconds", default=20.0, show_default=True, help="Of each part of a round.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option("--share", default=0.5, show_default=True, help="Of the full speed of ingest.")
def main(rows: int, askers: int, seconds: float, rounds: int, seed: int, share: float) -> None:
    """Ingest at half of its full speed, without and with questions at the same time."""
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    console.print(one_line(describe_machine()))
    console.print(str(describe_versions()))
    folder = Path(tempfile.mkdtemp(prefix="under-load-"))
    shape = Shape(rows, seed, time.time_ns() - 60 * 10**9, _DAY_NS)
    try:
        write_rows(folder / "log", shape, Layout())
        build = start_build(THIS, ROOT, folder / "build", folder / "log", Layout())
        try:
            load = _Load(build, shape, seed)
            load.full_speed(seconds / 4)  # warms up
            speed = load.full_speed(seconds)
            console.print(f"full speed: {speed:,.0f} acknowledged events/s")
            ratios = [_round(load, speed * share, askers, seconds, console) for _ in range(rounds)]
            quiet = load.hang_ups(_HANG_UPS)
        finally:
            build.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if quiet:
        console.print(
            f"computing ended {median(quiet) * 1e3:.0f} ms after {len(quiet)} callers hung up, at "
            f"most {max(quiet) * 1e3:.0f} ms; at most 200: "
            f"{'met' if max(quiet) <= _HANG_UP_S else 'missed'}"
        )
    else:
        console.print("no question was asked that took long enough to be hung up")
    found = median(ratios)
    verdict = "met" if found <= _TIMES else "missed"
    console.print(f"ack p99 with {askers} askers / without: {found:.2f}, at most 2: {verdict}")


def _round(
    load: _Load, events_per_s: float, askers: int, seconds: float, console: Console
) -> float:
    """The ratio of the acknowledgements' 99th percentiles, with askers and without."""
    found = {number: load.run(events_per_s, number, seconds) for number in (0, askers)}
    for number, one in found.items():
        console.print(
            f"{number:3} askers: ack p50 {one.ack_ms(50):.1f} ms, p99 {one.ack_ms(99):.1f} ms; "
            f"{len(one.asked.answers)} answers, p50 {one.answer_ms(50):.0f} ms, "
            f"p99 {one.answer_ms(99):.0f} ms; {len(one.asked.refusals)} refused "
            f"{one.asked.refusals[:1]}"
        )
    return found[askers].ack_ms(99) / found[0].ack_ms(99)
