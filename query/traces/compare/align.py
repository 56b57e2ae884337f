"""Which spans of two traces are the same step.

From the roots down, the children of two spans that are the same step are aligned in their order, by
the longest common subsequence of their keys. What is left over may be the same step after all:
siblings that overlap in time may have changed places, and a span may have lost or got a span around
its children.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rapidfuzz.distance import LCSseq

from query.cancellation import check_cancelled
from query.traces.compare.span import Key, Spans

_COMPARED_MAX: Final = 2_500  # subtrees of siblings that are compared with each other
_MATCHED_MIN: Final = 0.5  # of the children of a span that is gone, to take them for its own


class Pair(NamedTuple):
    """Positions of the same step in the first and in the second trace."""

    first: int
    second: int


@dataclass(slots=True)
class Alignment:
    """pairs: in the order of the first trace's tree, parents first.

    missing: positions in the first trace, added: in the second, without a counterpart. Their
    subtrees go with them, unless the alignment has pairs in there.
    """

    pairs: list[Pair] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)


def align(first: Spans, second: Spans) -> Alignment:
    """The alignment of two traces."""
    return _Aligner(first, second).run()


class _Aligner:
    def __init__(self, first: Spans, second: Spans) -> None:
        self._first = first
        self._second = second
        self._numbers: dict[Key, int] = {}
        self._keys = tuple(
            [self._numbers.setdefault(span.key, len(self._numbers)) for span in one.spans]
            for one in (first, second)
        )
        self._shapes = shapes(first, second)
        self._found = Alignment()
        self._gone_first: set[int] = set()  # spans whose children are aligned without them
        self._gone_second: set[int] = set()

    def run(self) -> Alignment:
        """Align the roots, then the children of each pair."""
        waiting = [(list(self._first.roots), list(self._second.roots))]
        while waiting:
            check_cancelled()
            pairs = self._siblings(*waiting.pop())
            self._found.pairs += pairs
            waiting += [
                (list(self._first.children[a]), list(self._second.children[b]))
                for a, b in reversed(pairs)
            ]
        self._found.pairs.sort()
        self._found.missing.sort()
        self._found.added.sort(key=lambda at: self._second.spans[at].start_ns)
        return self._found

    def _siblings(self, first: list[int], second: list[int]) -> list[Pair]:
        """The pairs among siblings; what has none is missing or added."""
        pairs = self._in_order(first, second)
        pairs = self._nearest_shapes(first, second, pairs)
        pairs = self._at_once(first, second, pairs)
        pairs += self._unwrapped(first, second, pairs)
        left, other_left = self._left(first, second, pairs)
        self._found.missing += [at for at in left if at not in self._gone_first]
        self._found.added += [at for at in other_left if at not in self._gone_second]
        return pairs

    def _in_order(self, first: Sequence[int], second: Sequence[int]) -> list[Pair]:
        own, other = self._keys
        blocks = common([own[at] for at in first], [other[at] for at in second])
        return [Pair(first[a], second[b]) for a, b in blocks]

    def _nearest_shapes(
        self, first: Sequence[int], second: Sequence[int], pairs: list[Pair]
    ) -> list[Pair]:
        """Of a step that one trace has more often in a row, pair those that did the same."""
        counterpart = dict(pairs)
        runs = {at: run for run in self._runs(second, 1) for at in run}
        found: list[Pair] = []
        for run in self._runs(first, 0):
            others = [runs[counterpart[at]] for at in run if at in counterpart]
            if not others:
                continue
            other = others[0]
            if len(other) == len(run) or any(one is not other for one in others):
                found += [Pair(at, counterpart[at]) for at in run if at in counterpart]
            else:
                found += self._paired_by_shape(run, other)
        return found

    def _paired_by_shape(self, run: Sequence[int], other: Sequence[int]) -> list[Pair]:
        own, others = self._shapes
        anchors = common([own[at] for at in run], [others[at] for at in other])
        found: list[Pair] = []
        done = (0, 0)
        for a, b in [*anchors, (len(run), len(other))]:  # between two of them one after the other
            between = zip(run[done[0] : a], other[done[1] : b], strict=False)
            found += [Pair(*one) for one in between]
            if a < len(run):
                found.append(Pair(run[a], other[b]))
            done = (a + 1, b + 1)
        return found

    def _runs(self, siblings: Sequence[int], side: int) -> list[list[int]]:
        """Siblings of one key in a row."""
        runs: list[list[int]] = []
        keys = self._keys[side]
        for at in siblings:
            if runs and keys[runs[-1][-1]] == keys[at]:
                runs[-1].append(at)
            else:
                runs.append([at])
        return runs

    def _left(
        self, first: Sequence[int], second: Sequence[int], pairs: Sequence[Pair]
    ) -> tuple[list[int], list[int]]:
        taken_first = {pair.first for pair in pairs}
        taken_second = {pair.second for pair in pairs}
        return (
            [at for at in first if at not in taken_first],
            [at for at in second if at not in taken_second],
        )

    def _at_once(
        self, first: Sequence[int], second: Sequence[int], pairs: list[Pair]
    ) -> list[Pair]:
        """The pairs, those of steps that ran at once with a sibling made again: such siblings have
        no order, so of one key the equal subtrees are paired, then those that have most in common.
        """
        sets = (overlapping(self._first, first), overlapping(self._second, second))
        own, others = self._keys
        free = {own[at] for at in sets[0]} | {others[at] for at in sets[1]}
        if not free:
            return pairs
        found = [pair for pair in pairs if own[pair.first] not in free]
        members: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for at in first:
            if own[at] in free:
                members[own[at]][0].append(at)
        for at in second:
            if others[at] in free:
                members[others[at]][1].append(at)
        for left, right in members.values():
            found += self._most_alike(left, right)
        return found

    def _most_alike(self, first: Sequence[int], second: Sequence[int]) -> list[Pair]:
        """Pairs of siblings of one key, in no order."""
        found: list[Pair] = []
        own, others = self._shapes
        alike: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for at in first:
            alike[own[at]][0].append(at)
        for at in second:
            alike[others[at]][1].append(at)
        for group in alike.values():
            found += self._as_long(*group)
        taken = {pair.first for pair in found}
        left = [at for at in first if at not in taken]
        taken = {pair.second for pair in found}
        right = [at for at in second if at not in taken]
        if len(left) * len(right) > _COMPARED_MAX or min(len(left), len(right)) == 0:
            return found + [Pair(*one) for one in zip(left, right, strict=False)]
        counts = [Counter(self._keys[0][x] for x in self._first.below(at)) for at in left]
        other_counts = [Counter(self._keys[1][x] for x in self._second.below(at)) for at in right]
        ranked = sorted(
            (-2 * (a & b).total() / (a.total() + b.total()), i, j)
            for i, a in enumerate(counts)
            for j, b in enumerate(other_counts)
        )
        used: tuple[set[int], set[int]] = (set(), set())
        for _, i, j in ranked:
            if i not in used[0] and j not in used[1]:
                used[0].add(i)
                used[1].add(j)
                found.append(Pair(left[i], right[j]))
        return found

    def _as_long(self, first: Sequence[int], second: Sequence[int]) -> list[Pair]:
        """Pairs of equal subtrees in no order: the shortest with the shortest, and where one trace
        has more of them, each with the one whose length is nearest.
        """
        left = sorted(first, key=lambda at: _length_ns(self._first, at))
        right = sorted(second, key=lambda at: _length_ns(self._second, at))
        if len(left) == len(right) or not left or not right:
            return [Pair(*one) for one in zip(left, right, strict=False)]
        few, many = (left, right) if len(left) < len(right) else (right, left)
        traces = (self._first, self._second) if few is left else (self._second, self._first)
        found, spare, begin = [], len(many) - len(few), 0
        for number, at in enumerate(few):  # in order, leaving enough for those that follow
            length = _length_ns(traces[0], at)
            near = min(
                range(begin, number + spare + 1),
                key=lambda n: abs(_length_ns(traces[1], many[n]) - length),
            )
            found.append(Pair(at, many[near]) if few is left else Pair(many[near], at))
            begin = near + 1
        return found

    def _unwrapped(
        self, first: Sequence[int], second: Sequence[int], pairs: Sequence[Pair]
    ) -> list[Pair]:
        """Pairs of the children of a span that is gone, or came, with its siblings' rest."""
        left, other_left = self._left(first, second, pairs)
        found: list[Pair] = []
        for at in left:
            below = self._first.children[at]
            taken = {pair.second for pair in found}
            inner = self._in_order(below, [one for one in other_left if one not in taken])
            if inner and len(inner) >= _MATCHED_MIN * len(below):
                found += inner
                self._found.missing.append(at)
                matched = {pair.first for pair in inner}
                self._found.missing += [one for one in below if one not in matched]
                self._gone_first.add(at)
        for at in other_left:
            below = self._second.children[at]
            taken = {pair.first for pair in found}
            rest = [one for one in left if one not in taken and one not in self._gone_first]
            inner = self._in_order(rest, below)
            if inner and len(inner) >= _MATCHED_MIN * len(below):
                found += inner
                self._found.added.append(at)
                matched = {pair.second for pair in inner}
                self._found.added += [one for one in below if one not in matched]
                self._gone_second.add(at)
        return found


