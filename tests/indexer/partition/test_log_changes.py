"""The log grows, is recreated, set back or shrinks while indexers run: never silently (I5, I7)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.errors import LogUnavailable
from common.log import Bounds, Log, LogIdentity
from common.log.embedded.log import EmbeddedLog
from common.log.watch import LogWatch
from common.process.role import RoleContext
from indexer.seal.timing import TIMING
from indexer.server import serve
from query.share.view.view import ViewRequest
from snapshot.documents.epochs import PartitionsMissing, refuse_fewer_partitions
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
from tests.indexer.partition.test_partition import CUT, numbers, numbers_in, views_of
from tests.waiting import eventually


class Told:
    """A log that says of itself what it is told to say."""

    def __init__(self, log: Log, identity: LogIdentity) -> None:
        self.log = log
        self.identity = identity

    def __getattr__(self, name: str) -> object:
        return getattr(self.log, name)

    async def open(self) -> LogIdentity:
        return self.identity

    async def refresh(self) -> LogIdentity:
        return self.identity


def telling(context: RoleContext, identity: LogIdentity) -> tuple[RoleContext, Told]:
    told = Told(context.backends.log, identity)
    backends = replace(context.backends, log=told)  # type: ignore[arg-type]  # passes the rest on
    return replace(context, backends=backends), told


async def test_watch_believes_growth_and_a_new_epoch_and_never_fewer_partitions() -> None:
    clock = ManualClock()
    told = Told(None, LogIdentity("a", 3))  # type: ignore[arg-type]  # only asked what it is
    watch = LogWatch(told, told.identity, clock)  # type: ignore[arg-type]  # same
    for identity, known, refused in (
        (LogIdentity("a", 5), LogIdentity("a", 5), False),
        (LogIdentity("b", 4), LogIdentity("b", 5), True),
        (LogIdentity("b", 5), LogIdentity("b", 5), False),
        (LogIdentity("c", 6), LogIdentity("c", 6), False),
    ):
        told.identity = identity
        assert await watch.refresh(at_once=True) == known
        assert bool(watch.rejected) == refused
    told.identity = LogIdentity("c", 9)
    assert (await watch.refresh()).partitions == 6  # looked at a moment ago
    clock.advance_ms(1_001)
    assert (await watch.refresh()).partitions == 9


async def test_watch_keeps_what_it_knows_while_the_log_is_away() -> None:
    class Away(Told):
        async def refresh(self) -> LogIdentity:
            raise LogUnavailable("away")

    away = Away(None, LogIdentity("a", 3))  # type: ignore[arg-type]  # only asked what it is
    watch = LogWatch(away, away.identity, ManualClock())  # type: ignore[arg-type]  # same
    assert await watch.refresh(at_once=True) == LogIdentity("a", 3)


async def test_partitions_that_are_added_while_it_runs_are_claimed_and_served(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path, partitions=3) as plain:
        log_id = (await plain.backends.log.open()).epoch
        context, told = telling(plain, LogIdentity(log_id, 2))
        task = asyncio.create_task(serve(context, QUICK, log_refresh_s=0.05))

        async def claims(count: int) -> bool:
            held = await asyncio.to_thread(context.backends.locks.holders, "claims/")
            return len(held) == count

        await eventually(lambda: claims(2))
        told.identity = LogIdentity(log_id, 3)
        await eventually(lambda: claims(3))
        context.stop.set()
        await task


async def test_recreated_log_is_a_new_epoch_with_its_gap_shown_while_it_runs(
    tmp_path: Path,
) -> None:
    (tmp_path / "other").mkdir()
    async with open_context(tmp_path) as plain:
        old = plain.backends.log
        context, told = telling(plain, await old.open())
        recreated = EmbeddedLog(tmp_path / "other", 1, SystemClock())
        identity = await recreated.open()
        async with running(context) as partition:
            await append(old, [1])
            await old.append(0, CUT)
            await until(partition, published(2))
            await append(old, [2])  # acknowledged, indexed, and in no snapshot
            await until(partition, reached(3))
            told.log, told.identity = recreated, identity
            await append(recreated, [3])
            partition.request_resync("the watch has seen it")
            await until(partition, lambda p: p.view is not None and p.view.epoch.number == 2)
            await until(partition, reached(1))
            async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
                assert numbers_in(view) == [1, 3]
                assert [gap[1] for gap in view.gaps] == [2]
                assert view.epoch == identity.epoch
                assert view.earlier[(await old.open()).epoch] == 2
        await recreated.close()


async def test_offsets_of_a_recreated_log_are_never_read_as_those_of_the_old_one(
    tmp_path: Path,
) -> None:
    """The process adopts the new log, longer already, while a partition is about to read on."""
    (tmp_path / "other").mkdir()
    async with open_context(tmp_path) as plain:
        context, told = telling(plain, await plain.backends.log.open())
        recreated = EmbeddedLog(tmp_path / "other", 1, SystemClock())
        identity = await recreated.open()
        await append(recreated, *([n] for n in range(11, 19)))
        async with running(context) as partition:
            await append(plain.backends.log, [1])
            await plain.backends.log.append(0, CUT)
            await until(partition, published(2))
            told.log, told.identity = recreated, identity
            await partition.shared.watch.refresh(at_once=True)
            await until(partition, lambda p: p.view is not None and p.view.epoch.number == 2)
            await until(partition, reached(8))
            assert await numbers(partition) == [1, *range(11, 19)]
        await recreated.close()


class Behind(Told):
    """A log whose end is behind for the first looks, like that of a leader just elected."""

    def __init__(self, log: Log, identity: LogIdentity, looks: int) -> None:
        super().__init__(log, identity)
        self.looks = looks

    async def bounds(self, partition: int) -> Bounds:
        bounds = await self.log.bounds(partition)
        if self.looks:
            self.looks -= 1
            return Bounds(bounds.start, max(0, bounds.end - 2))
        return bounds


@pytest.mark.parametrize(("looks", "epoch"), [(2, 1), (1_000, 2)])
async def test_manifest_ahead_of_the_log_is_looked_at_again_before_an_epoch_opens(
    tmp_path: Path, looks: int, epoch: int
) -> None:
    quick = replace(TIMING, set_back_pause_s=0.01)
    async with open_context(tmp_path) as context:
        async with running(context) as partition:
            for n in (1, 2):
                await append(context.backends.log, [n])
                await context.backends.log.append(0, CUT)
            await until(partition, published(4))
        identity = await context.backends.log.open()
        behind = Behind(context.backends.log, identity, looks)
        backends = replace(context.backends, log=behind)  # type: ignore[arg-type]  # a log
        async with running(replace(context, backends=backends), timing=quick) as partition:
            await until(partition, lambda p: p.view is not None)
            assert partition.view is not None
            assert partition.view.epoch.number == epoch
            assert bool(partition.view.gaps) == (epoch == 2)
            if epoch == 1:
                assert await numbers(partition) == [1, 2]


async def test_log_with_fewer_partitions_than_there_are_snapshots_of_is_refused(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path, partitions=3) as context, running(context, 2) as partition:
        await append(context.backends.log, [1], partition=2)
        await until(partition, reached(1))
        objects = context.backends.objects
        await asyncio.to_thread(refuse_fewer_partitions, objects, 3)
        with pytest.raises(PartitionsMissing, match="2 partitions, but there are snapshots of 3"):
            await asyncio.to_thread(refuse_fewer_partitions, objects, 2)
