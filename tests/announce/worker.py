"""A state machine that is killed in its second step, or resumes there and ends.

    python worker.py URL KEY [--announce] [--resume TRACE SPAN]

It prints the ids of its trace and of the machine's span, `first` and `second` when a step begins,
then waits in the second one for its standard input to close.
"""

import argparse
import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "examples" / "announce"))
from announce import AnnounceSpans


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--announce", action="store_true")
    parser.add_argument("--resume", nargs=2, metavar=("TRACE", "SPAN"))
    given = parser.parse_args()

    def exporter() -> OTLPSpanExporter:
        headers = {"x-honeycomb-team": given.key}
        return OTLPSpanExporter(endpoint=f"{given.url}/v1/traces", headers=headers)

    provider = TracerProvider(resource=Resource.create({"service.name": "fleet"}))
    if given.announce:
        provider.add_span_processor(AnnounceSpans(exporter()))
    provider.add_span_processor(SimpleSpanProcessor(exporter()))
    tracer = provider.get_tracer("worker")
    if given.resume:
        trace_id, span_id = (int(text, 16) for text in given.resume)
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
        known = trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
        machine: trace.Span = trace.NonRecordingSpan(known)
    else:
        machine = tracer.start_span("replace node", attributes={"state.machine": "replace"})
    context = machine.get_span_context()
    print(f"{context.trace_id:032x} {context.span_id:016x}", flush=True)
    for name in ("first", "second") if not given.resume else ("second",):
        attributes = {"state.machine": "replace", "state.name": name}
        with tracer.start_as_current_span(
            name, trace.set_span_in_context(machine), attributes=attributes
        ):
            print(name, flush=True)
            if name == "second" and not given.resume:
                sys.stdin.read()


main()
