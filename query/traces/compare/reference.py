"""What a trace is compared with: one other trace, or the typical one of many.

Of many, the typical one is the trace whose steps differ least from those of all others; the others,
aligned with it, tell how often each step occurs, how long it takes and what its fields say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from query.cancellation import check_cancelled
from query.traces.compare.align import align
from query.traces.compare.fields import comparable
from query.traces.compare.span import TOP, Key, Spans

_VALUES_MAX: Final = 64  # values of a field that are kept: more of them are no habit


@dataclass(slots=True)
class Step:
    """What many traces say about one step of the typical one."""

    present: int = 0
    failed: int = 0
    self_ns: list[int] = field(default_factory=list)
    values: dict[str, Counter[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Reference:
    """typical: the trace that is shown. traces: how many it stands for.

    steps: of each of its spans. extra: by the position of a parent, and a key: in how many traces
    there is such a child, or one more of them, than in the typical one.
    """

    typical: Spans
    traces: int
    steps: list[Step]
    extra: dict[tuple[int, Key], int]

    @property
    def is_one(self) -> bool:
        """Whether it stands for itself alone."""
        return self.traces == 1


def reference_of(traces: Sequence[Spans]) -> Reference:
    """What the traces have in common. There must be at least one."""
    typical = typical_of(traces)
    steps = [Step() for _ in typical.spans]
    extra: dict[tuple[int, Key], int] = defaultdict(int)
    for trace in traces:
        check_cancelled()
        _add(trace, typical, steps, extra)
    return Reference(typical, len(traces), steps, extra)


def typical_of(traces: Sequence[Spans]) -> Spans:
    """The trace with the least distance to all others, by how often each step occurs."""
    counts = [Counter(span.key for span in trace.spans) for trace in traces]
    every: Counter[Key] = Counter()
    for one in counts:
        every.update(one)
    usual = {key: _median(one[key] for one in counts) for key in every}

    def distance(number: int) -> tuple[float, str]:
        own = counts[number]
        return sum(abs(own[key] - usual[key]) for key in usual), traces[number].trace_id

    return traces[min(range(len(traces)), key=distance)]


def _median(numbers: Iterable[int]) -> int:
    found = sorted(numbers)
    return found[len(found) // 2]


def _add(
    trace: Spans, typical: Spans, steps: Sequence[Step], extra: dict[tuple[int, Key], int]
) -> None:
    found = align(typical, trace)
    counterpart = {pair.second: pair.first for pair in found.pairs}
    for pair in found.pairs:
        span, step = trace.spans[pair.second], steps[pair.first]
        step.present += 1
        step.failed += span.failed
        if span.self_ns is not None:
            step.self_ns.append(span.self_ns)
        for name, value in span.fields.items():
            text = comparable(name, value, alone=False)
            if text is None:
                continue
            known = step.values.setdefault(name, Counter())
            if text in known or len(known) < _VALUES_MAX:
                known[text] += 1
    once = {
        (counterpart.get(trace.spans[at].parent, TOP), trace.spans[at].key) for at in found.added
    }
    for one in once:
        extra[one] += 1
