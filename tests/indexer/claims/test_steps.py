"""Claims on their way to the plan: they get there, and no step of a living indexer costs a holder.

The real decisions, over a lock table in memory; the locks themselves are tried in test_claims.
"""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from common import limits
from indexer.claims.plan import IndexerLocation, copies_possible
from indexer.claims.steps import (
    ClaimHolder,
    ClaimSteps,
    LocksView,
    OwnClaims,
    Vacancies,
    decide_steps,
)

COPIES = 2
TAKE_OVER_NS, REFRESH_NS = 50, 10


@dataclass
class Indexer:
    location: IndexerLocation
    vacancies: Vacancies = field(default_factory=lambda: Vacancies(TAKE_OVER_NS, REFRESH_NS))
    follows: dict[int, bool] = field(default_factory=dict)  # partition -> caught up


class Harness:
    """Indexers that take_steps_of at one lock table, one at a time, in any order."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.now_ns = 0
        self.born = 0
        self.indexers: dict[str, Indexer] = {}
        self.claims: dict[int, dict[str, str]] = {p: {} for p in range(partitions)}
        self.preparing: dict[int, dict[str, str]] = {p: {} for p in range(partitions)}
        self.takes = 0

    def join(self, zone: str, slot: str) -> None:
        if not any(ix.location == IndexerLocation(zone, slot) for ix in self.indexers.values()):
            self.born += 1
            self.indexers[f"ix-{zone}-{slot}-{self.born}"] = Indexer(IndexerLocation(zone, slot))

    def die(self, name: str) -> None:
        del self.indexers[name]
        for table in (self.claims, self.preparing):
            for holders in table.values():
                for zone in [zone for zone, who in holders.items() if who == name]:
                    del holders[zone]

    def view(self) -> LocksView:
        def holds(table: dict[int, dict[str, str]]) -> dict[int, dict[str, ClaimHolder]]:
            return {
                p: {
                    z: ClaimHolder(w, self.indexers[w].follows.get(p, False))
                    for z, w in holders.items()
                }
                for p, holders in table.items()
            }

        places = {name: ix.location for name, ix in self.indexers.items()}
        return LocksView(places, holds(self.claims), holds(self.preparing))

    def ready(self, p: int) -> int:
        """How many can answer for the partition, each zone once."""
        zones = {
            zone
            for table in (self.claims, self.preparing)
            for zone, who in table[p].items()
            if self.indexers[who].follows.get(p, False)
        }
        return len(zones)

    def take_steps_of(self, name: str, *, frozen: bool = False) -> ClaimSteps:
        """One indexer looks and does what it decides."""
        indexer, view = self.indexers[name], self.view()
        zone = indexer.location.zone
        held = {p for p, holders in self.claims.items() if holders.get(zone) == name}
        preparing = {p for p, holders in self.preparing.items() if holders.get(zone) == name}
        prepared = {p for p in preparing if indexer.follows[p]}
        vacant = view.vacant(self.partitions, COPIES)
        may_take = indexer.vacancies.update(vacant, self.now_ns)
        mine = OwnClaims(name, zone, held, preparing, prepared)
        steps = decide_steps(
            mine, view, view.plan(self.partitions, COPIES), COPIES, may_take, frozen=frozen
        )
        before = {p: self.ready(p) for p in self.claims}
        possible = copies_possible(view.indexers, COPIES)
        for p in steps.abandon:
            del self.preparing[p][zone]
            if p not in held:
                del indexer.follows[p]
        for p in steps.release:
            del self.claims[p][zone]
            del indexer.follows[p]
        for p in steps.take:
            assert zone not in self.claims[p], "the lock would have refused it"
            self.claims[p][zone] = name
            self.takes += 1
            indexer.follows.setdefault(p, False)
            if self.preparing[p].get(zone) == name:
                del self.preparing[p][zone]
        for p in steps.prepare:
            if zone not in self.preparing[p]:
                self.preparing[p][zone] = name
                indexer.follows[p] = False
        for p in self.claims:
            assert self.ready(p) >= min(before[p], possible), "a step of the living cost a holder"
            assert self.ready(p) >= min(before[p], 1)
        return steps

    def catch_up(self) -> None:
        for indexer in self.indexers.values():
            indexer.follows = dict.fromkeys(indexer.follows, True)

    def settle(self) -> None:
        """Nothing happens any more, and everybody looks again and again."""
        quiet = 0
        for _ in range(200):
            before = repr((self.claims, self.preparing))
            for name in list(self.indexers):
                self.take_steps_of(name)
            self.catch_up()
            self.now_ns += REFRESH_NS
            quiet = quiet + 1 if repr((self.claims, self.preparing)) == before else 0
            if quiet > TAKE_OVER_NS // REFRESH_NS + 1:
                return
        raise AssertionError("it never comes to rest")

    def assert_settled(self) -> None:
        view = self.view()
        assert self.claims == view.plan(self.partitions, COPIES)
        assert not any(self.preparing.values())
        possible = copies_possible(view.indexers, COPIES)
        for p, holders in self.claims.items():
            assert len(holders) == possible
            assert self.ready(p) == possible
        load = Counter({ix.location.zone: 0 for ix in self.indexers.values()})
        load.update(zone for holders in self.claims.values() for zone in holders)
        assert max(load.values()) - min(load.values()) <= 1


events = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from("abc"), st.sampled_from("01")),
        st.tuples(st.just("die"), st.integers(0, 5), st.none()),
        st.tuples(st.just("zone lost"), st.sampled_from("abc"), st.none()),
        st.tuples(st.just("look"), st.integers(0, 5), st.booleans()),
        st.tuples(st.just("look"), st.integers(0, 5), st.just(False)),
        st.tuples(st.just("catch up"), st.none(), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 60), st.none()),
    ),
    max_size=60,
)


# The second of zone a releases partition 1 to the first, and the plan that this changes is another.
@example(
    3,
    [
        ("join", "c", "0"),
        ("look", 0, False),
        ("join", "a", "1"),
        ("join", "b", "0"),
    ],
)
@given(st.integers(1, 8), events)
@settings(max_examples=150, deadline=None)
def test_claims_come_to_rest_at_the_plan_whatever_happened(
    partitions: int, happened: list[tuple[str, object, object]]
) -> None:
    harness = Harness(partitions)
    harness.join("a", "0")
    for what, one, two in happened:
        names = list(harness.indexers)
        if what == "join":
            harness.join(str(one), str(two))
        elif what == "die" and isinstance(one, int) and len(names) > 1:
            harness.die(names[one % len(names)])
        elif what == "zone lost":
            lost = [n for n in names if harness.indexers[n].location.zone == one]
            if len(lost) < len(names):
                for name in lost:
                    harness.die(name)
        elif what == "look" and isinstance(one, int):
            harness.take_steps_of(names[one % len(names)], frozen=bool(two))
        elif what == "catch up":
            harness.catch_up()
        elif what == "wait" and isinstance(one, int):
            harness.now_ns += one
    harness.settle()
    harness.assert_settled()


def settled(*places: str, partitions: int = 12) -> Harness:
    """Indexers at rest at these locations (zone and slot)."""
    harness = Harness(partitions)
    for location in places:
        harness.join(location[0], location[1])
    harness.settle()
    harness.assert_settled()
    return harness


def name_at(harness: Harness, zone: str) -> str:
    return next(n for n, ix in harness.indexers.items() if ix.location.zone == zone)


def test_short_absence_moves_nothing() -> None:
    harness = settled("a0", "b0", "c0")
    before = {p: set(holders) for p, holders in harness.claims.items()}
    harness.die(name_at(harness, "a"))
    harness.takes = 0
    harness.now_ns += TAKE_OVER_NS - 1
    for name in list(harness.indexers):
        harness.take_steps_of(name)
        harness.now_ns += 1
    assert harness.takes == 0
    harness.join("a", "0")
    harness.settle()
    assert {p: set(holders) for p, holders in harness.claims.items()} == before
    assert harness.takes == 8


def test_long_absence_is_filled_and_the_returning_one_gets_its_share_gently() -> None:
    harness = settled("a0", "b0", "c0")
    harness.die(name_at(harness, "a"))
    harness.settle()
    harness.assert_settled()
    assert {frozenset(holders) for holders in harness.claims.values()} == {frozenset("bc")}
    harness.join("a", "0")
    newcomer = name_at(harness, "a")
    steps = harness.take_steps_of(newcomer)
    assert steps.take == ()
    assert len(steps.prepare) == limits.CLAIMS_PREPARING_MAX
    harness.settle()
    harness.assert_settled()


def test_what_nobody_holds_is_taken_after_two_looks() -> None:
    harness = settled("a0", "b0", "c0", partitions=3)
    for zone in "ab":
        harness.die(name_at(harness, zone))
    (last,) = harness.indexers
    nobody = {p for p, holders in harness.claims.items() if not holders}
    assert nobody
    assert harness.take_steps_of(last).take == ()
    harness.now_ns += REFRESH_NS
    assert set(harness.take_steps_of(last).take) == nobody


def test_rolling_restart_freezes_moves_but_not_what_nobody_ready_holds() -> None:
    harness = settled("a0", "b0")
    harness.join("c", "0")
    newcomer = name_at(harness, "c")
    assert harness.take_steps_of(newcomer, frozen=True).prepare == ()
    harness.die(name_at(harness, "a"))
    harness.now_ns += 10 * TAKE_OVER_NS
    harness.take_steps_of(newcomer, frozen=True)
    harness.now_ns += 10 * TAKE_OVER_NS
    assert harness.take_steps_of(newcomer, frozen=True).take == ()
    harness.die(name_at(harness, "b"))
    assert len(harness.take_steps_of(newcomer, frozen=True).take) == 12


def test_after_an_outage_of_the_locks_nobody_is_taken_for_dead_at_once() -> None:
    vacancies = Vacancies(TAKE_OVER_NS, REFRESH_NS)
    assert vacancies.update({}, 0) == set()
    vacancies.locks_unavailable(100)
    assert vacancies.update({1: 0, 2: 1}, 110) == set()
    assert vacancies.update({1: 0, 2: 1}, 110 + TAKE_OVER_NS - 1) == set()
    assert vacancies.update({1: 0, 2: 1}, 110 + TAKE_OVER_NS) == {1, 2}
    later = 100 + 2 * TAKE_OVER_NS
    vacancies.update({3: 0}, later)
    assert vacancies.update({3: 0}, later + REFRESH_NS) == {3}
