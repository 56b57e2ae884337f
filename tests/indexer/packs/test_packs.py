"""Small segments of a cut are one object, a pack: each a range of it that is plain Parquet (I4)."""

import io
import time
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from common.errors import ObjectsUnavailable
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from common.process.versions import FIRST_DOCUMENTS
from segment.columns import ColumnKey, FieldType
from snapshot.cache import SegmentCache
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DocumentTooNew, decode_checksummed
from snapshot.documents.manifest import Checkpoint, Manifest
from snapshot.publish import publish_checkpoint
from snapshot.verify.verify import verify
from tests.indexer.harness import open_context, published, running, until
from tests.indexer.packs.packed import (
    DATASETS,
    PACKING,
    append_all,
    entries_of,
    expected,
    filled,
    numbers_of,
)


async def test_a_cut_is_one_pack_and_its_ranges_are_plain_parquet(tmp_path: Path) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        objects = context.backends.objects
        assert list(objects.list("segments/")) == []
        packs = {info.key: info.size_bytes for info in objects.list("packs/")}
        assert packs.keys() == {entry.location.key for entry in entries}
        assert len(packs) == 2
        assert sum(packs.values()) == sum(entry.size_bytes for entry in entries)
        found: dict[str, list[int]] = {}
        for entry in entries:
            data = objects.get(entry.location.key)[entry.pack_offset :][: entry.size_bytes]
            table = pq.read_table(io.BytesIO(data))
            name = ColumnKey("n", FieldType.INT).physical
            found.setdefault(entry.dataset, []).extend(table[name].to_pylist())
        assert found == numbers_of(partition) == expected(0, 10)
        report = await verify(objects, context.backends.log, [0])
        assert report.clean, report.problems
        assert (report.segments, report.rows) == (8, 8)


async def test_documents_that_name_a_pack_stop_an_older_program(tmp_path: Path) -> None:
    class Older(msgspec.Struct, frozen=True):
        format: int

    async with filled(tmp_path) as (context, partition, entries):
        objects = context.backends.objects
        chain = Chain(objects, 0, None)
        newest = chain.manifest(chain.manifest_keys()[-1])
        publish_checkpoint(chain, newest, entries, (), context.clock)
        keys = [
            info.key for prefix in ("manifests/", "checkpoints/") for info in objects.list(prefix)
        ]
        assert len(keys) == 3
        for key in keys:
            with pytest.raises(DocumentTooNew):
                decode_checksummed(objects.get(key), Older, key)
        assert chain.newest_checkpoint(set(chain.manifest_keys())) is not None
        assert partition.view is not None


