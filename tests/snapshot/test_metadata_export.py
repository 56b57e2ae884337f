"""The metadata can be restored from the object store: complete, checked, never by accident (I4)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock
from common.errors import Conflict, DamagedObject, NotFound, ObjectsUnavailable
from common.metadata import StoredQuery
from common.metadata.resources import RESOURCES
from common.metadata.sqlite import SqliteMetadata
from common.objects.directory import DirectoryObjects
from indexer.upkeep.metadata_exporter import MetadataExporter
from snapshot.metadata_export import PREFIX, MetadataExports, blob_key
from tests.conformance.test_metadata import filled
from tests.conformance.test_metadata_resources import SAMPLES
from tests.indexer.harness import open_context


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[SqliteMetadata]:
    store = SqliteMetadata(tmp_path / "metadata.db")
    store.open()
    yield store
    store.close()


@pytest.fixture
def emptied(tmp_path: Path) -> Iterator[SqliteMetadata]:
    store = SqliteMetadata(tmp_path / "empty.db")
    store.open()
    yield store
    store.close()


@pytest.fixture
def objects(tmp_path: Path) -> DirectoryObjects:
    return DirectoryObjects(tmp_path / "objects")


def test_restored_metadata_is_what_was_exported(
    metadata: SqliteMetadata, emptied: SqliteMetadata, objects: DirectoryObjects
) -> None:
    filled(metadata, queries=3_000)
    for row in SAMPLES:
        metadata.put_resources([row])
    rows = list(metadata.dump())
    exports = MetadataExports(objects)
    version = exports.export(metadata, "me", 7)
    assert version.rows == {
        "team": 1,
        "environment": 2,
        "key": 2,
        "dataset": 2,
        "query": 3_000,
        "column": 1,
        "column_facts": 1,
        **dict.fromkeys(RESOURCES, 1),
    }
    assert exports.restore(emptied) == (version, len(rows))
    assert list(emptied.dump()) == rows


def test_restore_refuses_what_is_not_empty_unless_told_and_finds_older_versions(
    metadata: SqliteMetadata, emptied: SqliteMetadata, objects: DirectoryObjects
) -> None:
    exports = MetadataExports(objects)
    with pytest.raises(NotFound):
        exports.restore(emptied)
    before = filled(metadata)
    exports.export(metadata, "me", 7)
    metadata.put_query(StoredQuery("new", "e", "d1", b"{}", 1))
    exports.export(metadata, "me", 8)
    emptied.ensure_team("Default", "default")
    with pytest.raises(Conflict):
        exports.restore(emptied)
    assert len(list(emptied.dump())) == 1
    exports.restore(emptied, 1, overwrite=True)
    assert list(emptied.dump()) == before


def test_same_metadata_is_exported_once_and_by_two_exporters_at_once(
    metadata: SqliteMetadata, objects: DirectoryObjects
) -> None:
    filled(metadata)
    one, other = MetadataExports(objects), MetadataExports(objects)
    assert one.export(metadata, "me", 7) == other.export(metadata, "other", 8)
    assert len(one.versions()) == 1


def test_empty_metadata_never_replaces_an_export(
    metadata: SqliteMetadata, emptied: SqliteMetadata, objects: DirectoryObjects
) -> None:
    filled(metadata)
    exports = MetadataExports(objects)
    exports.export(metadata, "me", 7)
    with pytest.raises(NotFound):
        exports.export(emptied, "me", 8)
    assert len(exports.versions()) == 1


def test_only_the_newest_versions_are_kept(
    metadata: SqliteMetadata, objects: DirectoryObjects
) -> None:
    exports = MetadataExports(objects, versions_max=3)
    for n in range(7):
        metadata.put_query(StoredQuery(f"q{n}", "e", "d1", b"{}", n))
        exports.export(metadata, "me", n)
    versions = exports.versions()
    assert [version.number for version in versions] == [5, 6, 7]
    found = {info.key for info in objects.list("metadata/objects/")}
    assert found == {blob_key(version.object) for version in versions}


def test_damaged_export_is_refused_and_a_damaged_version_is_skipped(
    metadata: SqliteMetadata, emptied: SqliteMetadata, objects: DirectoryObjects
) -> None:
    filled(metadata)
    exports = MetadataExports(objects)
    first = exports.export(metadata, "me", 7)
    metadata.put_query(StoredQuery("new", "e", "d1", b"{}", 1))
    second = exports.export(metadata, "me", 8)
    objects.replace(second.key, b"damaged")
    assert exports.restore(emptied)[0] == first
    assert exports.export(metadata, "me", 9).number == 3  # a number is never taken twice
    objects.replace(blob_key(first.object), b"damaged")
    with pytest.raises(DamagedObject):
        exports.restore(emptied, 1, overwrite=True)
    assert list(emptied.dump())


async def test_one_indexer_exports_each_hour_and_another_takes_over(tmp_path: Path) -> None:
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        clock = ManualClock()
        a.backends.metadata.open()
        b.backends.metadata.open()
        filled(a.backends.metadata)
        one = MetadataExporter(replace(a, clock=clock))
        other = MetadataExporter(replace(b, clock=clock))
        assert await one.export_if_due()
        assert not await other.export_if_due()
        assert not await one.export_if_due()
        clock.advance_ms(3_600_000)
        assert not await other.export_if_due()
        assert await one.export_if_due()
        a.backends.locks.close()
        assert await other.export_if_due()
        assert len(list(a.backends.objects.list(PREFIX))) == 1
        a.backends.metadata.close()
        b.backends.metadata.close()


class _Down(DirectoryObjects):
    refused = True

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        if self.refused:
            raise ObjectsUnavailable("down")
        return super().put_if_absent(key, data)


async def test_export_that_fails_is_tried_again(tmp_path: Path) -> None:
    store = _Down(tmp_path / "objects")
    async with open_context(tmp_path, wrap=lambda _: store) as context:
        exporting = MetadataExporter(context)
        assert not await exporting.export_if_due()  # the metadata is not open either
        context.backends.metadata.open()
        context.backends.metadata.ensure_team("T", "t")
        assert not await exporting.export_if_due()
        store.refused = False
        assert await exporting.export_if_due()
        context.backends.metadata.close()
