"""The rule of rolling restarts: the order, and whether a process may be stopped now. Pure.

One process at a time, zone by zone. Indexers come first, because they must read what new shepherds
write. Never both indexers of a partition, never the last ready process of a role, and none while
any other is not ready (so never more than one zone).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from common.process.members import Member

ROLES = ("indexer", "query", "shepherd")  # in the order of restarts


@dataclass(frozen=True, slots=True)
class Unit:
    """The role, zone and slot of a process: the same before and after its restart."""

    role: str
    zone: str
    slot: str

    def __str__(self) -> str:
        return f"{self.role} {self.zone}/{self.slot}"


@dataclass(frozen=True, slots=True)
class FleetView:
    """The processes that run at one moment.

    not_ready: the reason by instance.
    holders: the members that have claimed each partition.
    """

    members: tuple[Member, ...]
    not_ready: Mapping[str, str]
    holders: Mapping[int, Sequence[Member]]

    def at(self, unit: Unit) -> list[Member]:
        """The processes of a unit; two while one ends and the next has started."""
        return [member for member in self.members if unit_of(member) == unit]


def unit_of(member: Member) -> Unit:
    """The unit of a process."""
    return Unit(member.role, member.zone, member.slot)


def plan_units(
    places: Collection[Unit], roles: Collection[str], zones: Collection[str]
) -> list[Unit]:
    """The units that are restarted, in order. Empty `roles` or `zones`: all of them."""
    wanted = [
        unit
        for unit in places
        if (not roles or unit.role in roles) and (not zones or unit.zone in zones)
    ]
    return sorted(wanted, key=lambda u: (ROLES.index(u.role), u.zone, u.slot))


def why_never(units: Sequence[Unit], places: Collection[Unit]) -> list[str]:
    """Why these restarts can never be done without an interruption.

    places: all units, restarted or not.
    """
    found = []
    for role in sorted({unit.role for unit in units}):
        all_of_role = {place for place in places if place.role == role}
        if len(all_of_role) < 2:
            found.append(f"there is only one {role}: while it restarts, nobody does its work")
        elif role == "indexer" and len({unit.zone for unit in all_of_role}) < 2:
            found.append("all indexers are in one zone: partitions have no twin")
    return found


def why_wait(unit: Unit, expected: Collection[Unit], view: FleetView, *, alone: bool) -> list[str]:
    """Why the unit must not be stopped now; empty if it may.

    expected: every unit that had a process when the restart began.
    alone: stop it even if it is the only one of its role or of a partition.
    """
    found = []
    for other in sorted(expected, key=str):
        if other == unit:
            continue
        ready = [m for m in view.at(other) if m.instance not in view.not_ready]
        if not ready:
            reasons = [view.not_ready[m.instance] for m in view.at(other)]
            found.append(f"{other} is not ready: {'; '.join(reasons) or 'it is not running'}")
    if alone:
        return found
    ours = {member.instance for member in view.at(unit)}
    if unit.role == "indexer":
        for partition, holders in sorted(view.holders.items()):
            if any(m.instance in ours for m in holders) and not _has_twin(holders, ours, view):
                found.append(f"partition {partition} has no other indexer that is ready")
        return found
    others = [
        member
        for member in view.members
        if member.role == unit.role
        and member.instance not in ours
        and member.instance not in view.not_ready
    ]
    if not others:
        found.append(f"no other {unit.role} is ready")
    return found


def _has_twin(holders: Sequence[Member], ours: Collection[str], view: FleetView) -> bool:
    return any(
        m.ready and m.instance not in ours and m.instance not in view.not_ready for m in holders
    )
