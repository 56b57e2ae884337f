"""Requests with spans: each span becomes one event, and one for each of its events and links."""

from collections.abc import Iterator

from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody
from shepherd.otlp.decode.reference.events import Draft, Gatherer
from shepherd.otlp.decode.reference.origin import (
    RESOURCE_GROUP,
    members_of,
    read_resource,
    read_scope,
    scopes_of,
    traces_dataset,
)
from shepherd.otlp.decode.reference.sample_rate import (
    NAMES,
    RATE_MENDED,
    rate_of_trace_state,
    told_rate,
)
from shepherd.otlp.decode.reference.spans import (
    Span,
    SpanEvent,
    event_draft,
    link_draft,
    read_span,
    span_draft,
    span_events,
    span_links,
)
from shepherd.otlp.decode.reference.values import Attributes
from shepherd.otlp.decode.reference.wire import fields, text_of


def decode_traces(body: OtlpBody, string_max: int, work: Work) -> DecodedRequest:
    """The events of an ExportTraceServiceRequest. Raises as `Decoder.decode`."""
    gatherer = Gatherer()
    for tag, _, group in fields(memoryview(body.message), work):
        if tag != RESOURCE_GROUP:
            continue
        resource = read_resource(group, work)
        dataset = traces_dataset(body, resource.values)
        for scope_group in scopes_of(group, work):
            inherited = read_scope(scope_group, resource, work)
            for item in members_of(scope_group, work):
                number = gatherer.next_item()
                span = read_span(item, work)
                rate, is_odd = _rate(span, inherited)
                for draft, own in _drafts(span, inherited, body.arrival_ns, work):
                    draft.rate = rate
                    draft.leave_out(NAMES)
                    if own and is_odd:
                        draft.mended[RATE_MENDED] = None
                    event = draft.finish(string_max, work)
                    gatherer.add(dataset, number, event, own=own)
    return gatherer.finish()


def _drafts(
    span: Span, inherited: Attributes, arrival_ns: int, work: Work
) -> Iterator[tuple[Draft, bool]]:
    """The events of a span, and whether each is its own, which is the last."""
    exception: SpanEvent | None = None
    for event in span_events(span, work):
        if exception is None and event.is_exception:
            exception = event
        yield event_draft(event, span, inherited, arrival_ns), False
    for link in span_links(span, work):
        yield link_draft(link, span, inherited, arrival_ns), False
    yield span_draft(span, inherited, exception, arrival_ns), True


def _rate(span: Span, inherited: Attributes) -> tuple[int, bool]:
    """The sample rate of all events of a span, and whether it is not the one that was sent."""
    rate, is_odd = told_rate(inherited.values, span.attributes.values)
    if not rate:
        rate = rate_of_trace_state(text_of(span.trace_state)[0], span.span_id) or 1
    return rate, is_odd
