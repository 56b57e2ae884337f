"""`python -m benchmarks otlp`: from a request's protobuf bytes to lines of records, on one core.

Against Python's protobuf library, which only parses the same bytes (upb, in C), and against our own
JSON splitter over the same items as events of a batch; and against the readable decoder. Counted is
the CPU time of this thread, in turns; of each the best turn counts.
"""

import random
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.otlp import log_records
from benchmarks.otlp.spans import make_request
from common.scan.work_budget import Work
from shepherd.honeycomb.media import Media
from shepherd.otlp.decode.interface import OtlpBody, Signal

_CACHE = Path.home() / ".cache" / "bellwether" / "benchmarks" / "kernel"
_ARRIVAL_NS = 1_790_000_000 * 10**9
_NS_PER_US = 1_000
_GOALS = {"protobuf": 1.5, "splitter": 0.7}  # times the speed of each, for spans
_REFERENCE = "reference"
_SPAN_ATTRIBUTES = 20


def batch_of(lines: bytes) -> bytes:
    """Lines of a record as the JSON body of a batch."""
    members = []
    for line in lines.splitlines():
        time, rate, data = line[:-1].split(b",", 2)
        members.append(b'{"time":%b,"samplerate":%b,"data":%b}' % (time[5:], rate[4:], data[4:]))
    return b"[%b]" % b",".join(members)


def measure(ways: dict[str, Callable[[], object]], turns: int, repeat: int) -> dict[str, float]:
    """CPU ns of one call of each, the best of all turns.

    The reference is called at the end, once a turn: a hundred times as long, it would leave nothing
    of the others in the processor's caches.
    """
    reference = {name: way for name, way in ways.items() if name == _REFERENCE}
    others = {name: way for name, way in ways.items() if name != _REFERENCE}
    return _best_of(others, turns, repeat) | _best_of(reference, turns, 1)


def _best_of(ways: dict[str, Callable[[], object]], turns: int, repeat: int) -> dict[str, float]:
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(turns):
        for name, way in ways.items():
            begin = time.thread_time_ns()
            for _ in range(repeat):
                way()
            best[name] = min(best[name], (time.thread_time_ns() - begin) / repeat)
    return best


def ways_of(signal: Signal, message: bytes) -> dict[str, Callable[[], object]]:
    """What is measured, each for the whole request; our code is compiled first."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from shepherd.honeycomb.split import load_compiled as load_splitter
    from shepherd.otlp.decode import load_compiled as load_decoder
    from shepherd.otlp.decode.reference.decoder import ReferenceDecoder

    splitter = load_splitter.load(_CACHE, lambda _: None)
    handed: list[int] = []
    seeds = random.getrandbits(63), random.getrandbits(63)
    decoder = load_decoder.load(_CACHE, seeds, handed.append)
    handed.clear()
    body = OtlpBody(signal, message, _ARRIVAL_NS)
    (group,) = decoder.decode(body, Work()).groups
    if handed or group.events.refused:
        raise click.ClickException("the items are not ordinary ones")
    batch = batch_of(group.events.lines.text)
    reference = ReferenceDecoder()
    parsed = ExportTraceServiceRequest if signal is Signal.TRACES else ExportLogsServiceRequest
    return {
        "decoder": lambda: decoder.decode(body, Work()),
        "protobuf": lambda: parsed().ParseFromString(message),
        "splitter": lambda: splitter.split(batch, Media.JSON, 0, _ARRIVAL_NS),
        _REFERENCE: lambda: reference.decode(body, Work()),
    }


@click.command()
@click.option(
    "--signal", type=click.Choice(["traces", "logs"]), default="traces", show_default=True
)
@click.option("--spans", default=512, show_default=True, help="In the request, or log records.")
@click.option("--turns", default=20, show_default=True, help="Of each, one after the other.")
@click.option("--seed", default=1, show_default=True)
def main(signal: str, spans: int, turns: int, seed: int) -> None:
    """CPU of decoding one request, and its speed as a multiple of the others'."""
    is_traces = signal == Signal.TRACES
    what = f"spans of {_SPAN_ATTRIBUTES} attributes"
    if is_traces:
        message = make_request(seed, spans)
    else:
        message = log_records.make_log_records(seed, spans)
        what = f"log records of {log_records.ATTRIBUTES} attributes"
    best = measure(ways_of(Signal(signal), message), turns, max(1, 4_096 // spans))
    console = Console(width=110)
    console.print(one_line(describe_machine()), markup=False)
    packages = ("protobuf", "opentelemetry-proto")
    versions = describe_versions() | {name: version(name) for name in packages}
    console.print(", ".join(f"{name} {one}" for name, one in versions.items()), markup=False)
    console.print(f"{spans} {what}, {len(message)} bytes", markup=False)
    table = Table("what", "µs per item", "decoder's speed against it", "goal")
    for name, taken in best.items():
        ratio = "" if name == "decoder" else f"{taken / best['decoder']:.2f}"
        goal = f"{_GOALS[name]}" if is_traces and name in _GOALS else ""
        table.add_row(name, f"{taken / spans / _NS_PER_US:.3f}", ratio, goal)
    console.print(table)


if __name__ == "__main__":
    main()
