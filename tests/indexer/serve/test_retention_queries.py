"""Retention per dataset: only what it names goes, from queries, objects and disks, safely (I3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from common.clock import ManualClock, SystemClock
from common.metadata import Dataset
from common.model.names import dataset_id
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from query.share.view.view import ViewRequest
from snapshot.documents.locations import segment_key
from snapshot.retention.cutoffs import Cutoffs
from snapshot.verify.verify import verify
from tests.indexer.harness import DATASET, QUICK, open_context, published, record, running, until
from tests.indexer.partition.test_partition import CUT, numbers, numbers_in, views_of

SHORT = dataset_id("t", "e", "short")
DAY_MS = 24 * 3600 * 1000
HOUSE = replace(QUICK, housekeeping_s=0, retention_grace_s=3600, heartbeat_ms=10**9)
cutoffs = st.builds(
    Cutoffs, st.integers(0, 9), st.dictionaries(st.sampled_from("abc"), st.integers(0, 9))
)


@given(st.lists(cutoffs, max_size=5))
def test_cut_offs_never_go_back_for_any_dataset(decided: list[Cutoffs]) -> None:
    state = Cutoffs()
    for one in decided:
        later = state.joined(one)
        for name in "abcd":
            assert later.of(name) == max(state.of(name), one.of(name))
        state = later


@asynccontextmanager
async def two_datasets(folder: Path) -> AsyncIterator[tuple[Partition, ManualClock]]:
    """A partition with two cuts of two datasets; the short one is kept for a day."""
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(folder) as plain:
        context = replace(plain, clock=clock)
        metadata = context.backends.metadata
        metadata.ensure_dataset(Dataset(SHORT, "e", "short", "short", retention_days=1))
        async with running(context, config=HOUSE) as partition:
            log = context.backends.log
            for n in (1, 2):
                await log.append(0, record([n], batch=10 + n))
                await log.append(0, record([n], batch=20 + n, dataset=SHORT))
                await log.append(0, CUT)
            await until(partition, published(6))
            yield partition, clock


async def test_dataset_that_is_kept_for_a_day_goes_while_queries_run_and_others_stay(
    tmp_path: Path,
) -> None:
    async with two_datasets(tmp_path) as (partition, clock):
        maintenance = PartitionMaintenance(partition)
        await maintenance.run_round()
        assert await numbers(partition, SHORT) == [1, 2]
        view = partition.view
        assert view is not None
        old = [entry.object for entry in view.visible(SHORT)]
        seen: list[list[int]] = []
        stop = asyncio.Event()

        async def ask() -> None:
            while not stop.is_set():
                for dataset in (SHORT, DATASET):
                    async with views_of(partition).lease(0, dataset, ViewRequest()) as leased:
                        assert not leased.unserved
                        await asyncio.sleep(0.01)
                        found: list[int] = []
                        if leased.segments:
                            found = await asyncio.to_thread(numbers_in, leased)
                    if dataset == DATASET:
                        assert found == [1, 2]
                    else:
                        seen.append(found)

        asking = [asyncio.create_task(ask()) for _ in range(3)]
        await until(partition, lambda _: len(seen) >= 3)
        clock.advance_ms(1.5 * DAY_MS)
        await maintenance.run_round()
        await until(partition, lambda _: seen[-3:] == [[], [], []])
        objects = partition.shared.context.backends.objects
        assert all(objects.head(segment_key(name)) is not None for name in old)  # grace
        clock.advance_ms(2 * 3_600_000)
        await maintenance.run_round()
        stop.set()
        await asyncio.gather(*asking)
        assert seen[0] == [1, 2]
        assert seen[-1] == []
        assert await numbers(partition) == [1, 2]
        assert all(objects.head(segment_key(name)) is None for name in old)
        await maintenance.run_round()
        assert not any(partition.shared.cache.path(name).exists() for name in old)
        report = await verify(objects, partition.shared.context.backends.log, [0])
        assert report.clean, report.problems
    async with open_context(tmp_path, "c") as context, running(context, config=HOUSE) as other:
        await until(other, lambda p: p.view is not None)
        assert await numbers(other, SHORT) == []  # a new indexer hides the same
        assert await numbers(other) == [1, 2]


async def test_longer_retention_brings_nothing_back_and_breaks_nothing(tmp_path: Path) -> None:
    async with two_datasets(tmp_path) as (partition, clock):
        maintenance = PartitionMaintenance(partition)
        clock.advance_ms(1.5 * DAY_MS)
        await maintenance.run_round()
        assert await numbers(partition, SHORT) == []
        metadata = partition.shared.context.backends.metadata
        metadata.update_dataset(Dataset(SHORT, "e", "short", "short", retention_days=90))
        clock.advance_ms(2 * 3_600_000)
        await maintenance.run_round()
        async with views_of(partition).lease(0, SHORT, ViewRequest()) as view:
            assert not view.unserved
            assert not view.segments


async def test_dataset_that_is_kept_longer_outlives_the_others(tmp_path: Path) -> None:
    async with two_datasets(tmp_path) as (partition, clock):
        metadata = partition.shared.context.backends.metadata
        metadata.update_dataset(Dataset(SHORT, "e", "short", "short", retention_days=90))
        maintenance = PartitionMaintenance(partition)
        clock.advance_ms(61 * DAY_MS)
        await maintenance.run_round()
        assert await numbers(partition, SHORT) == [1, 2]
        assert await numbers(partition) == []


async def test_nothing_expires_while_nobody_knows_how_long_datasets_are_kept(
    tmp_path: Path,
) -> None:
    async with two_datasets(tmp_path) as (partition, clock):
        partition.shared.context.backends.metadata.close()
        maintenance = PartitionMaintenance(partition)
        clock.advance_ms(400 * DAY_MS)
        await maintenance.run_round()
        assert await numbers(partition, SHORT) == [1, 2]
        partition.shared.context.backends.metadata.open()
        clock.advance_ms(60_000)
        await maintenance.run_round()
        assert await numbers(partition, SHORT) == []
