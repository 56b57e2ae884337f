"""Segments and packs on this disk: a bounded cache of what the object store holds (I4).

A segment that lies in a pack is taken out of it when it is needed; the pack is fetched only if all
of it is wanted. A file is used only after its SHA-256 was compared with its name, and it is
compared again when its inode, size or modification time has changed. Files in use are leased and
never removed. Of the others the least recently used ones are removed to make room. A damaged file
is fetched again.
"""

import errno
import hashlib
import logging
import os
import shutil
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common import atomic_files
from common.errors import DamagedObject, ObjectsUnavailable
from common.logs import log_event
from common.metrics import damaged_objects_total, segment_fetched_bytes_total
from common.objects import ObjectStore
from snapshot.documents.locations import SegmentLocation, pack_key

_FETCH_LOCKS_MAX = 4096  # beyond it, locks that are not held are removed
_PACKS = "packs"  # the folder of packs, beside those of segments
SCRATCH_PREFIX = "compare-"  # of folders beside segments in which twins' versions are compared
logger = logging.getLogger(__name__)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_path(folder: Path, object_hash: str) -> Path:
    """The path of an object's file in the cache in `folder`."""
    return folder / object_hash[:2] / f"{object_hash}.parquet"


def cached_pack(folder: Path, pack: str) -> Path:
    """The path of a pack's file in the cache in `folder`."""
    return folder / _PACKS / f"{pack}.pack"


