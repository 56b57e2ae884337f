"""Replaces a node of a fleet: a state machine that outlives the processes that run it.

    python replace_node.py --zookeeper HOST:PORT --request r1 --datacenter west [--steps N]

Its state and its trace context lie in ZooKeeper under /fleet/REQUEST. A process that is ended
(SIGTERM) or killed (SIGKILL) leaves them there; the next one, on whatever host, goes on in the same
trace. A new request may bring a trace context of its caller, as W3C's `traceparent` or as the
beelines' `X-Honeycomb-Trace`. Each state is a span, announced when it begins. Sends by OTLP:
OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS.
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "announce"))
from announce import AnnounceSpans

STATES = ("request", "launch", "wait_capacity", "healthy", "migrate", "remove")
STATE_S = 0.01
FULL = ("west", "south")  # data centers without capacity


class Stopped(Exception):
    """The process was asked to end."""


def context_of(header: str) -> trace.Context:
    """The context of a caller's header, W3C's or the beelines'."""
    if ";" in header:  # 1;trace_id=...,parent_id=...,context=...
        given = dict(
            part.split("=", 1) for part in header.split(";", 1)[1].split(",") if "=" in part
        )
        trace_id, span_id = given["trace_id"].replace("-", ""), given["parent_id"]
    else:
        _, trace_id, span_id, _ = header.split("-")
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    known = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(known))


def header_of(span: trace.Span) -> str:
    """The context of a span as W3C's header."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


class Machine:
    """One request, in the place where its state is kept. skew_s: what this host's clock is off."""

    def __init__(self, zk: Any, tracer: trace.Tracer, given: argparse.Namespace, request: str):
        self._zk = zk
        self._tracer = tracer
        self._given = given
        self._path = f"/fleet/{request}"
        self._request = request
        self._doc: dict[str, Any] = {}

    def run(self, steps: int) -> None:
        """Do as many states as are left, at most `steps`. Raises Stopped."""
        self._load()
        while self._doc["state"] and steps > 0:
            self._state()
            steps -= 1

    def _now_ns(self) -> int:
        return time.time_ns() + round(self._given.clock_skew * 1e9)

    def _load(self) -> None:
        try:
            self._doc = json.loads(self._zk.get(self._path)[0])
        except NoNodeError:
            self._doc = {
                "state": STATES[0], "attempt": 1, "datacenter": self._given.datacenter,
                "context": self._given.context or "", "begun_ns": self._now_ns(),
            }  # fmt: skip
            self._zk.create(self._path, json.dumps(self._doc).encode(), makepath=True)

    def _save(self) -> None:
        self._zk.set(self._path, json.dumps(self._doc).encode())

    def _state(self) -> None:
        """One state as one span; what follows is kept before the span ends."""
        doc, name = self._doc, self._doc["state"]
        parent = context_of(doc["context"]) if doc["context"] else None
        attributes = {
            "state.machine": "replace_node", "state.name": name, "state.attempt": doc["attempt"],
            "request": self._request, "datacenter": doc["datacenter"], "batch": self._given.batch,
        }  # fmt: skip
        span = self._tracer.start_span(
            name, parent, attributes=attributes, start_time=self._now_ns()
        )
        if not doc["context"]:
            doc["context"] = header_of(span)
            self._save()
        if name == self._given.hang_in:
            sys.stdout.write(f"hanging in {name}\n")
            sys.stdout.flush()
            time.sleep(3_600)
        time.sleep(STATE_S)
        following = self._following(name)
        if not following:
            ms = (self._now_ns() - doc["begun_ns"]) / 1e6
            span.set_attribute("replaced_in_ms", ms)
        span.set_attribute("state.next", following)
        doc["attempt"] = doc["attempt"] + 1 if following == name else 1
        doc["state"] = following
        self._save()
        span.end(self._now_ns())

    def _following(self, name: str) -> str:
        if name == "wait_capacity" and self._doc["datacenter"] in FULL:
            return name
        at = STATES.index(name) + 1
        return STATES[at] if at < len(STATES) else ""


def main() -> int:
    """Run the machines that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--zookeeper", required=True)
    parser.add_argument("--request", action="append", required=True, help="may be repeated")
    parser.add_argument("--datacenter", default="north")
    parser.add_argument("--batch", default="usual")
    parser.add_argument("--host", default="host-1")
    parser.add_argument("--clock-skew", type=float, default=0.0, help="seconds")
    parser.add_argument("--context", help="the caller's traceparent or X-Honeycomb-Trace")
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument(
        "--announce", action="store_true", help="beginnings of states, and each end at once"
    )
    parser.add_argument("--hang-in", help="a state to hang in, for a kill")
    given = parser.parse_args()

    def ended(number: int, frame: object) -> None:
        raise Stopped

    signal.signal(signal.SIGTERM, ended)
    resource = {"service.name": "fleet", "host.name": given.host}
    provider = TracerProvider(resource=Resource.create(resource))
    if given.announce:
        provider.add_span_processor(AnnounceSpans(OTLPSpanExporter()))
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    else:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    zk = KazooClient(hosts=given.zookeeper)
    zk.start()
    try:
        for request in given.request:
            Machine(zk, provider.get_tracer("fleet"), given, request).run(given.steps)
    except Stopped:
        return 143
    finally:
        provider.shutdown()
        zk.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
