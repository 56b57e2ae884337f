"""What each event of a trace is: a span, its start, something that happened in a span, a link."""

from collections.abc import Iterable
from dataclasses import dataclass

from query.traces.one.event import LINK, SPAN_START, TraceEvent
from query.traces.one.ids import folded


@dataclass(frozen=True, slots=True)
class Classified:
    """Events in the order of their times.

    spans: finished ones, and unfinished ones of which an event came (an announcement: its
        annotation is SPAN_START).
    """

    spans: list[TraceEvent]
    inside: list[TraceEvent]
    links: list[TraceEvent]


def classify(events: Iterable[TraceEvent]) -> Classified:
    """Sort the events. An announcement whose span is there too is left out."""
    spans: list[TraceEvent] = []
    inside: list[TraceEvent] = []
    links: list[TraceEvent] = []
    starts: list[TraceEvent] = []
    unsure: list[TraceEvent] = []  # a span without duration, or a log line in it
    for event in sorted(events, key=TraceEvent.order):
        if event.annotation == LINK:
            links.append(event)
        elif event.annotation == SPAN_START and event.span_id:
            starts.append(event)
        elif event.annotation or event.signal == "log" or not event.span_id:
            inside.append(event)
        elif event.duration_ns is None:
            unsure.append(event)
        else:
            spans.append(event)
    known = {folded(span.span_id) for span in spans}
    for start in starts:
        if folded(start.span_id) not in known:
            known.add(folded(start.span_id))
            spans.append(start)
    for event in unsure:
        if folded(event.span_id) in known or not (event.name or event.parent_id):
            inside.append(event)
        else:
            known.add(folded(event.span_id))
            spans.append(event)
    if starts or unsure:
        spans.sort(key=TraceEvent.order)
        inside.sort(key=TraceEvent.order)
    return Classified(spans, inside, links)
