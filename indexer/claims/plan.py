"""The plan of claims: which indexers should hold which partition.

A pure function of the locks' content. Each indexer computes it for itself, so there is no leader.
Keeps I6: a partition's holders are in different zones. Loads differ by at most one between zones,
and between the indexers of a zone. A holder keeps its partition unless that would make the loads
uneven.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Targets = dict[int, dict[str, str]]  # partition -> zone -> instance
HoldersByZone = Mapping[int, Mapping[str, str]]  # the present holders, in the same shape


@dataclass(frozen=True, slots=True)
class IndexerLocation:
    """Where an indexer runs. slot: distinguishes indexers of one zone; kept over restarts."""

    zone: str
    slot: str


def copies_possible(indexers: Mapping[str, IndexerLocation], copies: int) -> int:
    """The number of copies that a partition can have: no two in one zone (I6)."""
    return min(copies, len({location.zone for location in indexers.values()}))


def plan_claims(
    partitions: int,
    copies: int,
    indexers: Mapping[str, IndexerLocation],
    claims: HoldersByZone,
    preparing: HoldersByZone,
) -> Targets:
    """The indexers that should hold each partition, given its holders and those that prepare.

    indexers: by instance. Claims of other instances count as vacant.
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
    """Targets under construction, and the load that they put on each zone and indexer."""

    def __init__(
        self,
        indexers: Mapping[str, IndexerLocation],
        preparing: HoldersByZone,
        claims: Sequence[Mapping[str, str]],
    ) -> None:
        self.zones: dict[str, list[str]] = {}
        for instance, location in sorted(indexers.items()):
            self.zones.setdefault(location.zone, []).append(instance)
        self.targets: Targets = {
            p: {zone: instance for zone, instance in holders.items() if instance in indexers}
            for p, holders in enumerate(claims)
        }
        self._indexers = indexers
        self._preparing = preparing
        self._held = {p: dict(holders) for p, holders in self.targets.items()}
        self._in_zone = Counter(dict.fromkeys(self.zones, 0))
        self._in_zone.update(zone for holders in self.targets.values() for zone in holders)
        self._with = Counter(dict.fromkeys(indexers, 0))
        self._with.update(
            instance for holders in self.targets.values() for instance in holders.values()
        )

    def trim(self, p: int, copies: int) -> None:
        """Drop holders beyond `copies`, those in the fullest zones first."""
        holders = self.targets[p]
        while len(holders) > copies:
            self._remove(
                p, max(holders, key=lambda z: (self._in_zone[z], self._with[holders[z]], z))
            )

    def fill(self, p: int, copies: int) -> None:
        """Add holders up to `copies`, in the emptiest zones first."""
        holders = self.targets[p]
        while len(holders) < copies:
            zone = min((z for z in self.zones if z not in holders), key=lambda z: self._room(z, p))
            self._add(p, zone)

    def level_zones(self) -> None:
        """Move from the fullest to the emptiest zone while their loads differ by more than one."""
        while self.zones:
            full, empty = _extremes(self._in_zone)
            if self._in_zone[full] - self._in_zone[empty] < 2:
                return
            p = min(
                (
                    p
                    for p, holders in self.targets.items()
                    if full in holders and empty not in holders
                ),
                key=lambda p: self._move_cost(p, full, empty),
            )
            self._remove(p, full)
            self._add(p, empty)

    def level_inside(self, zone: str) -> None:
        """Move from the fullest to the emptiest indexer of a zone in the same way."""
        while True:
            full, empty = _extremes(
                {instance: self._with[instance] for instance in self.zones[zone]}
            )
            if self._with[full] - self._with[empty] < 2:
                return
            p = min(
                (p for p, holders in self.targets.items() if holders.get(zone) == full),
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
        least = min(self._with[instance] for instance in self.zones[zone])
        prepares = zone in self._preparing.get(p, {})
        return self._in_zone[zone], not prepares, least, _rank(zone, p)

    def _move_cost(self, p: int, full: str, empty: str) -> tuple[bool, bool, int, int]:
        prepares = empty in self._preparing.get(p, {})
        return full in self._held[p], not prepares, -self._with[self.targets[p][full]], p

    def _add(self, p: int, zone: str) -> None:
        """Add the emptiest indexer of the zone. The slot decides ties, so that an indexer that
        restarts finds its segments on its disk.
        """
        preparing = self._preparing.get(p, {}).get(zone)
        instance = min(
            self.zones[zone],
            key=lambda w: (self._with[w], w != preparing, _rank(self._indexers[w].slot, p), w),
        )
        self.targets[p][zone] = instance
        self._in_zone[zone] += 1
        self._with[instance] += 1

    def _remove(self, p: int, zone: str) -> None:
        self._with[self.targets[p].pop(zone)] -= 1
        self._in_zone[zone] -= 1


def _extremes(load: Mapping[str, int]) -> tuple[str, str]:
    """The names with the most and the fewest; every indexer breaks ties in the same way."""
    return max(load, key=lambda name: (load[name], name)), min(
        load, key=lambda name: (load[name], name)
    )


def _rank(name: str, partition: int) -> bytes:
    """A fixed order of names for a partition that differs between partitions."""
    return hashlib.blake2b(f"{name}/{partition}".encode(), digest_size=8).digest()
