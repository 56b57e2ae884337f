"""Announce spans when they start: a span processor for OpenTelemetry's SDK for Python.

    provider.add_span_processor(AnnounceSpans(OTLPSpanExporter()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

An SDK exports a span when it ends: of one whose process is killed nothing arrives. This processor
exports, at once and before the work begins, a copy of length 0 with the span's own ids and
`meta.annotation_type` = `span_start`. Bellwether shows it as an announced span until the span
itself arrives, and counts it as no span.

Each announcement is a request of its own, for which the program waits: choose which spans are worth
it with `which`, for instance the steps of a state machine: `lambda span: "state.name" in
span.attributes`.
"""

from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter


class AnnounceSpans(SpanProcessor):
    """Exports the start of each recorded span that `which` chooses."""

    def __init__(
        self, exporter: SpanExporter, which: Callable[[ReadableSpan], bool] = lambda span: True
    ) -> None:
        self._at_once = SimpleSpanProcessor(exporter)
        self._which = which

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Export the announcement."""
        if self._which(span):
            self._at_once.on_end(
                ReadableSpan(
                    name=span.name,
                    context=span.get_span_context(),
                    parent=span.parent,
                    resource=span.resource,
                    attributes={**(span.attributes or {}), "meta.annotation_type": "span_start"},
                    kind=span.kind,
                    start_time=span.start_time,
                    end_time=span.start_time,
                    instrumentation_scope=span.instrumentation_scope,
                )
            )

    def shutdown(self) -> None:
        """Close the exporter."""
        self._at_once.shutdown()
