"""`python -m benchmarks otlp-storing`: the same spans by several ways to acknowledged and sealed.

One installation takes them all in turns; a turn ends when all of its spans are in published
segments. Counted is the CPU of all of its processes in a turn, from the scheduler's clock of each.
Putting segments together and making summaries is off. The client is no part of it. After each turn
COUNT must say that all is stored once.
"""

import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.otlp.bodies import Body, Form, body_of, messages
from benchmarks.otlp.ways import SERVICE, Way, send
from benchmarks.queries.meter import Processes
from benchmarks.queries.prepare import KERNELS
from benchmarks.serving.client import Address
from benchmarks.serving.roles import free_port, wait_compiled
from benchmarks.serving.shepherd_client import ShepherdClient
from benchmarks.two_builds import ROOT, Installation

SPANS_BEFORE_NS = 1_020 * 10**9  # they begin within 1,000 s and end within one: before now
_NS_PER_US = 1_000
TRACE_ID_BYTES = 16
# One partition: what a cut costs however little is in it is then the smallest part of a turn.
# Work in the background has budgets of its own and would fall into any turn.
SETTINGS = {
    "BELLWETHER_LOG_PARTITIONS": "1",
    "BELLWETHER_INDEXER_COMPACTION_PERCENT": "0",
    "BELLWETHER_INDEXER_SUMMARY_PERCENT": "0",
}
_PACKAGES = ("protobuf", "opentelemetry-proto", "grpcio")


@dataclass(frozen=True, slots=True)
class Size:
    """Of a turn. single: requests with one span each, of the ways that send these.

    repeats: how often the same requests are sent in a turn, each time with other trace ids.
    """

    requests: int
    spans: int
    single: int
    repeats: int
    turns: int
    warm_up: int


USUAL = Size(requests=16, spans=512, single=500, repeats=4, turns=1_000, warm_up=1)
QUICK = Size(requests=2, spans=40, single=4, repeats=1, turns=1, warm_up=0)


@dataclass(frozen=True, slots=True)
class Compared:
    """at_most: times the CPU of the other way; None: only shown."""

    way: Way
    against: Way
    at_most: float | None


_PROTOBUF, _BATCH = Way(Form.PROTOBUF), Way(Form.BATCH)
_GRPC = Way(Form.PROTOBUF, grpc=True)
_ONE, _GRPC_ONE = Way(Form.PROTOBUF, single=True), Way(Form.PROTOBUF, single=True, grpc=True)
COMPARED = (
    Compared(_PROTOBUF, _BATCH, 1.1),
    Compared(_GRPC, _PROTOBUF, 1.5),
    Compared(_GRPC_ONE, _ONE, None),
    Compared(Way(Form.JSON), _PROTOBUF, 3.0),
)


class Turns:
    """Sends by each way, counts CPU, and asks whether all is stored."""

    def __init__(self, one: Installation, grpc: str, size: Size, seed: int) -> None:
        """grpc: address of its listener for OTLP over gRPC. one: started."""
        host, port = one.url.removeprefix("http://").split(":")
        self._one = one
        self._address: Address = (host, int(port))
        self._grpc = grpc
        self._client = ShepherdClient(self._address, one.key)
        self._dice = random.Random(seed)
        start_ns = time.time_ns() - SPANS_BEFORE_NS
        self._many = messages(seed, size.requests, size.spans, start_ns)
        self._single = messages(seed + size.requests, size.single, 1, start_ns)
        self._spans = {False: size.requests * size.spans, True: size.single}
        self._repeats = size.repeats
        self._bodies: dict[tuple[Form, bool], list[Body]] = {}
        self._processes = Processes(one.pids())
        self.stored = 0

    def take(self, way: Way) -> float:
        """CPU of one span, ns. Raises NotAccepted, RuntimeError if COUNT is another one."""
        some = self._of(way) * self._repeats
        bodies = [one.renewed(self._dice.randbytes(TRACE_ID_BYTES)) for one in some]
        spans = self._spans[way.single] * self._repeats
        self._processes.find()
        before_ns = self._processes.sample().cpu_ns
        send(way, bodies, self._address, self._grpc, self._one.key)
        self._one.wait_until_indexed()
        self._one.cut()
        used_ns = self._processes.sample().cpu_ns - before_ns
        self.stored += spans
        if (found := self._count()) != self.stored:
            raise RuntimeError(f"{way.name}: {found} spans are stored, {self.stored} were sent")
        return used_ns / spans

    def bytes_per_span(self, way: Way) -> float:
        """Of its bodies."""
        return sum(len(one.content) for one in self._of(way)) / self._spans[way.single]

    def _of(self, way: Way) -> list[Body]:
        kind = (way.form, way.single)
        if kind not in self._bodies:
            some = self._single if way.single else self._many
            self._bodies[kind] = [body_of(way.form, one) for one in some]
        return self._bodies[kind]

    def _count(self) -> int:
        query = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 4_000_000_000}
        body = {"query": query, "disable_series": True, "wait_s": 60, "coverage": "require"}
        answer = self._client.request("POST", f"/1/query_results/{SERVICE}", body)
        return int(answer["data"]["results"][0]["data"]["COUNT"])


