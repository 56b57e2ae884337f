"""Compaction beside indexing: every event is shown once before, during and after it (I2, I4)."""

import asyncio
from dataclasses import replace
from pathlib import Path

from common.clock import ManualClock, SystemClock
from common.process.versions import FIRST_DOCUMENTS
from indexer.partition.maintenance import PartitionMaintenance
from indexer.seal.partition_reader import last_manifest
from snapshot.compaction.documents import compaction_prefix
from snapshot.documents.locations import segment_key
from snapshot.documents.manifest import COMPACTED_FORMAT
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.retention import ToExpire
from tests.indexer.compaction.compacting import (
    GRACE_S,
    compacting,
    compactor_of,
    cuts,
    files_read,
    shown,
    verified,
)
from tests.indexer.harness import open_context, published, until


async def test_small_cuts_become_one_object_and_show_the_same_events(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        async with compacting(context) as partition:
            await cuts(partition, context.backends.log, *([n, n + 100] for n in range(6)))
            before = await shown(partition)
            assert await files_read(partition) == 6
            compactor = compactor_of(partition)
            assert await compactor.step(0) == 1
            assert await files_read(partition) == 1
            assert await shown(partition) == before
            assert (await verified(context)).rows == 12
            assert await compactor.step(0) == 0
            await cuts(partition, context.backends.log, [7])
            newest = last_manifest(partition)
            assert newest is not None
            assert newest.format == COMPACTED_FORMAT  # who knows no compaction stops at it
        async with compacting(context) as again:
            assert await files_read(again) == 2
            assert await shown(again) == sorted([*before, 7])
    async with open_context(tmp_path, "b") as context, compacting(context) as other:
        assert await shown(other) == sorted([*before, 7])


async def test_nothing_is_compacted_before_everybody_knows_it(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context, FIRST_DOCUMENTS) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(5)))
        compactor = compactor_of(partition)
        assert await compactor.step(0) == 0
        assert "announced" in str(compactor.describe(0)["waits_for"])
        assert compactor.describe(0)["due"] == 1
        assert list(context.backends.objects.list(compaction_prefix(0))) == []
        newest = last_manifest(partition)
        assert newest is not None
        assert newest.format < COMPACTED_FORMAT


async def test_inputs_go_a_grace_time_later_and_the_output_stays(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            await cuts(partition, context.backends.log, *([n] for n in range(5)))
            assert partition.view is not None
            inputs = [entry.object for entry in partition.view.all_segments()]
            maintenance = PartitionMaintenance(partition)
            await maintenance.run_round()
            assert await compactor_of(partition).step(0) == 1
            objects = context.backends.objects

            def present() -> int:
                return sum(objects.head(segment_key(name)) is not None for name in inputs)

            await maintenance.run_round()
            clock.advance_ms(2 * GRACE_S * 1_000)
            await maintenance.run_round()
            assert present() == 5  # the newest manifest does not tell of compactions yet
            await cuts(partition, context.backends.log, [5])
            await maintenance.run_round()
            assert present() == 0
            assert await shown(partition) == [0, 1, 2, 3, 4, 5]
            assert (await verified(context)).rows == 6
    async with open_context(tmp_path, "c") as context, compacting(context) as other:
        assert await shown(other) == [0, 1, 2, 3, 4, 5]


async def test_what_expires_within_an_output_is_hidden_and_restored_there(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            await cuts(partition, context.backends.log, *([n] for n in range(5)))
            assert partition.view is not None
            entries = partition.view.all_segments()
            assert await compactor_of(partition).step(0) == 1
            book, retention = partition.retention.book, partition.retention
            book.expire(ToExpire(entries[1:3], (), Cutoffs()), clock.now_ns(), "test")
            retention.refresh()
            retention.apply()
            assert await shown(partition) == [0, 3, 4]
            assert await files_read(partition) == 1
            assert (await verified(context)).rows == 3
            assert book.restore(entries[1:2], (), clock.now_ns(), "test") == entries[1:2]
        async with compacting(context, clock=clock) as again:
            assert await shown(again) == [0, 1, 3, 4]
            assert (await verified(context)).rows == 4


async def test_twins_that_compact_at_the_same_moment_agree(tmp_path: Path) -> None:
    async with (
        open_context(tmp_path) as context,
        open_context(tmp_path, "b") as context_b,
        compacting(context) as one,
        compacting(context_b) as twin,
    ):
        await cuts(one, context.backends.log, *([n] for n in range(5)))
        await until(twin, published(10))
        made = await asyncio.gather(compactor_of(one).step(0), compactor_of(twin).step(0))
        assert sorted(made) == [0, 1]
        for partition in (one, twin):
            await asyncio.to_thread(partition.retention.refresh)
            partition.retention.apply()
            assert await shown(partition) == [0, 1, 2, 3, 4]
            assert await files_read(partition) == 1
        assert len(list(context.backends.objects.list(compaction_prefix(0)))) == 1
        await verified(context)
