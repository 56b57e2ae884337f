"""The cache holds only what it has checked, keeps what is in use, and stays within its bound."""

import errno
import hashlib
from pathlib import Path

import pytest

from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from common.objects.directory import DirectoryObjects
from snapshot.cache import SegmentCache
from snapshot.documents.locations import SegmentLocation, segment_key
from snapshot.mending import reupload_segment


def at(name: str, size_bytes: int = 10) -> SegmentLocation:
    return SegmentLocation(name, size_bytes)


def stored(objects: DirectoryObjects, data: bytes) -> str:
    name = hashlib.sha256(data).hexdigest()
    objects.put_if_absent(segment_key(name), data)
    return name


def test_least_recently_used_go_but_never_those_in_use(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path / "objects")
    cache = SegmentCache(objects, tmp_path / "cache", bytes_max=25)
    first, second, third = (stored(objects, bytes([n]) * 10) for n in range(3))
    cache.lease([first])
    for name in (first, second, third):
        cache.ensure(at(name))
    assert cache.path(first).exists()
    assert not cache.path(second).exists()
    assert cache.path(third).exists()
    cache.release([first])
    assert cache.bytes_held <= 25
    assert cache.ensure(at(second)).read_bytes() == bytes([1]) * 10


def test_cache_of_an_earlier_process_is_checked_before_it_is_used(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path / "objects")
    name = stored(objects, b"content")
    path = SegmentCache(objects, tmp_path / "cache", 100).ensure(at(name))
    path.write_bytes(b"CONTENT")
    assert (
        SegmentCache(objects, tmp_path / "cache", 100).ensure(at(name)).read_bytes() == b"content"
    )


def test_what_a_killed_process_left_half_done_does_not_fill_the_disk(tmp_path: Path) -> None:
    place = tmp_path / "cache" / "ab"
    (place / "compare-x1").mkdir(parents=True)
    for name in (".ab12.parquet.7.part", ".tmp-4711-00ff", "compare-x1/published.parquet"):
        (place / name).write_bytes(b"half")
    SegmentCache(DirectoryObjects(tmp_path / "objects"), tmp_path / "cache", 100)
    assert list(place.iterdir()) == []


def test_damaged_or_missing_objects_are_refused_and_put_again_from_a_good_file(
    tmp_path: Path,
) -> None:
    objects = DirectoryObjects(tmp_path / "objects")
    name = stored(objects, b"content")
    good = SegmentCache(objects, tmp_path / "good", 100)
    good.ensure(at(name))
    fresh = SegmentCache(objects, tmp_path / "fresh", 100)
    objects.replace(segment_key(name), b"damaged")
    with pytest.raises(DamagedObject):
        fresh.ensure(at(name))
    objects.delete(segment_key(name))
    with pytest.raises(ObjectMissing):
        fresh.ensure(at(name))
    folders = [tmp_path / "fresh", tmp_path / "good"]
    assert not reupload_segment(objects, at(name), folders[:1], [at(name)], tmp_path)
    assert reupload_segment(objects, at(name), folders, [at(name)], tmp_path)
    assert fresh.ensure(at(name)).read_bytes() == b"content"


class FullDisk(DirectoryObjects):
    """A store whose copies find the disk full while more than `room` files are in the cache."""

    def __init__(self, folder: Path, cache: Path, room: int) -> None:
        super().__init__(folder)
        self._cache = cache
        self._room = room

    def fetch(self, key: str, target: Path) -> int:
        if len(list(self._cache.glob("*/*.parquet"))) > self._room:
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError as error:
                raise ObjectsUnavailable("no space left") from error
        return super().fetch(key, target)


def test_a_full_disk_costs_cached_files_that_nobody_uses_not_the_answer(tmp_path: Path) -> None:
    objects = FullDisk(tmp_path / "objects", tmp_path / "cache", room=2)
    names = [stored(objects, bytes([n]) * 10) for n in range(5)]
    cache = SegmentCache(objects, tmp_path / "cache", 10**6)
    for name in names[:3]:
        cache.ensure(at(name))
    cache.lease(names[:1])
    assert cache.ensure(at(names[3])).read_bytes() == bytes([3]) * 10
    assert cache.path(names[0]).exists()  # in use
    assert not cache.path(names[1]).exists()  # the least recently used of the others
    cache.lease(names)
    with pytest.raises(ObjectsUnavailable):
        cache.ensure(at(names[4]))
