"""Who should hold which partition: a pure function of what every indexer sees in the locks.

Each indexer computes it for itself, so there is no leader. Keeps I6: a partition's holders are in
different zones. Evenly: loads differ by at most one between zones, and between the indexers of a
zone. With little movement: who holds a partition keeps it unless evenness needs it elsewhere.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
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
    wanted = copies_possible(indexers, copies)
    plan = _Plan(indexers, preparing, [claims.get(p, {}) for p in range(partitions)])
    for p in range(partitions):
        plan.trim(p, wanted)
    for p in range(partitions):
        plan.fill(p, wanted)
    plan.level_zones()
    for zone in sorted(plan.zones):
        plan.level_inside(zone)
    return plan.targets


class _Plan:
    """Targets in the making, and how much each zone and indexer has of them."""

    def __init__(
        self, indexers: Mapping[str, Place], preparing: Seats, claims: Sequence[Mapping[str, str]]
    ) -> None:
        self.zones: dict[str, list[str]] = {}
        for who, place in sorted(indexers.items()):
            self.zones.setdefault(place.zone, []).append(who)
        self.targets: Targets = {
            p: {zone: who for zone, who in seats.items() if who in indexers}
            for p, seats in enumerate(claims)
        }
        self._indexers = indexers
        self._preparing = preparing
        self._held = {p: dict(seats) for p, seats in self.targets.items()}
        self._in_zone = Counter(dict.fromkeys(self.zones, 0))
        self._in_zone.update(zone for seats in self.targets.values() for zone in seats)
        self._with = Counter(dict.fromkeys(indexers, 0))
        self._with.update(who for seats in self.targets.values() for who in seats.values())

    def trim(self, p: int, copies: int) -> None:
        """Of too many holders, those in the fullest zones go."""
        seats = self.targets[p]
        while len(seats) > copies:
            self._remove(p, max(seats, key=lambda z: (self._in_zone[z], self._with[seats[z]], z)))

    def fill(self, p: int, copies: int) -> None:
        """Of too few holders, new ones come from the emptiest zones."""
        seats = self.targets[p]
        while len(seats) < copies:
            zone = min((z for z in self.zones if z not in seats), key=lambda z: self._room(z, p))
            self._add(p, zone)

    def level_zones(self) -> None:
        """Move from the fullest to the emptiest zone while they differ by more than one."""
        while self.zones:
            full, empty = _extremes(self._in_zone)
            if self._in_zone[full] - self._in_zone[empty] < 2:
                return
            p = min(
                (p for p, seats in self.targets.items() if full in seats and empty not in seats),
                key=lambda p: self._move_cost(p, full, empty),
            )
            self._remove(p, full)
            self._add(p, empty)

    def level_inside(self, zone: str) -> None:
        """The same between the indexers of a zone."""
        while True:
            full, empty = _extremes({who: self._with[who] for who in self.zones[zone]})
            if self._with[full] - self._with[empty] < 2:
                return
            p = min(
                (p for p, seats in self.targets.items() if seats.get(zone) == full),
                key=lambda p: (
                    self._held[p].get(zone) == full,
                    self._preparing.get(p, {}).get(zone) != empty,
                    p,
                ),
            )
            self.targets[p][zone] = empty
            self._with[full] -= 1
            self._with[empty] += 1

    def _room(self, zone: str, p: int) -> tuple[int, bool, int, bytes]:
        least = min(self._with[who] for who in self.zones[zone])
        prepares = zone in self._preparing.get(p, {})
        return self._in_zone[zone], not prepares, least, _rank(zone, p)

    def _move_cost(self, p: int, full: str, empty: str) -> tuple[bool, bool, int, int]:
        prepares = empty in self._preparing.get(p, {})
        return full in self._held[p], not prepares, -self._with[self.targets[p][full]], p

    def _add(self, p: int, zone: str) -> None:
        """To the emptiest of the zone. The slot decides ties: who was here before a restart finds
        his segments again.
        """
        preparing = self._preparing.get(p, {}).get(zone)
        who = min(
            self.zones[zone],
            key=lambda w: (self._with[w], w != preparing, _rank(self._indexers[w].slot, p), w),
        )
        self.targets[p][zone] = who
        self._in_zone[zone] += 1
        self._with[who] += 1

    def _remove(self, p: int, zone: str) -> None:
        self._with[self.targets[p].pop(zone)] -= 1
        self._in_zone[zone] -= 1


def _extremes(load: Mapping[str, int]) -> tuple[str, str]:
    """The name with the most, and the one with the fewest; the same for everybody."""
    return max(load, key=lambda name: (load[name], name)), min(
        load, key=lambda name: (load[name], name)
    )


def _rank(name: str, partition: int) -> bytes:
    """A fixed order of names for a partition that differs between partitions."""
    return hashlib.blake2b(f"{name}/{partition}".encode(), digest_size=8).digest()
