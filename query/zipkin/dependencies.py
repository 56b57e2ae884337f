"""Which service calls which, as Zipkin's graph of dependencies shows: from spans, by their parents.

A call is a span whose parent is a span of another service; the server's half of a span that client
and server share; and a client's span without a span of the other service, which it names itself.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from query.traces.wanted import SpanTable

FIELDS: Final = ("span.kind", "peer.service", "shared")  # to gather
_ASKING: Final = frozenset({"client", "producer"})
_ASKED: Final = frozenset({"server", "consumer"})


class CallSpan(NamedTuple):
    """What of a span says who called whom."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    failed: bool
    kind: str = ""
    peer: str = ""
    shared: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether it is the side that was called."""
        return self.shared or self.kind in _ASKED


def call_spans(table: SpanTable) -> list[CallSpan]:
    """The spans of a table with `FIELDS`."""
    rows = table.rows
    names = ("trace_id", "span_id", "parent_id", "service", "dataset", "error", "annotation")
    columns = [rows.column(name).to_pylist() for name in names]
    fields = [table.field(name).to_pylist() for name in FIELDS]
    found = []
    for row in zip(*columns, *fields, strict=True):
        trace_id, span_id, parent_id, service, dataset, error, annotation, *texts = row
        if annotation is None and span_id:
            kind, peer = ((text or "").strip('"') for text in texts[:2])
            is_shared = texts[2] == "true"
            own = service or dataset
            found.append(
                CallSpan(trace_id, span_id, parent_id or "", own, error, kind, peer, is_shared)
            )
    return found


def dependencies(spans: Sequence[CallSpan]) -> list[dict[str, Any]]:
    """Pairs of services with their calls, and with how many of them failed; sorted."""
    by_id: dict[tuple[str, str], list[int]] = {}
    for at, span in enumerate(spans):
        by_id.setdefault((span.trace_id, span.span_id), []).append(at)
    calls: Counter[tuple[str, str]] = Counter()
    failures: Counter[tuple[str, str]] = Counter()
    answered: set[int] = set()  # spans below which there is one of another service

    def count(caller: str, called: str, *, failed: bool) -> None:
        calls[caller, called] += 1
        failures[caller, called] += failed

    for at, span in enumerate(spans):
        above = _above(spans, at, by_id)
        if above is not None and spans[above].service != span.service:
            answered.add(above)
            count(spans[above].service, span.service, failed=span.failed)
    for at, span in enumerate(spans):
        if span.kind in _ASKING and at not in answered and span.peer not in ("", span.service):
            count(span.service, span.peer, failed=span.failed)
    return [
        {"parent": pair[0], "child": pair[1], "callCount": number, "errorCount": failures[pair]}
        for pair, number in sorted(calls.items())
    ]


def _above(
    spans: Sequence[CallSpan], at: int, by_id: dict[tuple[str, str], list[int]]
) -> int | None:
    """The span that called this one, or in which it is; None if there is none."""
    span = spans[at]
    if span.is_asked:
        for half in by_id[span.trace_id, span.span_id]:
            if half != at and not spans[half].is_asked:
                return half
    candidates = by_id.get((span.trace_id, span.parent_id), ()) if span.parent_id else ()
    best = [one for one in candidates if one != at]
    # Of two halves, what is below is in the service that it is of, else in the server's.
    best.sort(key=lambda one: (spans[one].service != span.service, not spans[one].is_asked))
    return best[0] if best else None
