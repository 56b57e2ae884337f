"""Objects that no document names are found; none that a document names or will name is removed."""

import hashlib
import json
import os
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from common import limits
from common.clock import SystemClock
from common.errors import DamagedObject, ObjectsUnavailable
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from compose.cluster.cluster import Cluster
from compose.servers.s3 import S3
from snapshot.documents.chain import Chain
from snapshot.documents.locations import SegmentLocation, pack_key, segment_key
from snapshot.documents.manifest import Manifest
from snapshot.publish import publish
from snapshot.unnamed.names import Names
from snapshot.unnamed.objects import (
    UnnamedObject,
    find_unnamed,
    remove_unnamed,
    store_now_ns,
)
from snapshot.verify.verify import verify
from tests.conformance import cluster as conformance
from tests.indexer.harness import append, open_context, published, running, until
from tests.indexer.packs import packed as packs
from tests.indexer.partition.test_partition import CUT
from tests.indexer.upkeep.compaction.compacting import compacting, compactor_of, cuts
from tests.snapshot.test_manifest import manifest
from tests.snapshot.test_objects_of import entry
from tests.snapshot.test_publish import Failing

DAY_NS = 24 * 3600 * 10**9


class File(NamedTuple):
    """The sealed file of a cut's only segment."""

    path: Path

    def object_path(self, location: SegmentLocation) -> Path:
        return self.path

    def local(self, location: SegmentLocation) -> Path | None:
        return self.path


def cut(folder: Path, content: bytes) -> tuple[Manifest, File]:
    """A cut with one segment of these bytes, and its file."""
    name = hashlib.sha256(content).hexdigest()
    file = folder / f"{name}.file"
    file.write_bytes(content)
    segment = msgspec.structs.replace(entry(name, 0, 3), size_bytes=len(content))
    return manifest(segments=[segment]), File(file)


def leave(objects: ObjectStore, content: bytes) -> str:
    """Put an object that nothing names; returns its key."""
    key = segment_key(hashlib.sha256(content).hexdigest())
    assert objects.put_if_absent(key, content)
    return key


def tomorrow(objects: ObjectStore) -> int:
    """The store's time when all that is there now is older than a day."""
    return store_now_ns(objects, SystemClock()) + limits.UNNAMED_AGE_NS + 10**9


def found_old(objects: ObjectStore) -> list[UnnamedObject]:
    return find_unnamed(objects, Names(objects), tomorrow(objects)).old


def remove(objects: ObjectStore, found: list[UnnamedObject], folder: Path) -> int:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    done = remove_unnamed(objects, Names(objects), found, scratch)
    assert list(scratch.iterdir()) == []
    return done.objects


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return DirectoryObjects(tmp_path / "objects")


class Interrupted:
    """An object store at whose n-th call something else happens first, once."""

    def __init__(self, objects: ObjectStore, at: int, action: Callable[[], object]) -> None:
        self._objects = objects
        self._left = at
        self._action: Callable[[], object] | None = action

    @property
    def happened(self) -> bool:
        return self._action is None

    def __getattr__(self, name: str) -> Any:
        self._left -= 1
        if self._left == 0 and self._action is not None:
            action, self._action = self._action, None
            action()
        return getattr(self._objects, name)


async def test_a_killed_publisher_leaves_what_is_listed_and_verify_stays_clean(
    tmp_path: Path,
) -> None:
    """Its twin then publishes the same rows in other bytes."""

    def wrap(objects: ObjectStore) -> ObjectStore:
        return Failing(objects, 2, after=True)  # type: ignore[return-value]  # by __getattr__

    async with open_context(tmp_path, wrap=wrap) as context, running(context) as partition:
        await append(context.backends.log, [1, 2])
        await context.backends.log.append(0, CUT)
        await until(partition, published(2))
    objects = DirectoryObjects(tmp_path / "objects")
    assert find_unnamed(objects, Names(objects)).count == 0
    key = leave(objects, b"the same rows by another writer")
    os.utime(tmp_path / "objects" / key, (10**9, 10**9))
    young = leave(objects, b"a cut that is being published")
    async with open_context(tmp_path) as context:
        report = await verify(objects, context.backends.log, [0])
    assert report.clean
    assert (report.unnamed, report.unnamed_young) == (2, 1)
    (warning,) = report.problems
    assert key in warning.what
    assert "bellwether unnamed --remove" in warning.remedy
    (old,) = find_unnamed(objects, Names(objects)).old
    assert remove(objects, [old], tmp_path) == 1
    assert objects.head(key) is None
    assert objects.head(young) is not None