async def test_nothing_names_a_pack_before_everybody_knows_packs(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        end = await append_all(context.backends.log, 0)
        await until(partition, published(end))
        objects = context.backends.objects
        assert list(objects.list("packs/")) == []
        [key] = [info.key for info in objects.list("manifests/")]
        manifest = decode_checksummed(objects.get(key), Manifest, key)
        assert manifest.format == 1
        assert b'"pack' not in objects.get(key)
        assert Checkpoint.newest_format == 2
        assert numbers_of(partition) == expected(0)


async def test_an_empty_disk_fetches_each_pack_once(tmp_path: Path) -> None:
    async with filled(tmp_path):
        pass
    asked: list[str] = []

    class Counting(DirectoryObjects):
        def fetch(self, key: str, target: Path) -> int:
            asked.append(key)
            return super().fetch(key, target)

        def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
            asked.append(f"{key} in part")
            super().fetch_range(key, offset, length, target)

    def wrap(_: ObjectStore) -> ObjectStore:
        return Counting(tmp_path / "objects")

    async with (
        open_context(tmp_path, "b", wrap=wrap) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        await until(partition, published(10))
        await until(partition, lambda p: p.shared.prefetcher.done)
        assert sorted(asked) == sorted({entry.location.key for entry in entries_of(partition)})
        assert numbers_of(partition) == expected(0, 10)
        assert len(asked) == 2  # segments were taken out of the packs on this disk


async def test_one_dataset_of_many_is_fetched_as_a_range(tmp_path: Path) -> None:
    async with filled(tmp_path) as (_, _, entries):
        pass
    objects = DirectoryObjects(tmp_path / "objects")
    cache = SegmentCache(objects, tmp_path / "cache", 10**6)
    cache.ensure(entries[2].location)
    assert cache.bytes_held == entries[2].size_bytes
    assert not cache.holds(entries[1].location)


class AfterTheTwin(DirectoryObjects):
    """The store of an indexer whose manifests are put only after its twin's."""

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        if key.startswith("manifests/"):
            while self.head(key) is None:
                time.sleep(0.01)
        return super().put_if_absent(key, data)


@pytest.mark.parametrize("ours_packs", [True, False])
async def test_twins_of_two_versions_agree_and_serve_what_was_published(
    tmp_path: Path, ours_packs: bool
) -> None:
    gates = (PACKING, FIRST_DOCUMENTS) if ours_packs else (FIRST_DOCUMENTS, PACKING)
    late = lambda _: AfterTheTwin(tmp_path / "objects")  # noqa: E731
    async with (
        open_context(tmp_path, "b", wrap=late) as context,
        running(context, document_gate=gates[0]) as partition,
    ):
        end = await append_all(context.backends.log, 0)
        await until(partition, lambda p: bool(p.pipeline and p.pipeline.waiting))
        async with (
            open_context(tmp_path, "a") as twin_context,
            running(twin_context, document_gate=gates[1]) as twin,
        ):
            await until(twin, published(end))
        await until(partition, published(end))
        assert [bool(one.pack) for one in entries_of(partition)] == [not ours_packs] * 4
        assert numbers_of(partition) == expected(0)
        objects = context.backends.objects
        assert list(objects.list("divergence/")) == []
        report = await verify(objects, context.backends.log, [0])
        assert report.clean, report.problems


class Failing:
    """An object store that fails once at its n-th writing call, before or after doing it."""

    def __init__(self, objects: ObjectStore, at: int, *, after: bool) -> None:
        self._objects = objects
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise ObjectsUnavailable("made to fail")
        done = self._objects.put_if_absent(key, data)
        if self._left == 0:
            raise ObjectsUnavailable("made to fail after it was done")
        return done


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
async def test_publishing_a_pack_that_fails_at_any_call_ends_whole(
    tmp_path: Path, at: int, after: bool
) -> None:
    def wrap(objects: ObjectStore) -> ObjectStore:
        return Failing(objects, at, after=after)  # type: ignore[return-value]  # by __getattr__

    async with (
        open_context(tmp_path, wrap=wrap) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        await append_all(context.backends.log, 0)
        end = await append_all(context.backends.log, 10)
        await until(partition, published(end))
        assert numbers_of(partition) == expected(0, 10)
    async with open_context(tmp_path) as context:
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert report.clean, report.problems
        assert (report.manifests, report.rows) == (2, 8)


async def test_sealed_cuts_are_served_from_their_pack_before_they_are_published(
    tmp_path: Path,
) -> None:
    class Closed(DirectoryObjects):
        def put_if_absent(self, key: str, data: bytes | Path) -> bool:
            if key.startswith("packs/"):
                raise ObjectsUnavailable("down")
            return super().put_if_absent(key, data)

        def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
            raise ObjectsUnavailable("down")

    async with (
        open_context(tmp_path, wrap=lambda _: Closed(tmp_path / "objects")) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        await append_all(context.backends.log, 0)
        await until(partition, lambda p: bool(p.pipeline and p.pipeline.waiting))
        segments = context.folder / "segments"
        assert len(list(segments.glob("packs/*"))) == 1
        assert list(segments.glob("*/*.parquet")) == []  # none is taken out before it is needed
        assert numbers_of(partition) == expected(0)
        assert len(list(segments.glob("*/*.parquet"))) == len(DATASETS)
