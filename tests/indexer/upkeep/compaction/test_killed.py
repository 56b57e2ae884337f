"""Killed at any step of compaction, or of deleting its inputs: nothing is lost or doubled (I2)."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.errors import ObjectsUnavailable
from common.objects import ObjectStore
from indexer.partition.maintenance import PartitionMaintenance
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.retention import ToExpire
from tests.indexer.faulty import FaultyObjects
from tests.indexer.harness import open_context, published, until
from tests.indexer.upkeep.compaction.compacting import (
    GRACE_S,
    Dying,
    Killed,
    compacting,
    compactor_of,
    cuts,
    files_read,
    shown,
    verified,
)

EVENTS = list(range(5))
AFTER = [
    pytest.param(False, id="before-a-call-lands", marks=pytest.mark.slow),
    pytest.param(True, id="after-it-landed"),
]
CALLS_MAX = 60  # of the store in one step; more would be a step that never ends


@pytest.mark.parametrize("after", AFTER)
async def test_killed_while_compacting_leaves_the_old_or_the_new(
    tmp_path: Path, after: bool
) -> None:
    await kill_at_every_step(tmp_path, after, lambda _, objects: objects)


async def kill_at_every_step(
    tmp_path: Path, after: bool, store: Callable[[Path, ObjectStore], ObjectStore]
) -> None:
    """Kill a step at each call of the store, each time in a folder of its own.

    store: the object store of a folder, in place of the directory there.
    """
    for at in range(1, CALLS_MAX):
        folder = tmp_path / str(at)
        stores: list[Dying] = []

        def wrap(
            objects: ObjectStore, folder: Path = folder, stores: list[Dying] = stores
        ) -> ObjectStore:
            stores.append(Dying(store(folder, objects), after=after))
            return stores[-1]

        died = False
        async with open_context(folder, wrap=wrap) as context, compacting(context) as partition:
            await cuts(partition, context.backends.log, *([n] for n in EVENTS))
            stores[0].calls, stores[0].at = 0, at
            try:
                await compactor_of(partition).step(0)
            except Killed:
                died = True
            stores[0].at = 0
            assert await shown(partition) == EVENTS
        async with open_context(folder, wrap=wrap) as context, compacting(context) as again:
            assert await shown(again) == EVENTS
            assert (await verified(context)).rows == len(EVENTS)
            assert await files_read(again) in (1, len(EVENTS))
            await compactor_of(again).step(0)
            assert await files_read(again) == 1
            assert await shown(again) == EVENTS
            assert (await verified(context)).rows == len(EVENTS)
        if not died:
            break
    assert at > 4  # put, read back, listed, published: each was tried


@pytest.mark.slow
@pytest.mark.parametrize("after", AFTER)
async def test_killed_while_deleting_inputs_loses_nothing(tmp_path: Path, after: bool) -> None:
    for at in range(1, CALLS_MAX):
        folder, clock = tmp_path / str(at), ManualClock(wall_ns=SystemClock().now_ns())
        stores: list[Dying] = []

        def wrap(objects: ObjectStore, stores: list[Dying] = stores) -> ObjectStore:
            stores.append(Dying(objects, after=after))
            return stores[-1]

        died = False
        async with open_context(folder, wrap=wrap) as plain:
            context = replace(plain, clock=clock)
            async with compacting(context, clock=clock) as partition:
                await cuts(partition, context.backends.log, *([n] for n in EVENTS))
                maintenance = PartitionMaintenance(partition)
                assert await compactor_of(partition).step(0) == 1
                await cuts(partition, context.backends.log, [5])
                await maintenance.run_round()
                clock.advance_ms(2 * GRACE_S * 1_000)
                stores[0].calls, stores[0].at = 0, at
                try:
                    await maintenance.run_round()
                except Killed:
                    died = True
                stores[0].at = 0
                assert await shown(partition) == [*EVENTS, 5]
        async with open_context(folder) as plain:
            context = replace(plain, clock=clock)
            async with compacting(context, clock=clock) as again:
                assert await shown(again) == [*EVENTS, 5]
                assert (await verified(context)).rows == len(EVENTS) + 1
                maintenance = PartitionMaintenance(again)
                for _ in range(3):
                    await maintenance.run_round()
                    clock.advance_ms(2 * GRACE_S * 1_000)
                objects = context.backends.objects
                left = [one.key for one in objects.list("segments/")]
                assert len(left) == 2, left  # the output and the last cut
                assert await shown(again) == [*EVENTS, 5]
                assert (await verified(context)).rows == len(EVENTS) + 1
        if not died:
            break
    assert at > 4


async def test_a_store_that_fails_delays_compaction_and_no_more(tmp_path: Path) -> None:
    await fail_and_compact(tmp_path, lambda objects: objects)


async def fail_and_compact(tmp_path: Path, store: Callable[[ObjectStore], ObjectStore]) -> None:
    """Compact while the store is down, then while it refuses calls and lies about puts."""
    faulty: list[FaultyObjects] = []

    def wrap(objects: ObjectStore) -> ObjectStore:
        faulty.append(FaultyObjects(store(objects), seed=5))
        return faulty[-1]

    async with open_context(tmp_path, wrap=wrap) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in EVENTS))
        compactor = compactor_of(partition)
        faulty[0].down = True
        with pytest.raises(ObjectsUnavailable):
            await compactor.step(0)
        await compactor.run_round()  # which logs it and goes on
        assert "does not answer" in str(compactor.describe(0)["waits_for"])
        assert await shown(partition) == EVENTS
        faulty[0].down, faulty[0].lying, faulty[0].refusing = False, 0.4, 0.3
        for _ in range(50):
            with suppress(ObjectsUnavailable):
                await compactor_of(partition).step(0)
            assert await shown(partition) == EVENTS
            partition.retention.refresh()
            partition.retention.apply()
            assert await shown(partition) == EVENTS
        faulty[0].lying = faulty[0].refusing = 0
        assert await files_read(partition) == 1
        assert (await verified(context)).rows == len(EVENTS)


async def test_events_are_shown_once_while_others_expire_and_twins_compact(tmp_path: Path) -> None:
    clock, chance = ManualClock(wall_ns=SystemClock().now_ns()), random.Random(11)
    async with open_context(tmp_path) as plain, open_context(tmp_path, "b") as plain_b:
        context, context_b = replace(plain, clock=clock), replace(plain_b, clock=clock)
        async with (
            compacting(context, clock=clock) as one,
            compacting(context_b, clock=clock) as twin,
        ):
            expected: list[int] = []
            for step in range(24):
                await cuts(one, context.backends.log, [step])
                await until(twin, published(2 * step + 2))
                expected.append(step)
                who = chance.choice((one, twin))
                assert who.view is not None
                kind = chance.choice(("compact", "compact", "expire", "round"))
                if kind == "compact":
                    await compactor_of(who).step(0)
                elif kind == "expire" and len(expected) > 6:
                    gone = chance.choice(who.view.all_segments()[:-1])
                    number = (gone.first_offset) // 2
                    who.retention.book.expire(
                        ToExpire([gone], (), Cutoffs()), clock.now_ns(), "test"
                    )
                    expected.remove(number)
                    who.retention.refresh()
                    who.retention.apply()
                else:
                    clock.advance_ms(GRACE_S * 1_000)
                    await PartitionMaintenance(who).run_round()
                for other in (one, twin):
                    other.retention.refresh()
                    other.retention.apply()
                    assert await shown(other) == expected
            for partition in (one, twin):
                maintenance = PartitionMaintenance(partition)
                for _ in range(4):
                    await compactor_of(partition).step(0)
                    await maintenance.run_round()
                    clock.advance_ms(2 * GRACE_S * 1_000)
            for partition in (one, twin):
                partition.retention.refresh()
                partition.retention.apply()
                assert await shown(partition) == expected
            assert await files_read(one) < len(expected)
            assert (await verified(context)).rows == len(expected)
    async with open_context(tmp_path, "c") as plain_c:
        context = replace(plain_c, clock=clock)
        async with compacting(context, clock=clock) as fresh:
            assert await shown(fresh) == expected
