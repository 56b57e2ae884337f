"""The answer of `POST /bw/1/flows`."""

import math
from typing import Any, Final

import numpy as np

from common.model.times.written import rfc3339_ns
from query.traces.flows.definition import FlowRequest, Population
from query.traces.flows.differences import Difference, differences
from query.traces.flows.now import Whereabouts, whereabouts
from query.traces.flows.overlaps import overlaps
from query.traces.flows.steps import Steps
from query.traces.flows.transitions import Pairs, StepTimes, step_times, transitions

_MS_NS: Final = 1_000_000
_NOT_ALL: Final = (
    "so many steps ran at once that not all pairs were compared: ask about fewer instances"
)


def flow_document(
    wanted: FlowRequest, now: Steps, against: Steps | None, now_ns: int
) -> tuple[dict[str, Any], list[str]]:
    """(the answer without its coverage, notes). now_ns: the present time, unix ns."""
    times, follows = step_times(now), transitions(now)
    at_once = overlaps(now, wanted.skew_ms)
    notes = [] if at_once.all_compared else [_NOT_ALL]
    limit = wanted.limit
    where = whereabouts(now, now_ns, wanted.silent_s * 1_000, wanted.terminal)
    document: dict[str, Any] = {
        **_population(wanted.now, now),
        "steps": _steps(now, times)[:limit],
        "transitions": _pairs(now, follows, "from", "to")[:limit],
        "overlaps": _pairs(now, at_once.pairs, "first", "second")[:limit],
        "unfinished": _unfinished(now, times, where, now_ns)[:limit],
        "unfinished_by_step": _by_step(where),
        "repeated": _repeated(now, wanted.repeats_over)[:limit],
        "skew_ms": wanted.skew_ms,
        "silent_s": wanted.silent_s,
    }
    if against is not None and wanted.against is not None:
        other = overlaps(against, wanted.skew_ms)
        if not other.all_compared and not notes:
            notes.append(_NOT_ALL)
        document["against"] = {
            **_population(wanted.against, against),
            "transitions": _differing(now, follows, against, transitions(against), "from", "to")[
                :limit
            ],
            "overlaps": _differing(now, at_once.pairs, against, other.pairs, "first", "second")[
                :limit
            ],
        }
    return document, notes


def _population(population: Population, steps: Steps) -> dict[str, Any]:
    return {
        "start": rfc3339_ns(population.start_ns),
        "end": rfc3339_ns(population.end_ns),
        "instances": steps.instance_count,
        "events": len(steps),
    }


def _steps(steps: Steps, times: StepTimes) -> list[dict[str, Any]]:
    return [
        {
            "step": steps.names[times.step[at]],
            "count": int(times.count[at]),
            "instances": int(times.instances[at]),
            "errors": int(times.errors[at]),
            "p50_ms": _number(times.p50_ms[at]),
            "p95_ms": _number(times.p95_ms[at]),
            "p99_ms": _number(times.p99_ms[at]),
            "max_ms": _number(times.max_ms[at]),
        }
        for at in range(len(times.step))
    ]


def _pairs(steps: Steps, pairs: Pairs, first: str, second: str) -> list[dict[str, Any]]:
    return [
        {
            first: steps.names[pairs.first[at]],
            second: steps.names[pairs.second[at]],
            "count": int(pairs.count[at]),
            "instances": int(pairs.instances[at]),
            "example": steps.instances[pairs.example[at]],
        }
        for at in range(len(pairs.first))
    ]


def _unfinished(
    steps: Steps, times: StepTimes, where: list[Whereabouts], now_ns: int
) -> list[dict[str, Any]]:
    usual = {
        steps.names[step]: p99
        for step, p99 in zip(times.step.tolist(), times.p99_ms.tolist(), strict=True)
    }
    found = []
    for one in where:
        for_ms = (now_ns - one.since_ns) / _MS_NS
        p99_ms = usual.get(one.step, math.nan)
        found.append(
            {
                "instance": one.instance,
                "trace": one.trace,
                "step": one.step,
                "since": rfc3339_ns(one.since_ns),
                "known": str(one.known),
                "visits": one.visits,
                "next": one.next_step,
                "for_ms": round(for_ms, 3),
                "longer_than_p99": bool(for_ms > p99_ms),
            }
        )
    return found


def _by_step(where: list[Whereabouts]) -> list[dict[str, Any]]:
    """How many instances are in each step or after it, by how that is known."""
    found: dict[tuple[str, str], int] = {}
    for one in where:
        key = (one.step, str(one.known))
        found[key] = found.get(key, 0) + 1
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [{"step": step, "known": known, "instances": n} for (step, known), n in ranked]


def _repeated(steps: Steps, over: int) -> list[dict[str, Any]]:
    """Instances that were in a step more than `over` times, the most often first."""
    width = len(steps.names) + 1
    codes, counts = np.unique(steps.instance * width + steps.step, return_counts=True)
    often = counts > over
    codes, counts = codes[often], counts[often]
    order = np.lexsort((codes, -counts))
    return [
        {
            "instance": steps.instances[int(codes[at]) // width],
            "step": steps.names[int(codes[at]) % width],
            "visits": int(counts[at]),
        }
        for at in order.tolist()
    ]


def _differing(
    now: Steps, own: Pairs, before: Steps, other: Pairs, first: str, second: str
) -> list[dict[str, Any]]:
    examples, here = _by_names(now, own)
    other_examples, there = _by_names(before, other)
    found = differences(here, there, now.instance_count, before.instance_count)
    return [
        _difference(one, first, second)
        | {
            "example": examples.get((one.first, one.second)),
            "example_against": other_examples.get((one.first, one.second)),
        }
        for one in found
    ]


def _by_names(
    steps: Steps, pairs: Pairs
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], int]]:
    """By the names of both steps, an example and the number of instances. The names of a pair that
    has no order are sorted: numbers of names differ between populations.
    """
    examples, counts = {}, {}
    for at in range(len(pairs.first)):
        names = (steps.names[pairs.first[at]], steps.names[pairs.second[at]])
        examples[names] = steps.instances[pairs.example[at]]
        counts[names] = int(pairs.instances[at])
    return examples, counts


def _difference(one: Difference, first: str, second: str) -> dict[str, Any]:
    return {
        first: one.first,
        second: one.second,
        "instances": one.now,
        "instances_against": one.before,
        "share": one.now / one.now_of,
        "share_against": one.before / one.before_of,
        "p": one.p,
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