async def test_packs_and_what_was_put_together_are_named(tmp_path: Path) -> None:
    """Inputs and replaced outputs too, as long as their deletion is not due."""
    async with packs.filled(tmp_path / "packs") as (context, _, _):
        objects = context.backends.objects
        assert find_unnamed(objects, Names(objects)).count == 0
        pack = next(iter(objects.list("packs/"))).key
        content = objects.get(pack)[:-1]
        name = hashlib.sha256(content).hexdigest()
        assert objects.put_if_absent(pack_key(name), content)
        (left,) = found_old(objects)
        assert left.key == pack_key(name)
        assert remove(objects, [left], tmp_path) == 1
        report = await verify(objects, context.backends.log, [0])
        assert (report.clean, report.unnamed) == (True, 0)
    async with open_context(tmp_path / "compacted") as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2], [3], [4])
        assert await compactor_of(partition).step(0) == 1
        objects = context.backends.objects
        assert find_unnamed(objects, Names(objects)).count == 0
        assert len(list(objects.list("segments/"))) == 5


def test_younger_ones_are_never_removed(tmp_path: Path, objects: ObjectStore) -> None:
    leave(objects, b"young")
    found = find_unnamed(objects, Names(objects), tomorrow(objects) - 2 * 10**9)
    assert (found.count, found.old) == (1, [])
    assert remove(objects, found.objects, tmp_path) == 0
    assert find_unnamed(objects, Names(objects)).count == 1


def test_what_was_written_again_since_it_was_listed_is_kept(
    tmp_path: Path, objects: ObjectStore
) -> None:
    key = leave(objects, b"again")
    found = found_old(objects)
    os.utime(tmp_path / "objects" / key, (10**9, 10**9))
    assert remove(objects, found, tmp_path) == 0


def test_a_removal_at_any_moment_of_publishing_loses_no_object(tmp_path: Path) -> None:
    for at in count(1):
        folder = tmp_path / str(at)
        objects = DirectoryObjects(folder / "objects")
        made, files = cut(folder, b"rows")
        key = leave(objects, b"rows")  # left by an earlier attempt: the publisher uses it
        removal = partial(remove, objects, found_old(objects), folder)
        store = Interrupted(objects, at, removal)
        publish(Chain(store, 3, None), made, files)  # type: ignore[arg-type]  # by __getattr__
        assert objects.get(key) == b"rows"
        assert found_old(objects) == []
        if not store.happened:
            assert at > 8  # there were moments before, between and after its writes
            return


class Unanswered:
    """A store that puts the first manifest after something else happened, and gives no answer."""

    def __init__(self, objects: ObjectStore, action: Callable[[], object]) -> None:
        self._objects = objects
        self._actions = [action]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        if not key.startswith("manifests/") or not self._actions:
            return self._objects.put_if_absent(key, data)
        self._actions.pop()()
        self._objects.put_if_absent(key, data)
        raise ObjectsUnavailable("no answer")


def test_a_publisher_without_an_answer_looks_again_when_it_tries_again(
    tmp_path: Path, objects: ObjectStore
) -> None:
    made, files = cut(tmp_path, b"rows")
    key = leave(objects, b"rows")
    store = Unanswered(objects, partial(remove, objects, found_old(objects), tmp_path))
    chain = Chain(store, 3, None)  # type: ignore[arg-type]  # by __getattr__
    with pytest.raises(ObjectsUnavailable):
        publish(chain, made, files)
    assert publish(chain, made, files).adopted
    assert objects.get(key) == b"rows"


