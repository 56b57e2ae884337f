"""Deletions are bounded per round, go on in the next one, and keep nothing else waiting."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from common import limits
from common.model.record import gone_record
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from indexer.partition.maintenance import PartitionMaintenance
from snapshot.compaction.book import CompactionBook
from snapshot.documents.chain import Chain
from snapshot.documents.locations import segment_key
from snapshot.retention.retention import RetentionBook
from tests.indexer.harness import (
    DATASET,
    QUICK,
    append,
    open_context,
    published,
    running,
    until,
)
from tests.snapshot.compaction.test_book import GRACE_NS, output
from tests.snapshot.test_retention import CUT, entry, ran, to_expire
from tests.waiting import PATIENCE_S, eventually


def left(objects: DirectoryObjects) -> int:
    return len(list(objects.list("segments/")))


def test_a_document_of_many_objects_is_deleted_in_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OBJECTS_DELETED_AT_ONCE", 3)
    objects = DirectoryObjects(tmp_path)
    book, entries = RetentionBook(Chain(objects, 0, None)), [entry(one, 5) for one in "abcdef01"]
    for one in entries:
        objects.put_if_absent(segment_key(one.object), b"x")
    assert book.expire(to_expire(*entries[:5]), 100, "one") is not None
    assert book.expire(to_expire(*entries[5:]), 100, "one") is not None
    found = []
    while left(objects):
        found.append((book.delete_due(200, 10, ran(10), "one"), left(objects)))
    assert found == [(0, 5), (5, 2), (3, 0)]
    assert book.undeleted() == []


def test_objects_that_outputs_replace_are_deleted_in_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OBJECTS_DELETED_AT_ONCE", 3)
    objects = DirectoryObjects(tmp_path)
    book = CompactionBook(Chain(objects, 0, None))
    entries = [
        msgspec.structs.replace(entry("a", 5), object=f"{n:064x}", end_offset=n) for n in range(8)
    ]
    for one in entries:
        objects.put_if_absent(segment_key(one.object), b"x")
    assert book.publish([output(100, entries[:5])], 0, 1, "one") is not None
    assert book.publish([output(101, entries[5:])], 1, 1, "one") is not None

    def round_of_deletion() -> int:
        due = (2 * GRACE_NS, GRACE_NS, lambda _: GRACE_NS, lambda _: True, frozenset[str](), "one")
        return book.delete_due(*due)

    assert [(round_of_deletion(), left(objects)) for _ in range(4)] == [
        (3, 5), (3, 2), (2, 0), (0, 0),
    ]  # fmt: skip


class Stuck(DirectoryObjects):
    """A store whose deletions take until `release`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.began, self.release = threading.Event(), threading.Event()

    def delete(self, key: str) -> None:
        self.began.set()
        self.release.wait(PATIENCE_S)
        super().delete(key)


async def test_heartbeats_go_on_while_objects_are_deleted(tmp_path: Path) -> None:
    config = replace(QUICK, retention_grace_s=0, housekeeping_s=0, heartbeat_ms=0)
    stores: list[Stuck] = []

    def stuck(objects: ObjectStore) -> ObjectStore:
        stores.append(Stuck(tmp_path / "objects"))
        return stores[-1]

    async with open_context(tmp_path, wrap=stuck) as context:
        [store] = stores
        async with running(context, config=config) as partition:
            log = context.backends.log
            await append(log, [1])
            await log.append(0, CUT)
            await log.append(0, gone_record("t", "e", DATASET))
            await log.append(0, CUT)
            await until(partition, published(4))
            maintenance = PartitionMaintenance(partition)
            maintenance._jitter_s = 0.0
            upkeep = asyncio.create_task(maintenance.run())
            try:
                assert await asyncio.to_thread(store.began.wait, PATIENCE_S)
                end = (await log.bounds(0)).end

                async def grew() -> bool:
                    return (await log.bounds(0)).end >= end + 2

                await eventually(grew)
                assert left(store) == 1
                store.release.set()
                await eventually(lambda: left(store) == 0)
            finally:
                store.release.set()
                upkeep.cancel()
                await asyncio.gather(upkeep, return_exceptions=True)
