"""Disk space that is reserved for the roles themselves, so that a full disk stops only ingest.

`reserve` is a file of known size in the data folder. While it is whole, events are taken as long as
the disk has space. When the disk is nearly full `up` empties it: roles can then start, respond and
write the little that they need. While the file exists and is empty, the log takes no records, so
that events cannot use up that space; once the disk has space again the file is filled, and events
are taken. Reasons: docs/adr/0020-room-for-the-roles.md.
"""

import errno
import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from common import atomic_files, limits

_FULL = (errno.ENOSPC, errno.EDQUOT)
Disk = Callable[[Path], os.statvfs_result]


class Reserve:
    """The file at `path`. Any process may read its state; only the supervisor calls `adjust`."""

    def __init__(
        self, path: Path, size_bytes: int = limits.RESERVE_BYTES, disk: Disk = os.statvfs
    ) -> None:
        self._path = path
        self._name = str(path)
        self._size_bytes = size_bytes
        self._disk = disk

    def refusal(self) -> str | None:
        """The reason why the log takes no records now; None if it does. Usually one system call."""
        try:
            if os.stat(self._name).st_size:
                return None
        except OSError:  # never made, or removed by an operator who needed the space
            return None
        return self._text(self._disk(self._path.parent))

    def trouble(self) -> str | None:
        """As `refusal`, and every other reason why the folder cannot be written; for operators and
        alarms, which can wait longer than a commit.
        """
        folder = self._path.parent
        if not folder.is_dir():
            return f"{folder} is not there: is its disk mounted?"
        disk = self._disk(folder)
        if disk.f_flag & os.ST_RDONLY:
            return f"the file system of {folder} is mounted read-only: look at the disk, remount it"
        if disk.f_files and not disk.f_favail:
            return f"no more files fit on the disk of {folder} (inodes): remove what nobody needs"
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return f"{folder} is not ours to write: chown -R {os.getuid()} {folder}"
        return self.refusal()

    def _text(self, disk: os.statvfs_result) -> str:
        wanted = self.target_bytes(disk) + 2 * self._low(disk)
        free = _free(disk)
        return (
            f"the disk of {self._path.parent} is full ({free / 1e6:.1f} MB free): events are taken "
            f"again by itself when {wanted / 1e6:.0f} MB are"
        )

    def target_bytes(self, disk: os.statvfs_result) -> int:
        """The size that the file should have on this disk."""
        if not self._size_bytes:
            return 0
        share = disk.f_blocks * disk.f_frsize // limits.RESERVE_OF_DISK
        return min(self._size_bytes, max(limits.RESERVE_BYTES_MIN, share))

    def _low(self, disk: os.statvfs_result) -> int:
        return self.target_bytes(disk) // 8

    def adjust(self) -> str | None:
        """Empty the file when the disk is nearly full, fill it when there is enough space.

        Returns why no records are taken, as `refusal` does. Raises OSError if the file cannot be
        written for another reason than a full disk.
        """
        disk = self._disk(self._path.parent)
        free, low, target = _free(disk), self._low(disk), self.target_bytes(disk)
        held = self._path.stat().st_size if self._path.exists() else 0
        if held and free < low:
            self._resize(0)
        elif held < target and free + held >= target + 2 * low:
            try:
                self._resize(target)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._resize(0)
        elif target and not self._path.exists():
            self._resize(0)
        return self.refusal()

    def _resize(self, size: int) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if size:
                os.posix_fallocate(fd, 0, size)
            else:
                os.ftruncate(fd, 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        atomic_files.sync_folder(self._path.parent)


def _free(disk: os.statvfs_result) -> int:
    return disk.f_bavail * disk.f_frsize


def drop_caches(data: Path, disk: Disk = os.statvfs) -> int:
    """Remove cached segments, the oldest first, until the roles have room; returns how many.

    Only while no role runs: they are fetched again when they are needed.
    """
    found = (data.glob(f"roles/*/segments/*/*.{kind}") for kind in ("parquet", "pack"))
    files = sorted(chain.from_iterable(found), key=lambda path: path.stat().st_mtime)
    removed = 0
    for path in files:
        if _free(disk(data)) >= limits.RESERVE_BYTES_MIN:
            break
        try:
            path.unlink(missing_ok=True)
        except OSError:  # the folder cannot be written: remove nothing
            break
        removed += 1
    return removed
