"""A partition over real embedded backends: once, resumed after anything, never silent (I2-I5)."""

import asyncio
import shutil
from pathlib import Path

import msgspec

from common import limits
from common.model.record import Marker, gone_record, marker_record
from indexer.partition.partition import Partition
from indexer.seal.partition_reader import last_manifest
from indexer.seal.timing import Timing
from indexer.serve.footers import Footers
from indexer.serve.leases import PartitionLeases
from indexer.upkeep.repair.rebuild import SegmentRebuilder
from query.share.view.view import DatasetView, ViewRequest
from snapshot.bootstrap.bootstrap import read_history
from snapshot.documents.chain import Chain
from snapshot.documents.locations import segment_key
from snapshot.verify.verify import verify
from tests.indexer.harness import (
    DATASET,
    QUICK,
    append,
    open_context,
    published,
    reached,
    record,
    repair_of,
    running,
    until,
)

CUT = marker_record(Marker(hour=None, reason="test"))


def views_of(
    partition: Partition, log_end_wait_s: float = limits.LOG_END_WAIT_S
) -> PartitionLeases:
    shared = partition.shared
    return PartitionLeases(
        {partition.number: partition},
        shared.prefetcher.fetching,
        Footers(),
        repair_of(partition),
        shared.context.clock,
        log_end_wait_s,
    )


def numbers_in(view: DatasetView) -> list[int]:
    from segment.columns import ColumnKey, FieldType
    from segment.columns.segment_read import SegmentReader

    key = ColumnKey("n", FieldType.INT)
    blocks = list(view.blocks)
    for segment in view.segments:
        with SegmentReader(segment.path) as reader:
            blocks.append(reader.block())
    return sorted(n for block in blocks for n in block.columns[key].values.to_pylist())


async def numbers(partition: Partition, dataset: str = DATASET) -> list[int]:
    async with views_of(partition).lease(partition.number, dataset, ViewRequest()) as view:
        return numbers_in(view)


async def test_rows_are_visible_before_and_after_the_cut_exactly_once(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1, 2], [3])
        await until(partition, reached(2))
        assert await numbers(partition) == [1, 2, 3]
        await log.append(0, CUT)
        await append(log, [4])
        await until(partition, published(3))
        await until(partition, reached(4))
        assert await numbers(partition) == [1, 2, 3, 4]
        assert partition.view is not None
        assert partition.view.live.rows == 1


async def test_killed_indexer_resumes_from_the_manifest_and_loses_nothing(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, [1], [2])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(3))
        await append(log, [3], [4])
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(5))
        assert await numbers(partition) == [1, 2, 3, 4]
        assert partition.state is not None
        assert len(partition.state.batch_window) == 4


async def test_repeated_batch_counts_once_also_across_a_cut_and_a_restart(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, [1], [1])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(3))
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [1], [2])
        await until(partition, reached(5))
        assert await numbers(partition) == [1, 2]


async def test_twins_publish_one_manifest_and_agree(tmp_path: Path) -> None:
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        async with running(a) as one, running(b) as other:
            await append(a.backends.log, [1], [2], [3])
            await a.backends.log.append(0, CUT)
            await until(one, published(4))
            await until(other, published(4))
            assert await numbers(one) == await numbers(other) == [1, 2, 3]
            assert last_manifest(one) == last_manifest(other)
        assert not list(a.backends.objects.list("divergence/"))


async def test_deleted_dataset_is_not_served_and_starts_empty(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        async with running(context) as partition:
            await append(log, [1])
            await log.append(0, CUT)
            await append(log, [2])
            await log.append(0, gone_record("t", "e", DATASET))
            await append(log, [3])
            await until(partition, reached(5))
            assert await numbers(partition) == [3]
            await log.append(0, CUT)
            await until(partition, published(6))
            assert await numbers(partition) == [3]
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(6))
        assert await numbers(partition) == [3]


