"""Counts of steps equal those of a second, obvious implementation over random logs."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.traces.flows import overlaps as overlaps_module
from query.traces.flows.overlaps import overlaps
from query.traces.flows.steps import Steps, make_steps
from query.traces.flows.transitions import Pairs, step_times, transitions
from tests.query.traces.flows.plain import Event, at_once, by_instance, columns, follows, times


def random_log(chance: random.Random, instances: int, steps: int, names: int) -> list[Event]:
    """Steps with distinct starts, so that what follows what has one answer."""
    events = []
    for instance in range(instances):
        starts = chance.sample(range(steps * 20), steps)
        spans = [f"s{number}" for number in range(steps)]
        for number, at_ms in enumerate(starts):
            events.append(
                Event(
                    instance=chance.choice((f"i{instance}", f"i{instance}", f"i{instance}", None)),
                    step=chance.choice((None, *(f"n{n}" for n in range(names)))),
                    at_ms=at_ms,
                    ms=chance.choice((None, 0, chance.randrange(1, 60))),
                    error=chance.random() < 0.2,
                    process=chance.choice((None, "p1", "p2")),
                    span=chance.choice((None, spans[number], spans[number])),
                    parent=chance.choice((None, None, *spans[:number])),
                )
            )
    chance.shuffle(events)
    return events


def named(steps: Steps, pairs: Pairs) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (steps.names[a], steps.names[b]): (int(count), int(instances))
        for a, b, count, instances in zip(
            pairs.first, pairs.second, pairs.count, pairs.instances, strict=True
        )
    }


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 14), st.integers(1, 5))
def test_transitions_overlaps_and_times_equal_the_obvious_ones(
    seed: int, instances: int, count: int, names: int
) -> None:
    events = random_log(random.Random(seed), instances, count, names)
    steps = make_steps(columns(events))
    assert steps.instance_count == len(by_instance(events))
    assert named(steps, transitions(steps)) == follows(events)
    for skew_ms in (0, 7, 30):
        assert named(steps, overlaps(steps, skew_ms).pairs) == at_once(events, skew_ms)
    found, expected = step_times(steps), times(events)
    for at, number in enumerate(found.step.tolist()):
        known = expected.get(steps.names[number], [])
        own = [one for group in by_instance(events).values() for one in group]
        own = [one for one in own if one.step == steps.names[number]]
        assert int(found.count[at]) == len(own)
        assert int(found.errors[at]) == sum(one.error for one in own)
        assert int(found.instances[at]) == len({one.instance for one in own})
        if not known:
            assert math.isnan(found.max_ms[at])
            continue
        assert found.max_ms[at] == known[-1]
        for quantile, values in ((0.5, found.p50_ms), (0.95, found.p95_ms), (0.99, found.p99_ms)):
            assert values[at] == known[max(0, math.ceil(quantile * len(known)) - 1)]


def test_a_finished_step_takes_the_place_of_its_announcement() -> None:
    events = [
        Event("i", "a", 0, span="1", announced=True),
        Event("i", "a", 0, 5, span="1"),
        Event("i", "b", 5, span="2", announced=True),
    ]
    steps = make_steps(columns(events))
    assert named(steps, transitions(steps)) == {("a", "b"): (1, 1)}
    assert steps.announced.tolist() == [False, True]


def test_nothing_is_an_answer_too() -> None:
    steps = make_steps(columns([Event(None, "a", 1), Event("i", None, 1)]))
    assert steps.instance_count == 0
    assert named(steps, transitions(steps)) == {}
    assert named(steps, overlaps(steps, 1).pairs) == {}
    assert len(step_times(steps).step) == 0


def test_more_overlaps_than_may_be_compared_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlaps_module.limits, "FLOW_OVERLAPS_MAX", 10)
    events = [Event("i", f"n{n}", n, 100, process="p") for n in range(20)]
    found = overlaps(make_steps(columns(events)), 0)
    assert not found.all_compared
    few = overlaps(make_steps(columns(events[:3])), 0)
    assert few.all_compared
    assert len(few.pairs.count) == 3


def test_a_span_that_was_sent_twice_overlaps_neither_itself_nor_its_children() -> None:
    events = [
        Event("i", "outer", 0, 100, process="p", span="1"),
        Event("i", "outer", 1, 100, process="p", span="1"),  # or the other half of a shared span
        Event("i", "inner", 10, 20, process="p", span="2", parent="1"),
        Event("i", "inner", 10, 20, process="p", span="2", parent="1"),
        Event("i", "below", 12, 5, process="p", span="3", parent="2"),
        Event("i", "beside", 15, 5, process="p", parent="1"),
    ]
    steps = make_steps(columns(events))
    assert named(steps, overlaps(steps, 0).pairs) == {
        ("beside", "inner"): (2, 1), ("below", "beside"): (1, 1),
    }  # fmt: skip


def test_a_parent_of_itself_ends_the_search() -> None:
    events = [
        Event("i", "a", 0, 10, process="p", span="1", parent="2"),
        Event("i", "b", 1, 10, process="p", span="2", parent="1"),
        Event("i", "c", 2, 10, process="p", span="3", parent="3"),
    ]
    steps = make_steps(columns(events))
    assert named(steps, overlaps(steps, 0).pairs) == {("a", "c"): (1, 1), ("b", "c"): (1, 1)}
