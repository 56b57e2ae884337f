"""The object store as a directory: each key is a file, which is complete or does not exist (I4).

New bytes are written to `.staging`, fsynced, and only then linked to their key, so a crash leaves
at most an unfinished file in `.staging`, which is removed when it is old. A key cannot be below
another key (`a` and `a/b`): that raises ValueError.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from common import atomic_files
from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from common.objects.interface import ObjectInfo, check_range

_STAGING = ".staging"
_KEY = re.compile(r"[A-Za-z0-9._/-]{1,1024}")
_PREFIX = re.compile(r"[A-Za-z0-9._/-]{0,1024}")
_NAME_CHARS_MAX = 255
_SWEEP_AGE_S = 3600  # no put takes this long; a younger file may be of a put that still runs
_COPY_BYTES = 1024 * 1024
_MISSING = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_NESTED = (NotADirectoryError, IsADirectoryError, FileExistsError)


class DirectoryObjects:
    """The store in `folder`, created on first use. Any number of threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._root = folder
        self._staging = folder / _STAGING
        self._prepared: set[Path] = {folder}
        try:
            atomic_files.make_folder(self._staging)
            self._sweep()
        except OSError as error:
            raise _unavailable(error, folder) from error

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Store durably; False, and nothing done, if the key exists."""
        target = self._path(key)
        try:
            if target.is_file():
                # the process that put it may not have synced its folder yet
                atomic_files.sync_folder(target.parent)
                return False
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder of objects", str(target))
            staged = self._stage(data)
            return self._install(staged, target, atomic_files.link_new)
        except _NESTED as error:
            raise ValueError(f"key {key!r} lies above or below another key") from error
        except OSError as error:
            raise _unavailable(error, self._root) from error

    def replace(self, key: str, data: bytes | Path) -> None:
        """Store durably, whatever is there."""
        target = self._path(key)
        try:
            staged = self._stage(data)
            self._install(staged, target, _rename)
        except _NESTED as error:
            raise ValueError(f"key {key!r} lies above or below another key") from error
        except OSError as error:
            raise _unavailable(error, self._root) from error

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises ObjectMissing."""
        try:
            return self._path(key).read_bytes()
        except _MISSING as error:
            raise self._missing(key) from error
        except OSError as error:
            raise _unavailable(error, self._root) from error

    def fetch(self, key: str, target: Path) -> int:
        """Copy the object to `target`, all or nothing; returns its size. Raises ObjectMissing."""
        source = self._path(key)
        temporary = atomic_files.temporary_path(target.parent)
        try:
            if not source.is_file():
                raise self._missing(key)
            _copy(source, temporary)
            size = temporary.stat().st_size
            _rename(temporary, target)
            return size
        except OSError as error:
            if not source.is_file():  # it was deleted meanwhile
                raise self._missing(key) from error
            raise _unavailable(error, target.parent) from error
        finally:
            temporary.unlink(missing_ok=True)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        """Copy a part of the object. Raises ObjectMissing, DamagedObject if it ends before."""
        check_range(key, offset, length)
        source = self._path(key)
        temporary = atomic_files.temporary_path(target.parent)
        try:
            if not source.is_file():
                raise self._missing(key)
            if source.stat().st_size < offset + length:
                raise DamagedObject(f"{key} ends before byte {offset + length}")
            _copy(source, temporary, offset, length)
            _rename(temporary, target)
        except OSError as error:
            if not source.is_file():  # it was deleted meanwhile
                raise self._missing(key) from error
            raise _unavailable(error, target.parent) from error
        finally:
            temporary.unlink(missing_ok=True)

    def head(self, key: str) -> ObjectInfo | None:
        """Size and time, or None if there is no such object."""
        path = self._path(key)
        try:
            if not path.is_file():
                self._check_root()
                return None
            found = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable(error, self._root) from error
        return ObjectInfo(key, found.st_size, found.st_mtime_ns)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` and sorts after `after`, in key order.

        Folders are read one at a time, as the iteration reaches them.
        """
        if not _PREFIX.fullmatch(prefix) or ".." in prefix.split("/"):
            raise ValueError(f"not a key prefix: {prefix[:80]!r}")
        top = prefix.rpartition("/")[0]
        return self._walk(f"{top}/" if top else "", prefix, after)

    def delete(self, key: str) -> None:
        """Remove the object; no error if it is not there. Its folder stays."""
        path = self._path(key)
        try:
            path.unlink()
            atomic_files.sync_folder(path.parent)
        except _MISSING:
            self._check_root()
        except OSError as error:
            raise _unavailable(error, self._root) from error

    def _path(self, key: str) -> Path:
        """The key's file. Raises ValueError for what is not a key."""
        parts = key.split("/")
        if not _KEY.fullmatch(key) or any(
            not part or part.startswith(".") or len(part) > _NAME_CHARS_MAX for part in parts
        ):
            raise ValueError(f"not an object key: {key[:80]!r}")
        return self._root.joinpath(*parts)

    def _stage(self, data: bytes | Path) -> Path:
        if isinstance(data, bytes):
            return atomic_files.write_temporary(self._staging, data)
        staged = atomic_files.temporary_path(self._staging)
        _copy(data, staged)
        return staged

    def _install(self, staged: Path, target: Path, install: Callable[[Path, Path], bool]) -> bool:
        try:
            self._prepare(target.parent)
            return install(staged, target)
        finally:
            staged.unlink(missing_ok=True)

    def _prepare(self, folder: Path) -> None:
        """Make the folder durable, even if another process has just created it."""
        if folder in self._prepared:
            return
        self._prepare(folder.parent)  # ends at the root, which is prepared
        folder.mkdir(exist_ok=True)
        atomic_files.sync_folder(folder.parent)
        self._prepared.add(folder)  # folders are never removed

    def _walk(self, folder: str, prefix: str, after: str) -> Iterator[ObjectInfo]:
        for key, is_folder in self._entries(folder):
            if is_folder:
                wanted = key.startswith(prefix) or prefix.startswith(key)
                if wanted and (key > after or after.startswith(key)):
                    yield from self._walk(key, prefix, after)
            elif key.startswith(prefix) and key > after and (info := self.head(key)):
                yield info

    def _entries(self, folder: str) -> tuple[tuple[str, bool], ...]:
        """The entries of a folder, in key order; names of folders end with a slash."""
        try:
            with os.scandir(self._root / folder) as entries:
                found = [(entry.name, entry.is_dir()) for entry in entries]
        except _MISSING:
            self._check_root()
            return ()
        except OSError as error:
            raise _unavailable(error, self._root) from error
        named = ((f"{folder}{n}{'/' if d else ''}", d) for n, d in found if not n.startswith("."))
        return tuple(sorted(named))

    def _missing(self, key: str) -> ObjectMissing:
        self._check_root()
        return ObjectMissing(f"no object {key}")

    def _check_root(self) -> None:
        """Raise ObjectsUnavailable if the root is missing: that is not an empty store."""
        if not self._root.is_dir():
            raise ObjectsUnavailable(f"object folder {self._root} is not there: is it mounted?")

    def _sweep(self) -> None:
        """Remove unfinished files that are old by the file system's clock."""
        left = list(self._staging.iterdir())
        if not left:
            return
        probe = atomic_files.write_temporary(self._staging, b"")
        now_s = probe.stat().st_mtime
        probe.unlink()
        for path in left:
            try:
                if now_s - path.stat().st_mtime > _SWEEP_AGE_S:
                    path.unlink()
            except FileNotFoundError:  # finished, or swept by another process
                continue


def _rename(staged: Path, target: Path) -> bool:
    staged.rename(target)
    atomic_files.sync_folder(target.parent)
    return True


def _copy(source: Path, target: Path, offset: int = 0, length: int | None = None) -> None:
    """Copy the bytes and make them durable; if that fails, the target is removed.

    length: exactly so many from `offset` on; None: all from there.
    """
    try:
        with source.open("rb") as read, target.open("xb") as write:
            read.seek(offset)
            if length is None:
                shutil.copyfileobj(read, write, _COPY_BYTES)
            else:
                _copy_exactly(read, write, length)
            write.flush()
            os.fsync(write.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _copy_exactly(read: BinaryIO, write: BinaryIO, length: int) -> None:
    while length:
        block = read.read(min(length, _COPY_BYTES))
        if not block:
            raise OSError(errno.EIO, "the file became shorter while it was read")
        write.write(block)
        length -= len(block)


def _unavailable(error: OSError, folder: Path) -> ObjectsUnavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ObjectsUnavailable(f"no space left for objects at {folder}: free or add disk space")
    return ObjectsUnavailable(f"objects at {folder}: {error}", retry_after_s=5)
