"""The spans of a trace as values to compare: a flat list, parents before their children."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from common.signature.stack import without_numbers
from query.traces.one.tree import Kind, Tree

TOP = -1  # the parent of a root


class Key(NamedTuple):
    """What two spans must have in common to be the same step."""

    service: str
    name: str  # with ids, addresses and numbers folded
    kind: str


@dataclass(frozen=True, slots=True)
class Span:
    """A span.

    span_id, name: as stored, to show it.
    parent: its position among the spans; TOP of a root.
    start_ns, end_ns: unix ns; the end of an unfinished span is its start.
    self_ns: without its children; None if it is not finished.
    """

    key: Key
    span_id: str
    name: str
    parent: int
    start_ns: int
    end_ns: int
    self_ns: int | None
    failed: bool
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of one trace. children: of each span, and last those of no span: the roots; each in
    the order of their starts.
    """

    trace_id: str
    spans: Sequence[Span]
    children: Sequence[Sequence[int]]

    @property
    def roots(self) -> Sequence[int]:
        """Positions of the spans without a parent."""
        return self.children[-1]

    def below(self, position: int) -> list[int]:
        """A span and all below it, parents first."""
        found = [position]
        for one in found:
            found += self.children[one]
        return found


def spans_of(trace_id: str, spans: Sequence[Span]) -> Spans:
    """With the children of each, by start and then by key."""
    children: list[list[int]] = [[] for _ in range(len(spans) + 1)]
    for position, span in enumerate(spans):
        children[span.parent].append(position)
    for below in children:
        below.sort(key=lambda at: (spans[at].start_ns, spans[at].key, at))
    return Spans(trace_id, spans, children)


def spans_of_tree(trace_id: str, tree: Tree) -> Spans:
    """The spans of a tree, those included that only their children name."""
    position: dict[int, int] = {}
    found: list[Span] = []
    for at, line in enumerate(tree.lines):
        if line.kind not in (Kind.SPAN, Kind.MISSING):
            continue
        event = line.event
        name = "" if event is None else event.name
        service = "" if event is None else event.service
        kind = "" if event is None else event.kind
        position[at] = len(found)
        found.append(
            Span(
                key=Key(service, without_numbers(name), kind),
                span_id=line.span_id,
                name=name,
                parent=position.get(line.parent, TOP),
                start_ns=line.start_ns,
                end_ns=line.start_ns if line.end_ns is None else line.end_ns,
                self_ns=line.self_ns,
                failed=event is not None and bool(event.error_by),
                fields={} if event is None or event.fields is None else event.fields,
            )
        )
    return spans_of(trace_id, found)
