"""Small outputs of one step share a pack: few objects for thousands of datasets (I2, I4)."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.log import Log
from common.model.names import dataset_id
from common.objects import ObjectStore
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.compaction.documents import CompactionDocument, compaction_key
from snapshot.compaction.proof import Unproved, unproved_inputs
from snapshot.documents.chain import Chain
from snapshot.documents.locations import pack_key
from snapshot.documents.manifest import PACKS_FORMAT, SegmentEntry
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.retention import ToExpire
from snapshot.verify.verify import verify
from tests.indexer.harness import DATASET, open_context, published, record, repair_of, until
from tests.indexer.partition.test_partition import CUT
from tests.indexer.upkeep.compaction.compacting import (
    GRACE_S,
    compacting,
    compactor_of,
    cuts,
    files_read,
    shown,
    verified,
)


class Counting(ReadOnlyStore):
    """A store that notes what is fetched from it. fetched: keys, once for each request."""

    def __init__(self, objects: ObjectStore) -> None:
        super().__init__(objects)
        self.fetched: list[str] = []

    def fetch(self, key: str, target: Path) -> int:
        self.fetched.append(key)
        return super().fetch(key, target)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        self.fetched.append(key)
        super().fetch_range(key, offset, length, target)


OTHER = dataset_id("t", "e", "other")


async def both(partition: Partition, log: Log, *numbers: int) -> None:
    """A cut of both datasets for each number: `n` in one, `n + 50` in the other."""
    for n in numbers:
        await log.append(0, record([n], batch=100 + n))
        await log.append(0, record([n + 50], batch=200 + n, dataset=OTHER))
        position = (await log.append(0, CUT)).position
        await until(partition, published(position.offset + 1))


def outputs(partition: Partition) -> list[SegmentEntry]:
    assert partition.view is not None
    return [one.entry for one in partition.view.compacted.all()]


def packs(partition: Partition) -> set[str]:
    """The packs in the store."""
    listed = partition.shared.context.backends.objects.list("packs/")
    return {info.key.rpartition("/")[2].removesuffix(".pack") for info in listed}


async def delete_due(partition: Partition, clock: ManualClock) -> None:
    maintenance = PartitionMaintenance(partition)
    for _ in range(3):
        await maintenance.run_round()
        clock.advance_ms(2 * GRACE_S * 1_000)


async def test_outputs_of_a_step_lie_in_one_pack_that_another_indexer_reads(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        log, objects = context.backends.log, context.backends.objects
        await both(partition, log, *range(5))
        before = packs(partition)
        assert await compactor_of(partition).step(0) == 2
        (pack,) = packs(partition) - before
        assert [one.pack for one in outputs(partition)] == [pack, pack]
        document = Chain(objects, 0, None).load(compaction_key(0, 1), CompactionDocument)
        assert document.format == PACKS_FORMAT  # a program that knows no packs here stops at it
        assert (await verified(context)).rows == 10
        await both(partition, log, 5)
    async with open_context(tmp_path, "b") as context, compacting(context) as other:
        assert await shown(other) == [0, 1, 2, 3, 4, 5]
        assert await shown(other, OTHER) == [50, 51, 52, 53, 54, 55]
        assert await files_read(other, OTHER) == 2


async def test_a_damaged_pack_of_outputs_is_made_again_from_their_inputs(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        objects = context.backends.objects
        await both(partition, context.backends.log, *range(5))
        assert await compactor_of(partition).step(0) == 2
        one, other = outputs(partition)
        partition.shared.cache.forget(one.pack)
        objects.replace(one.location.key, b"damaged")
        assert await repair_of(partition).repair(0, one) == "inputs"
        assert await repair_of(partition).repair(0, other) == "inputs"
        assert await shown(partition) == [0, 1, 2, 3, 4]
        assert await shown(partition, OTHER) == [50, 51, 52, 53, 54]
        await verified(context)


async def test_a_pack_of_outputs_goes_with_the_last_of_them(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            log = context.backends.log
            await both(partition, log, *range(5))
            assert await compactor_of(partition).step(0) == 2
            (pack,) = {one.pack for one in outputs(partition)}
            for n in range(10, 30):  # the one dataset goes on
                await log.append(0, record([n], batch=300 + n))
                position = (await log.append(0, CUT)).position
                await until(partition, published(position.offset + 1))
            compactor = compactor_of(partition)
            while await compactor.step(0):
                pass
            assert [one.pack for one in outputs(partition)].count(pack) == 1
            await delete_due(partition, clock)
            assert packs(partition) == {pack}  # the other dataset's output is in it
            assert partition.view is not None
            entries = partition.view.all_segments()
            gone = [entry for entry in entries if entry.dataset == OTHER]
            partition.retention.book.expire(ToExpire(gone, (), Cutoffs()), clock.now_ns(), "test")
            partition.retention.refresh()
            partition.retention.apply()
            await delete_due(partition, clock)
            assert packs(partition) == set()
            assert await shown(partition) == [0, 1, 2, 3, 4, *range(10, 30)]
            assert await shown(partition, OTHER) == []
            await verified(context)
    async with open_context(tmp_path, "b") as plain, compacting(plain, clock=clock) as again:
        assert await shown(again) == [0, 1, 2, 3, 4, *range(10, 30)]


async def test_one_output_that_is_not_proved_leaves_the_other_datasets_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prove(data: bytes, inputs: list[SegmentEntry], rows: int) -> list[Unproved]:
        if inputs[0].dataset == DATASET:
            return [Unproved(inputs[0], "its content has another digest")]
        return unproved_inputs(data, inputs, rows)

    async with open_context(tmp_path) as context, compacting(context) as partition:
        await both(partition, context.backends.log, *range(5))
        monkeypatch.setattr("snapshot.compaction.output.unproved_inputs", prove)
        compactor = compactor_of(partition)
        assert await compactor.step(0) == 0
        assert list(partition.unproved) == [DATASET]
        assert await compactor.step(0) == 1
        assert await files_read(partition) == 5
        assert await files_read(partition, OTHER) == 1
        assert await shown(partition) == [0, 1, 2, 3, 4]
        assert (await verified(context)).rows == 10


async def test_verify_fetches_a_pack_once(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await both(partition, context.backends.log, *range(3))
        names = packs(partition)
        assert len(names) == 3
        store = Counting(context.backends.objects)
        report = await verify(store, context.backends.log, [0])
        assert report.clean, report.problems
        assert report.segments == 6
        fetched = [key for key in store.fetched if key.startswith("packs/")]
        assert sorted(fetched) == sorted(pack_key(name) for name in names)


async def test_what_is_alone_in_a_pack_is_taken_out_of_it_so_that_the_pack_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            log = context.backends.log
            await log.append(0, record(list(range(30)), batch=1))
            await both(partition, log, 30)
            (pack,) = packs(partition)
            await cuts(partition, log, list(range(31, 61)))
            compactor = compactor_of(partition)
            monkeypatch.setattr(
                "indexer.upkeep.compaction.compactor.span_ns", lambda _: 1
            )  # all is over
            assert await compactor.step(0) == 0  # the pack is read whole
            monkeypatch.undo()
            await cuts(partition, log, [61], [62])
            assert await compactor.step(0) == 1
            assert await files_read(partition) == 1
            monkeypatch.setattr("indexer.upkeep.compaction.compactor.span_ns", lambda _: 1)
            compactor = compactor_of(partition)
            assert await compactor.step(0) == 1
            (moved,) = [one for one in outputs(partition) if one.dataset == OTHER]
            assert moved.pack == ""
            assert await compactor_of(partition).step(0) == 0
            assert packs(partition) == {pack}
            await cuts(partition, log, [63])  # its manifest has the format of what was compacted
            await delete_due(partition, clock)
            assert packs(partition) == set()
            assert await shown(partition, OTHER) == [80]
            assert await shown(partition) == list(range(64))
            await verified(context)
    async with open_context(tmp_path, "b") as plain, compacting(plain, clock=clock) as again:
        assert await shown(again, OTHER) == [80]
        await verified(plain)
