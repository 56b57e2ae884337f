"""What a rolling restart may stop: never both of a pair, never the last, never a second zone."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.process.members import Member
from indexer.claims.plan import IndexerLocation, plan_claims
from ops.rolling.health import Allowed, Health, between, parse_metrics, regressions
from ops.rolling.plan import FleetView, Unit, plan_units, unit_of, why_never, why_wait
from ops.rolling.state import RestartState, StateUnreadable, load_state, remove_state, save_state


def member(role: str, zone: str, slot: str = "0", *, run: int = 1, ready: bool = True) -> Member:
    name = f"{role}-{zone}-{slot}-{run}"
    return Member(role, name, f"http://{name}", zone, 1, 1, "1", slot, ready=ready)


def fleet(zones: str = "abc", indexers: int = 2) -> list[Member]:
    found = [member(role, zone) for role in ("shepherd", "query") for zone in zones]
    slots = [str(n) for n in range(indexers)]
    return found + [member("indexer", zone, slot) for zone in zones for slot in slots]


def holders(members: list[Member], partitions: int = 12) -> dict[int, list[Member]]:
    indexers = {m.instance: m for m in members if m.role == "indexer"}
    places = {name: IndexerLocation(m.zone, m.slot) for name, m in indexers.items()}
    plan = plan_claims(partitions, 2, places, {}, {})
    return {p: [indexers[who] for who in seats.values()] for p, seats in plan.items()}


def places(members: list[Member]) -> list[Unit]:
    return [unit_of(member) for member in members]


def view_of(members: list[Member], not_ready: Mapping[str, str] | None = None) -> FleetView:
    return FleetView(tuple(members), not_ready or {}, holders(members))


def test_order_is_one_role_then_one_zone_then_one_process() -> None:
    names = [str(unit) for unit in plan_units(places(fleet()), (), ())]
    assert names == [
        "indexer a/0", "indexer a/1", "indexer b/0", "indexer b/1", "indexer c/0", "indexer c/1",
        "query a/0", "query b/0", "query c/0", "shepherd a/0", "shepherd b/0", "shepherd c/0",
    ]  # fmt: skip
    some = plan_units(places(fleet()), ("query", "indexer"), ("b",))
    assert [str(unit) for unit in some] == ["indexer b/0", "indexer b/1", "query b/0"]


@given(st.sampled_from(["abc", "ab"]), st.integers(1, 3), st.data())
def test_stopping_what_the_rule_allows_leaves_every_partition_and_role_a_ready_one(
    zones: str, indexers: int, data: st.DataObject
) -> None:
    members = fleet(zones, indexers)
    units = [unit_of(m) for m in members]
    sick = data.draw(st.sets(st.sampled_from([m.instance for m in members]), max_size=2))
    unit = data.draw(st.sampled_from(units))
    now = view_of(members, dict.fromkeys(sick, "sick"))
    allowed = not why_wait(unit, units, now, alone=False)
    others_ready = not sick - {m.instance for m in now.at(unit)}
    assert allowed == others_ready
    if allowed:
        left = [m for m in members if unit_of(m) != unit and m.instance not in sick]
        assert {m.role for m in left} == {"shepherd", "query", "indexer"}
        assert all(any(m in left for m in held) for held in now.holders.values())


def test_nothing_is_stopped_while_a_claim_is_not_caught_up() -> None:
    members = fleet("ab", 1)
    held = holders(members)
    twins = {
        p: [msgspec.structs.replace(m, ready=m.zone == "a") for m in ms] for p, ms in held.items()
    }
    now = FleetView(tuple(members), {}, twins)
    units = [unit_of(m) for m in members]
    (first, *_) = why_wait(Unit("indexer", "a", "0"), units, now, alone=False)
    assert first == "partition 0 has no other indexer that is ready"
    assert why_wait(Unit("indexer", "b", "0"), units, now, alone=False) == []


def test_nothing_is_stopped_while_somebody_is_missing() -> None:
    members = fleet()
    units = [unit_of(m) for m in members]
    left = [m for m in members if m.role != "query" or m.zone != "c"]
    assert why_wait(units[0], units, view_of(left), alone=False) == [
        "query c/0 is not ready: it is not running"
    ]


def test_what_has_no_second_is_refused_unless_asked_for() -> None:
    members = fleet("a", 2)
    units = plan_units(places(members), (), ())
    texts = "; ".join(why_never(units, places(members)))
    for words in ("only one query", "only one shepherd", "all indexers are in one zone"):
        assert words in texts
    alone = [unit_of(m) for m in members]
    assert why_wait(Unit("query", "a", "0"), alone, view_of(members), alone=True) == []
    assert why_wait(Unit("query", "a", "0"), alone, view_of(members), alone=False)
    assert why_never(plan_units(places(fleet()), (), ()), places(fleet())) == []


PAGE = """
# TYPE bellwether_requests counter
bellwether_requests_total{route="/1/batch/{dataset}",status="200"} %d
bellwether_requests_total{route="/1/batch/{dataset}",status="503"} %d
bellwether_requests_total{route="/readyz",status="503"} 99
# TYPE bellwether_ack_seconds histogram
bellwether_ack_seconds_bucket{le="0.01"} %d
bellwether_ack_seconds_bucket{le="0.5"} %d
bellwether_ack_seconds_bucket{le="+Inf"} %d
# TYPE bellwether_lag_records gauge
bellwether_lag_records{partition="0"} %d
bellwether_lag_records{partition="1"} 3
"""
ALLOWED = Allowed(error_percent=1, ack_p99_ms=5_000, ack_times=4, lag_records=100)


def health(*numbers: int) -> Health:
    before = {"one": parse_metrics(PAGE % (50, 5, 20, 40, 40, 7))}
    return between(before, {"one": parse_metrics(PAGE % numbers)})


def test_figures_are_the_difference_of_two_moments() -> None:
    found = health(1_040, 15, 1_019, 1_040, 1_040, 9)
    assert (found.requests, found.failed, found.lag_records) == (1_000, 10, 9)
    assert found.error_percent == 1
    assert found.ack_p99_s == 0.01
    assert regressions(found, found, ALLOWED) == []


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1_040, 25, 1_019, 1_040, 1_040, 9), "% of requests fail"),
        ((1_040, 5, 500, 1_039, 1_040, 9), "p99 of acknowledgements is 500 ms (allowed 250 ms)"),
        ((1_040, 5, 1_019, 1_040, 1_040, 101), "lags by 101 records"),
    ],
)
def test_what_is_worse_is_said(numbers: tuple[int, ...], words: str) -> None:
    normal = health(1_040, 5, 1_019, 1_040, 1_040, 9)
    assert regressions(normal, normal, ALLOWED) == []
    (texts,) = regressions(normal, health(*numbers), ALLOWED)
    assert words in texts


def test_state_tells_after_a_restart_of_the_operator_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    assert load_state(path) is None
    members = fleet("ab", 1)
    state = RestartState(1, [], [], [(m.role, m.zone, m.slot, m.instance) for m in members])
    save_state(path, state)
    loaded = load_state(path)
    assert loaded == state
    unit = Unit("indexer", "a", "0")
    assert not state.is_done(unit, view_of(members))
    gone = [m for m in members if unit_of(m) != unit]
    assert not state.is_done(unit, view_of(gone))
    both = [*members, member("indexer", "a", run=2)]
    assert not state.is_done(unit, view_of(both))
    assert state.is_done(unit, view_of([*gone, member("indexer", "a", run=2)]))
    assert set(state.expected()) == {unit_of(m) for m in members}
    path.write_text("{}")
    with pytest.raises(StateUnreadable):
        load_state(path)
    remove_state(path)
    assert load_state(path) is None
