"""An obvious second implementation of what is counted about steps: loops over plain events."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa

from query.traces.flows.steps import StepColumns

MS = 1_000_000


class Event(NamedTuple):
    """A step of an instance. at_ms, ms: its start and duration."""

    instance: str | None
    step: str | None
    at_ms: int
    ms: int | None = None
    error: bool = False
    process: str | None = None
    span: str | None = None
    parent: str | None = None
    announced: bool = False
    following: str | None = None


def columns(events: Sequence[Event]) -> StepColumns:
    """The events as gathered columns."""

    def texts(values: list[str | None]) -> pa.ChunkedArray:
        return pa.chunked_array([pa.array(values, pa.string())])

    return StepColumns(
        instance=texts([one.instance for one in events]),
        step=texts([one.step for one in events]),
        start_ns=pa.chunked_array([pa.array([one.at_ms * MS for one in events], pa.int64())]),
        duration_ms=pa.chunked_array(
            [pa.array([None if one.ms is None else float(one.ms) for one in events], pa.float64())]
        ),
        error=pa.chunked_array([pa.array([one.error for one in events], pa.bool_())]),
        announced=pa.chunked_array([pa.array([one.announced for one in events], pa.bool_())]),
        process=texts([one.process for one in events]),
        next_step=texts([one.following for one in events]),
        trace_id=texts([one.instance for one in events]),
        span_id=texts([one.span for one in events]),
        parent_id=texts([one.parent for one in events]),
    )


def by_instance(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The steps of each instance, by their starts, the longer one first."""
    found = defaultdict(list)
    for one in events:
        if one.instance is not None and one.step is not None:
            found[one.instance].append(one)
    for steps in found.values():
        steps.sort(key=lambda one: (one.at_ms, -(one.ms or 0)))
    return found


def follows(events: Sequence[Event]) -> dict[tuple[str, str], tuple[int, int]]:
    """By pair of steps, how often one follows the other, and in how many instances."""
    counts: Counter[tuple[str, str]] = Counter()
    instances: Counter[tuple[str, str]] = Counter()
    for steps in by_instance(events).values():
        pairs = [(str(a.step), str(b.step)) for a, b in pairwise(steps)]
        counts.update(pairs)
        instances.update(set(pairs))
    return {pair: (counts[pair], instances[pair]) for pair in counts}


def at_once(events: Sequence[Event], skew_ms: float) -> dict[tuple[str, str], tuple[int, int]]:
    """By pair of steps in the order of their names, how often both ran at once."""
    counts: Counter[tuple[str, str]] = Counter()
    instances: Counter[tuple[str, str]] = Counter()
    for steps in by_instance(events).values():
        parents = {one.span: one.parent for one in steps if one.span is not None}

        def above(one: Event, parents: dict[str, str | None] = parents) -> set[str]:
            found: set[str] = set()
            span = one.parent
            while span is not None and span not in found:
                found.add(span)
                span = parents.get(span)
            return found

        pairs = []
        for number, a in enumerate(steps):
            for b in steps[number + 1 :]:
                both_ms = min(a.at_ms + (a.ms or 0), b.at_ms + (b.ms or 0)) - max(a.at_ms, b.at_ms)
                same = a.process is not None and a.process == b.process
                if both_ms <= (0 if same else skew_ms):
                    continue
                if a.span in above(b) or b.span in above(a):
                    continue
                pairs.append(tuple(sorted((str(a.step), str(b.step)))))
        counts.update(pairs)
        instances.update(set(pairs))
    return {pair: (counts[pair], instances[pair]) for pair in counts}


def times(events: Sequence[Event]) -> dict[str, list[float]]:
    """By step, the times spent in it that are known, sorted."""
    found = defaultdict(list)
    for steps in by_instance(events).values():
        for number, one in enumerate(steps):
            if one.announced:
                continue
            if one.ms is not None:
                found[str(one.step)].append(float(one.ms))
            elif number + 1 < len(steps):
                found[str(one.step)].append(float(steps[number + 1].at_ms - one.at_ms))
    return {step: sorted(values) for step, values in found.items()}
