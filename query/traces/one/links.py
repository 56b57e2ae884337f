"""Links from a trace and to it, each with what is stored of the trace at the other end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common import limits
from common.model.times.written import rfc3339_ns
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpansPer
from query.traces.one.event import TraceEvent
from query.traces.one.ids import folded
from query.traces.one.read_table import LINK_SPAN, LINK_TRACE, events_of
from query.traces.trace_ids import stored_forms
from query.traces.wanted import SpansWanted, SpanTable

LINKS_MAX: Final = limits.TRACE_IDS_MAX // 2  # in each direction: all traces are asked for at once
_NOT_STORED: Final = "no event of it is stored"


@dataclass(frozen=True, slots=True)
class Link:
    """A link seen from a trace.

    trace_id, span_id: the other end; the span is empty where the link names none.
    own_span_id: the end in the trace itself, likewise.
    """

    trace_id: str
    span_id: str
    own_span_id: str


def links_from(events: Iterable[TraceEvent]) -> list[Link]:
    """The links of a trace's events, each once, in the order of time."""
    found = {
        Link(event.link_trace_id, event.link_span_id, _span_of(event)): None
        for event in sorted(events, key=TraceEvent.order)
        if event.link_trace_id
    }
    return list(found)


def _span_of(event: TraceEvent) -> str:
    """The span that has the link; a link that is an event of its own names it as its parent."""
    return event.span_id or event.parent_id


def linking_wanted(trace_id: str) -> SpansWanted:
    """The events of all traces that link to this one."""
    return SpansWanted(
        filters=(Filter(LINK_TRACE, FilterOp.IN, tuple(stored_forms(trace_id))),),
        fields=(LINK_TRACE, LINK_SPAN),
        limit=LINKS_MAX + 1,
    )


def links_to(table: SpanTable) -> list[Link]:
    """The links out of the table of `linking_wanted`."""
    others = table.rows.column("trace_id").to_pylist()
    found = zip(others, events_of(table, ()), strict=True)
    named = (Link(other, _span_of(event), event.link_span_id) for other, event in found)
    return list(dict.fromkeys(named))


def linked_wanted(links: Iterable[Link]) -> SpansWanted | None:
    """What is stored of the other traces; None where there are none."""
    ids = {_key(link.trace_id): link.trace_id for link in links}
    return SpansWanted(trace_ids=tuple(ids.values()), per=SpansPer.TRACE) if ids else None


def links_document(links: Sequence[Link], linked: SpanTable | None) -> list[dict[str, Any]]:
    """The links as members of an answer. linked: the table of `linked_wanted`."""
    rows = [] if linked is None else linked.rows.to_pylist()
    known = {_key(row["trace_id"]): row for row in rows}
    return [_document(link, known.get(_key(link.trace_id))) for link in links]


def _document(link: Link, row: Mapping[str, Any] | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "trace_id": link.trace_id,
        "span_id": link.span_id,
        "own_span_id": link.own_span_id,
    }
    if row is None:
        return document | {"note": _NOT_STORED}
    return document | {
        "start": rfc3339_ns(row["start_ns"]),
        "duration_ms": (row["end_ns"] - row["start_ns"]) / 1e6,
        "name": row["root_name"],
        "service": row["root_service"],
        "spans": row["spans"],
        "errors": row["errors"],
    }


def _key(trace_id: str) -> str:
    """One text for all spellings of a trace's id."""
    return folded(trace_id.replace("-", ""))