async def test_damaged_segment_is_never_served_and_made_again(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log, shared = context.backends.log, partition.shared
        await append(log, [1, 2])
        await log.append(0, CUT)
        await until(partition, published(2))
        assert partition.view is not None
        (entry,) = partition.view.visible(DATASET)
        cached = shared.cache.path(entry.object)
        stored = tmp_path / "objects" / segment_key(entry.object)
        for path in (cached, stored):
            damaged = bytearray(path.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            path.unlink()
            path.write_bytes(damaged)
        async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
            assert view.unserved == (entry.object,)
            assert not view.segments
        rebuilder = SegmentRebuilder(
            log, context.backends.objects, shared.cache, shared.shredder, shared.encoders, tmp_path
        )
        assert await rebuilder.rebuild(0, entry)
        assert await numbers(partition) == [1, 2]


async def test_damaged_cached_file_is_fetched_again(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1, 2])
        await log.append(0, CUT)
        await until(partition, published(2))
        assert partition.view is not None
        (entry,) = partition.view.visible(DATASET)
        partition.shared.cache.path(entry.object).write_bytes(b"short")
        assert await numbers(partition) == [1, 2]


async def test_damaged_newest_manifest_is_repaired_or_made_again(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        await append(log, [2])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(4))
            assert last_manifest(partition) is not None
            key = last_manifest(partition).key
    stored = tmp_path / "objects" / key
    whole = stored.read_bytes()
    for zone in ("a", "c"):  # c is a new machine: no local copies
        stored.chmod(0o644)
        stored.write_bytes(whole[: len(whole) // 2])
        async with open_context(tmp_path, zone) as context, running(context) as partition:
            await until(partition, published(4))
            assert await numbers(partition) == [1, 2]
        repaired = Chain(context.backends.objects, 0, None).manifest(key)
        assert repaired.next_offset == 4


async def test_log_dropped_under_us_is_a_recorded_gap_not_a_crash_loop(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(2))
            epoch = partition.view.epoch.log if partition.view else ""
        await append(log, [2])
        await log.append(0, CUT)
        await append(log, [3])
    lost = [p for p in (tmp_path / "log").rglob("*") if p.is_file()]
    assert lost
    async with open_context(tmp_path) as context:
        log = Beheaded(context.backends.log, 4)
        object.__setattr__(context.backends, "log", log)
        async with running(context) as partition:
            await until(partition, reached(5))
            assert await numbers(partition) == [1, 3]
            assert partition.view is not None
            (gap,) = partition.view.gaps
            assert (gap.epoch, gap.first, gap.end) == (epoch, 2, 4)
            await log.append(0, CUT)
            await until(partition, published(6))
            assert last_manifest(partition) is not None
            assert last_manifest(partition).gaps == [gap]


class Beheaded:
    """A log whose first records are gone, over a real one."""

    def __init__(self, log: object, start: int) -> None:
        self._log = log
        self.start = start
        self.blocked = False
        self.reading = 0  # calls that are under way

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def bounds(self, partition: int) -> object:
        from common.log import Bounds

        real = await self._log.bounds(partition)  # type: ignore[attr-defined]  # a real log
        return Bounds(max(self.start, real.start), real.end)

    async def read(self, partition: int, offset: int, max_bytes: int, wait_ms: int) -> object:
        from common.errors import OffsetGone

        if self.blocked:
            await asyncio.sleep(0.01)
            return []
        if offset < self.start:
            raise OffsetGone(partition, offset, self.start)
        self.reading += 1
        try:
            return await self._log.read(  # type: ignore[attr-defined]  # a real log
                partition, offset, max_bytes, wait_ms
            )
        finally:
            self.reading -= 1


async def test_rebuilt_log_opens_a_new_epoch_and_old_segments_stay(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(2))
    (tmp_path / "log").rename(tmp_path / "log-lost")
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [2])
        await until(partition, reached(1))
        assert partition.view is not None
        assert partition.view.epoch.number == 2
        assert [(g.first, g.end) for g in partition.view.gaps] == [(2, None)]
        assert await numbers(partition) == [1, 2]
        await context.backends.log.append(0, CUT)
        await until(partition, published(2))
        assert await numbers(partition) == [1, 2]


async def test_newer_record_stops_the_partition_loudly_and_keeps_serving(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1])
        newer = msgspec.structs.replace(record([2]), version=99)
        await log.append(0, newer)
        await until(partition, lambda p: p.stopped_reason is not None)
        assert "newer" in str(partition.stopped_reason)
        assert await numbers(partition) == [1]
        await asyncio.sleep(0)
        assert QUICK.poll_wait_ms < 100


async def test_log_that_was_set_back_goes_on_in_a_new_epoch_with_every_row_once(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        await append(log, [2])
        await until(partition, published(2))
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [3])
        await log.append(0, CUT)
        await until(partition, published(5))
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "backup").rename(tmp_path / "log")
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [4])
        await until(partition, reached(4))
        assert partition.view is not None
        assert partition.view.epoch.number == 2
        assert partition.view.epoch.first_offset == 2
        assert await numbers(partition) == [1, 2, 3, 4]
        await log.append(0, CUT)
        await until(partition, published(5))
        assert await numbers(partition) == [1, 2, 3, 4]
        report = await verify(context.backends.objects, log, [0])
        assert report.clean, report.problems
        assert report.gaps == 1


async def test_checkpoint_saves_reading_and_changes_nothing(
    tmp_path: Path,
) -> None:
    often = Timing(checkpoint_every=2)
    async with open_context(tmp_path) as context, running(context, timing=often) as partition:
        log = context.backends.log
        for n in range(1, 6):
            await append(log, [n])
            await log.append(0, CUT)
        await until(partition, published(10))
    async with open_context(tmp_path, "c") as context, running(context) as partition:
        assert len(list(context.backends.objects.list("checkpoints/"))) == 2
        history = await asyncio.to_thread(read_history, partition.chain, 0)
        assert history.since_checkpoint == 1
        await until(partition, reached(10))
        assert await numbers(partition) == [1, 2, 3, 4, 5]


async def test_lagging_twin_whose_records_were_dropped_resumes_from_the_manifest(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        await append(a.backends.log, [1])
        slow = Beheaded(b.backends.log, 0)
        object.__setattr__(b.backends, "log", slow)
        async with running(b) as lagging:
            await until(lagging, reached(1))
            slow.blocked = True
            async with running(a) as partition:
                await append(a.backends.log, [2])
                await a.backends.log.append(0, CUT)
                await until(partition, published(3))
            slow.start, slow.blocked = 3, False
            await until(lagging, reached(3))
            assert await numbers(lagging) == [1, 2]
            assert lagging.view is not None
            assert lagging.view.gaps == ()
