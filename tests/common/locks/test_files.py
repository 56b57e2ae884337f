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
