"""`python -m benchmarks otlp`: from a request's protobuf bytes to lines of records, on one core.

Against Python's protobuf library, which only parses the same bytes (upb, in C), and against our own
JSON splitter over the same spans as events of a batch. Counted is the CPU time of this thread, in
turns; of each the best turn counts.
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
from common.scan.work_budget import Work
from shepherd.honeycomb.media import Media
from shepherd.otlp.decode.interface import OtlpBody, Signal

_CACHE = Path.home() / ".cache" / "bellwether" / "benchmarks" / "kernel"
_ARRIVAL_NS = 1_790_000_000 * 10**9
_START_NS = 1_789_999_000 * 10**9
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
_RESOURCE = {
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.2",
    "service.name": "shop",
    "service.instance.id": "0b7a7c1e-6f0c-4d0f-9f5a-3f2f0c9f8d11",
    "host.name": "ip-10-0-3-17",
    "process.pid": 4711,
}
_NS_PER_US = 1_000
_GOALS = {"protobuf": 1.5, "splitter": 0.7}  # times the speed of each


def span_attributes(dice: random.Random) -> dict[str, object]:
    """Twenty attributes of a span of a web shop."""
    return {
        "http.request.method": dice.choice(("GET", "GET", "POST")),
        "url.path": f"/api/v2/carts/{dice.randrange(10**6)}/items",
        "http.response.status_code": dice.choice((200, 200, 200, 404, 500)),
        "server.address": "shop.example.com",
        "server.port": 443,
        "client.address": ".".join(str(dice.randrange(256)) for _ in range(4)),
        "user_agent.original": _AGENT,
        "db.rows": dice.randrange(1_000),
        "cache.hit": dice.random() < 0.5,
        "cart.total": round(dice.uniform(0, 500), 2),
        "user.id": f"u-{dice.getrandbits(32):08x}",
        "build.id": f"b{dice.randrange(100)}",
        "cloud.region": "eu-west-1",
        "cloud.availability_zone": dice.choice(("eu-west-1a", "eu-west-1b")),
        "thread.name": f"worker-{dice.randrange(16)}",
        "thread.id": dice.randrange(10**6),
        "code.function.name": "shop.views.cart.get_cart",
        "queue.ms": dice.random() * 100,
        "retries": 0,
        "payload.bytes": dice.randrange(10**5),
    }


def make_request(seed: int, spans: int, start_ns: int = _START_NS) -> bytes:
    """An ExportTraceServiceRequest as an SDK sends it: one resource, one scope.

    start_ns: unix ns; the spans begin within a quarter of an hour from then on.
    """
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    dice = random.Random(seed)
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    _fill(group.resource.attributes, _RESOURCE)
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.flask", "0.66b2"
    for _ in range(spans):
        start = start_ns + dice.randrange(10**12)
        one = scope.spans.add(
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
            parent_span_id=dice.randbytes(8),
            name=dice.choice(("GET /carts/{id}", "SELECT orders", "POST /checkout")),
            kind=Span.SPAN_KIND_SERVER,
            start_time_unix_nano=start,
            end_time_unix_nano=start + dice.randrange(1_000, 10**9),
            flags=256,
        )
        _fill(one.attributes, span_attributes(dice))
    return bytes(request.SerializeToString())


def _fill(attributes: "list[object]", values: "dict[str, object]") -> None:
    members = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    for name, value in values.items():
        one = attributes.add(key=name)  # type: ignore[attr-defined]  # a repeated field
        setattr(one.value, members[type(value)], value)


def batch_of(lines: bytes) -> bytes:
    """Lines of a record as the JSON body of a batch."""
    members = []
    for line in lines.splitlines():
        time, rate, data = line[:-1].split(b",", 2)
        members.append(b'{"time":%b,"samplerate":%b,"data":%b}' % (time[5:], rate[4:], data[4:]))
    return b"[%b]" % b",".join(members)


def measure(ways: dict[str, Callable[[], object]], turns: int, repeat: int) -> dict[str, float]:
    """CPU ns of one call of each, the best of all turns."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(turns):
        for name, way in ways.items():
            begin = time.thread_time_ns()
            for _ in range(repeat):
                way()
            best[name] = min(best[name], (time.thread_time_ns() - begin) / repeat)
    return best


def ways_of(message: bytes) -> dict[str, Callable[[], object]]:
    """What is measured, each for the whole request; our code is compiled first."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from shepherd.honeycomb.split import load_compiled as load_splitter
    from shepherd.otlp.decode import load_compiled as load_decoder

    splitter = load_splitter.load(_CACHE, lambda _: None)
    handed: list[int] = []
    seeds = random.getrandbits(63), random.getrandbits(63)
    decoder = load_decoder.load(_CACHE, seeds, handed.append)
    handed.clear()
    body = OtlpBody(Signal.TRACES, message, _ARRIVAL_NS)
    (group,) = decoder.decode(body, Work()).groups
    if handed or group.events.refused:
        raise click.ClickException("the spans are not ordinary ones")
    batch = batch_of(group.events.lines.text)
    return {
        "decoder": lambda: decoder.decode(body, Work()),
        "protobuf": lambda: ExportTraceServiceRequest().ParseFromString(message),
        "splitter": lambda: splitter.split(batch, Media.JSON, 0, _ARRIVAL_NS),
    }


@click.command()
@click.option("--spans", default=512, show_default=True, help="In the request.")
@click.option("--turns", default=20, show_default=True, help="Of each, one after the other.")
@click.option("--seed", default=1, show_default=True)
def main(spans: int, turns: int, seed: int) -> None:
    """CPU of decoding one request, and its speed as a multiple of the others'."""
    message = make_request(seed, spans)
    best = measure(ways_of(message), turns, max(1, 4_096 // spans))
    console = Console(width=110)
    console.print(one_line(describe_machine()), markup=False)
    packages = ("protobuf", "opentelemetry-proto")
    versions = describe_versions() | {name: version(name) for name in packages}
    console.print(", ".join(f"{name} {one}" for name, one in versions.items()), markup=False)
    console.print(f"{spans} spans of 20 attributes, {len(message)} bytes", markup=False)
    table = Table("what", "µs per span", "decoder's speed against it", "goal")
    for name, taken in best.items():
        compared = ("", "")
        if name in _GOALS:
            compared = (f"{taken / best['decoder']:.2f}", f"{_GOALS[name]}")
        table.add_row(name, f"{taken / spans / _NS_PER_US:.3f}", *compared)
    console.print(table)


if __name__ == "__main__":
    main()
