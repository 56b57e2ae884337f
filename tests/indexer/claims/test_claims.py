"""Claims only save work: losing the locks stops nobody (I8); somebody else's claim does (I6)."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from common import limits
from common.clock import Clock, ManualClock, SystemClock
from common.locks import Locks
from common.locks.files import FileClaim, FileLocks
from common.process.announce import Announcement
from common.process.members import (
    ROLLING_RESTART,
    Member,
    RollingRestart,
    list_claims,
    list_members,
    list_partition_holders,
)
from indexer.claims.claims import Claims


def member(instance: str, zone: str = "a", slot: str = "0") -> Member:
    return Member(
        role="indexer",
        instance=instance,
        url=f"http://127.0.0.1:1/{instance}",
        zone=zone,
        pid=1,
        started_ns=0,
        version="test",
        slot=slot,
    )


class Holder:
    """An indexer that only notes what it gains and loses."""

    def __init__(
        self,
        folder: Path,
        name: str,
        zone: str = "a",
        partitions: int = 2,
        locks: Locks | None = None,
        take_over_ms: int = 0,
        clock: Clock | None = None,
        slot: str = "0",
    ) -> None:
        self.locks = locks or FileLocks(folder)
        self.member = member(name, zone, slot)
        self.log: list[str] = []
        self.behind: set[int] = set()
        self.claims = Claims(
            self.locks,
            self.member,
            partitions,
            copies=2,
            take_over_ms=take_over_ms,
            refresh_ms=0,
            clock=clock or SystemClock(),
            caught_up=lambda number: number not in self.behind,
        )

    async def refresh(self) -> None:
        await self.claims.refresh(self._gained, self._lost)

    async def _gained(self, number: int) -> None:
        self.log.append(f"+{number}")

    async def _lost(self, number: int) -> None:
        self.log.append(f"-{number}")


async def test_indexing_goes_on_without_locks_and_the_claims_are_renewed(tmp_path: Path) -> None:
    one = Holder(tmp_path / "locks", "one")
    await one.refresh()
    shutil.rmtree(tmp_path / "locks")
    await one.refresh()
    assert one.claims.held() == [0, 1]
    (tmp_path / "locks").mkdir()
    await one.refresh()
    assert one.log == ["+0", "+1"]
    holders = list_partition_holders(one.locks)
    assert [m.instance for held in holders.values() for m in held] == ["one", "one"]
    await one.claims.release_all()
    one.locks.close()


async def test_claim_that_another_indexer_of_the_zone_took_is_given_up(tmp_path: Path) -> None:
    one = Holder(tmp_path / "locks", "one", partitions=1)
    other = Holder(tmp_path / "locks", "other", partitions=1)
    await one.refresh()
    await other.refresh()
    assert other.log == []
    shutil.rmtree(tmp_path / "locks")
    (tmp_path / "locks").mkdir()
    await other.refresh()
    await one.refresh()
    assert one.log == ["+0", "-0"]
    assert other.log == ["+0"]
    for holder in (one, other):
        await holder.claims.release_all()
        holder.locks.close()


async def test_claim_moves_only_after_the_new_holder_has_caught_up(tmp_path: Path) -> None:
    holders = [Holder(tmp_path / "locks", f"in {zone}", zone) for zone in "abc"]
    one, two, three = holders
    three.behind = {0, 1}
    await one.refresh()
    await two.refresh()
    assert (one.claims.held(), two.claims.held()) == ([0, 1], [0, 1])
    for _ in range(4):
        for holder in holders:
            await holder.refresh()
    (moving,) = three.claims.preparing()
    assert three.log == [f"+{moving}"]
    readable = list_partition_holders(one.locks)
    assert all([m.zone for m in readable[p]] == ["a", "b"] for p in (0, 1))
    three.behind = set()
    for _ in range(4):
        for holder in holders:
            await holder.refresh()
            assert all(len(members) >= 2 for members in list_partition_holders(one.locks).values())
    assert sorted(h.claims.held() for h in holders) in ([[0], [0, 1], [1]], [[0], [1], [0, 1]])
    assert three.claims.held() == [moving]
    assert three.claims.copies() == (2, 2)
    for holder in holders:
        await holder.claims.release_all()
        holder.locks.close()


async def test_claim_moves_between_indexers_of_one_zone(tmp_path: Path) -> None:
    one = Holder(tmp_path / "locks", "one")
    other = Holder(tmp_path / "locks", "other")
    await one.refresh()
    other.behind = {0, 1}
    for _ in range(3):
        await other.refresh()
        await one.refresh()
    assert (one.claims.held(), other.claims.preparing()) == ([0, 1], [0])
    other.behind = set()
    for _ in range(3):
        await other.refresh()
        await one.refresh()
    assert (one.claims.held(), other.claims.held()) == ([1], [0])
    assert (one.log, other.log) == (["+0", "+1", "-0"], ["+0"])
    for holder in (one, other):
        await holder.claims.release_all()
        holder.locks.close()


async def test_rolling_restart_holds_claims_still_only_while_it_restarts_somebody(
    tmp_path: Path,
) -> None:
    """Who is not ready before something has moved could never be restarted, nor anybody else."""
    holders = [Holder(tmp_path / "locks", f"in {zone}", zone) for zone in "abc"]
    one, two, three = holders
    operator = FileLocks(tmp_path / "locks")
    mark = RollingRestart(by="a test", since_ns=1)
    claim = operator.acquire(ROLLING_RESTART, msgspec.json.encode(mark))
    assert claim is not None
    await one.refresh()
    await two.refresh()
    claim.update(msgspec.json.encode(msgspec.structs.replace(mark, zone="b")))
    for _ in range(4):
        for holder in holders:
            await holder.refresh()
    assert three.claims.should_hold()
    assert three.log == []
    claim.update(msgspec.json.encode(mark))
    for _ in range(4):
        for holder in holders:
            await holder.refresh()
    assert three.claims.held() == three.claims.should_hold()
    for holder in holders:
        await holder.claims.release_all()
        holder.locks.close()
    operator.close()


async def test_lost_locks_freeze_the_claims_and_stop_nothing(tmp_path: Path) -> None:
    one = Holder(tmp_path / "locks", "one", "a")
    two = Holder(tmp_path / "locks", "two", "b")
    for holder in (one, two):
        await holder.refresh()
    shutil.rmtree(tmp_path / "locks")
    for _ in range(3):
        for holder in (one, two):
            await holder.refresh()
    assert (one.log, two.log) == (["+0", "+1"], ["+0", "+1"])
    assert one.claims.should_hold() == [0, 1]
    (tmp_path / "locks").mkdir()
    for _ in range(3):
        for holder in (one, two):
            await holder.refresh()
    assert (one.log, two.log) == (["+0", "+1"], ["+0", "+1"])
    assert [len(m) for m in list_partition_holders(one.locks).values()] == [2, 2]
    for holder in (one, two):
        await holder.claims.release_all()
        holder.locks.close()


async def test_role_whose_announcement_was_forgotten_is_announced_anew(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path / "locks")
    announcement = Announcement(locks, member("one"))
    await announcement.renew()
    shutil.rmtree(tmp_path / "locks")
    await announcement.renew()  # without locks: it goes on
    (tmp_path / "locks").mkdir()
    await announcement.renew()
    assert [m.instance for m in list_members(locks, "indexer")] == ["one"]
    await announcement.withdraw()
    assert list_members(locks, "indexer") == []
    locks.close()


async def test_copies_are_missing_only_after_a_restart_would_be_over(tmp_path: Path) -> None:
    clock = ManualClock()
    one = Holder(tmp_path, "one", "a", clock=clock)
    for holder in (one, one):
        await holder.refresh()
    assert one.claims.missing_copies() is None, "its twin may just be starting"
    clock.advance_ms(limits.COPIES_ALARM_S * 1_000)
    assert "1 of 2 copies" in (one.claims.missing_copies() or "")
    two = Holder(tmp_path, "two", "b")
    for holder in (two, two, one, one):
        await holder.refresh()
    assert one.claims.missing_copies() is None


def ready_zones(locks: Locks) -> Counter[int]:
    """For each partition in how many zones an indexer has caught up with it."""
    ready = {(c.partition, c.member.zone) for c in list_claims(locks) if c.member.ready}
    return Counter(partition for partition, _ in ready)


async def test_claim_released_for_an_indexer_is_taken_though_the_plan_has_changed(
    tmp_path: Path,
) -> None:
    """The one that it is released for is then the second that has caught up with the partition."""
    first = Holder(tmp_path / "locks", "a1", "a", 3)
    await first.refresh()
    third = Holder(tmp_path / "locks", "c1", "c", 3)
    second = Holder(tmp_path / "locks", "a2", "a", 3, slot="1")
    fourth = Holder(tmp_path / "locks", "b1", "b", 3)
    holders = [first, third, second, fourth]
    announced = [Announcement(holder.locks, holder.member) for holder in holders]
    for one in announced:
        await one.renew()
    second.behind = {0, 1, 2}
    for holder in holders:
        await holder.refresh()
    assert second.claims.preparing() == [1]
    second.behind = set()
    before = ready_zones(first.locks)
    for holder in (second, third, first, second, *holders * 6):
        await holder.refresh()
        for partition, zones in ready_zones(first.locks).items():
            assert zones >= min(2, before[partition])
        before = ready_zones(first.locks)
    assert set(before.values()) == {2}
    assert "-1" in first.log
    assert "-1" not in second.log
    for holder, one in zip(holders, announced, strict=True):
        await holder.claims.release_all()
        await one.withdraw()
        holder.locks.close()


class Interrupted(FileLocks):
    """File locks that do something else just before an indexer gives a partition up."""

    before: Callable[[], None] | None = None

    def acquire(self, name: str, value: bytes) -> FileClaim | None:
        before, self.before = self.before, None
        if before is not None and name.startswith("operations/moving/"):
            before()
        elif before is not None:
            self.before = before
        return super().acquire(name, value)


async def test_claim_that_is_released_while_its_next_holder_drops_it_is_taken(
    tmp_path: Path,
) -> None:
    first = Holder(tmp_path / "locks", "a1", "a")
    twin = Holder(tmp_path / "locks", "b1", "b")
    locks = Interrupted(tmp_path / "locks")
    second = Holder(tmp_path / "locks", "a3", "a", slot="1", locks=locks)
    newcomer = Announcement(first.locks, member("a2", "a", "2"))  # meant to have it instead
    for holder in (first, twin, second, second):
        await holder.refresh()
    assert (second.claims.preparing(), ready_zones(first.locks)) == ([0], {0: 2, 1: 2})
    await newcomer.renew()
    locks.before = first.claims._held.pop(0).claim.release
    await second.refresh()
    assert locks.before is None
    assert second.claims.preparing() == [0]
    await second.refresh()
    assert (second.claims.held(), second.log) == ([0], ["+0"])
    assert ready_zones(first.locks) == {0: 2, 1: 2}
    await newcomer.withdraw()
    for holder in (first, twin, second):
        await holder.claims.release_all()
        holder.locks.close()


@pytest.mark.parametrize("partitions", [2, 64])
async def test_a_look_at_the_locks_takes_as_many_turns_of_threads_for_64_partitions_as_for_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partitions: int
) -> None:
    one = Holder(tmp_path / "locks", "one", partitions=partitions)
    await one.refresh()
    assert len(one.claims.held()) == partitions
    real, turns = asyncio.to_thread, list[object]()

    async def to_thread(work: Callable[..., object], *arguments: object) -> object:
        turns.append(work)
        return await real(work, *arguments)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    await one.refresh()
    assert len(turns) == 3, "what is held, what is prepared, and the locks"
    await one.claims.release_all()
    one.locks.close()
