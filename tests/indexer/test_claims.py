"""Claims only save work: losing the locks stops nobody (I8); somebody else's claim does (I6)."""

import shutil
from pathlib import Path

from common.announce import Announcement
from common.locks.files import FileLocks
from common.members import Member, list_members, list_partition_holders
from indexer.claims import Claims


def member(instance: str) -> Member:
    return Member(
        role="indexer",
        instance=instance,
        url=f"http://127.0.0.1:1/{instance}",
        zone="a",
        pid=1,
        started_ns=0,
        version="test",
    )


class Holder:
    """An indexer that only notes what it gains and loses."""

    def __init__(self, folder: Path, name: str) -> None:
        self.locks = FileLocks(folder)
        self.claims = Claims(self.locks, member(name), 2)
        self.log: list[str] = []

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
    one, other = Holder(tmp_path / "locks", "one"), Holder(tmp_path / "locks", "other")
    await one.refresh()
    await other.refresh()
    assert other.log == []
    shutil.rmtree(tmp_path / "locks")
    (tmp_path / "locks").mkdir()
    await other.refresh()
    await one.refresh()
    assert one.log == ["+0", "+1", "-0", "-1"]
    assert other.log == ["+0", "+1"]
    for holder in (one, other):
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
