"""Differences between two populations: what was planted comes first, and nothing else is told."""

import random
from math import comb

import pytest

from query.traces.flows.definition import read_flow_request
from query.traces.flows.differences import differences, fisher
from query.traces.flows.document import flow_document
from query.traces.flows.steps import make_steps
from tests.query.traces.flows.plain import Event, columns

NAMES = [f"step {n:02}" for n in range(40)]
PLANTED = [("step 03", "step 04"), ("step 11", "step 12"), ("step 30", "step 31")]


def population(seed: int, instances: int, planted: list[tuple[str, str]]) -> list[Event]:
    """40 steps one after the other, of varying length; neighbours overlap now and then."""
    chance = random.Random(seed)
    begins = dict(planted)
    events = []
    for instance in range(instances):
        at_ms = 1_000
        for name in NAMES:
            ms = chance.randrange(50, 100)
            early = name in begins.values() or chance.random() < 0.05
            start = at_ms - (20 if early else -5)
            events.append(Event(f"{seed}-{instance}", name, start, ms, process="p"))
            at_ms = start + ms
    return events


def differing(now: list[Event], before: list[Event]) -> dict[str, list[tuple[str, str]]]:
    body = {"step": "name", "against": {"time_range": 60}, "limit": 10_000}
    wanted = read_flow_request(body, 10**18)
    steps, other = make_steps(columns(now)), make_steps(columns(before))
    document, notes = flow_document(wanted, steps, other, 10**18)
    assert notes == []
    against = document["against"]
    return {
        "overlaps": [(one["first"], one["second"]) for one in against["overlaps"]],
        "transitions": [(one["from"], one["to"]) for one in against["transitions"]],
    }


def test_planted_pairs_are_the_first_ones() -> None:
    found = differing(population(1, 200, PLANTED), population(2, 200, []))
    assert sorted(found["overlaps"][:3]) == PLANTED
    assert len(found["overlaps"]) == 3
    assert found["transitions"] == []


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_reported_where_nothing_was_planted(seed: int) -> None:
    found = differing(population(100 + seed, 60, []), population(200 + seed, 90, []))
    assert found == {"overlaps": [], "transitions": []}


def test_a_step_that_is_gone_changes_its_edges() -> None:
    before = population(1, 50, [])
    now = [one for one in population(2, 50, []) if one.step != "step 07"]
    found = differing(now, before)["transitions"]
    assert set(found) == {
        ("step 06", "step 07"), ("step 07", "step 08"), ("step 06", "step 08"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "a_of", "b_of"), [(3, 0, 5, 7), (8, 1, 10, 10), (0, 0, 4, 4), (2, 9, 30, 11)]
)
def test_the_exact_test_is_the_sum_of_tables_as_rare(a: int, b: int, a_of: int, b_of: int) -> None:
    every = comb(a_of + b_of, a + b)
    tables = [
        comb(a_of, x) * comb(b_of, a + b - x)
        for x in range(max(0, a + b - b_of), min(a_of, a + b) + 1)
    ]
    own = comb(a_of, a) * comb(b_of, b)
    assert fisher(a, b, a_of, b_of) == pytest.approx(sum(t for t in tables if t <= own) / every)


def test_an_empty_population_differs_in_nothing() -> None:
    assert differences({("a", "b"): 3}, {}, 3, 0) == []
