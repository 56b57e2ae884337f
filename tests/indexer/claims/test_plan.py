"""The plan of claims: two zones for each partition, even, little moved, the same for everybody."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from indexer.claims.plan import IndexerLocation, Targets, copies_possible, plan_claims

Indexers = dict[str, IndexerLocation]
ZONES = "abcd"
partition_counts = st.integers(1, 24)
copy_counts = st.integers(1, 3)


@st.composite
def fleets(draw: st.DrawFn) -> Indexers:
    """Up to four zones with up to four indexers each."""
    sizes = draw(st.lists(st.integers(0, 4), min_size=4, max_size=4).filter(any))
    return {
        f"ix-{zone}{n}": IndexerLocation(zone, str(n))
        for zone, size in zip(ZONES, sizes, strict=True)
        for n in range(size)
    }


def assert_valid_plan(plan: Targets, partitions: int, copies: int, indexers: Indexers) -> None:
    """Everything that holds of every plan."""
    possible = copies_possible(indexers, copies)
    assert sorted(plan) == list(range(partitions))
    for holders in plan.values():
        assert len(holders) == possible
        assert all(indexers[who].zone == zone for zone, who in holders.items())
    zones = Counter({place.zone: 0 for place in indexers.values()})
    loads = Counter(dict.fromkeys(indexers, 0))
    for holders in plan.values():
        zones.update(holders.keys())
        loads.update(holders.values())
    assert max(zones.values()) - min(zones.values()) <= 1
    for zone in zones:
        inside = [loads[who] for who, place in indexers.items() if place.zone == zone]
        assert max(inside) - min(inside) <= 1


def moved(before: Targets, after: Targets) -> int:
    """Claims that somebody has to take who did not have them."""
    return sum(
        before[p].get(zone) != who for p, holders in after.items() for zone, who in holders.items()
    )


def plan_from(claims: Targets, partitions: int, copies: int, indexers: Indexers) -> Targets:
    plan = plan_claims(partitions, copies, indexers, claims, {})
    assert_valid_plan(plan, partitions, copies, indexers)
    return plan


@given(partition_counts, copy_counts, fleets(), st.randoms())
def test_plan_is_even_has_no_two_in_a_zone_and_is_the_same_for_everybody(
    partitions: int, copies: int, indexers: Indexers, chance: object
) -> None:
    plan = plan_from({}, partitions, copies, indexers)
    names = list(indexers)
    chance.shuffle(names)  # type: ignore[attr-defined]  # a Random: hypothesis types it loosely
    assert plan == plan_from({}, partitions, copies, {name: indexers[name] for name in names})


@given(partition_counts, copy_counts, fleets(), st.data())
def test_plan_from_any_claims_is_even_and_then_stays(
    partitions: int, copies: int, indexers: Indexers, data: st.DataObject
) -> None:
    some = st.sampled_from([*indexers, "a dead one"])
    claims: Targets = {}
    for p in range(partitions):
        who = data.draw(st.lists(some, max_size=4))
        claims[p] = {indexers[w].zone if w in indexers else "a": w for w in who}
    plan = plan_from(claims, partitions, copies, indexers)
    assert plan_from(plan, partitions, copies, indexers) == plan


@given(partition_counts, copy_counts, fleets(), st.sampled_from(ZONES))
def test_joining_moves_only_to_the_one_who_joins(
    partitions: int, copies: int, indexers: Indexers, zone: str
) -> None:
    before = plan_from({}, partitions, copies, indexers)
    joined = {**indexers, "new": IndexerLocation(zone, "9")}
    after = plan_from(before, partitions, copies, joined)
    new_zone = all(place.zone != zone for place in indexers.values())
    gained = [p for p, holders in after.items() if "new" in holders.values()]
    assert moved(before, after) == len(gained)
    if new_zone:
        share = -(-partitions * copies_possible(joined, copies) // len({*before[0], zone}))
        assert len(gained) <= share


@given(partition_counts, copy_counts, fleets(), st.data())
def test_leaving_moves_little_more_than_what_was_left(
    partitions: int, copies: int, indexers: Indexers, data: st.DataObject
) -> None:
    before = plan_from({}, partitions, copies, indexers)
    zone = data.draw(st.sampled_from(sorted({place.zone for place in indexers.values()})))
    all_of_it = data.draw(st.booleans())
    gone = [who for who, place in indexers.items() if place.zone == zone][
        : None if all_of_it else 1
    ]
    left = {who: place for who, place in indexers.items() if who not in gone}
    if not left:
        return
    lost = sum(who in gone for holders in before.values() for who in holders.values())
    after = plan_from(before, partitions, copies, left)
    assert moved(before, after) <= 2 * lost


@given(partition_counts, copy_counts, fleets())
def test_restarted_indexer_gets_as_much_again_and_the_others_keep_theirs(
    partitions: int, copies: int, indexers: Indexers
) -> None:
    before = plan_from({}, partitions, copies, indexers)
    old = min(indexers)
    renamed = {("again" if who == old else who): place for who, place in indexers.items()}
    after = plan_from(before, partitions, copies, renamed)  # its claims count as vacant
    for p, holders in before.items():
        kept = {zone: who for zone, who in holders.items() if who != old}
        assert kept.items() <= after[p].items()