def read_packed(folder: Path, location: SegmentLocation) -> bytes | None:
    """The bytes of a segment from its pack in the cache in `folder`; None if it is not whole there.

    Raises OSError if the file cannot be read.
    """
    if not location.pack:
        return None
    try:
        with cached_pack(folder, location.pack).open("rb") as file:
            file.seek(location.pack_offset)
            data = file.read(location.size_bytes)
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == location.object_hash else None


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
        self._packs: set[str] = set()  # those of the names that are packs
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        for path in folder.glob("*/*.parquet"):
            self._sizes[path.stem] = path.stat().st_size
        for path in folder.glob(f"{_PACKS}/*.pack"):
            self._sizes[path.stem] = path.stat().st_size
            self._packs.add(path.stem)
        self._bytes = sum(self._sizes.values())

    def _sweep(self) -> None:
        """Remove unfinished files of a process that was killed."""
        for pattern in ("*/.*.part", f"*/{atomic_files.TEMPORARY_PREFIX}*"):
            for part in self._folder.glob(pattern):
                part.unlink(missing_ok=True)
        for scratch in self._folder.glob(f"*/{SCRATCH_PREFIX}*/"):
            shutil.rmtree(scratch, ignore_errors=True)

    def path(self, object_hash: str) -> Path:
        """The path of that segment's file, whether it exists or not."""
        return cached_path(self._folder, object_hash)

    def object_path(self, location: SegmentLocation) -> Path:
        """The path of the object that holds the segment, whether it exists or not."""
        return self._path_of(location.object_name, is_pack=bool(location.pack))

    def _path_of(self, name: str, *, is_pack: bool) -> Path:
        return cached_pack(self._folder, name) if is_pack else cached_path(self._folder, name)

    def holds(self, location: SegmentLocation) -> bool:
        """Whether the segment's file or its pack is here, verified or not."""
        with self._lock:
            return location.object_hash in self._sizes or location.pack in self._sizes

    @property
    def bytes_held(self) -> int:
        """Bytes of all files here."""
        with self._lock:
            return self._bytes

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
                    self._bring(location, path)
                except (ObjectsUnavailable, OSError) as error:
                    if not (_is_full(error) and self._drop_unused()):
                        raise
                    self._bring(location, path)
        self._touch(object_hash, path)
        self._make_room()
        return path

    def local(self, location: SegmentLocation) -> Path | None:
        """As `ensure`, but only from what is on this disk; None if it is not here whole."""
        path = self.path(location.object_hash)
        with self._one_at_a_time(location.object_hash):
            if not (self._verify(location.object_hash, path) or self._take_out(location, path)):
                return None
        self._touch(location.object_hash, path)
        return path

    def packed(self, location: SegmentLocation) -> bytes | None:
        """The bytes of a segment from its pack on this disk; None: it is not whole there.

        Raises OSError.
        """
        return read_packed(self._folder, location)

    def local_object(self, location: SegmentLocation) -> Path | None:
        """The object that holds the segment, its pack or its own; None: it is not here whole."""
        path, name = self.object_path(location), location.object_name
        with self._one_at_a_time(name):
            return path if self._verify(name, path) else None

    def ensure_pack(self, location: SegmentLocation) -> Path:
        """The whole pack that holds the segment, fetched if it is not here.

        Raises ObjectMissing, DamagedObject, ObjectsUnavailable.
        """
        path = self.object_path(location)
        with self._one_at_a_time(location.pack):
            if not self._verify(location.pack, path):
                fetch = partial(self._objects.fetch, pack_key(location.pack))
                self._fetch(location.pack, path, fetch)
        self._touch(location.pack, path, is_pack=True)
        self._make_room()
        return path

    def adopt(self, object_hash: str, file: Path, *, is_pack: bool = False) -> Path:
        """Move a file that was just sealed, with a known checksum, into the cache."""
        path = self._path_of(object_hash, is_pack=is_pack)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._one_at_a_time(object_hash):
            os.replace(file, path)
            self._verified[object_hash] = _file_state(path)
        with self._lock:
            self._remove_on_release.discard(object_hash)
        self._touch(object_hash, path, is_pack=is_pack)
        self._make_room()
        return path

    def forget(self, object_hash: str) -> None:
        """Remove a segment or pack that is no longer served: now, or when its last lease ends."""
        with self._lock:
            if self._leases[object_hash]:
                self._remove_on_release.add(object_hash)
                return
            self._remove_on_release.discard(object_hash)
            self._drop(object_hash)

    def forget_all(self, names: Iterable[str]) -> None:
        """As `forget`, for each of them."""
        for name in names:
            self.forget(name)

    def _drop(self, name: str) -> None:
        """Remove a file. The caller holds the lock."""
        self._bytes -= self._sizes.pop(name, 0)
        self._verified.pop(name, None)
        self._path_of(name, is_pack=name in self._packs).unlink(missing_ok=True)
        self._packs.discard(name)

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

    def _bring(self, location: SegmentLocation, path: Path) -> None:
        if not self._take_out(location, path):
            self._fetch(location.object_hash, path, partial(location.fetch, self._objects))

    def _take_out(self, location: SegmentLocation, path: Path) -> bool:
        """Write the segment's file from its pack, if that is here and whole. Raises OSError."""
        data = read_packed(self._folder, location)
        if data is None:
            if location.pack and self._holds_pack(location.pack):
                damaged_objects_total.inc()
                pack = self.object_path(location)
                log_event(logger, logging.ERROR, "a cached pack is damaged or gone", path=str(pack))
                self.forget(location.pack)
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{threading.get_ident()}.part")
        try:
            part.write_bytes(data)
            os.replace(part, path)
            self._verified[location.object_hash] = _file_state(path)
        finally:
            part.unlink(missing_ok=True)
        with self._lock:
            if location.pack in self._sizes:
                self._sizes.move_to_end(location.pack)
        return True

    def _holds_pack(self, pack: str) -> bool:
        with self._lock:
            return pack in self._sizes

    def _fetch(self, name: str, path: Path, fetch: Callable[[Path], int]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{threading.get_ident()}.part")
        try:
            fetched_bytes = fetch(part)
            segment_fetched_bytes_total.inc(fetched_bytes)
            if file_sha256(part) != name:
                damaged_objects_total.inc()
                raise DamagedObject(f"segment or pack {name}: checksum does not match")
            os.replace(part, path)
            self._verified[name] = _file_state(path)
        finally:
            part.unlink(missing_ok=True)

    def _touch(self, name: str, path: Path, *, is_pack: bool = False) -> None:
        with self._lock:
            state = self._verified.get(name)
            size_bytes = path.stat().st_size if state is None else state.size_bytes
            self._bytes += size_bytes - self._sizes.get(name, 0)
            self._sizes[name] = size_bytes
            self._sizes.move_to_end(name)
            if is_pack:
                self._packs.add(name)

    def _drop_unused(self) -> int:
        """On a full disk: remove the least recently used half of the files that are not leased.

        Returns how many were removed.
        """
        with self._lock:
            unused = [name for name in self._sizes if not self._leases[name]]
            dropped = unused[: (len(unused) + 1) // 2]
            for name in dropped:
                self._drop(name)
        return len(dropped)

    def _make_room(self) -> None:
        with self._lock:
            total = self._bytes
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
            for name in removed:
                self._drop(name)


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk has caused the error."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error is not None and error.errno in (errno.ENOSPC, errno.EDQUOT)