def test_publishing_at_any_moment_of_a_removal_loses_no_object(tmp_path: Path) -> None:
    for at in count(1):
        folder = tmp_path / str(at)
        objects = DirectoryObjects(folder / "objects")
        made, files = cut(folder, b"rows")
        key, other = leave(objects, b"rows"), leave(objects, b"other")
        found = found_old(objects)
        store = Interrupted(objects, at, partial(publish, Chain(objects, 3, None), made, files))
        remove(store, found, folder)  # type: ignore[arg-type]  # by __getattr__
        assert objects.head(other) is None
        if not store.happened:
            assert objects.head(key) is None  # nothing has named it
            assert at > 8
            return
        assert objects.get(key) == b"rows"


def damaged(objects: ObjectStore, key: str) -> None:
    objects.replace(key, objects.get(key).replace(b'"rows":', b'"r0ws":'))


def too_new(objects: ObjectStore, key: str) -> None:
    body = objects.get(key)[:-2].partition(b'"body":')[2].replace(b'"format":1', b'"format":99')
    checksum = hashlib.sha256(body).hexdigest().encode()
    objects.replace(key, b'{"sha256":"%b","body":%b}\n' % (checksum, body))


def unknown(objects: ObjectStore, key: str) -> None:
    objects.put_if_absent("later/00000/1.json", b"{}")


@pytest.mark.parametrize("harm", [damaged, too_new, unknown])
def test_nothing_is_removed_while_it_is_not_known_what_is_named(
    tmp_path: Path, objects: ObjectStore, harm: Callable[[ObjectStore, str], None]
) -> None:
    made, files = cut(tmp_path, b"rows")
    publish(Chain(objects, 3, None), made, files)
    key = leave(objects, b"left")
    harm(objects, made.key)
    found = find_unnamed(objects, Names(objects), tomorrow(objects))
    assert found.unreadable
    with pytest.raises(DamagedObject, match="nothing is removed"):
        remove(objects, found.old, tmp_path)
    assert objects.head(key) is not None


def test_a_removal_that_fails_in_its_midst_puts_back_what_is_named(
    tmp_path: Path, objects: ObjectStore
) -> None:
    made, files = cut(tmp_path, b"rows")
    keys = [leave(objects, b"rows"), leave(objects, b"other")]
    found = sorted(found_old(objects), key=lambda one: one.key != keys[0])

    class Full(Interrupted):
        def fetch(self, key: str, target: Path) -> int:
            if key == keys[1]:
                publish(Chain(objects, 3, None), made, files)
                raise OSError(28, "no space left")
            return objects.fetch(key, target)

    with pytest.raises(OSError, match="no space"):
        remove_unnamed(Full(objects, 0, lambda: None), Names(objects), found, tmp_path)  # type: ignore[arg-type]
    assert objects.get(keys[0]) == b"rows"


@pytest.fixture
def s3_objects(
    servers: Cluster, s3_server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    monkeypatch.setenv(conformance.VARIABLE, json.dumps(servers.environment()))
    return conformance.s3_objects(tmp_path)


def test_in_s3_ages_are_by_its_clock_and_what_is_named_stays(
    tmp_path: Path, s3_objects: ObjectStore
) -> None:
    made, files = cut(tmp_path, b"rows")
    publish(Chain(s3_objects, 3, None), made, files)
    left = leave(s3_objects, b"left")
    now_ns = store_now_ns(s3_objects, SystemClock())
    (one,) = find_unnamed(s3_objects, Names(s3_objects), now_ns).objects
    assert (one.key, one.is_old) == (left, False)
    assert one.age_ns < DAY_NS
    assert remove(s3_objects, found_old(s3_objects), tmp_path) == 1
    assert s3_objects.head(left) is None
    assert s3_objects.head(segment_key(made.segments[0].object)) is not None
