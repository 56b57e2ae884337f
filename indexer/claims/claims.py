"""The claims of this indexer: reads the locks, and takes the steps that `steps.py` decides.

A claim announces in the locks that an indexer works on a partition. It only saves work (design,
section 8): two indexers of a zone that both index a partition publish identical objects. So when
the locks cannot be reached, or have lost this indexer's session, indexing continues until another
holder is seen (I8).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from common import limits
from common.clock import Clock
from common.errors import Unavailable
from common.locks import Claim, Locks
from common.logs import log_event
from common.process.members import (
    NEXT,
    Member,
    claim_name,
    encode_member,
    find_rolling_restart,
    list_claims,
    list_members,
)
from indexer.claims.plan import IndexerLocation, Targets, copies_possible
from indexer.claims.steps import (
    ClaimHolder,
    ClaimSteps,
    LocksView,
    OwnClaims,
    Vacancies,
    decide_steps,
    may_abandon,
    may_release,
)

_MOVING = "operations/moving/"
_NS = 10**6
logger = logging.getLogger(__name__)
OnPartition = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """The content of the locks at one moment, and the plan that follows from it.

    may_take: vacant partitions that may be claimed now.
    frozen: why no partition is moved now; empty if partitions may be moved.
    at_ns: when the locks were read (monotonic).
    """

    view: LocksView
    targets: Targets
    may_take: frozenset[int]
    frozen: str
    at_ns: int


@dataclass(slots=True)
class _Held:
    claim: Claim
    ready: bool


class Claims:
    """The claims of this indexer. Calls to the locks run in threads.

    caught_up: whether the indexer has caught up with a partition that it follows.
    """

    def __init__(
        self,
        locks: Locks,
        member: Member,
        partitions: int,
        *,
        copies: int,
        take_over_ms: int,
        refresh_ms: int,
        clock: Clock,
        caught_up: Callable[[int], bool],
    ) -> None:
        self.partitions = partitions
        self.last: ClaimPlan | None = None
        self._locks = locks
        self._member = member
        self._copies = copies
        self._clock = clock
        self._caught_up = caught_up
        self._held: dict[int, _Held] = {}
        self._preparing: dict[int, _Held] = {}
        self._fewer_since_ns = clock.monotonic_ns()
        self._unreleased: list[Claim] = []  # to release when the locks can be reached again
        self._vacancies = Vacancies(take_over_ms * _NS, refresh_ms * _NS)

    def held(self) -> list[int]:
        """Partitions claimed, in order."""
        return sorted(self._held)

    def preparing(self) -> list[int]:
        """Partitions followed in order to take over their claims."""
        return sorted(self._preparing)

    def should_hold(self) -> list[int] | None:
        """Partitions that the plan assigns to this indexer and that it need not wait for.

        None: not known yet.
        """
        if self.last is None:
            return None
        own = (p for p, holders in self.last.targets.items() if self._is_me(holders))
        vacant = self.last.view.vacant(self.partitions, self._copies)
        waiting = {p for p in vacant if p not in self.last.may_take or self.last.frozen}
        return [p for p in own if p in self._held or p not in waiting]

    def copies(self) -> tuple[int, int]:
        """The number of copies wanted per partition, and the number that the zones allow now."""
        if self.last is None:
            return self._copies, 0
        return self._copies, copies_possible(self.last.view.indexers, self._copies)

    def describe(self) -> dict[str, object]:
        """For the status: partitions held, partitions to be held, and the age of the plan."""
        wanted, possible = self.copies()
        plan = self.last
        return {
            "copies_wanted": wanted,
            "copies": possible,
            "held": self.held(),
            "preparing": self.preparing(),
            "should_hold": self.should_hold() or [],
            "frozen": "" if plan is None else plan.frozen,
            "looked_s_ago": None
            if plan is None
            else round((self._clock.monotonic_ns() - plan.at_ns) / 1e9, 1),
        }

    def missing_copies(self) -> str | None:
        """The alarm when partitions have had fewer copies than wanted for a while, or None."""
        wanted, possible = self.copies()
        now_ns = self._clock.monotonic_ns()
        if self.last is None or possible >= wanted:
            self._fewer_since_ns = now_ns
            return None
        if now_ns - self._fewer_since_ns < limits.COPIES_ALARM_S * 10**9:
            return None  # the partition's other indexer is just starting or stopping
        return f"each partition has {possible} of {wanted} copies: indexers run in too few zones"

    def others_are_ready(self) -> bool:
        """Whether other indexers were ready for every partition held here, at the last refresh."""
        if self.last is None or not self._held:
            return False
        claims = self.last.view.claims
        return all(
            any(hold.ready and hold.instance != self._member.instance for hold in holders.values())
            for holders in (claims[p] for p in self._held)
        )

    async def refresh(self, gained: OnPartition, lost: OnPartition) -> None:
        """Renew the claims, then take the steps towards the plan.

        When the locks cannot be read, nothing changes.
        """
        try:
            unreleased, self._unreleased = self._unreleased, []
            for claim in unreleased:
                await self._release(claim)
            await self._renew(lost)
            self.last = await asyncio.to_thread(self._read_locks)
            await self._step(self._decide(self.last), gained, lost)
            await self._publish_readiness()
        except Unavailable as error:
            self._vacancies.locks_unavailable(self._clock.monotonic_ns())
            log_event(logger, logging.WARNING, "locks are unavailable", why=str(error))

    async def release_all(self) -> None:
        """Release every claim, so that others can take over at once."""
        for some in (self._preparing, self._held):
            for partition, held in list(some.items()):
                await self._release(held.claim)
                del some[partition]

    # --- reading the locks ----------------------------------------------------------------------
    def _read_locks(self) -> ClaimPlan:
        """Read the locks and plan. Blocks."""
        indexers = {m.instance: m for m in list_members(self._locks, "indexer")}
        claims: dict[int, dict[str, ClaimHolder]] = {p: {} for p in range(self.partitions)}
        preparing: dict[int, dict[str, ClaimHolder]] = {p: {} for p in range(self.partitions)}
        for one in list_claims(self._locks):
            if one.partition >= self.partitions:
                continue  # the log grew, and this process has not read its size yet
            some = preparing if one.preparing else claims
            some[one.partition][one.member.zone] = ClaimHolder(
                one.member.instance, one.member.ready
            )
            indexers.setdefault(one.member.instance, one.member)
        indexers.setdefault(self._member.instance, self._member)
        locations = {name: IndexerLocation(m.zone, m.slot) for name, m in indexers.items()}
        view = LocksView(locations, claims, preparing)
        now_ns = self._clock.monotonic_ns()
        vacant = view.vacant(self.partitions, self._copies)
        restart = find_rolling_restart(self._locks)
        # between two steps no zone is down: an indexer that restarted may claim what it lacks
        frozen = restart is not None and restart.zone not in ("", self._member.zone)
        return ClaimPlan(
            view,
            view.plan(self.partitions, self._copies),
            frozenset(self._vacancies.update(vacant, now_ns)),
            f"a rolling restart runs: {restart.step}" if restart and frozen else "",
            now_ns,
        )

    def _own(self) -> OwnClaims:
        return OwnClaims(
            self._member.instance,
            self._member.zone,
            frozenset(self._held),
            frozenset(self._preparing),
            frozenset(p for p in self._preparing if self._caught_up(p)),
        )

    def _decide(self, plan: ClaimPlan) -> ClaimSteps:
        return decide_steps(
            self._own(),
            plan.view,
            plan.targets,
            self._copies,
            plan.may_take,
            frozen=bool(plan.frozen),
        )

    def _is_me(self, holders: dict[str, str]) -> bool:
        return holders.get(self._member.zone) == self._member.instance

    # --- the steps ------------------------------------------------------------------------------
    async def _renew(self, lost: OnPartition) -> None:
        """Acquire lost claims again, or stop indexing the partition if another indexer holds it."""
        for partition in await asyncio.to_thread(_no_longer_held, dict(self._held)):
            held = self._held[partition]
            name = self._name(partition)
            renewed = await self._acquire(name, ready=held.ready)
            if renewed is None and await self._is_ours(name):
                continue  # an older session of this process, which ends soon: claimed again then
            await self._release(held.claim)
            if renewed is not None:
                self._held[partition] = _Held(renewed, held.ready)
                log_event(logger, logging.WARNING, "claim renewed", partition=partition)
                continue
            log_event(logger, logging.WARNING, "claim lost", partition=partition)
            del self._held[partition]
            await lost(partition)
        for partition in await asyncio.to_thread(_no_longer_held, dict(self._preparing)):
            held = self._preparing[partition]
            renewed = await self._acquire(self._name(partition) + NEXT, ready=held.ready)
            if renewed is None:
                await self._abandon(partition, lost)
            else:
                await self._release(held.claim)
                self._preparing[partition] = _Held(renewed, held.ready)

    async def _step(self, steps: ClaimSteps, gained: OnPartition, lost: OnPartition) -> None:
        for partition in steps.abandon:
            await self._stop_preparing(partition, lost)
        for partition in steps.release:
            await self._hand_over(partition, lost)
        for partition in steps.take:
            await self._take(partition, gained)
        for partition in steps.prepare:
            claim = await self._acquire(self._name(partition) + NEXT, ready=False)
            if claim is not None:
                self._preparing[partition] = _Held(claim, ready=False)
                log_event(logger, logging.INFO, "preparing to take over", partition=partition)
                await gained(partition)

    async def _take(self, partition: int, gained: OnPartition) -> None:
        ready = self._caught_up(partition)
        claim = await self._acquire(self._name(partition), ready=ready)
        if claim is None:
            return
        self._held[partition] = _Held(claim, ready)
        prepared = self._preparing.pop(partition, None)
        log_event(
            logger, logging.INFO, "claimed", partition=partition, prepared=prepared is not None
        )
        if prepared is None:
            await gained(partition)
        else:
            await self._release(prepared.claim)

    async def _stop_preparing(self, partition: int, lost: OnPartition) -> None:
        """Abandon a partition, unless its holder releases it for this indexer at this moment."""
        async with self._turn(partition) as now:
            if now is None or self._is_me(now.targets[partition]):
                return
            possible = copies_possible(now.view.indexers, self._copies)
            if not may_abandon(self._own(), now.view, partition, possible):
                return
            await self._release_prepared(partition)
        if partition not in self._held:
            await lost(partition)

    async def _abandon(self, partition: int, lost: OnPartition) -> None:
        await self._release_prepared(partition)
        if partition not in self._held:
            await lost(partition)

    async def _release_prepared(self, partition: int) -> None:
        held = self._preparing.pop(partition)
        await self._release(held.claim)
        log_event(logger, logging.INFO, "takes it over no longer", partition=partition)

    async def _hand_over(self, partition: int, lost: OnPartition) -> None:
        """Release a claim, unless another holder does so at this moment."""
        async with self._turn(partition) as now:
            if now is None:
                return
            holders = now.targets[partition]
            possible = copies_possible(now.view.indexers, self._copies)
            if self._is_me(holders) or not may_release(
                self._own(), now.view, holders, partition, possible
            ):
                return
            held = self._held.pop(partition)
            await self._release(held.claim)
            log_event(
                logger,
                logging.INFO,
                "handed over",
                partition=partition,
                to=sorted(holders.values()),
            )
        await lost(partition)

    @asynccontextmanager
    async def _turn(self, partition: int) -> AsyncIterator[ClaimPlan | None]:
        """The plan as it is now; in the block no other indexer gives this partition up.

        None: another one is about to.
        """
        turn = await asyncio.to_thread(self._locks.acquire, f"{_MOVING}{partition:05d}", b"{}")
        if turn is None:
            yield None
            return
        try:
            yield await asyncio.to_thread(self._read_locks)
        finally:
            await self._release(turn)

    async def _publish_readiness(self) -> None:
        for some in (self._held, self._preparing):
            for partition, held in some.items():
                ready = self._caught_up(partition)
                if ready != held.ready:
                    value = encode_member(msgspec.structs.replace(self._member, ready=ready))
                    await asyncio.to_thread(held.claim.update, value)
                    held.ready = ready

    # --- the locks ------------------------------------------------------------------------------
    def _name(self, partition: int) -> str:
        return claim_name(self._member.zone, partition)

    async def _acquire(self, name: str, *, ready: bool) -> Claim | None:
        value = encode_member(msgspec.structs.replace(self._member, ready=ready))
        return await asyncio.to_thread(self._locks.acquire, name, value)

    async def _is_ours(self, name: str) -> bool:
        value = (await asyncio.to_thread(self._locks.holders, name)).get(name)
        if value is None:
            return False
        return msgspec.json.decode(value, type=Member).instance == self._member.instance

    async def _release(self, claim: Claim) -> None:
        try:
            await asyncio.to_thread(claim.release)
        except Unavailable as error:
            self._unreleased.append(claim)
            log_event(
                logger, logging.WARNING, "claim not released", name=claim.name, why=str(error)
            )


def _no_longer_held(claims: Mapping[int, _Held]) -> list[int]:
    """The partitions whose claims the locks have given up. Blocks: all in one turn of a thread."""
    return [partition for partition, one in claims.items() if not one.claim.held()]
