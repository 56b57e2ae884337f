"""What every lock service promises."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.locks import Locks
from tests.conformance import implementations as known
from tests.conformance.processes import finish, kill, next_line, started


@pytest.fixture
def others(locks_kind: str, locks: Locks, tmp_path: Path) -> Iterator[Locks]:
    """Another client of the same lock service."""
    others = known.LOCKS[locks_kind](tmp_path)
    yield others
    others.close()


def test_name_has_one_holder_and_shows_its_value(locks: Locks, others: Locks) -> None:
    claim = locks.acquire("claims/a/00001", b"mine")
    assert claim is not None
    assert claim.held()
    assert others.acquire("claims/a/00001", b"theirs") is None
    assert locks.acquire("claims/a/00001", b"again") is None
    assert others.holders("claims/") == {"claims/a/00001": b"mine"}
    assert others.holders("roles/") == {}
    claim.update(b"changed")
    assert others.holders("claims/a/") == {"claims/a/00001": b"changed"}


def test_released_name_is_free_and_fences_grow(locks: Locks, others: Locks) -> None:
    first = locks.acquire("up", b"1")
    assert first is not None
    first.release()
    first.release()
    assert not first.held()
    assert others.holders("") == {}
    second = others.acquire("up", b"2")
    assert second is not None
    assert second.fence > first.fence
    first.release()
    assert locks.holders("") == {"up": b"2"}


def test_close_releases_every_claim_of_its_client_only(locks: Locks, others: Locks) -> None:
    assert locks.acquire("a", b"")
    assert locks.acquire("b", b"")
    assert others.acquire("c", b"")
    locks.close()
    assert others.holders("") == {"c": b""}


def test_claim_of_a_killed_process_is_free_when_its_session_ends(
    locks_kind: str, locks: Locks, tmp_path: Path
) -> None:
    with started(["claim", locks_kind, str(tmp_path), "roles/x/1"]) as [process]:
        _, fence = next_line(process)
        assert locks.acquire("roles/x/1", b"mine") is None
        assert locks.holders("roles/") == {"roles/x/1": b"value of a process"}
        kill(process)
        deadline_s = time.monotonic() + known.LOCK_SESSIONS_S[locks_kind]
        while locks.holders("roles/") and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert locks.holders("roles/") == {}
        claim = locks.acquire("roles/x/1", b"mine")
    assert claim is not None
    assert claim.fence > int(fence)


async def test_looking_never_makes_an_acquire_fail(locks: Locks, others: Locks) -> None:
    done = asyncio.Event()

    def read_holders() -> None:
        while not done.is_set():
            others.holders("")

    reading = asyncio.create_task(asyncio.to_thread(read_holders))
    for _ in range(50):
        claim = await asyncio.to_thread(locks.acquire, "watched", b"x")
        assert claim is not None
        await asyncio.to_thread(claim.release)
    done.set()
    await reading


def test_racing_processes_hold_one_after_the_other(
    locks_kind: str, locks: Locks, tmp_path: Path
) -> None:
    with started(*([["race_claims", locks_kind, str(tmp_path), "40"]] * 3)) as processes:
        lines = [line for p in processes for line in finish(p) if line != ["ready"]]
    assert all(only_holder == "True" for _, only_holder in lines)
    assert len({fence for fence, _ in lines}) == 120


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 201])
def test_what_is_not_a_name_is_refused(locks: Locks, name: str) -> None:
    with pytest.raises(ValueError, match="not a lock name"):
        locks.acquire(name, b"")
