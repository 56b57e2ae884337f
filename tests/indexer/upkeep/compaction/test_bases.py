"""Bases beside indexing: when they are written, what starts from them, what is deleted (I2, I4)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from common.clock import ManualClock, SystemClock
from common.objects import ObjectStore
from common.process.role import RoleContext
from common.process.versions import DOCUMENTS_BASES, DOCUMENTS_COMPACTIONS, FixedGate
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from indexer.seal.partition_reader import last_manifest
from snapshot.compaction.book import CompactionBook
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DocumentTooNew, decode_checksummed
from snapshot.documents.manifest import BASES_FORMAT, COMPACTED_FORMAT, Manifest
from snapshot.objects_of import read_objects
from snapshot.unnamed.names import Names
from snapshot.unnamed.objects import find_unnamed
from snapshot.verify.verify import verify
from tests.indexer.harness import open_context, published, until
from tests.indexer.upkeep.compaction.compacting import (
    GRACE_S,
    compacting,
    compactor_of,
    cuts,
    files_read,
    shown,
    verified,
)
from tests.snapshot.compaction.histories import small_bases

OPEN = FixedGate(DOCUMENTS_BASES)


class EarlierManifest(Manifest, frozen=True, kw_only=True):
    """As a program reads it that knows compactions and no bases."""

    newest_format: ClassVar[int] = COMPACTED_FORMAT


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small_bases(after=2, part_bytes=2_000):
        yield


@asynccontextmanager
async def indexing(
    folder: Path, clock: ManualClock, gate: FixedGate = OPEN, name: str = "a"
) -> AsyncIterator[tuple[RoleContext, Partition]]:
    async with open_context(folder, name) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, gate, clock) as partition:
            yield context, partition


async def rounds(partition: Partition, clock: ManualClock, count: int = 3) -> None:
    """Housekeeping over some grace times."""
    maintenance = PartitionMaintenance(partition)
    for _ in range(count):
        await maintenance.run_round()
        clock.advance_ms(2 * GRACE_S * 1_000)


async def grow(
    context: RoleContext, partition: Partition, clock: ManualClock, first: int, steps: int
) -> list[int]:
    """Cuts that are put together, and their inputs deleted; returns the numbers in them."""
    numbers = list(range(first, first + 5 * steps))
    for at in range(0, len(numbers), 5):
        await cuts(partition, context.backends.log, *([n] for n in numbers[at : at + 5]))
        await compactor_of(partition).step(0)
        await rounds(partition, clock)
    return numbers


def keys(objects: ObjectStore, top: str) -> list[str]:
    return [info.key for info in objects.list(f"{top}/")]


async def test_bases_are_written_documents_go_and_an_empty_disk_starts_from_them(
    tmp_path: Path,
) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with indexing(tmp_path, clock) as (context, partition):
        objects = context.backends.objects
        numbers = await grow(context, partition, clock, 0, 7)
        book = partition.compactions
        assert book.base_number > 0
        newest = last_manifest(partition)
        assert newest is not None
        assert newest.format == BASES_FORMAT
        with pytest.raises(DocumentTooNew, match="format 4 is newer than 3"):
            decode_checksummed(objects.get(newest.key), EarlierManifest, newest.key)
        assert len(keys(objects, "compaction-bases")) == 2
        documents = keys(objects, "compactions")
        assert len(documents) < book.number
        assert documents[0].endswith(
            f"{int(keys(objects, 'compaction-bases')[0][-13:-5]) + 1:08}.json"
        )
        assert await shown(partition) == numbers
        assert (await verified(context)).rows == len(numbers)
        assert find_unnamed(objects, Names(objects)).objects == []
        outputs = book.compacted.all()
        history, held = read_objects(Chain(objects, 0, None), 0)
        assert history.damaged == ()
        assert held.compacted.outputs == book.compacted.outputs
        read = await files_read(partition)
        assert [book.inputs_of(one)[0].rows for one in outputs]
    async with indexing(tmp_path, clock, name="b") as (context, other):
        assert await shown(other) == numbers
        assert await files_read(other) == read
        numbers += await grow(context, other, clock, len(numbers), 2)
        assert await shown(other) == numbers
        assert (await verified(context)).rows == len(numbers)


async def test_no_base_is_written_before_everybody_knows_it(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    gate = FixedGate(DOCUMENTS_COMPACTIONS)
    async with indexing(tmp_path, clock, gate) as (context, partition):
        numbers = await grow(context, partition, clock, 0, 3)
        objects = context.backends.objects
        assert partition.compactions.base_due()
        assert keys(objects, "compaction-bases") == keys(objects, "compaction-parts") == []
        assert len(keys(objects, "compactions")) == partition.compactions.number
        newest = last_manifest(partition)
        assert newest is not None
        assert newest.format == COMPACTED_FORMAT
        assert await shown(partition) == numbers


async def test_documents_stay_until_an_earlier_program_stops_at_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with indexing(tmp_path, clock) as (context, partition):
        objects = context.backends.objects
        with monkeypatch.context() as earlier:  # as if each manifest had been made before the base
            earlier.setattr(CompactionBook, "manifests_format", COMPACTED_FORMAT)
            numbers = await grow(context, partition, clock, 0, 6)
        book = partition.compactions
        assert len(keys(objects, "compaction-bases")) >= 2
        assert len(keys(objects, "compactions")) == book.number
        await cuts(partition, context.backends.log, [len(numbers)])
        await rounds(partition, clock)
        assert len(keys(objects, "compactions")) < book.number
        assert await shown(partition) == [*numbers, len(numbers)]


async def test_a_twin_reads_on_while_bases_are_written_and_documents_go(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with (
        indexing(tmp_path, clock) as (context, one),
        indexing(tmp_path, clock, name="b") as (_, twin),
    ):
        numbers: list[int] = []
        for step in range(5):
            numbers += await grow(context, one, clock, len(numbers), 1)
            await until(twin, published(2 * len(numbers)))
            if step in (0, 4):  # it hears nothing of the store for long
                await rounds(twin, clock, 1)
                assert await shown(twin) == numbers
        assert twin.compactions.number == one.compactions.number
        assert one.compactions.base_number > 0
        assert twin.compactions.compacted.outputs == one.compactions.compacted.outputs


async def test_a_damaged_base_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with indexing(tmp_path, clock) as (context, partition):
        objects = context.backends.objects
        numbers = await grow(context, partition, clock, 0, 4)
        key = keys(objects, "compaction-bases")[-1]
        whole = objects.get(key)
        objects.replace(key, whole[:-4])
        for copy in context.folder.rglob(key):
            copy.unlink()
        report = await verify(objects, context.backends.log, [0])
        wrong = [one.what.partition(":")[0] for one in report.problems if not one.warning]
        assert wrong == [f"base of compactions {key}"]
    async with indexing(tmp_path, clock, name="c") as (_, other):
        assert await shown(other) == numbers
        assert other.compactions.unreadable == ""
