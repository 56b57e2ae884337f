"""The lock folder's own promises: leftovers are swept, fences outlive everything."""

import fcntl
import os
from pathlib import Path

import pytest

from common.errors import Unavailable
from common.locks.files import FileLocks


def test_fences_grow_over_restarts(tmp_path: Path) -> None:
    fences = []
    for _ in range(3):
        locks = FileLocks(tmp_path)
        claim = locks.acquire("up", b"")
        assert claim is not None
        fences.append(claim.fence)
        locks.close()
    assert fences == sorted(set(fences))


def test_leftovers_of_killed_processes_are_swept_and_held_names_are_not(tmp_path: Path) -> None:
    held = FileLocks(tmp_path)
    claim = held.acquire("roles/x/alive", b"alive")
    assert claim is not None
    for name in ("roles%2Fx%2Fdead.lock", "roles%2Fx%2Fdead.value", ".tmp-1-ab"):
        (tmp_path / name).write_bytes(b"dead")
    assert held.holders("") == {"roles/x/alive": b"alive"}
    FileLocks(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".guard", "roles%2Fx%2Falive.lock", "roles%2Fx%2Falive.value"}
    assert claim.held()
    held.close()


def test_claim_whose_file_was_removed_is_no_longer_held(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    claim = locks.acquire("up", b"")
    assert claim is not None
    (tmp_path / "up.lock").unlink()
    assert not claim.held()
    with pytest.raises(Unavailable):
        claim.update(b"x")
    claim.release()


def test_guard_that_a_stopped_process_holds_is_unavailable(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path, guard_attempts=3)
    fd = os.open(tmp_path / ".guard", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(Unavailable):
        locks.holders("")
    os.close(fd)
    assert locks.holders("") == {}


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        FileLocks(tmp_path / "file" / "locks")


def test_looking_opens_no_file_of_a_name_that_is_held_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An indexer with many partitions looks every second."""
    here, other = FileLocks(tmp_path), FileLocks(tmp_path)
    own = [here.acquire(f"claims/{number}", b"own") for number in range(32)]
    theirs = other.acquire("claims/other", b"theirs")
    assert theirs is not None
    real, locked = fcntl.flock, list[int]()

    def flock(fd: int, how: int) -> None:
        locked.append(fd)
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    found = here.holders("claims/")
    assert len(locked) == 2, "the guard, and the name that another holds"
    assert found == {f"claims/{number}": b"own" for number in range(32)} | {
        "claims/other": b"theirs"
    }
    first, second = own[:2]
    assert first is not None
    assert second is not None
    first.update(b"changed")
    second.release()
    theirs.update(b"theirs, changed")
    (tmp_path / "claims%2F2.lock").unlink()
    found = here.holders("claims/")
    assert found["claims/0"] == b"changed"
    assert found["claims/other"] == b"theirs, changed"
    assert not found.keys() & {"claims/1", "claims/2"}
    for locks in (here, other):
        locks.close()


def test_name_that_is_claimed_again_is_found_after_the_lost_claim_is_released(
    tmp_path: Path,
) -> None:
    locks = FileLocks(tmp_path)
    lost = locks.acquire("up", b"before")
    (tmp_path / "up.lock").unlink()
    again = locks.acquire("up", b"again")
    assert lost is not None
    assert again is not None
    lost.release()
    assert locks.holders("") == {"up": b"again"}
    locks.close()
