"""How often each step follows another one (the directly-follows graph), and time in each step."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from query.traces.flows.steps import Floats, Ints, Steps

_MS_NS: Final = 1e6
_QUANTILES: Final = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of steps: one element per pair, the most frequent first, then by number.

    first, second: numbers of step names. count: how often. instances: in how many.
    example: number of an instance that has it, the one with the latest occurrence.
    """

    first: Ints
    second: Ints
    count: Ints
    instances: Ints
    example: Ints


@dataclass(frozen=True, slots=True)
class StepTimes:
    """One element per step name that occurs.

    step: its number. count, instances, errors: int64.
    p50_ms, p95_ms, p99_ms, max_ms: of the times that are known; NaN if none is.
    """

    step: Ints
    count: Ints
    instances: Ints
    errors: Ints
    p50_ms: Floats
    p95_ms: Floats
    p99_ms: Floats
    max_ms: Floats


def time_in_step(steps: Steps) -> Floats:
    """Milliseconds per row: its duration; for an event without one the time until the instance's
    next step; NaN for the last one and for a step that was announced and has not ended.
    """
    found = (steps.end_ns - steps.start_ns) / _MS_NS
    until_next = np.full(len(steps), np.nan)
    same = steps.instance[1:] == steps.instance[:-1]
    gaps = (steps.start_ns[1:] - steps.start_ns[:-1]) / _MS_NS
    until_next[:-1][same] = gaps[same]
    found[~steps.has_duration] = until_next[~steps.has_duration]
    found[steps.announced] = np.nan
    return found


def transitions(steps: Steps) -> Pairs:
    """Which step follows which in an instance, by their starts."""
    same = np.flatnonzero(steps.instance[1:] == steps.instance[:-1])
    return pairs_of(steps, same, same + 1)


def pairs_of(steps: Steps, first: Ints, second: Ints) -> Pairs:
    """Pairs of rows of one instance, counted by their step names."""
    width = len(steps.names) + 1
    code = steps.step[first] * width + steps.step[second]
    instance = steps.instance[first]
    codes, where, counts = np.unique(code, return_inverse=True, return_counts=True)
    both = np.unique(where * (len(steps.instances) + 1) + instance)
    instances = np.bincount(both // (len(steps.instances) + 1), minlength=len(codes))
    example = np.zeros(len(codes), np.int64)
    newest = np.argsort(steps.start_ns[second], kind="stable")
    example[where[newest]] = instance[newest]
    order = np.lexsort((codes, -counts))
    return Pairs(
        first=codes[order] // width,
        second=codes[order] % width,
        count=counts[order].astype(np.int64),
        instances=instances[order].astype(np.int64),
        example=example[order],
    )


def step_times(steps: Steps) -> StepTimes:
    """Counts and times of each step name, the most frequent first, then by number."""
    names, counts = np.unique(steps.step, return_counts=True)
    width = len(steps.instances) + 1
    both = np.unique(steps.step * width + steps.instance) // width
    instances = np.searchsorted(both, names, side="right") - np.searchsorted(both, names)
    errors = np.bincount(steps.step[steps.error], minlength=len(steps.names) + 1)[names]
    times = _quantiles(steps, names)
    order = np.lexsort((names, -counts))
    return StepTimes(
        step=names[order],
        count=counts[order].astype(np.int64),
        instances=instances[order].astype(np.int64),
        errors=errors[order].astype(np.int64),
        p50_ms=times[0][order],
        p95_ms=times[1][order],
        p99_ms=times[2][order],
        max_ms=times[3][order],
    )


def _quantiles(steps: Steps, names: Ints) -> list[Floats]:
    """The quantiles and the maximum, each with one element per name: the value of the nearest
    rank, which is one that occurred.
    """
    ms = time_in_step(steps)
    known = ~np.isnan(ms)
    step, ms = steps.step[known], ms[known]
    order = np.lexsort((ms, step))
    step, ms = step[order], ms[order]
    begin, end = np.searchsorted(step, names), np.searchsorted(step, names, side="right")
    found = []
    for quantile in (*_QUANTILES, 1.0):
        rank = np.maximum(np.ceil(quantile * (end - begin)).astype(np.int64) - 1, 0)
        at = np.minimum(begin + rank, max(len(ms) - 1, 0))
        values = ms[at] if len(ms) else np.zeros(len(names))
        found.append(np.where(end > begin, values, np.nan))
    return found
