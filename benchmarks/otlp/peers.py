"""`python -m benchmarks otlp-peers`: the same spans to Bellwether, a Collector and rotel, in turns.

Of Bellwether two costs count: the shepherd's until the last request is acknowledged, which is when
all of it is on the disk, and that of all processes until the spans are in published segments. Of
the others it is the CPU of their process until all spans are where they go. The client is no part.
"""

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.otlp.bodies import Form, body_of, messages
from benchmarks.otlp.receivers import CollectorToFile, Receiver, Rotel, rotel_program
from benchmarks.otlp.storing import QUICK, SETTINGS, SPANS_BEFORE_NS, TRACE_ID_BYTES, USUAL, Size
from benchmarks.otlp.ways import CONNECTIONS, PROTOBUF
from benchmarks.queries.meter import Processes, cpu_ns
from benchmarks.queries.prepare import KERNELS
from benchmarks.serving.client import Address, request, send_all
from benchmarks.serving.roles import wait_compiled
from benchmarks.two_builds import ROOT, Installation
from tests.clients.collector.build import VERSION, NotBuilt, build

ACKNOWLEDGED, SEALED = "Bellwether, acknowledged on disk", "Bellwether, in published segments"
_NS_PER_US = 1_000
_AT_MOST = 1.0  # times a peer's CPU
_OK = 200


class Rounds:
    """Sends the same bodies to everyone, in a random order, and counts CPU."""

    def __init__(self, ours: Installation, others: Sequence[Receiver], size: Size, seed: int):
        self._ours, self._others = ours, others
        self._processes = Processes(ours.pids())
        self._shepherd = ours.role_pids()["shepherd"]
        self._dice = random.Random(seed)
        start_ns = time.time_ns() - SPANS_BEFORE_NS
        made = messages(seed, size.requests, size.spans, start_ns)
        self._bodies = [body_of(Form.PROTOBUF, one) for one in made] * size.repeats
        self.spans = len(self._bodies) * size.spans  # of a round
        self.sent = 0  # to each
        self.used_ns: dict[str, list[float]] = {}

    def take(self) -> None:
        """One round: CPU of one span is noted, in ns. Raises NotAccepted, NotWritten."""
        bodies = [one.renewed(self._dice.randbytes(TRACE_ID_BYTES)) for one in self._bodies]
        self.sent += self.spans
        for one in self._dice.sample([None, *self._others], len(self._others) + 1):
            found = self._take_ours(bodies) if one is None else self._take(one, bodies)
            for name, used in found.items():
                self.used_ns.setdefault(name, []).append(used / self.spans)

    def _take_ours(self, bodies: Sequence[bytes]) -> dict[str, int]:
        host, port = self._ours.url.removeprefix("http://").split(":")
        self._processes.find()
        all_ns, ack_ns = self._processes.sample().cpu_ns, cpu_ns(self._shepherd)
        _send((host, int(port)), bodies, {"X-Honeycomb-Team": self._ours.key})
        ack_ns = cpu_ns(self._shepherd) - ack_ns
        self._ours.wait_until_indexed()
        self._ours.cut()
        return {ACKNOWLEDGED: ack_ns, SEALED: self._processes.sample().cpu_ns - all_ns}

    def _take(self, one: Receiver, bodies: Sequence[bytes]) -> dict[str, int]:
        before_ns = cpu_ns(one.pid)
        _send(one.address, bodies, {})
        one.wait_until_written(self.sent)
        return {one.name: cpu_ns(one.pid) - before_ns}


def _send(address: Address, bodies: Sequence[bytes], headers: dict[str, str]) -> None:
    head = headers | {"Content-Type": PROTOBUF}
    requests = [request("/v1/traces", head, one) for one in bodies]
    send_all([address], requests, CONNECTIONS, lambda status, _: status == _OK)


def measure(size: Size, seconds: float, seed: int, console: Console) -> None:
    """Start everyone, take rounds for so many seconds, and show ratios. Asserts no time."""
    console.print(one_line(describe_machine()), markup=False)
    versions = describe_versions() | {"protobuf": version("protobuf")}
    folder = Path(tempfile.mkdtemp(prefix="otlp-peers-"))
    ours = Installation("this", ROOT, folder / "ours")
    others: list[Receiver] = []
    try:
        (folder / "ours").mkdir()
        versions |= _start_others(others, folder, console)
        console.print(", ".join(f"{name} {one}" for name, one in versions.items()), markup=False)
        ours.start(KERNELS, settings=SETTINGS)
        wait_compiled(ours.folder / "data")
        rounds = Rounds(ours, others, size, seed)
        for _ in range(size.warm_up):
            rounds.take()
        rounds.used_ns.clear()
        until = time.monotonic() + seconds
        for number in range(size.turns):
            if number and time.monotonic() > until:
                break
            rounds.take()
        _show(rounds, size, console)
    finally:
        for one in others:
            one.stop()
        ours.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_others(others: list[Receiver], folder: Path, console: Console) -> dict[str, str]:
    """Those that can be had, and their versions."""
    versions = {}
    try:
        program = build()
    except NotBuilt as error:
        console.print(f"without a Collector: {error}", markup=False)
    else:
        versions["Collector"] = VERSION
        for form in ("proto", "json"):
            others.append(CollectorToFile(program, folder / form, form))
    if (rotel := rotel_program()) is None:
        console.print("without rotel: its package is not installed", markup=False)
    else:
        versions["rotel"] = rotel[1]
        others.append(Rotel(rotel[0], folder / "rotel"))
    return versions


def _show(rounds: Rounds, size: Size, console: Console) -> None:
    used = rounds.used_ns
    console.print(
        f"{size.spans} spans of 20 attributes a request, OTLP/HTTP in protobuf, {rounds.spans} "
        f"spans a round, {len(used[ACKNOWLEDGED])} rounds; medians; {rounds.sent} spans sent to "
        "each",
        markup=False,
    )
    ours = (ACKNOWLEDGED, SEALED)
    table = Table("who", "CPU per span, µs", *(f"{one}, over that" for one in ours))
    for name, some in used.items():
        ratios = ["", ""] if name in ours else [_ratio(used[one], some) for one in ours]
        table.add_row(name, f"{statistics.median(some) / _NS_PER_US:.2f}", *ratios)
    console.print(table)
    console.print(f"goal: acknowledged on disk at most {_AT_MOST} x", markup=False)


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    each = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    low, high = each[len(each) // 4], each[-1 - len(each) // 4]
    return f"{statistics.median(each):.2f} ({low:.2f} to {high:.2f})"


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="Rounds begin for so long.")
@click.option("--quick", is_flag=True, help="One small round, to see that it works.")
@click.option("--seed", default=1, show_default=True)
def main(seconds: float, quick: bool, seed: int) -> None:
    """CPU until spans are acknowledged: Bellwether, a Collector that writes a file, and rotel."""
    measure(QUICK if quick else USUAL, seconds, seed, Console(width=120))


if __name__ == "__main__":
    main()
