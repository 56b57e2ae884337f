"""Requests with spans: each span becomes one event, and one for each of its events and links."""

from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody
from shepherd.otlp.decode.reference.events import Draft, Gatherer
from shepherd.otlp.decode.reference.origin import (
    RESOURCE_GROUP,
    members_of,
    read_resource,
    read_scope,
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
    event_draft,
    link_draft,
    read_span,
    span_draft,
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
        for scope_group in members_of(group, work):
            inherited = read_scope(scope_group, resource, work)
            for item in members_of(scope_group, work):
                number = gatherer.next_item()
                drafts = _drafts(read_span(item, work), inherited, body.arrival_ns)
                for draft in drafts:
                    event = draft.finish(string_max, work)
                    gatherer.add(dataset, number, event, own=draft is drafts[-1])
    return gatherer.finish()


def _drafts(span: Span, inherited: Attributes, arrival_ns: int) -> list[Draft]:
    """The events of a span, its own last; all have its sample rate."""
    drafts = [event_draft(event, span, inherited, arrival_ns) for event in span.events]
    drafts += [link_draft(link, span, inherited, arrival_ns) for link in span.links]
    drafts.append(span_draft(span, inherited, arrival_ns))
    rate, is_odd = told_rate(inherited.values, span.attributes.values)
    if not rate:
        rate = rate_of_trace_state(text_of(span.trace_state)[0], span.span_id) or 1
    for draft in drafts:
        draft.rate = rate
        draft.leave_out(NAMES)
    if is_odd:
        drafts[-1].mended[RATE_MENDED] = None
    return drafts
