"""Which steps of an instance ran at the same time.

Two steps overlap if the second begins before the first ends. Clocks of two processes may differ, so
steps of different processes must overlap by more than the stated skew; within one process by
anything. A step and one that it contains as its child, or a child's child, do not overlap: one is
the other's part. Nor do two with one id: the halves of a span of client and server, or one span
that was sent twice.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from common import limits
from query.cancellation import check_cancelled
from query.traces.flows.steps import NONE, Flags, Ints, Steps
from query.traces.flows.transitions import Pairs, pairs_of

_MS_NS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of steps that overlapped, the smaller name first, and whether all were looked at."""

    pairs: Pairs
    all_compared: bool


def overlaps(steps: Steps, skew_ms: float) -> Overlaps:
    """The overlapping pairs, at most `limits.FLOW_OVERLAPS_MAX` of them compared."""
    skew_ns = round(skew_ms * _MS_NS)
    first: list[Ints] = []
    second: list[Ints] = []
    active = np.flatnonzero(steps.end_ns > steps.start_ns)
    compared, distance = 0, 0
    while len(active):
        check_cancelled()
        distance += 1
        active = active[active + distance < len(steps)]
        other = active + distance
        # rows are sorted by start: once the other one begins later, so do all after it
        runs = (steps.instance[other] == steps.instance[active]) & (
            steps.start_ns[other] < steps.end_ns[active]
        )
        active, other = active[runs], other[runs]
        compared += len(active)
        if compared > limits.FLOW_OVERLAPS_MAX:
            break
        at_once = _beyond_skew(steps, active, other, skew_ns)
        at_once &= steps.end_ns[other] > steps.start_ns[other]
        left, right = active[at_once], other[at_once]
        apart = ~_is_one(steps, left, right)
        apart &= ~_contains(steps, left, right) & ~_contains(steps, right, left)
        left, right = left[apart], right[apart]
        swapped = steps.step[left] > steps.step[right]
        first.append(np.where(swapped, right, left))
        second.append(np.where(swapped, left, right))
    none = np.zeros(0, np.int64)
    pairs = pairs_of(steps, np.concatenate([none, *first]), np.concatenate([none, *second]))
    return Overlaps(pairs, compared <= limits.FLOW_OVERLAPS_MAX)


def _beyond_skew(steps: Steps, first: Ints, second: Ints, skew_ns: int) -> Flags:
    """Whether both ran at once, whatever the clocks of two processes differ up to the skew."""
    process = steps.process[first]
    same = (process == steps.process[second]) & (process != NONE)
    until = np.minimum(steps.end_ns[first], steps.end_ns[second])
    beyond: Flags = same | (until - steps.start_ns[second] > skew_ns)
    return beyond


def _is_one(steps: Steps, first: Ints, second: Ints) -> Flags:
    """Whether both rows have one id."""
    own = steps.same_id[first]
    same: Flags = (own != NONE) & (own == steps.same_id[second])
    return same


def _contains(steps: Steps, outer: Ints, inner: Ints) -> Flags:
    """Whether the outer row's id is that of the inner one's parent, or of its parent, and so on."""
    found = np.zeros(len(outer), np.bool_)
    above, pending = inner.copy(), np.arange(len(outer))
    for _ in range(limits.FLOW_DEPTH_MAX):
        above = steps.parent[above]
        known = above != NONE
        above, pending = above[known], pending[known]
        if not len(above):
            break
        hit = above == steps.same_id[outer[pending]]
        found[pending[hit]] = True
        above, pending = above[~hit], pending[~hit]
    return found
