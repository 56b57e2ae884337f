"""Series as lines of bars, on one scale: what is joined, and how, suits the calculation.

A blank is a gap (no value), the lowest bar is zero, and the least that is more stands above it.
"""

import itertools
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from common.model.times.api import parse_time

BARS: Final = "▁▂▃▄▅▆▇█"
CELLS: Final = 32
_EXACT_MAX: Final = 1e150  # sums and spans of larger values may overflow; bars need only ratios
Line = list[float | None]


class Join(Enum):
    """How the steps that share a bar become one value; the text says so to people."""

    SUM = "added up"
    LARGEST = "the largest"
    SMALLEST = "the smallest"
    MEAN = "their mean"


def join_of(op: str) -> Join:
    """What suits a calculation: a sum of maxima would be nothing, a mean of them hides a peak."""
    if op in ("COUNT", "SUM"):
        return Join.SUM
    return {"MIN": Join.SMALLEST, "AVG": Join.MEAN}.get(op, Join.LARGEST)


def steps_joined(steps: int, cells: int = CELLS) -> int:
    """How many steps share a bar."""
    return -(-steps // cells)


def joined(values: Line, cells: int, join: Join, weights: Line | None = None) -> Line:
    """At most `cells` values, each of as many steps (the last of what is left): where some had
    more, their sums would seem larger. weights: of a mean; plain where they are unknown.
    """
    size = steps_joined(len(values), cells)
    if size <= 1:
        return list(values)
    parts: Line = []
    for first in range(0, len(values), size):
        part = values[first : first + size]
        if join is Join.MEAN:
            parts.append(_mean(part, None if weights is None else weights[first : first + size]))
        else:
            known = [v for v in part if v is not None]
            parts.append(_reduced(known, join) if known else None)
    return parts


def _reduced(known: list[float], join: Join) -> float:
    if join is Join.SUM:
        return sum(known)
    return min(known) if join is Join.SMALLEST else max(known)


def _mean(values: Line, weights: Line | None) -> float | None:
    pairs = [
        (v, 1.0 if weights is None or w is None else w)
        for v, w in zip(values, weights or [None] * len(values), strict=True)
        if v is not None
    ]
    whole = sum(w for _, w in pairs)
    if whole <= 0:
        pairs = [(v, 1.0) for v, _ in pairs]
        whole = float(len(pairs))
    return sum(v * w for v, w in pairs) / whole if pairs else None


class Scale(NamedTuple):
    """The values of the lowest and the highest bar."""

    low: float
    high: float

    def bars(self, values: Line) -> str:
        """One character per value."""
        return "".join(" " if v is None else self._bar(v) for v in values)

    def _bar(self, value: float) -> str:
        top = len(BARS) - 1
        if self.high <= self.low:
            return BARS[0]
        part = (value - self.low) / (self.high - self.low)  # finite: see `drawable`
        level = min(top, max(0, int(part * top + 0.5)))
        if self.low == 0 and value > 0:
            level = max(1, level)
        return BARS[level]


def scale_of(lines: Sequence[Line]) -> Scale:
    """One scale for all lines, from 0 or the smallest value below it."""
    known = [v for line in lines for v in line if v is not None]
    return Scale(min([0.0, *known]), max([0.0, *known]))


def drawable(value: object) -> float | None:
    """A value as a number that bars can be made of; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return max(-_EXACT_MAX, min(_EXACT_MAX, float(value)))


class Axis(NamedTuple):
    """The steps of an answer's series: unix seconds of the first, their width and number."""

    first_s: int
    step_s: int
    steps: int

    def step_of(self, time: str) -> int | None:
        """The step that begins at an RFC 3339 time."""
        at, rest = divmod(unix_seconds(time) - self.first_s, self.step_s)
        return at if rest == 0 and 0 <= at < self.steps else None


def axis_of(document: dict[str, Any]) -> Axis | None:
    """The axis of an answer's series; None without series."""
    series = document["data"].get("series") or []
    if not series:
        return None
    times = document.get("range")
    if times:
        step_s = int(times["granularity"])
        first = int(times["start_time"]) // step_s
        return Axis(first * step_s, step_s, -(-int(times["end_time"]) // step_s) - first)
    times = sorted({unix_seconds(row["time"]) for row in series})  # an older server's
    step_s = min((b - a for a, b in itertools.pairwise(times)), default=1)
    return Axis(times[0], step_s, (times[-1] - times[0]) // step_s + 1)


def unix_seconds(time: str) -> int:
    """Of an RFC 3339 time."""
    return parse_time(time) // 10**9
