"""The steps that an indexer may take now towards the plan. Pure; `claims.py` takes them.

A claim is moved without a gap: the new holder first prepares (it resumes and follows the partition
under the name `<claim>.next`), and the old one releases the claim only when the new one has caught
up. The last holders of a partition never release it, nor does an indexer that has caught up drop
a partition which the others do not hold without it: the plan may have changed since the claim was
released for it, and then it takes the claim all the same. A vacant partition is claimed at once.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from common import limits
from indexer.claims.plan import (
    HoldersByZone,
    IndexerLocation,
    Targets,
    copies_possible,
    plan_claims,
)


@dataclass(frozen=True, slots=True)
class ClaimHolder:
    """The holder of a claim, and whether it has caught up with the partition."""

    instance: str
    ready: bool


ClaimHolders = Mapping[int, Mapping[str, ClaimHolder]]  # partition -> zone -> holder


@dataclass(frozen=True, slots=True)
class LocksView:
    """The content of the locks: live indexers, their claims, and claims being prepared."""

    indexers: Mapping[str, IndexerLocation]
    claims: ClaimHolders
    preparing: ClaimHolders

    def plan(self, partitions: int, copies: int) -> Targets:
        """The indexers that should hold each partition."""
        return plan_claims(
            partitions,
            copies,
            self.indexers,
            _holders_by_zone(self.claims),
            _holders_by_zone(self.preparing),
        )

    def vacant(self, partitions: int, copies: int) -> dict[int, int]:
        """Number of holders by partition, for partitions with fewer than they should have."""
        wanted = copies_possible(self.indexers, copies)
        held = {p: len(self.claims.get(p, {})) for p in range(partitions)}
        return {p: count for p, count in held.items() if count < wanted}


@dataclass(frozen=True, slots=True)
class OwnClaims:
    """Partitions this indexer holds and prepares. prepared: those it has caught up with."""

    instance: str
    zone: str
    held: Set[int]
    preparing: Set[int]
    prepared: Set[int]


@dataclass(frozen=True, slots=True)
class ClaimSteps:
    """Partitions to claim, to begin to prepare, to stop preparing, and to release."""

    take: tuple[int, ...]
    prepare: tuple[int, ...]
    abandon: tuple[int, ...]
    release: tuple[int, ...]


def decide_steps(
    own: OwnClaims,
    view: LocksView,
    targets: Targets,
    copies: int,
    may_take: Set[int],
    *,
    frozen: bool,
) -> ClaimSteps:
    """The steps of this round.

    may_take: vacancies that have lasted long enough.
    frozen: a rolling restart runs, so no partition that has a ready holder is moved.
    """
    take, prepare, abandon, release = [], [], [], []
    possible = copies_possible(view.indexers, copies)
    room = limits.CLAIMS_PREPARING_MAX - len(own.preparing)
    for p, holders in targets.items():
        wanted = holders.get(own.zone) == own.instance
        claims = view.claims.get(p, {})
        free = own.zone not in claims
        if not wanted and p in own.preparing:
            if may_abandon(own, view, p, possible):
                abandon.append(p)
            elif free:
                take.append(p)
        if p in own.held:
            if not wanted and may_release(own, view, holders, p, possible):
                release.append(p)
            continue
        if not wanted:
            continue
        anyone_ready = any(hold.ready for hold in claims.values())
        vacant = free and len(claims) < possible
        if free and p in own.preparing and p in own.prepared:
            take.append(p)
        elif vacant and p in may_take:
            if not (frozen and anyone_ready):
                take.append(p)
        elif not vacant and p not in own.preparing and room > 0 and not frozen:
            prepare.append(p)
            room -= 1
    return ClaimSteps(tuple(take), tuple(prepare), tuple(abandon), tuple(release))


def may_release(
    own: OwnClaims, view: LocksView, holders: Mapping[str, str], partition: int, possible: int
) -> bool:
    """Whether enough others are ready for this partition without this indexer."""
    successor = holders.get(own.zone)
    if successor is not None:
        heir = view.preparing.get(partition, {}).get(own.zone)
        return heir is not None and heir.ready and heir.instance == successor
    return _others_ready(own, view, partition) >= max(1, possible)


def may_abandon(own: OwnClaims, view: LocksView, partition: int, possible: int) -> bool:
    """Whether this indexer may stop preparing a partition that is no longer meant for it.

    It may if it has not caught up, or if enough others hold the partition and are ready.
    """
    if partition in own.held or partition not in own.prepared:
        return True
    return _others_ready(own, view, partition) >= max(1, possible)


def _others_ready(own: OwnClaims, view: LocksView, partition: int) -> int:
    """The number of other indexers that hold the partition and have caught up with it."""
    holders = view.claims.get(partition, {}).values()
    return sum(hold.ready for hold in holders if hold.instance != own.instance)


class Vacancies:
    """How long partitions have lacked a holder, so that a short absence moves no claim."""

    def __init__(self, take_over_ns: int, refresh_ns: int) -> None:
        self._take_over_ns = take_over_ns
        self._refresh_ns = min(refresh_ns, take_over_ns)
        self._since_ns: dict[int, int] | None = None
        self._outage_ns: int | None = None

    def locks_unavailable(self, now_ns: int) -> None:
        """Discard earlier observations: while the locks cannot be read, they may be outdated."""
        self._outage_ns = now_ns
        if self._since_ns is not None:
            self._since_ns = {}

    def update(self, vacant: Mapping[int, int], now_ns: int) -> set[int]:
        """Partitions that may be taken now. vacant: partition -> number of its present holders.

        A partition that lacked a holder at the first call may be taken at once; one without any
        holder may be taken at the second call. Soon after an outage of the locks neither shows
        that a holder died: holders whose sessions ended still run, and renew their claims one by
        one.
        """
        first = self._since_ns is None
        before = self._since_ns or {}
        long_ago = now_ns - self._take_over_ns
        self._since_ns = {p: long_ago if first else before.get(p, now_ns) for p in vacant}
        return {
            p
            for p, since_ns in self._since_ns.items()
            if now_ns - since_ns >= self._required_ns(since_ns, unheld=not vacant[p])
        }

    def _required_ns(self, since_ns: int, *, unheld: bool) -> int:
        after_outage = (
            self._outage_ns is not None and since_ns - self._outage_ns < self._take_over_ns
        )
        return self._refresh_ns if unheld and not after_outage else self._take_over_ns


def _holders_by_zone(holds: ClaimHolders) -> HoldersByZone:
    return {p: {z: hold.instance for z, hold in holders.items()} for p, holders in holds.items()}
