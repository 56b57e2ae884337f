"""Newer documents are written only once everybody who reads them has known them for a while."""

from pathlib import Path

import msgspec
import pytest

from common import limits
from common.clock import ManualClock
from common.errors import ObjectsUnavailable, Unavailable
from common.locks import Claim
from common.locks.files import FileLocks
from common.objects.directory import DirectoryObjects
from common.process.members import Member, claim_name, encode_member
from common.process.versions import Understands
from indexer.claims import document_gate
from indexer.claims.document_gate import MembersGate, StoreTooNew
from snapshot.documents.roster import RosterBook

NEW = Understands(plan=2, documents=3)
WAIT_S = 12.0
STEP_S = 4.0


@pytest.fixture(autouse=True)
def this_program_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions that are independent of what the program has come to."""
    monkeypatch.setattr("common.process.versions.OWN", NEW)
    monkeypatch.setattr(document_gate, "OWN", NEW)


class Fleet:
    """Members in real locks, a roster in a real store, and a gate that looks at them.

    new: whether nobody has written to the store before.
    """

    def __init__(self, folder: Path, *, new: bool = False) -> None:
        self.locks = FileLocks(folder / "locks")
        self.objects = DirectoryObjects(folder / "objects")
        if not new:
            self.objects.put_if_absent("epochs/00000/00000001.json", b"{}")
        self.clock = ManualClock()
        self.gate = self.another_gate()

    def another_gate(self) -> MembersGate:
        """A gate as a process has it that has just started."""
        gate = MembersGate(self.locks, RosterBook(self.objects), self.clock, WAIT_S, "ix")
        gate.open()
        return gate

    def start(self, role: str, zone: str, understands: Understands = NEW, name: str = "") -> Claim:
        member = Member(role, f"{role}-{zone}", "", zone, 1, 1, "1", understands=understands)
        claim = self.locks.acquire(name or f"roles/{role}/{member.instance}", encode_member(member))
        assert claim is not None
        return claim

    async def later(self, seconds: float, gate: MembersGate | None = None) -> None:
        """Time goes on while the gate looks."""
        for _ in range(int(-(-seconds // STEP_S))):
            self.clock.advance_ms(STEP_S * 1000)
            await (gate or self.gate).look()


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
    assert fleet.gate.describe() == {
        "documents": 3,
        "known": 3,
        "opened": 3,
        "waits_for": [],
    }


@pytest.mark.parametrize("role", ["indexer", "query"])
async def test_one_that_knows_less_keeps_it_closed(tmp_path: Path, role: str) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    fleet.start(role, "b", Understands(plan=1, documents=2))
    await fleet.later(2 * WAIT_S)
    assert fleet.gate.allows(2)
    assert not fleet.gate.allows(3)
    assert fleet.gate.describe()["waits_for"] == [f"{role}/b/0"]


async def test_what_was_opened_is_closed_while_one_is_there_that_does_not_know_it(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)
    assert fleet.gate.allows(3)
    old = fleet.start("query", "b", Understands())
    await fleet.later(2)
    assert not fleet.gate.allows(2)
    old.release()
    await fleet.later(4)
    assert fleet.gate.describe()["opened"] == 3
    assert fleet.gate.allows(3)


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


async def test_one_that_is_away_is_remembered(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    old = fleet.start("indexer", "b", Understands())
    await fleet.later(4)
    old.release()
    await fleet.later(4 * WAIT_S)
    assert not fleet.gate.allows(2)
    gate = fleet.another_gate()
    await fleet.later(4 * WAIT_S, gate)
    assert not gate.allows(2)
    assert gate.describe()["waits_for"] == ["indexer/b/0"]
    fleet.start("indexer", "b")
    await fleet.later(2 * WAIT_S)
    assert fleet.gate.allows(2)


async def test_one_that_has_been_away_for_days_is_forgotten(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    old = fleet.start("indexer", "b", Understands())
    await fleet.later(4)
    old.release()
    fleet.clock.advance_ms(limits.MEMBER_FORGOTTEN_NS / 1e6)
    await fleet.later(2 * WAIT_S)
    assert fleet.gate.allows(3)
    assert list(fleet.gate.roster.places) == ["indexer/a/0"]


async def test_it_opens_at_once_where_nobody_has_written_before(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, new=True)
    fleet.start("indexer", "a")
    await fleet.gate.look()
    assert fleet.gate.allows(3)


async def test_it_stays_closed_in_a_new_store_where_one_knows_less(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, new=True)
    fleet.start("indexer", "a")
    fleet.start("query", "a", Understands())
    await fleet.later(2 * WAIT_S)
    assert not fleet.gate.allows(2)


async def test_what_one_opened_is_open_for_one_that_has_just_started(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)
    gate = fleet.another_gate()
    assert not gate.allows(2)  # it has not seen the members yet
    await gate.look()
    assert gate.allows(3)


async def test_two_that_write_the_roster_keep_what_each_has_seen(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    other = fleet.another_gate()
    fleet.start("indexer", "a")
    await fleet.gate.look()
    fleet.start("indexer", "b")
    await other.look()
    await other.look()
    await fleet.gate.look()
    assert list(fleet.another_gate().roster.places) == ["indexer/a/0", "indexer/b/0"]


async def test_the_roster_is_written_only_when_something_changes(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)
    number = fleet.gate.roster.number
    await fleet.later(4 * WAIT_S)
    assert fleet.gate.roster.number == number


async def test_nothing_is_opened_while_the_store_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")

    def fail(key: str, data: bytes | Path) -> bool:
        raise ObjectsUnavailable("no store")

    with monkeypatch.context() as broken:
        broken.setattr(fleet.objects, "put_if_absent", fail)
        await fleet.later(2 * WAIT_S)
        assert not fleet.gate.allows(2)
    await fleet.later(2)
    assert fleet.gate.allows(2)


async def test_a_program_older_than_what_the_store_may_have_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    await fleet.later(2 * WAIT_S)
    monkeypatch.setattr(document_gate, "OWN", Understands(plan=2, documents=2))
    with pytest.raises(StoreTooNew, match="version 3, this program knows versions up to 2"):
        fleet.another_gate()


async def test_a_departure_makes_it_wait_again(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    fleet.start("indexer", "a")
    other = fleet.start("indexer", "b")
    await fleet.later(WAIT_S - STEP_S)
    other.release()
    await fleet.later(WAIT_S)
    assert not fleet.gate.allows(2)
    await fleet.later(2 * STEP_S)
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
