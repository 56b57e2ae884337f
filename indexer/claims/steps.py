"""What an indexer may do now to come nearer to the plan. Pure; `claims.py` does it.

A claim moves gently: the new holder first prepares (it resumes and follows the partition under the
name `<claim>.next`), and only when it has caught up does the old one give up. Of the last holders
of a partition none lets go. What became vacant is taken by claiming it at once.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from common import limits
from indexer.claims.plan import Place, Seats, Targets, copies_possible, plan_claims


@dataclass(frozen=True, slots=True)
class Hold:
    """Who has a claim, and whether what it holds is caught up."""

    instance: str
    ready: bool


Holds = Mapping[int, Mapping[str, Hold]]  # partition -> zone -> hold


@dataclass(frozen=True, slots=True)
class Picture:
    """What the locks tell: the indexers that live, their claims, and who prepares to claim."""

    indexers: Mapping[str, Place]
    claims: Holds
    preparing: Holds

    def plan(self, partitions: int, copies: int) -> Targets:
        """Who should hold what."""
        return plan_claims(
            partitions, copies, self.indexers, _seats(self.claims), _seats(self.preparing)
        )

    def vacant(self, partitions: int, copies: int) -> dict[int, int]:
        """Partitions with fewer holders than there should be, and how many they have."""
        wanted = copies_possible(self.indexers, copies)
        held = {p: len(self.claims.get(p, {})) for p in range(partitions)}
        return {p: count for p, count in held.items() if count < wanted}


@dataclass(frozen=True, slots=True)
class Mine:
    """What this indexer does already. prepared: partitions that it has caught up with."""

    instance: str
    zone: str
    held: Set[int]
    preparing: Set[int]
    prepared: Set[int]


@dataclass(frozen=True, slots=True)
class Steps:
    """Partitions to claim, to begin to prepare, to prepare no more, and to give up."""

    take: tuple[int, ...]
    prepare: tuple[int, ...]
    abandon: tuple[int, ...]
    release: tuple[int, ...]


def decide(
    mine: Mine, picture: Picture, targets: Targets, copies: int, may_take: Set[int], *, frozen: bool
) -> Steps:
    """The steps of this look. may_take: vacancies that have lasted long enough.

    frozen: a rolling restart runs: nothing is moved that somebody ready holds.
    """
    take, prepare, abandon, release = [], [], [], []
    possible = copies_possible(picture.indexers, copies)
    room = limits.CLAIMS_PREPARING_MAX - len(mine.preparing)
    for p, seats in targets.items():
        wanted = seats.get(mine.zone) == mine.instance
        if not wanted and p in mine.preparing:
            abandon.append(p)
        if p in mine.held:
            if not wanted and may_release(mine, picture, seats, p, possible):
                release.append(p)
            continue
        if not wanted:
            continue
        claims = picture.claims.get(p, {})
        free = mine.zone not in claims
        anyone_ready = any(hold.ready for hold in claims.values())
        vacant = free and len(claims) < possible
        if free and p in mine.preparing and p in mine.prepared:
            take.append(p)
        elif vacant and p in may_take:
            if not (frozen and anyone_ready):
                take.append(p)
        elif not vacant and p not in mine.preparing and room > 0 and not frozen:
            prepare.append(p)
            room -= 1
    return Steps(tuple(take), tuple(prepare), tuple(abandon), tuple(release))


def may_release(
    mine: Mine, picture: Picture, seats: Mapping[str, str], partition: int, possible: int
) -> bool:
    """Whether enough others are ready for this partition without us."""
    successor = seats.get(mine.zone)
    if successor is not None:
        heir = picture.preparing.get(partition, {}).get(mine.zone)
        return heir is not None and heir.ready and heir.instance == successor
    others = picture.claims.get(partition, {})
    ready = sum(hold.ready for zone, hold in others.items() if zone != mine.zone)
    return ready >= max(1, possible)


class Vacancies:
    """Remembers since when partitions lack a holder, so that a short absence moves nothing."""

    def __init__(self, take_over_ns: int, look_ns: int) -> None:
        self._take_over_ns = take_over_ns
        self._look_ns = min(look_ns, take_over_ns)
        self._since_ns: dict[int, int] | None = None
        self._outage_ns: int | None = None

    def interrupted(self, now_ns: int) -> None:
        """The locks cannot be asked: what was seen before says nothing about the holders now."""
        self._outage_ns = now_ns
        if self._since_ns is not None:
            self._since_ns = {}

    def look(self, vacant: Mapping[int, int], now_ns: int) -> set[int]:
        """Those that may be taken now. vacant: partition -> how many hold it still.

        What lacked a holder when we came is free at once, what is held by nobody when it is seen
        twice. Soon after an outage of the locks that is no sign of death: holders whose sessions
        ended go on, and renew their claims one by one.
        """
        first = self._since_ns is None
        before = self._since_ns or {}
        long_ago = now_ns - self._take_over_ns
        self._since_ns = {p: long_ago if first else before.get(p, now_ns) for p in vacant}
        return {
            p
            for p, since_ns in self._since_ns.items()
            if now_ns - since_ns >= self._patience_ns(since_ns, nobody=not vacant[p])
        }

    def _patience_ns(self, since_ns: int, *, nobody: bool) -> int:
        after_outage = (
            self._outage_ns is not None and since_ns - self._outage_ns < self._take_over_ns
        )
        return self._look_ns if nobody and not after_outage else self._take_over_ns


def _seats(holds: Holds) -> Seats:
    return {p: {z: hold.instance for z, hold in seats.items()} for p, seats in holds.items()}