def measure(
    compared: Sequence[Compared], size: Size, seconds: float, seed: int, console: Console
) -> None:
    """Start an installation, take turns for so many seconds, and show ratios. Asserts no time."""
    ways = list(dict.fromkeys(way for one in compared for way in (one.way, one.against)))
    console.print(one_line(describe_machine()), markup=False)
    versions = describe_versions() | {name: version(name) for name in _PACKAGES}
    console.print(", ".join(f"{name} {one}" for name, one in versions.items()), markup=False)
    folder = Path(tempfile.mkdtemp(prefix="otlp-storing-"))
    one, port = Installation("this", ROOT, folder), free_port()
    try:
        one.start(KERNELS, settings=SETTINGS | {"BELLWETHER_SHEPHERD_OTLP_GRPC_PORT": str(port)})
        wait_compiled(folder / "data")
        turns = Turns(one, f"127.0.0.1:{port}", size, seed)
        found: dict[Way, list[float]] = {way: [] for way in ways}
        order = random.Random(seed)
        for _ in range(size.warm_up):
            for way in ways:
                turns.take(way)
        until = time.monotonic() + seconds
        for number in range(size.turns):
            if number and time.monotonic() > until:
                break
            for way in order.sample(ways, len(ways)):
                found[way].append(turns.take(way))
        _show(compared, found, turns, size, console)
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _show(
    compared: Sequence[Compared],
    found: dict[Way, list[float]],
    turns: Turns,
    size: Size,
    console: Console,
) -> None:
    number = min(len(some) for some in found.values())
    console.print(
        f"{size.spans} spans of 20 attributes a request, {size.requests * size.repeats} requests "
        f"a turn, {number} turns of each way; medians; {turns.stored} spans stored, as many as "
        "sent",
        markup=False,
    )
    costs = Table("way", "bytes per span", "CPU per span, µs")
    for way, some in found.items():
        cost = statistics.median(some) / _NS_PER_US
        costs.add_row(way.name, f"{turns.bytes_per_span(way):.0f}", f"{cost:.2f}")
    console.print(costs)
    ratios = Table("way", "against", "its CPU as a multiple", "half of the turns", "at most")
    for one in compared:
        each = sorted(a / b for a, b in zip(found[one.way], found[one.against], strict=True))
        low, high = each[len(each) // 4], each[-1 - len(each) // 4]
        at_most = "" if one.at_most is None else f"{one.at_most}"
        ratio = f"{statistics.median(each):.2f}"
        ratios.add_row(one.way.name, one.against.name, ratio, f"{low:.2f} to {high:.2f}", at_most)
    console.print(ratios)


@click.command()
@click.option("--seconds", default=45.0, show_default=True, help="Turns begin for so long.")
@click.option("--quick", is_flag=True, help="One small turn of each way, to see that it works.")
@click.option("--seed", default=1, show_default=True)
def main(seconds: float, quick: bool, seed: int) -> None:
    """CPU of all processes until spans are sealed: OTLP's encodings, gRPC, and /1/batch."""
    measure(COMPARED, QUICK if quick else USUAL, seconds, seed, Console(width=120))


if __name__ == "__main__":
    main()
