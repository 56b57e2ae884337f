"""The tree of one trace: pure, and without recursion, since 100,000 spans may be one chain.

Times are shown as they were sent. A child outside of its parent, in another process, is marked: its
clock may differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from query.traces.one.classify import Classified, classify
from query.traces.one.event import LINK, SPAN_START, TraceEvent
from query.traces.one.intervals import self_time
from query.traces.one.open_spans import How, LastStarts, OpenSpan, Unfinished, judge
from query.traces.one.parents import TOP, Mark, Parents, find_parents

_ASYNCHRONOUS: Final = frozenset({"producer", "consumer"})
_EARLIEST: Final = -(2**63)  # unix ns


class Kind(StrEnum):
    """What a line of the tree is."""

    SPAN = "span"
    MISSING = "missing"  # a span that only its children name
    EVENT = "event"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Judging:
    """By what unfinished spans and clocks are judged; part of every answer.

    now_ns: unix ns of the judgement.
    silent_ns: an unfinished span without a sign for longer counts as interrupted.
    skew_ns: a child in another process further outside of its parent is marked.
    """

    now_ns: int
    silent_ns: int
    skew_ns: int


class TreeLine(msgspec.Struct, frozen=True):
    """One line of the tree, in depth-first order.

    event: None for a missing span.
    span_id: of a span; of an event or a link, that of the span in which it is.
    parent: position of the line above; TOP for none.
    start_ns, end_ns: unix ns; no end where none is known.
    self_ns: nanoseconds without any child; None for what is no finished span.
    spans_below: spans in the subtree, without the line itself; missing ones do not count.
    outside_ns: by how much a span in another process begins before its parent (negative) or ends
        after it; 0 where that is within the stated amount.
    open: of an unfinished span, how it is known.
    """

    kind: Kind
    event: TraceEvent | None
    span_id: str
    parent: int
    depth: int
    start_ns: int
    end_ns: int | None
    self_ns: int | None = None
    spans_below: int = 0
    outside_ns: int = 0
    open: OpenSpan | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """All lines depth first; the children of a line in the order of their starts."""

    lines: tuple[TreeLine, ...]


def build(events: Sequence[TraceEvent], judging: Judging) -> Tree:
    """The tree of all events of one trace, in any order."""
    sorted_events = classify(events)
    spans = sorted_events.spans
    known = find_parents(spans, [*sorted_events.inside, *sorted_events.links])
    nodes = _Nodes(sorted_events, known)
    nodes.list_children()
    order = nodes.depth_first()
    nodes.gather(order)
    opened = nodes.unfinished(order, judging)
    return Tree(tuple(nodes.lines(order, opened, judging)))


class _Nodes:
    """Columns over positions: spans first, then missing spans, then events and links."""

    def __init__(self, found: Classified, known: Parents) -> None:
        self._spans = found.spans
        self._inside = [*found.inside, *found.links]
        self._known = known
        self._span_nodes = len(known.parents)
        count = self._span_nodes + len(self._inside)
        self._parents = [*known.parents, *known.owners]
        starts: list[int | None] = [span.time_ns for span in found.spans]
        starts += [None] * len(known.missing)
        self._starts = starts + [event.time_ns for event in self._inside]
        self._last = [_EARLIEST] * count
        self._below = [0] * count
        self._depths = [0] * count
        self._children: list[list[int]] = [[] for _ in range(count)]
        self._tops: list[int] = []

    def event(self, position: int) -> TraceEvent | None:
        """The event of a position; None for a missing span."""
        if position < len(self._spans):
            return self._spans[position]
        if position < self._span_nodes:
            return None
        return self._inside[position - self._span_nodes]

    def list_children(self) -> None:
        """The children of each position, and where missing spans begin."""
        for position, parent in enumerate(self._parents):
            start = self._starts[position]
            if parent != TOP and start is not None:
                self._children[parent].append(position)
                begun = self._starts[parent]
                if parent >= len(self._spans) and (begun is None or start < begun):
                    self._starts[parent] = start
        self._tops = [at for at, parent in enumerate(self._parents) if parent == TOP]
        for siblings in (*self._children, self._tops):
            siblings.sort(key=self._order)

    def _order(self, position: int) -> tuple[int, bool, int]:
        """By start; an event at the start of a sibling comes first."""
        return self.start(position), position < self._span_nodes, position

    def start(self, position: int) -> int:
        """Unix ns; of a missing span the start of its first child."""
        start = self._starts[position]
        assert start is not None, "a missing span has a child"
        return start

    def depth_first(self) -> list[int]:
        """All positions, parents before their children."""
        order: list[int] = []
        waiting = self._tops[::-1]
        while waiting:
            position = waiting.pop()
            order.append(position)
            below = self._children[position]
            for child in below:
                self._depths[child] = self._depths[position] + 1
            waiting += reversed(below)
        return order

    def gather(self, order: Sequence[int]) -> None:
        """What holds of whole subtrees: the last time in them, and how many spans they have."""
        for position in reversed(order):
            event = self.event(position)
            end = None if event is None else event.end_ns
            last = max(self._last[position], self.start(position) if end is None else end)
            self._last[position] = last
            parent = self._parents[position]
            if parent != TOP:
                self._last[parent] = max(self._last[parent], last)
                self._below[parent] += self._below[position] + (position < len(self._spans))

    def unfinished(self, order: Sequence[int], judging: Judging) -> dict[int, OpenSpan]:
        """The judgement of each unfinished span, by position."""
        found: dict[int, Unfinished] = {}
        for position in order:
            if position < self._span_nodes:
                how = self._unfinished_by(position)
                if how is not None:
                    start, last = self.start(position), self._last[position]
                    instance, process = self._instance(position), self._process(position)
                    found[position] = Unfinished(how, start, last, instance, process)
        if not found:
            return {}
        lasts = LastStarts(
            (self._instance(at), span.process, span.time_ns) for at, span in enumerate(self._spans)
        )
        silent_ns, skew_ns = judging.silent_ns, judging.skew_ns
        return {
            position: judge(span, lasts, judging.now_ns, silent_ns, skew_ns)
            for position, span in found.items()
        }

    def _unfinished_by(self, position: int) -> How | None:
        event = self.event(position)
        if event is None:
            return How.INFERRED
        if event.annotation == SPAN_START:
            return How.ANNOUNCED
        return How.UNKNOWN if event.duration_ns is None else None

    def _instance(self, position: int) -> tuple[str, ...]:
        """Spans of one instance: of one state machine, else of one service with one parent."""
        if position < len(self._spans):
            span = self._spans[position]
            if span.machine:
                return ("machine", span.machine)
            if span.service and span.parent_id:
                return ("service", span.service, str(self._parents[position]))
            return ()
        machines = {self._spans[at].machine for at in self._children[position] if self._is_span(at)}
        machine = machines.pop() if len(machines) == 1 else ""
        return ("machine", machine) if machine else ()

    def _process(self, position: int) -> str:
        """The process of a span; of a missing one that of its children, if it is one."""
        if position < len(self._spans):
            return self._spans[position].process
        names = {self._spans[at].process for at in self._children[position] if self._is_span(at)}
        return names.pop() if len(names) == 1 else ""

    def _is_span(self, position: int) -> bool:
        return position < len(self._spans)

    def lines(
        self, order: Sequence[int], opened: dict[int, OpenSpan], judging: Judging
    ) -> list[TreeLine]:
        """The lines, with positions in `order` instead of positions of nodes."""
        line_of = [TOP] * len(order)
        for line, position in enumerate(order):
            line_of[position] = line
        return [self._line(position, line_of, opened, judging) for position in order]

    def _line(
        self, position: int, line_of: list[int], opened: dict[int, OpenSpan], judging: Judging
    ) -> TreeLine:
        event, parent = self.event(position), self._parents[position]
        above = TOP if parent == TOP else line_of[parent]
        depth, start = self._depths[position], self.start(position)
        if position >= self._span_nodes:
            assert event is not None
            kind = Kind.LINK if event.annotation == LINK else Kind.EVENT
            owner = "" if parent == TOP else self._id(parent)
            return TreeLine(kind, event, owner, above, depth, start, event.end_ns)
        if event is None:
            return TreeLine(
                Kind.MISSING, None, self._id(position), above, depth, start, None,
                spans_below=self._below[position], open=opened.get(position),
            )  # fmt: skip
        end = event.end_ns
        return TreeLine(
            Kind.SPAN, event, event.span_id, above, depth, start, end,
            self_ns=None if end is None else self._self_ns(position, start, end),
            spans_below=self._below[position],
            outside_ns=self._outside(event, parent, judging.skew_ns),
            open=opened.get(position),
            marks=tuple(self._known.marks.get(position, ())),
        )  # fmt: skip

    def _id(self, position: int) -> str:
        if position < len(self._spans):
            return self._spans[position].span_id
        return self._known.missing[position - len(self._spans)]

    def _self_ns(self, position: int, start_ns: int, end_ns: int) -> int:
        children = (self._spans[at] for at in self._children[position] if self._is_span(at))
        ranges = ((c.time_ns, c.time_ns + c.duration_ns) for c in children if c.duration_ns)
        return self_time(start_ns, end_ns, ranges)

    def _outside(self, span: TraceEvent, parent: int, skew_ns: int) -> int:
        """As `TreeLine.outside_ns`. A message may be handled long after it was sent."""
        above = self.event(parent) if parent != TOP else None
        if above is None or not _elsewhere(span, above):
            return 0
        if above.time_ns - span.time_ns > skew_ns:
            return span.time_ns - above.time_ns
        ends, end = span.end_ns, above.end_ns
        if ends is None or end is None or span.kind in _ASYNCHRONOUS:
            return 0
        return ends - end if ends - end > skew_ns else 0


def _elsewhere(one: TraceEvent, other: TraceEvent) -> bool:
    """Whether two spans are of different processes, as far as that is known."""
    return one.service != other.service or (
        bool(one.process and other.process) and one.process != other.process
    )
