"""Concurrency and rates by step in plain Python, one moment and one span at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from query.plan.planner import QueryRequest
from query.plan.spec import Calculation
from tests.query.share import oracle
from tests.query.share.rows import Row

_SECOND_NS = 10**9
_PARTS = 16
_DURATIONS = ("duration_ms", "durationMs", "request_processing_time")


@dataclass(frozen=True)
class Span:
    """Clipped to the range. end_ns: None: it is open at the range's end."""

    start_ns: int
    end_ns: int | None
    weight: int

    def is_open(self, at_ns: int) -> bool:
        return self.start_ns < at_ns and (self.end_ns is None or self.end_ns >= at_ns)


def spans_of(asked: QueryRequest, rows: Sequence[Row]) -> list[Span]:
    before_ns = max(asked.end_ns - asked.start_ns, 3_600 * _SECOND_NS)
    found = []
    for row in rows:
        numbers = [oracle.number(row.data.get(name)) for name in _DURATIONS]
        duration = next((n for n in numbers if n is not None), None)
        if duration is None or duration < 0 or row.data.get("meta.annotation_type"):
            continue
        end = row.time_ns + round(float(duration) * 1e6)
        began_in = asked.start_ns <= row.time_ns < asked.end_ns
        earlier = asked.start_ns - before_ns <= row.time_ns < asked.start_ns < end
        if began_in or earlier:
            start = max(row.time_ns, asked.start_ns)
            weight = 1 if asked.spec.unweighted else row.rate
            found.append(Span(start, end if end < asked.end_ns else None, weight))
    return found


def concurrency(asked: QueryRequest, rows: Sequence[Row]) -> dict[int, int]:
    """By step, those with spans."""
    spans, part_ns = spans_of(asked, rows), asked.step_ns // _PARTS
    base = asked.start_ns // asked.step_ns * asked.step_ns
    found = {}
    for step in range(-(-(asked.end_ns - base) // asked.step_ns)):
        first = base + step * asked.step_ns
        moments = [first + part * part_ns for part in range(_PARTS + 1)]
        levels = [sum(span.weight for span in spans if span.is_open(at)) for at in moments]
        starts = any(first <= span.start_ns < first + asked.step_ns for span in spans)
        if found_here := max(*levels, int(starts)):
            found[step] = found_here
    return found


def rates(asked: QueryRequest, of: Calculation, rows: Sequence[Row]) -> dict[int, float]:
    """By step, those with a rate."""
    return {step: float(more / seconds) for step, more, seconds in _increases(asked, of, rows)}


def rate(asked: QueryRequest, of: Calculation, rows: Sequence[Row]) -> float | None:
    """Of the whole range."""
    found = _increases(asked, of, rows)
    seconds = sum(one[2] for one in found)
    return float(sum(one[1] for one in found) / seconds) if seconds else None


def _increases(
    asked: QueryRequest, of: Calculation, rows: Sequence[Row]
) -> list[tuple[int, Fraction, Fraction]]:
    base = asked.start_ns // asked.step_ns
    by_step: dict[int, list[Row]] = {}
    for row in oracle.chosen(of.filters, of.any_filter, rows):
        if asked.start_ns <= row.time_ns < asked.end_ns:
            by_step.setdefault(row.time_ns // asked.step_ns - base, []).append(row)
    found = []
    before: tuple[int, Fraction] | None = None
    for step in sorted(by_step):
        held = oracle.calculate(of.op.removeprefix("RATE_"), of.column, by_step[step])
        if held is None:
            continue
        value = Fraction(held)  # type: ignore[arg-type]
        if before is not None:
            more = value - before[1] if value >= before[1] else value
            seconds = Fraction((step - before[0]) * asked.step_ns, _SECOND_NS)
            if more >= 0:
                found.append((step, more, seconds))
        before = step, value
    return found
