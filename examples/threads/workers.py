"""Jobs whose middle steps run in three threads; a lock lets one of them run at a time.

    python workers.py --jobs 200 --version 7 --lock
    python workers.py --jobs 40 --version 8

Each job is a trace: fetch, then index, resize and notify in threads, then commit. Version 8 does
without the lock. Sends by OTLP: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS.
"""

import argparse
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

IN_THREADS = ("index", "resize", "notify")
STEP_S = 0.004


class Worker:
    """Does jobs. lock: taken by each step in a thread."""

    def __init__(self, tracer: trace.Tracer, lock: contextlib.AbstractContextManager[object]):
        self._tracer = tracer
        self._lock = lock
        self._threads = ThreadPoolExecutor(len(IN_THREADS))

    def job(self) -> None:
        """One job as one trace."""
        with self._tracer.start_as_current_span("job") as span:
            here = trace.set_span_in_context(span)
            self._step("fetch", here)
            together = threading.Barrier(len(IN_THREADS))
            running = [
                self._threads.submit(self._in_thread, name, here, together) for name in IN_THREADS
            ]
            for one in running:
                one.result()
            self._step("commit", here)

    def _in_thread(self, name: str, here: object, together: threading.Barrier) -> None:
        together.wait()
        with self._lock:
            self._step(name, here)

    def _step(self, name: str, here: object) -> None:
        with self._tracer.start_as_current_span(name, here):  # type: ignore[arg-type]
            time.sleep(STEP_S)


def main() -> None:
    """Do the jobs that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--version", required=True)
    parser.add_argument("--lock", action="store_true")
    given = parser.parse_args()
    resource = Resource.create({"service.name": "workers", "service.version": given.version})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    lock = threading.Lock() if given.lock else contextlib.nullcontext()
    worker = Worker(provider.get_tracer("workers"), lock)
    for _ in range(given.jobs):
        worker.job()
    provider.shutdown()


if __name__ == "__main__":
    main()