def common(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int]]:
    """Positions of a longest common subsequence."""
    found: list[tuple[int, int]] = []
    for block in LCSseq.opcodes(first, second):
        if block.tag == "equal":
            found += zip(
                range(block.src_start, block.src_end),
                range(block.dest_start, block.dest_end),
                strict=True,
            )
    return found


def _length_ns(trace: Spans, at: int) -> int:
    span = trace.spans[at]
    return span.end_ns - span.start_ns


def shapes(*traces: Spans) -> tuple[list[int], ...]:
    """Per span a number that is equal for equal subtrees: keys and failures, children in any order
    since those that ran at once have none.
    """
    numbers: dict[tuple[Key, bool, tuple[int, ...]], int] = {}
    found = []
    for trace in traces:
        own = [0] * len(trace.spans)
        for at in range(len(trace.spans) - 1, -1, -1):
            span = trace.spans[at]
            below = tuple(sorted(own[one] for one in trace.children[at]))
            own[at] = numbers.setdefault((span.key, span.failed, below), len(numbers))
        found.append(own)
    return tuple(found)


def overlapping(trace: Spans, siblings: Sequence[int]) -> set[int]:
    """The siblings that ran at once with another one. They are in the order of their starts."""
    found: set[int] = set()
    longest, until_ns = -1, None
    for at in siblings:
        span = trace.spans[at]
        if until_ns is not None and span.start_ns < until_ns:
            found |= {at, longest}
        if until_ns is None or span.end_ns > until_ns:
            longest, until_ns = at, span.end_ns
    return found
