"""The object store down, refusing or lying: nothing stops and nothing is lost (I2, I4, I11)."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from common.objects import ObjectStore
from indexer.partition.partition import Partition
from indexer.seal.partition_reader import is_published, last_manifest
from indexer.seal.timing import Timing
from query.share.view.view import ViewRequest
from snapshot.verify.verify import verify
from tests.indexer.faulty import FaultyObjects
from tests.indexer.harness import (
    DATASET,
    QUICK,
    append,
    open_context,
    published,
    reached,
    running,
    until,
)
from tests.indexer.partition.test_partition import CUT, numbers, views_of

pytestmark = pytest.mark.slow

# An hour of waiting for the store is a moment here.
IMPATIENT = Timing(seal_first_s=0.01, seal_most_s=0.02)


def faulty(stores: list[FaultyObjects], seed: int = 0) -> Callable[[ObjectStore], ObjectStore]:
    def wrap(objects: ObjectStore) -> ObjectStore:
        stores.append(FaultyObjects(objects, seed))
        return stores[-1]

    return wrap


async def cuts(partition: Partition, first: int, count: int) -> int:
    """Append so many records, each with a cut; returns the log's end."""
    log = partition.shared.context.backends.log
    for n in range(first, first + count):
        await append(log, [n])
        await log.append(0, CUT)
    return (await log.bounds(0)).end


async def test_store_that_answers_nobody_holds_up_no_other_work(tmp_path: Path) -> None:
    """Calls hang, as with a frozen server: more of them than the process has threads (I8)."""
    hanging, go_on = threading.Event(), threading.Event()

    class Frozen(FaultyObjects):
        def put_if_absent(self, key: str, data: bytes | Path) -> bool:
            if hanging.is_set():
                go_on.wait()
            return super().put_if_absent(key, data)

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    async with open_context(tmp_path, partitions=3, wrap=Frozen) as context, AsyncExitStack() as up:
        log = context.backends.log
        held = [
            await up.enter_async_context(running(context, n, timing=IMPATIENT)) for n in range(3)
        ]
        for partition in held:
            await until(partition, reached(0))
        hanging.set()
        try:
            for n, partition in enumerate(held):
                await append(log, [n], partition=n)
                await log.append(n, CUT)
                await until(partition, lambda p: p.pipeline is not None and p.pipeline.waiting)
            await asyncio.sleep(0.05)  # each has begun to publish by now
            for n, partition in enumerate(held):
                await append(log, [10 + n], partition=n)
                await until(partition, reached(3))
                assert await numbers(partition) == [n, 10 + n]
        finally:
            go_on.set()


async def test_outage_of_many_cuts_stops_neither_indexing_nor_queries(tmp_path: Path) -> None:
    stores: list[FaultyObjects] = []
    async with (
        open_context(tmp_path, wrap=faulty(stores)) as context,
        running(context, timing=IMPATIENT) as partition,
    ):
        await until(partition, published(await cuts(partition, 0, 2)))
        stores[0].down = True
        end = await cuts(partition, 2, 12)
        await until(partition, reached(end))
        assert partition.pipeline is not None
        await until(partition, lambda p: p.pipeline is not None and len(p.pipeline.waiting) == 12)
        assert await numbers(partition) == list(range(14))
        assert partition.view is not None
        assert partition.view.live.rows == 0  # the rows have left memory
        assert not is_published(partition, end)
        before = last_manifest(partition)
        stores[0].down = False
        await until(partition, published(end))
        assert before is not None
        assert len(partition.chain.manifest_keys(before.key)) == 12
        assert await numbers(partition) == list(range(14))
        assert partition.pipeline.waiting_bytes == 0
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert report.clean, report.problems


@pytest.mark.parametrize("seed", range(6))
async def test_store_that_refuses_and_lies_ends_with_every_cut_once(
    tmp_path: Path, seed: int
) -> None:
    stores: list[FaultyObjects] = []
    async with (
        open_context(tmp_path, "a", wrap=faulty(stores, seed)) as a,
        open_context(tmp_path, "b", wrap=faulty(stores, seed + 100)) as b,
    ):
        for store in stores:
            store.refusing = store.lying = 0.3
        async with running(a, timing=IMPATIENT) as one, running(b, timing=IMPATIENT) as other:
            end = await cuts(one, 0, 8)
            await until(one, published(end))
            await until(other, published(end))
            for partition in (one, other):
                assert await numbers(partition) == list(range(8))
            assert len(one.chain.manifest_keys()) == 8
        for store in stores:
            store.refusing = store.lying = 0.0
        assert not list(a.backends.objects.list("divergence/"))
        report = await verify(a.backends.objects, a.backends.log, [0])
        assert report.clean, report.problems


async def test_used_up_disk_budget_pauses_reading_says_so_and_loses_nothing(
    tmp_path: Path,
) -> None:
    stores: list[FaultyObjects] = []
    config = replace(QUICK, unpublished_bytes_max=1)
    async with (
        open_context(tmp_path, wrap=faulty(stores)) as context,
        running(context, config=config, timing=IMPATIENT) as partition,
    ):
        await until(partition, published(await cuts(partition, 0, 1)))
        stores[0].down = True
        end = await cuts(partition, 1, 1)
        await until(partition, lambda p: p.pipeline is not None and bool(p.pipeline.waiting))
        late = await cuts(partition, 2, 5)
        await until(partition, lambda p: p.shared.budget.paused(0))
        await asyncio.sleep(0.1)
        assert partition.view is not None
        assert end <= partition.view.live.end_offset < late
        await partition.log_end.refresh()
        async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
            assert view.catching_up  # so the answer is not called complete
        stores[0].down = False
        await until(partition, published(late))
        assert await numbers(partition) == list(range(7))


async def test_indexer_killed_during_the_outage_loses_nothing(tmp_path: Path) -> None:
    stores: list[FaultyObjects] = []
    async with open_context(tmp_path, wrap=faulty(stores)) as context:
        async with running(context, timing=IMPATIENT) as partition:
            await until(partition, published(await cuts(partition, 0, 1)))
            stores[0].down = True
            end = await cuts(partition, 1, 4)
            await until(partition, reached(end))
        stores[0].down = False
        async with running(context, timing=IMPATIENT) as partition:
            await until(partition, published(end))
            assert await numbers(partition) == list(range(5))
            report = await verify(context.backends.objects, context.backends.log, [0])
            assert report.clean, report.problems


async def test_sealed_file_that_is_lost_before_it_is_published_is_made_again(
    tmp_path: Path,
) -> None:
    stores: list[FaultyObjects] = []
    async with (
        open_context(tmp_path, wrap=faulty(stores)) as context,
        running(context, timing=IMPATIENT) as partition,
    ):
        await until(partition, published(await cuts(partition, 0, 1)))
        stores[0].down = True
        end = await cuts(partition, 1, 2)
        await until(partition, lambda p: p.pipeline is not None and len(p.pipeline.waiting) == 2)
        assert partition.pipeline is not None
        for lost in partition.pipeline.waiting_objects:
            partition.shared.cache.path(lost).unlink()
        stores[0].down = False
        await until(partition, published(end))
        assert await numbers(partition) == [0, 1, 2]
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert report.clean, report.problems
