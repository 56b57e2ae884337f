"""Which roles run: as of now, or as last known while the locks do not answer."""

import time
from pathlib import Path

from common.clock import SystemClock
from common.errors import Unavailable
from common.locks.files import FileLocks
from common.process.members import Member, encode_member
from query.scatter.replicas import Replicas


class BrokenLocks(FileLocks):
    """File locks that can be made to fail, or to hang."""

    error: Unavailable | None = None
    hangs_s = 0.0

    def holders(self, prefix: str) -> dict[str, bytes]:
        time.sleep(self.hangs_s)
        if self.error is not None:
            raise self.error
        return super().holders(prefix)


def member(role: str) -> Member:
    return Member(role, f"{role}-1", "http://127.0.0.1:1", "a", 1, 1, "1")


async def test_roles_are_the_last_known_ones_while_the_locks_are_gone(tmp_path: Path) -> None:
    locks = BrokenLocks(tmp_path)
    for role in ("shepherd", "indexer", "query"):
        assert locks.acquire(f"roles/{role}/{role}-1", encode_member(member(role)))
    replicas = Replicas(locks, SystemClock(), "a")
    now = await replicas.known_roles()
    assert [m.role for m in now.members] == ["shepherd", "indexer", "query"]
    assert (now.age_s, now.error) == (0.0, "")
    locks.error = Unavailable("ZooKeeper cannot be reached")
    later = await replicas.known_roles()
    assert later.members == now.members
    assert later.age_s is not None
    assert later.age_s > 0
    assert later.error == "ZooKeeper cannot be reached"
    locks.error = None
    assert (await replicas.known_roles()).error == ""
    locks.close()


async def test_roles_that_were_never_known_have_no_age(tmp_path: Path) -> None:
    locks = BrokenLocks(tmp_path)
    locks.error = Unavailable("ZooKeeper cannot be reached")
    known = await Replicas(locks, SystemClock(), "a").known_roles()
    assert (known.members, known.age_s) == ([], None)
    assert known.error == "ZooKeeper cannot be reached"


async def test_locks_that_hang_are_not_waited_for(tmp_path: Path) -> None:
    locks = BrokenLocks(tmp_path)
    replicas = Replicas(locks, SystemClock(), "a", roles_wait_s=0.05)
    locks.hangs_s = 0.3
    known = await replicas.known_roles()
    assert known.age_s is None
    assert "no answer within 0.05 s" in known.error
