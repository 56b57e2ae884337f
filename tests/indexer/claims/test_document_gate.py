"""Newer documents are written only once everybody who reads them has known them for a while."""

from pathlib import Path

import msgspec
import pytest

from common import limits
from common.clock import ManualClock
from common.errors import Unavailable
from common.locks import Claim
from common.locks.files import FileLocks
from common.process.members import Member, claim_name, encode_member
from common.process.versions import Understands
from indexer.claims import document_gate
from indexer.claims.document_gate import MembersGate

NEW = Understands(plan=2, documents=3)
WAIT_S = 60.0


@pytest.fixture(autouse=True)
def this_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions that are independent of what the program has come to."""
    monkeypatch.setattr("common.process.versions.OWN", NEW)
    monkeypatch.setattr(document_gate, "OWN", NEW)


class Fleet:
    """Members in real locks, and a gate that looks at them."""

    def __init__(self, folder: Path) -> None:
        self.locks = FileLocks(folder)
        self.clock = ManualClock()
        self.gate = MembersGate(self.locks, self.clock, WAIT_S)
        self.down = False

    def start(self, role: str, zone: str, understands: Understands = NEW, name: str = "") -> Claim:
        member = Member(role, f"{role}-{zone}", "", zone, 1, 1, "1", understands=understands)
        claim = self.locks.acquire(name or f"roles/{role}/{member.instance}", encode_member(member))
        assert claim is not None
        return claim

    async def later(self, seconds: float) -> None:
        """Time goes on while the gate looks."""
        for _ in range(int(seconds / limits.MEMBERS_LOOK_S)):
            self.clock.advance_ms(limits.MEMBERS_LOOK_S * 1000)
            await self.gate.look()


async def test_it_opens_when_all_have_known_it_for_a_while(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    fleet.start("query", "a")
    assert not fleet.gate.allows(2)
    assert fleet.gate.allows(1)
    await fleet.later(WAIT_S)
    assert not fleet.gate.allows(2)
    await fleet.later(WAIT_S)
    assert fleet.gate.allows(2)
    assert fleet.gate.allows(3)
    assert not fleet.gate.allows(4)
    assert fleet.gate.describe() == {"documents": 3, "known": 3}


@pytest.mark.parametrize("role", ["indexer", "query"])
async def test_one_that_knows_less_closes_it(tmp_path: Path, role: str) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)
    assert fleet.gate.allows(3)
    old = fleet.start(role, "b", Understands(plan=1, documents=2))
    await fleet.later(2)
    assert not fleet.gate.allows(3)
    assert fleet.gate.allows(2)
    old.release()
    await fleet.later(2)
    assert not fleet.gate.allows(3)


async def test_shepherds_do_not_count(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("shepherd", "a", Understands())
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)
    assert fleet.gate.allows(3)


async def test_an_indexer_that_holds_but_is_not_announced_counts(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    fleet.start("indexer", "b", Understands(), claim_name("b", 0))
    await fleet.later(2 * WAIT_S)
    assert not fleet.gate.allows(2)


async def test_it_waits_for_one_that_restarts(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    old = fleet.start("indexer", "b", Understands())
    await fleet.later(2 * WAIT_S)
    old.release()
    await fleet.later(WAIT_S - limits.MEMBERS_LOOK_S)
    assert not fleet.gate.allows(2)
    fleet.start("indexer", "b", Understands())
    await fleet.later(2 * WAIT_S)
    assert not fleet.gate.allows(2)


async def test_a_departure_makes_it_wait_again(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    other = fleet.start("indexer", "b")
    await fleet.later(WAIT_S - 2 * limits.MEMBERS_LOOK_S)
    other.release()
    await fleet.later(WAIT_S)
    assert not fleet.gate.allows(2)
    await fleet.later(2 * limits.MEMBERS_LOOK_S)
    assert fleet.gate.allows(2)


async def test_it_is_closed_while_members_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)

    def fail(prefix: str) -> dict[str, bytes]:
        raise Unavailable("no locks")

    with monkeypatch.context() as broken:
        broken.setattr(fleet.locks, "holders", fail)
        await fleet.later(4)
        assert fleet.gate.allows(2)
        await fleet.later(limits.MEMBERS_FRESH_S)
        assert not fleet.gate.allows(2)
    await fleet.gate.look()
    assert fleet.gate.allows(2)


def test_members_are_told_apart_by_what_they_know() -> None:
    member = Member("indexer", "a", "", "a", 1, 1, "1", understands=NEW)
    assert msgspec.json.decode(encode_member(member), type=Member).understands == NEW
