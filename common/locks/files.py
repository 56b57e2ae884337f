"""Locks as files: a claim is a file lock, so it is held exactly as long as its process lives.

For each held name there is `<name>.lock` (locked by its holder) and `<name>.value` (what the holder
publishes, replaced by renaming). Acquiring, releasing and reading happen under the lock of the
folder's guard file, so reading never makes another claim fail. The guard has the last fence.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

from common import atomic_files
from common.errors import Unavailable

_NAME = re.compile(r"[A-Za-z0-9._/-]{1,200}")
_GUARD = ".guard"
_GUARD_STEP_S = 0.002
GUARD_ATTEMPTS = 2500  # 5 s; its holders need milliseconds, unless their process is stopped
_LOCK, _VALUE = ".lock", ".value"
_quoted = lru_cache(65_536)(quote)  # each look has to do with the same names
_unquoted = lru_cache(65_536)(unquote)


class FileClaim:
    """A claim that is held. Threads may share it.

    value: what it publishes.
    """

    def __init__(self, locks: "FileLocks", name: str, fence: int, fd: int, value: bytes) -> None:
        self.name = name
        self.fence = fence
        self.value = value
        self._locks = locks
        self._fd = fd
        self._file = str(locks.path(name, _LOCK))

    def update(self, value: bytes) -> None:
        """Change the published value. Raises Unavailable, also if the claim was released."""
        with self._locks.guarded():
            if not self.held():
                raise Unavailable(f"the claim {self.name} is no longer held")
            self._locks.publish(self.name, value)
            self.value = value

    def held(self) -> bool:
        """Whether the lock is ours and its file is still the one in the folder."""
        if self._fd < 0:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self._file))
        except OSError:
            return False

    def release(self) -> None:
        """Release the claim and remove its files. Releasing twice is harmless."""
        try:
            with self._locks.guarded():
                if self.held():
                    self._locks.remove(self.name)
        finally:
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)
            self._locks.forget(self)


class FileLocks:
    """Locks among the processes that share `folder` (on one machine).

    guard_attempts: to lock the guard file, every `_GUARD_STEP_S`.
    """

    def __init__(self, folder: Path, guard_attempts: int = GUARD_ATTEMPTS) -> None:
        self._folder = folder
        self._guard_attempts = guard_attempts
        self._claims: set[FileClaim] = set()
        self._newest: dict[str, FileClaim] = {}  # of these, by name
        try:
            atomic_files.make_folder(folder)
        except OSError as error:
            raise Unavailable(f"locks at {folder}: {error}") from error
        with self.guarded():
            self._sweep()

    def acquire(self, name: str, value: bytes) -> FileClaim | None:
        """Claim the name and publish `value`; None if another holder has it."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a lock name: {name[:80]!r}")
        with self.guarded() as guard:
            fd = os.open(self.path(name, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                return None
            try:
                fence = _next_fence(guard)
                self.publish(name, value)
            except BaseException:
                os.close(fd)
                raise
        claim = FileClaim(self, name, fence, fd, value)
        self._claims.add(claim)
        self._newest[name] = claim
        return claim

    def holders(self, prefix: str) -> dict[str, bytes]:
        """Names under the prefix that are held now, and the values their holders published."""
        with self.guarded():
            names = [name for name in self._names() if name.startswith(prefix)]
            found = {name: self._value(name) for name in names}
            return {name: value for name, value in found.items() if value is not None}

    def _value(self, name: str) -> bytes | None:
        """What the name's holder publishes; None if nobody holds it."""
        own = self._newest.get(name)
        if own is not None and own.held():
            return own.value
        return self.path(name, _VALUE).read_bytes() if self._is_locked(name) else None

    def close(self) -> None:
        """Release every claim that was acquired through this object."""
        for claim in list(self._claims):
            claim.release()

    @contextmanager
    def guarded(self) -> Iterator[int]:
        """Hold the folder's guard; yields its descriptor. Raises Unavailable, also for OSError."""
        try:
            fd = os.open(self._folder / _GUARD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                _lock_guard(fd, self._folder, self._guard_attempts)
                yield fd
            finally:
                os.close(fd)
        except OSError as error:
            raise Unavailable(f"locks at {self._folder}: {error}") from error

    def path(self, name: str, suffix: str) -> Path:
        """The path of a name's file."""
        return self._folder / f"{_quoted(name, safe='')}{suffix}"

    def publish(self, name: str, value: bytes) -> None:
        """Replace the value; a reader sees the whole old or the whole new one."""
        temporary = atomic_files.temporary_path(self._folder)
        try:
            temporary.write_bytes(value)  # not fsynced: a claim does not outlive its machine
            temporary.rename(self.path(name, _VALUE))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Remove a name's files. The caller must hold the guard and the lock."""
        for suffix in (_VALUE, _LOCK):
            self.path(name, suffix).unlink(missing_ok=True)

    def forget(self, claim: FileClaim) -> None:
        """Remove a released claim from the list of claims."""
        self._claims.discard(claim)
        if self._newest.get(claim.name) is claim:
            del self._newest[claim.name]

    def _names(self) -> list[str]:
        files = os.listdir(self._folder)
        return [_unquoted(f.removesuffix(_LOCK)) for f in files if f.endswith(_LOCK)]

    def _is_locked(self, name: str) -> bool:
        """Try to lock the file for a moment; with the guard held, this disturbs no process."""
        try:
            fd = os.open(self.path(name, _LOCK), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def _sweep(self) -> None:
        """Remove files of killed processes. The caller must hold the guard."""
        for name in self._names():
            if not self._is_locked(name):
                self.remove(name)
        for file in os.listdir(self._folder):
            if file.startswith(atomic_files.TEMPORARY_PREFIX):
                (self._folder / file).unlink(missing_ok=True)


def _lock_guard(fd: int, folder: Path, attempts: int) -> None:
    """Lock the guard within its time limit. Raises Unavailable."""
    for _ in range(attempts):
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_GUARD_STEP_S)
    raise Unavailable(f"locks at {folder} are kept busy: is one of our processes stopped?")


def _next_fence(guard: int) -> int:
    """The next fence, stored durably before it is used."""
    fence = int.from_bytes(os.pread(guard, 8, 0), "little") + 1
    os.pwrite(guard, fence.to_bytes(8, "little"), 0)
    os.fsync(guard)
    return fence
