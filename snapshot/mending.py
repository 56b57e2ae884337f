"""Whether segments are whole in the object store, and putting those again that are not (I4).

A segment is compared with its own hash wherever it lies. So a damaged pack is put again with as
many of its segments as there are copies of: each that is right is served.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.objects import ObjectStore
from snapshot.cache import SCRATCH_PREFIX, cached_path, file_sha256, read_packed
from snapshot.documents.locations import SegmentLocation

_IN_MEMORY_BYTES_MAX = 64 * 1024 * 1024  # most segments are far smaller
Copies = Callable[[SegmentLocation], bytes | None]  # the bytes of a packed segment, if there
logger = logging.getLogger(__name__)


def segment_is_whole(objects: ObjectStore, location: SegmentLocation, scratch: Path) -> bool:
    """Whether the store has exactly the bytes of that name. Blocks. Raises ObjectsUnavailable."""
    if not location.has_room(objects):
        return False
    with _scratch_folder(scratch) as name:
        file = Path(name) / "object"
        try:
            location.fetch(objects, file)
        except (DamagedObject, ObjectMissing):
            return False
        return file_sha256(file) == location.object_hash


def object_is_whole(objects: ObjectStore, location: SegmentLocation, scratch: Path) -> bool:
    """Whether the object that holds the segment is as its name says. Raises ObjectsUnavailable."""
    with _scratch_folder(scratch) as name:
        file = Path(name) / "object"
        try:
            objects.fetch(location.key, file)
        except (DamagedObject, ObjectMissing):
            return False
        return file_sha256(file) == location.object_name


def damaged_in_pack(
    objects: ObjectStore, members: Sequence[SegmentLocation], scratch: Path
) -> list[SegmentLocation]:
    """Those of the segments, all of one pack, that are not whole in it: the pack is read once.

    Raises ObjectsUnavailable.
    """
    with _scratch_folder(scratch) as name:
        file = Path(name) / "pack"
        try:
            objects.fetch(members[0].key, file)
        except (DamagedObject, ObjectMissing):
            return list(members)
        with file.open("rb") as pack:
            return [one for one in members if not _is_at(pack, one)]


def all_whole(objects: ObjectStore, locations: Iterable[SegmentLocation], scratch: Path) -> bool:
    """Whether all these segments are whole in the store; each object is read once.

    Raises ObjectsUnavailable.
    """
    packs: dict[str, list[SegmentLocation]] = {}
    own: list[SegmentLocation] = []
    for location in locations:
        (packs.setdefault(location.pack, []) if location.pack else own).append(location)
    if any(damaged_in_pack(objects, members, scratch) for members in packs.values()):
        return False
    return all(segment_is_whole(objects, one, scratch) for one in own)


def put_pack_again(
    objects: ObjectStore, members: Sequence[SegmentLocation], copies: Copies, scratch: Path
) -> frozenset[str]:
    """Put a pack again, with what `copies` has of the segments that are not whole in it.

    members: all of its segments. Returns the hashes of those that were not whole and are now; if
    there are none, nothing was put. Another process that does the same may take back what this one
    has mended: whoever checks the segments next finds that. Raises ObjectsUnavailable.
    """
    key = members[0].key
    mended: set[str] = set()
    with _scratch_folder(scratch) as name:
        file = Path(name) / "pack"
        try:
            objects.fetch(key, file)
        except (DamagedObject, ObjectMissing):
            file.touch()
        with file.open("r+b") as pack:
            pack.truncate(max(one.pack_offset + one.size_bytes for one in members))
            for one in members:
                if _is_at(pack, one) or (data := copies(one)) is None:
                    continue
                pack.seek(one.pack_offset)
                pack.write(data)
                mended.add(one.object_hash)
        if mended:
            objects.replace(key, file)
            text = "segments of a pack put again"
            log_event(logger, logging.WARNING, text, pack=key, segments=len(mended))
    return frozenset(mended)


def reupload_segment(
    objects: ObjectStore,
    location: SegmentLocation,
    folders: Sequence[Path],
    members: Sequence[SegmentLocation],
    scratch: Path,
) -> bool:
    """Put a segment again from an undamaged copy in one of these caches' folders.

    members: of its pack, with itself: all of them that have a copy are put again.
    Only reads the folders, because the indexers that own them may be running. False: no folder has
    an undamaged copy.
    """
    if location.pack:
        mended = put_pack_again(objects, members, lambda one: _copy_in(folders, one), scratch)
        return location.object_hash in mended
    for folder in folders:
        path = cached_path(folder, location.object_hash)
        try:
            data: bytes | Path = path
            if path.stat().st_size <= _IN_MEMORY_BYTES_MAX:  # the bytes that were checked are put
                data = path.read_bytes()
                whole = hashlib.sha256(data).hexdigest() == location.object_hash
            else:
                whole = file_sha256(path) == location.object_hash
        except OSError:  # not there, or removed meanwhile to make room
            continue
        if whole:
            objects.replace(location.key, data)
            text = "segment object put again"
            log_event(logger, logging.WARNING, text, object=location.object_hash)
            return True
    return False


def _copy_in(folders: Sequence[Path], location: SegmentLocation) -> bytes | None:
    """The segment's bytes, from its file or its pack in one of the folders."""
    for folder in folders:
        try:
            data = cached_path(folder, location.object_hash).read_bytes()
            if hashlib.sha256(data).hexdigest() == location.object_hash:
                return data
        except OSError:
            pass  # not there, or removed meanwhile to make room: the pack may be
        try:
            packed = read_packed(folder, location)
        except OSError:
            continue
        if packed is not None:
            return packed
    return None


def _is_at(pack: BinaryIO, location: SegmentLocation) -> bool:
    pack.seek(location.pack_offset)
    return hashlib.sha256(pack.read(location.size_bytes)).hexdigest() == location.object_hash


def _scratch_folder(scratch: Path) -> "tempfile.TemporaryDirectory[str]":
    scratch.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=scratch)
