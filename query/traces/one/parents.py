"""Which span is whose parent: spans with one id, parents that are not there, circles in bad data.

Zipkin lets client and server write one span under one id: the server's half then stands below the
client's. Any other two spans with one id are both kept, beside each other, and marked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from query.traces.one.event import TraceEvent
from query.traces.one.ids import folded

TOP: Final = -1  # the parent of what has none
_ASKING: Final = frozenset({"client", "producer"})
_ASKED: Final = frozenset({"server", "consumer"})


class Mark(StrEnum):
    """What is unusual about a span."""

    SHARED_ID = "shared_id"  # the server's half of a span that client and server wrote
    DUPLICATE_ID = "duplicate_id"  # another span has this id too
    CYCLE = "cycle"  # it is named as the parent of its own parents: shown as a root


@dataclass(slots=True)
class Parents:
    """Parents by position: first the given spans, then one position per missing parent.

    parents: position of the parent, TOP for none.
    marks: what is unusual, by position.
    missing: ids of the missing parents, as their children spell them.
    at: by folded id, the positions of the spans that have it, the one that children prefer first.
    owners: positions of the spans in which events happened, TOP for none.
    """

    parents: list[int]
    marks: dict[int, list[Mark]]
    missing: list[str]
    at: dict[str, list[int]]
    owners: list[int]

    def named(self, span_id: str, service: str, spans: Sequence[TraceEvent]) -> int | None:
        """The position of an id, of the service where there are several; None if there is none."""
        found = self.at.get(folded(span_id))
        if not found:
            return None
        if len(found) > 1:
            for one in found:
                if spans[one].service == service:
                    return one
        return found[0]


def find_parents(spans: Sequence[TraceEvent], owned: Sequence[TraceEvent] = ()) -> Parents:
    """The parents of spans.

    owned: events that happened in a span. A span that only they name is missing too.
    """
    known = Parents([TOP] * len(spans), {}, [], {}, [])
    for position, span in enumerate(spans):
        if span.span_id:
            known.at.setdefault(folded(span.span_id), []).append(position)
    client_of = _order_shared(spans, known)
    for position, span in enumerate(spans):
        if position in client_of:
            known.parents[position] = client_of[position]
        elif span.parent_id:
            known.parents[position] = _parent(spans, known, span)
    for event in owned:
        known.owners.append(_owner(spans, known, event))
    _break_cycles(spans, known)
    return known


def _parent(spans: Sequence[TraceEvent], known: Parents, span: TraceEvent) -> int:
    found = known.named(span.parent_id, span.service, spans)
    return _add_missing(known, span.parent_id) if found is None else found


def _owner(spans: Sequence[TraceEvent], known: Parents, event: TraceEvent) -> int:
    """The span in which an event happened, a missing one where it names one; else TOP."""
    for span_id in (event.span_id, event.parent_id, event.within):
        found = known.named(span_id, event.service, spans) if span_id else None
        if found is not None:
            return found
    span_id = event.parent_id or event.within
    return _add_missing(known, span_id) if span_id else TOP


def _add_missing(known: Parents, span_id: str) -> int:
    position = len(known.parents)
    known.parents.append(TOP)
    known.missing.append(span_id)
    known.at[folded(span_id)] = [position]
    return position


def _order_shared(spans: Sequence[TraceEvent], known: Parents) -> dict[int, int]:
    """By position of a server's half, its client's; marks spans with one id, servers first."""
    client_of: dict[int, int] = {}
    for same in known.at.values():
        if len(same) == 1:
            continue
        client = next((one for one in same if _is_asking(spans[one])), None)
        if client is None and any(spans[one].shared for one in same):
            client = next((one for one in same if not spans[one].shared), None)
        first = same[0] if client is None else client
        for one in same:
            if one == first:
                continue
            if client is not None and _is_asked(spans[one]):
                client_of[one] = client
                known.marks.setdefault(one, []).append(Mark.SHARED_ID)
            else:
                known.marks.setdefault(one, []).append(Mark.DUPLICATE_ID)
        rank = {one: 0 if one in client_of else 1 if one == first else 2 for one in same}
        same.sort(key=rank.__getitem__)
    return client_of


def _is_asking(span: TraceEvent) -> bool:
    return span.kind in _ASKING and not span.shared


def _is_asked(span: TraceEvent) -> bool:
    return span.shared or span.kind in _ASKED


def _break_cycles(spans: Sequence[TraceEvent], known: Parents) -> None:
    """Of each circle of parents, the earliest span becomes a root."""
    parents, seen = known.parents, [0] * len(known.parents)
    for begin in range(len(spans)):
        walk, position = begin + 1, begin
        while position != TOP and not seen[position]:
            seen[position] = walk
            position = parents[position]
        if position == TOP or seen[position] != walk:
            continue  # it ends at the top, or where an earlier walk went
        circle, one = [position], parents[position]
        while one != position:
            circle.append(one)
            one = parents[one]
        root = min(circle)  # spans come in the order of their starts
        parents[root] = TOP
        known.marks.setdefault(root, []).append(Mark.CYCLE)
