"""What differs in a trace from its reference, the most telling first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from query.traces.compare.align import Alignment, Pair, align
from query.traces.compare.fields import comparable
from query.traces.compare.reference import Reference, Step
from query.traces.compare.span import TOP, Key, Span, Spans

USUAL_MIN: Final = 0.9  # share of the reference's traces that have a step that is missed
ODD_MAX: Final = 0.1  # share of them that may have what is told to be odd
SLOWER_FACTOR: Final = 2.0
SLOWER_MS: Final = 10.0  # between two traces; pauses of a machine are as long
SLOWER_THAN_MANY_MS: Final = 1.0  # where many tell how long a step takes
_ABOVE_LONGEST: Final = 1.2  # of the longest of many
_NS_PER_MS: Final = 1_000_000
_FEW_VALUES: Final = 0.1  # distinct values per trace of a field that says the same mostly


class What(StrEnum):
    """What a difference is, in the order in which they are told."""

    MISSING = "missing"
    FAILED = "failed"
    ADDED = "added"
    REPEATED = "repeated"
    SLOWER = "slower"
    RECOVERED = "recovered"
    FIELD = "field"


_ORDER: Final = {what: number for number, what in enumerate(What)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    span: of the compared trace; of a missing one, that of the reference.
    parent: the name of the span above, empty for a root.
    spans: of a missing or added span, those of its subtree that go with it.
    share: of the reference's traces that have the step (missing), or are as odd as this one.
    usual, found: of a slower span the self times in ms (the median of many), of a field its values.
    """

    what: What
    span: Span
    parent: str
    spans: int = 1
    share: float = 1.0
    field: str = ""
    usual: object = None
    found: object = None


def compare(reference: Reference, trace: Spans) -> list[Difference]:
    """The differences, sorted by what they are, then by size and start."""
    found = align(reference.typical, trace)
    differences = [
        *_missing(reference, found),
        *_added(reference, trace, found),
        *_changed(reference, trace, found),
    ]
    differences.sort(key=_rank)
    return differences


def _rank(one: Difference) -> tuple[int, float, int, str, str]:
    size = 0.0
    if one.what is What.SLOWER and isinstance(one.usual, float) and isinstance(one.found, float):
        size = one.usual - one.found
    return _ORDER[one.what], size, one.span.start_ns, one.span.name, one.field


def _parent(trace: Spans, span: Span) -> str:
    return "" if span.parent == TOP else trace.spans[span.parent].name


def _missing(reference: Reference, found: Alignment) -> Iterator[Difference]:
    typical = reference.typical
    paired = {pair.first for pair in found.pairs}
    for at in found.missing:
        share = reference.steps[at].present / reference.traces
        if share < USUAL_MIN:
            continue
        span = typical.spans[at]
        alone = sum(one not in paired for one in typical.below(at))
        yield Difference(What.MISSING, span, _parent(typical, span), alone, share)


def _added(reference: Reference, trace: Spans, found: Alignment) -> Iterator[Difference]:
    counterpart = {pair.second: pair.first for pair in found.pairs}
    times: Counter[tuple[int, Key]] = Counter()
    for pair in found.pairs:
        span = trace.spans[pair.second]
        times[span.parent, span.key] += 1
    for at in found.added:
        span = trace.spans[at]
        above = counterpart.get(span.parent, TOP)
        share = reference.extra.get((above, span.key), 0) / reference.traces
        if share > ODD_MAX:
            continue
        what = What.REPEATED if times[span.parent, span.key] else What.ADDED
        alone = sum(one not in counterpart for one in trace.below(at))
        yield Difference(what, span, _parent(trace, span), alone, share)


def _changed(reference: Reference, trace: Spans, found: Alignment) -> Iterator[Difference]:
    for pair in found.pairs:
        usual, span = reference.typical.spans[pair.first], trace.spans[pair.second]
        step, above = reference.steps[pair.first], _parent(trace, span)
        failures = step.failed / max(step.present, 1)
        if span.failed and failures <= ODD_MAX:
            yield Difference(What.FAILED, span, above, share=failures)
        elif not span.failed and failures >= USUAL_MIN:
            yield Difference(What.RECOVERED, span, above, share=1 - failures)
        slower = _slower(step, span)
        if slower is not None:
            yield Difference(What.SLOWER, span, above, usual=slower[0], found=slower[1], share=0.0)
        yield from _fields(reference, pair, usual, span, above)


def _slower(step: Step, span: Span) -> tuple[float, float] | None:
    """(the usual self time, the span's) in ms, if it is slower."""
    if span.self_ns is None or not step.self_ns:
        return None
    times = sorted(step.self_ns)
    median, longest = times[len(times) // 2], times[-1]
    is_one = len(times) == 1
    more_ms = SLOWER_MS if is_one else SLOWER_THAN_MANY_MS
    least = max(median * SLOWER_FACTOR, median + more_ms * _NS_PER_MS)
    if not is_one:
        least = max(least, longest * _ABOVE_LONGEST)
    if span.self_ns < least:
        return None
    return median / _NS_PER_MS, span.self_ns / _NS_PER_MS


def _fields(
    reference: Reference, pair: Pair, usual: Span, span: Span, above: str
) -> Iterator[Difference]:
    if reference.is_one:
        for name in sorted({*usual.fields, *span.fields}):
            before = comparable(name, usual.fields.get(name), alone=True)
            now = comparable(name, span.fields.get(name), alone=True)
            if before is not None and now is not None and before != now:
                yield Difference(
                    What.FIELD, span, above, field=name,
                    usual=usual.fields[name], found=span.fields[name],
                )  # fmt: skip
        return
    step = reference.steps[pair.first]
    for name, value in sorted(span.fields.items()):
        now = comparable(name, value, alone=False)
        known = step.values.get(name)
        if now is None or not known:
            continue
        share = known[now] / max(step.present, 1)
        if share <= ODD_MAX and len(known) <= max(1, _FEW_VALUES * sum(known.values())):
            most = known.most_common(1)[0][0]
            yield Difference(
                What.FIELD, span, above, share=share, field=name, usual=most, found=value
            )
