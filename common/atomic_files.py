"""Writes files that are complete or absent, also after a power failure.

A name appears only when its content is on the disk: written to a temporary name in the same
folder, fsynced, linked (or renamed) to its name, and the folder fsynced. Keeps I1 and I4.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"  # left by a crash; the owner of the folder removes it


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file(path: Path) -> None:
    """Make the file's bytes durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Create the folder and its parents, durably; no error if it is there."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def temporary_path(folder: Path) -> Path:
    """A unique name in this folder."""
    return folder / f"{TEMPORARY_PREFIX}{os.getpid()}-{os.urandom(8).hex()}"


def write_temporary(folder: Path, data: bytes, *, durable: bool = True) -> Path:
    """A new file with these bytes. The caller links, renames or removes it.

    durable: whether the bytes are on the disk when this returns.
    """
    path = temporary_path(folder)
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def link_new(temporary: Path, target: Path) -> bool:
    """Give a finished file its name unless the name is taken, and remove the temporary name.

    After an error the temporary file is still there, for another attempt or to be removed.
    """
    try:
        os.link(temporary, target)
        linked = True
    except FileExistsError:
        linked = False
    temporary.unlink()
    sync_folder(target.parent)  # also when taken: the other process may not have synced it yet
    return linked


def put_new(target: Path, data: bytes) -> bool:
    """Write the file durably unless it exists; False if it does."""
    temporary = write_temporary(target.parent, data)
    try:
        return link_new(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def replace(target: Path, data: bytes, *, durable: bool = True) -> None:
    """Write the file, replacing an existing one.

    durable: if not, the file may be missing, empty or cut off after a power failure: only for
    content with a checksum that can be made again.
    """
    temporary = write_temporary(target.parent, data, durable=durable)
    try:
        temporary.rename(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(target.parent)


@contextmanager
def exclusive(path: Path | str) -> Iterator[int]:
    """Hold the file's lock; gives its descriptor. Waits for others; ends with the process."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)
