"""Creates clusters by plans, behind HTTP: plan, do the steps, plan again until nothing is left.

    python planner.py --requests 200 --break-at 137 --log frontend.ndjson

A step may bring further steps. Each request is a trace, sent as Zipkin spans to
OTEL_EXPORTER_ZIPKIN_ENDPOINT with the key BELLWETHER_KEY; the answer has the trace's id, and the
front end writes it into its log. `--break-at N` makes the first balancer of request N fail: the
error is handled badly, so that the second one is never asked for.
"""

import argparse
import json
import os
import threading
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from opentelemetry import trace
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


class BalancerError(Exception):
    """The balancer's API refused."""


class Planner:
    """One cluster. tracer: what its steps are recorded with."""

    def __init__(self, tracer: trace.Tracer, breaks: bool) -> None:
        self._tracer = tracer
        self._breaks = breaks
        self._done: set[str] = set()

    def run(self) -> None:
        """Plan and do until nothing is left."""
        while steps := self._plan():
            while steps:
                steps += self._do(steps.pop(0))

    def _plan(self) -> list[str]:
        with self._tracer.start_as_current_span("plan"):
            if "network" not in self._done:
                return ["network"]
            if not {"hosts", "balancers"} <= self._done:
                return ["hosts", "balancers"]
            return [] if "dns" in self._done else ["dns"]

    def _do(self, step: str) -> list[str]:
        """Do a step; returns the steps that it brings."""
        if step == "balancers":
            return self._balancers()
        with self._tracer.start_as_current_span(f"create {step}"):
            self._done.add(step)
        return ["check network"] if step == "network" else []

    def _balancers(self) -> list[str]:
        with self._tracer.start_as_current_span("create balancers"):
            try:
                self._call("public")
                self._call("internal")
            except BalancerError:
                pass  # the mistake: the second call is skipped, and both count as done
            self._done.add("balancers")
        return []

    def _call(self, name: str) -> None:
        with self._tracer.start_as_current_span(
            f"call balancer {name}", kind=trace.SpanKind.CLIENT
        ):
            if self._breaks and name == "public":
                raise BalancerError("no address left")


def serving(tracer: trace.Tracer, log: Any, break_at: int) -> ThreadingHTTPServer:
    """The front end on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            number = int(self.headers["X-Request-Number"])
            with tracer.start_as_current_span("create_cluster", kind=trace.SpanKind.SERVER) as span:
                Planner(tracer, number == break_at).run()
            trace_id = f"{span.get_span_context().trace_id:032x}"
            line = {"time": datetime.now(UTC).isoformat(), "message": "cluster created",
                    "request": number, "trace_id": trace_id}  # fmt: skip
            log.write(json.dumps(line) + "\n")
            self.send_response(200)
            self.send_header("X-Trace-Id", trace_id)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> None:
    """Serve, ask for clusters, end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10)
    parser.add_argument("--break-at", type=int, default=-1)
    parser.add_argument("--log", required=True)
    given = parser.parse_args()
    session = requests.Session()
    session.headers["X-Honeycomb-Team"] = os.environ["BELLWETHER_KEY"]
    provider = TracerProvider(resource=Resource.create({"service.name": "planner"}))
    provider.add_span_processor(BatchSpanProcessor(ZipkinExporter(session=session)))
    with open(given.log, "w", encoding="utf-8") as log:
        server = serving(provider.get_tracer("planner"), log, given.break_at)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for number in range(given.requests):
            ask(f"http://127.0.0.1:{server.server_port}/clusters", number)
        server.shutdown()
        thread.join()
        server.server_close()
    provider.shutdown()


def ask(url: str, number: int) -> None:
    """Ask for a cluster."""
    headers = {"X-Request-Number": str(number)}
    request = urllib.request.Request(url, b"", headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        answer.read()


if __name__ == "__main__":
    main()
