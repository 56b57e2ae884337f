"""Who should hold which partition: a pure function of what every indexer sees in the locks.

Each indexer computes it for itself, so there is no leader. Keeps I6: a partition's holders are in
different zones. Evenly: loads differ by at most one between zones, and between the indexers of a
zone. With little movement: who holds a partition keeps it unless evenness needs it elsewhere.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Targets = dict[int, dict[str, str]]  # partition -> zone -> instance
Seats = Mapping[int, Mapping[str, str]]  # the same shape, as it is now


@dataclass(frozen=True, slots=True)
class Place:
    """Where an indexer runs. slot: tells those of a zone apart and is kept over restarts."""

    zone: str
    slot: str


def copies_possible(indexers: Mapping[str, Place], copies: int) -> int:
    """How many copies of a partition there can be: no two in one zone (I6)."""
    return min(copies, len({place.zone for place in indexers.values()}))


def plan_claims(
    partitions: int,
    copies: int,
    indexers: Mapping[str, Place],
    claims: Seats,
    preparing: Seats,
) -> Targets:
    """Who should hold each partition, given who holds and who prepares to hold it now.

    indexers: by instance. Claims of instances that are not among them count as vacant.
    """
    alive = {
        p: {zone: who for zone, who in claims.get(p, {}).items() if who in indexers}
        for p in range(partitions)
    }
    zones = _choose_zones(copies_possible(indexers, copies), indexers, alive, preparing)
    targets: Targets = {p: {} for p in range(partitions)}
    for zone in sorted({place.zone for place in indexers.values()}):
        wanted = [p for p in range(partitions) if zone in zones[p]]
        for p, who in _choose_indexers(zone, wanted, indexers, alive, preparing).items():
            targets[p][zone] = who
    return targets


def _choose_zones(
    copies: int, indexers: Mapping[str, Place], claims: Seats, preparing: Seats
) -> dict[int, set[str]]:
    zones = sorted({place.zone for place in indexers.values()})
    chosen = {p: set(seats) for p, seats in claims.items()}
    load = Counter({zone: 0 for zone in zones})
    load.update(zone for some in chosen.values() for zone in some)
    for some in chosen.values():
        while len(some) > copies:
            fullest = max(some, key=lambda zone: (load[zone], zone))
            some.remove(fullest)
            load[fullest] -= 1
    for p, some in chosen.items():
        while len(some) < copies:
            emptiest = min(
                (zone for zone in zones if zone not in some),
                key=lambda zone: (load[zone], zone not in preparing.get(p, {}), _rank(zone, p)),
            )
            some.add(emptiest)
            load[emptiest] += 1
    while zones:
        full, empty = _extremes(load)
        if load[full] - load[empty] < 2:
            break
        p = min(
            (p for p, some in chosen.items() if full in some and empty not in some),
            key=lambda p: (full in claims[p], empty not in preparing.get(p, {}), p),
        )
        chosen[p].remove(full)
        chosen[p].add(empty)
        load[full] -= 1
        load[empty] += 1
    return chosen


def _choose_indexers(
    zone: str,
    wanted: Iterable[int],
    indexers: Mapping[str, Place],
    claims: Seats,
    preparing: Seats,
) -> dict[int, str]:
    slots = {who: place.slot for who, place in indexers.items() if place.zone == zone}
    chosen = {p: claims[p].get(zone, "") for p in wanted}
    load = Counter({who: 0 for who in sorted(slots)})
    load.update(who for who in chosen.values() if who)
    for p, holder in chosen.items():
        if not holder:  # one who was here before finds his segments again: the slot decides ties
            chosen[p] = min(
                slots,
                key=lambda who: (
                    load[who],
                    preparing.get(p, {}).get(zone) != who,
                    _rank(slots[who], p),
                    who,
                ),
            )
            load[chosen[p]] += 1
    while True:
        full, empty = _extremes(load)
        if load[full] - load[empty] < 2:
            return chosen
        p = min(
            (p for p, who in chosen.items() if who == full),
            key=lambda p: (
                claims[p].get(zone) == full,
                preparing.get(p, {}).get(zone) != empty,
                p,
            ),
        )
        chosen[p] = empty
        load[full] -= 1
        load[empty] += 1


def _extremes(load: Mapping[str, int]) -> tuple[str, str]:
    """The name with the most, and the one with the fewest; the same for everybody."""
    return max(load, key=lambda name: (load[name], name)), min(
        load, key=lambda name: (load[name], name)
    )


def _rank(name: str, partition: int) -> bytes:
    """A fixed order of names for a partition that differs between partitions."""
    return hashlib.blake2b(f"{name}/{partition}".encode(), digest_size=8).digest()
