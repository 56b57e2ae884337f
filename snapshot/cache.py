"""Segments on this disk: a bounded cache of what the object store holds (I4).

A file is used only after its SHA-256 was compared with its name, and it is compared again when its
inode, size or modification time has changed. Files in use are leased and never removed. Of the
others the least recently used ones are removed to make room. A damaged file is fetched again.
"""

import errno
import hashlib
import logging
import os
import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common import atomic_files
from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from common.logs import log_event
from common.metrics import damaged_objects_total, segment_fetched_bytes_total
from common.objects import ObjectStore
from snapshot.documents.locations import SegmentLocation

_IN_MEMORY_BYTES_MAX = 64 * 1024 * 1024  # most segments are far smaller
_FETCH_LOCKS_MAX = 4096  # beyond it, locks that are not held are removed
SCRATCH_PREFIX = "compare-"  # of folders beside segments in which twins' versions are compared
logger = logging.getLogger(__name__)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_path(folder: Path, object_hash: str) -> Path:
    """The path of an object's file in the cache in `folder`."""
    return folder / object_hash[:2] / f"{object_hash}.parquet"


@dataclass(frozen=True, slots=True)
class _FileState:
    """The attributes of a file when its checksum was right."""

    inode: int
    size_bytes: int
    modified_ns: int


def _file_state(path: Path) -> _FileState:
    stat = path.stat()
    return _FileState(stat.st_ino, stat.st_size, stat.st_mtime_ns)


class SegmentCache:
    """Safe to use from several threads. Methods that touch files or the store block."""

    def __init__(self, objects: ObjectStore, folder: Path, bytes_max: int) -> None:
        self._objects = objects
        self._folder = folder
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._verified: dict[str, _FileState] = {}
        self._leases: Counter[str] = Counter()
        self._remove_on_release: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        for path in folder.glob("*/*.parquet"):
            self._sizes[path.stem] = path.stat().st_size

    def _sweep(self) -> None:
        """Remove unfinished files of a process that was killed."""
        for pattern in ("*/.*.part", f"*/{atomic_files.TEMPORARY_PREFIX}*"):
            for part in self._folder.glob(pattern):
                part.unlink(missing_ok=True)
        for scratch in self._folder.glob(f"*/{SCRATCH_PREFIX}*/"):
            shutil.rmtree(scratch, ignore_errors=True)

    def path(self, object_hash: str) -> Path:
        """The path of that object's file, whether it exists or not."""
        return cached_path(self._folder, object_hash)

    def holds(self, object_hash: str) -> bool:
        """Whether a file of that name is here, verified or not."""
        with self._lock:
            return object_hash in self._sizes

    @property
    def bytes_held(self) -> int:
        """Bytes of all files here."""
        with self._lock:
            return sum(self._sizes.values())

    def lease(self, object_hashes: Iterable[str]) -> None:
        """Prevent these files from being removed until `release`."""
        with self._lock:
            self._leases.update(object_hashes)

    def release(self, object_hashes: Iterable[str]) -> None:
        """Undo one `lease` of each."""
        with self._lock:
            self._leases.subtract(object_hashes)
            self._leases += Counter()  # removes those at zero
            free = [name for name in self._remove_on_release if not self._leases[name]]
        for object_hash in free:
            self.forget(object_hash)
        self._make_room()

    def ensure(self, location: SegmentLocation) -> Path:
        """The verified file, fetched if necessary. Lease it first, or it may be removed.

        Raises ObjectMissing, DamagedObject, ObjectsUnavailable.
        """
        object_hash = location.object_hash
        path = self.path(object_hash)
        with self._one_at_a_time(object_hash):
            if not self._verify(object_hash, path):
                try:
                    self._fetch(location, path)
                except (ObjectsUnavailable, OSError) as error:
                    if not (_is_full(error) and self._drop_unused()):
                        raise
                    self._fetch(location, path)
        self._touch(object_hash, path)
        self._make_room()
        return path

    def adopt(self, object_hash: str, file: Path) -> Path:
        """Move a file that was just sealed, with a known checksum, into the cache."""
        path = self.path(object_hash)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._one_at_a_time(object_hash):
            os.replace(file, path)
            self._verified[object_hash] = _file_state(path)
        with self._lock:
            self._remove_on_release.discard(object_hash)
        self._touch(object_hash, path)
        self._make_room()
        return path

    def forget(self, object_hash: str) -> None:
        """Remove a segment that is no longer served: at once, or when its last lease ends."""
        with self._lock:
            if self._leases[object_hash]:
                self._remove_on_release.add(object_hash)
                return
            self._remove_on_release.discard(object_hash)
            self._sizes.pop(object_hash, None)
            self._verified.pop(object_hash, None)
        self.path(object_hash).unlink(missing_ok=True)

    def _one_at_a_time(self, object_hash: str) -> threading.Lock:
        with self._lock:
            if len(self._fetching) > _FETCH_LOCKS_MAX:
                self._fetching = {h: k for h, k in self._fetching.items() if k.locked()}
            return self._fetching.setdefault(object_hash, threading.Lock())

    def _verify(self, object_hash: str, path: Path) -> bool:
        """Whether the file is here and its SHA-256 is its name; a damaged file is removed."""
        try:
            state = _file_state(path)
            if self._verified.get(object_hash) == state:
                return True
            if file_sha256(path) == object_hash:
                self._verified[object_hash] = state
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            log_event(
                logger, logging.ERROR, "segment file cannot be read", path=str(path), why=error
            )
        damaged_objects_total.inc()
        log_event(
            logger, logging.ERROR, "segment file is damaged; fetching it again", path=str(path)
        )
        path.unlink(missing_ok=True)
        return False

    def _fetch(self, location: SegmentLocation, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{threading.get_ident()}.part")
        try:
            fetched_bytes = location.fetch(self._objects, part)
            segment_fetched_bytes_total.inc(fetched_bytes)
            if file_sha256(part) != location.object_hash:
                damaged_objects_total.inc()
                raise DamagedObject(f"{location}: checksum does not match")
            os.replace(part, path)
            self._verified[location.object_hash] = _file_state(path)
        finally:
            part.unlink(missing_ok=True)

    def _touch(self, object_hash: str, path: Path) -> None:
        with self._lock:
            self._sizes[object_hash] = path.stat().st_size
            self._sizes.move_to_end(object_hash)

    def _drop_unused(self) -> int:
        """On a full disk: remove the least recently used half of the files that are not leased.

        Returns how many were removed.
        """
        with self._lock:
            unused = [name for name in self._sizes if not self._leases[name]]
            dropped = unused[: (len(unused) + 1) // 2]
            for object_hash in dropped:
                del self._sizes[object_hash]
                self._verified.pop(object_hash, None)
                self.path(object_hash).unlink(missing_ok=True)
        return len(dropped)

    def _make_room(self) -> None:
        with self._lock:
            total = sum(self._sizes.values())
            if total <= self._bytes_max:
                return
            removed = []
            newest = next(reversed(self._sizes))
            for object_hash, size in self._sizes.items():
                if total <= self._bytes_max:
                    break
                if self._leases[object_hash] or object_hash == newest:
                    continue
                removed.append(object_hash)
                total -= size
            for object_hash in removed:
                del self._sizes[object_hash]
                self._verified.pop(object_hash, None)
                self.path(object_hash).unlink(missing_ok=True)


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk has caused the error."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error is not None and error.errno in (errno.ENOSPC, errno.EDQUOT)


def segment_is_whole(objects: ObjectStore, location: SegmentLocation, scratch: Path) -> bool:
    """Whether the store has exactly the bytes of that name. Blocks. Raises ObjectsUnavailable."""
    if not location.has_room(objects):
        return False
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=scratch) as name:
        file = Path(name) / "object"
        try:
            location.fetch(objects, file)
        except (DamagedObject, ObjectMissing):
            return False
        return file_sha256(file) == location.object_hash


def reupload_segment(
    objects: ObjectStore, location: SegmentLocation, folders: Iterable[Path]
) -> bool:
    """Put a segment again from an undamaged file in one of these caches' folders.

    Only reads the folders, because the indexers that own them may be running. False: no folder has
    an undamaged file.
    """
    object_hash = location.object_hash
    for folder in folders:
        path = cached_path(folder, object_hash)
        try:
            data: bytes | Path = path
            if path.stat().st_size <= _IN_MEMORY_BYTES_MAX:  # the bytes that were checked are put
                data = path.read_bytes()
                whole = hashlib.sha256(data).hexdigest() == object_hash
            else:
                whole = file_sha256(path) == object_hash
        except OSError:  # not there, or removed meanwhile to make room
            continue
        if whole:
            objects.replace(location.key, data)
            log_event(logger, logging.WARNING, "segment object put again", object=object_hash)
            return True
    return False
