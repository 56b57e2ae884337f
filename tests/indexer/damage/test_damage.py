"""A record that cannot be read is missing data, and is told until it is settled (I7, I13)."""

import shutil
from pathlib import Path

import msgspec
import pytest

from common.model.record import Record, settled_record
from common.model.record_value import compress_value
from indexer.partition.partition import Partition
from indexer.seal.partition_reader import last_manifest
from indexer.serve.leases import Footers, PartitionLeases
from query.plan.plan import Need, Plan, State
from query.share.compute.answer import PartitionCovered
from query.share.compute.covered import covered
from query.share.view.view import ViewRequest
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.damage.report import read_damage
from snapshot.damage.settlements import SettledOffsets, SettlementBook
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.manifest import QuarantinedRecord
from tests.indexer.damage.damaging import flip
from tests.indexer.harness import (
    DATASET,
    append,
    open_context,
    published,
    reached,
    record,
    repair_of,
    running,
    scrubber_of,
    until,
)
from tests.indexer.partition.test_partition import CUT, numbers

OTHER = "d" * len(DATASET)


async def coverage(partition: Partition, dataset: str = DATASET) -> PartitionCovered:
    """What an answer about the dataset would say of the partition."""
    shared = partition.shared
    fetching = SegmentFetcher(shared.cache, 1)
    held = {partition.number: partition}
    views = PartitionLeases(held, fetching, Footers(), repair_of(partition), shared.context.clock)
    plan = Plan(dataset=dataset, start_ns=0, end_ns=2**62, needs=(Need(State.COUNT, None),))
    try:
        async with views.lease(partition.number, dataset, ViewRequest(timeout_ms=1000)) as view:
            return covered(view, plan)
    finally:
        fetching.close()


async def three_records(folder: Path) -> None:
    """A cut of one record, then records at offsets 2, 3 and 4 that no cut covers."""
    async with open_context(folder) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        await append(log, [2, 3], [4, 5, 6], [7])
        await until(partition, published(2))
        await until(partition, reached(5))


async def test_damaged_value_makes_answers_of_its_dataset_incomplete_and_names_what_is_missing(
    tmp_path: Path,
) -> None:
    await three_records(tmp_path)
    flip(tmp_path, 3)
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(5))
        assert await numbers(partition) == [1, 2, 3, 7]
        told = await coverage(partition)
        assert not told.complete
        (one,) = told.damaged
        assert (one.first, one.end, one.events, one.whole) == (3, 4, 3, False)
        assert "checksum" in one.reason
        assert "decompress" in one.reason
        assert "bellwether damage" in told.reason
        assert (await coverage(partition, OTHER)).complete


@pytest.mark.parametrize(("at", "why"), [(0, "headers"), (-1, "value is whole")])
async def test_damaged_headers_make_answers_of_every_dataset_incomplete_unless_they_still_name_one(
    tmp_path: Path, at: int, why: str
) -> None:
    await three_records(tmp_path)
    flip(tmp_path, 3, "headers", at)
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(5))
        told = await coverage(partition)
        assert not told.complete
        assert why in told.damaged[0].reason
        assert (await coverage(partition, OTHER)).complete == (at == -1)


async def test_damage_is_still_told_after_its_cut_a_restart_and_a_bootstrap_on_an_empty_disk(
    tmp_path: Path,
) -> None:
    await three_records(tmp_path)
    flip(tmp_path, 3)
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(5))
        await context.backends.log.append(0, CUT)
        await append(context.backends.log, [8])
        await context.backends.log.append(0, CUT)
        await until(partition, published(8))
        assert not (await coverage(partition)).complete
    shutil.rmtree(tmp_path / "roles")
    async with open_context(tmp_path, "c") as context, running(context) as partition:
        await until(partition, reached(8))
        told = await coverage(partition)
        assert not told.complete
        assert [(one.first, one.events) for one in told.damaged] == [(3, 3)]
        assert "decompress" in told.damaged[0].reason


async def test_records_set_aside_by_an_older_version_are_missing_too(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        for n in range(1, 5):
            await append(context.backends.log, [n])
            await context.backends.log.append(0, CUT)
        await until(partition, published(8))
        keys = partition.chain.manifest_keys()
    async with open_context(tmp_path, "c") as context:
        chain = Chain(context.backends.objects, 0, None)
        for key in keys:  # as the version before wrote them
            manifest = msgspec.structs.replace(chain.manifest(key), damaged=None)
            if key == keys[1]:
                aside = [QuarantinedRecord(2, "headers cannot be read")]
                manifest = msgspec.structs.replace(manifest, set_aside=aside)
            chain.objects.replace(key, encode_checksummed(manifest))
        async with running(context) as partition:
            await until(partition, reached(8))
            told = await coverage(partition)
            assert [(one.first, one.whole) for one in told.damaged] == [(2, True)]
            await append(context.backends.log, [5])
            await context.backends.log.append(0, CUT)
            await until(partition, published(10))
            newest = last_manifest(partition)
            assert newest is not None
            assert newest.damaged is not None
            assert [one.first for one in newest.damaged] == [2]


async def test_well_stored_record_with_a_line_that_cannot_be_read_is_missing_too(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        poisoned: Record = msgspec.structs.replace(
            record([2, 3]), value=compress_value(b'{"t":1,"r":1,"d":{"a":1}}\nnot a line\n')
        )
        await append(log, [1])
        await log.append(0, poisoned)
        await until(partition, reached(2))
        told = await coverage(partition)
        assert [(one.first, one.events, one.whole) for one in told.damaged] == [(1, 2, False)]
        assert (await coverage(partition, OTHER)).complete
        await log.append(0, CUT)
        await until(partition, published(3))
    async with open_context(tmp_path, "c") as context, running(context) as partition:
        await until(partition, reached(3))
        assert [one.first for one in (await coverage(partition)).damaged] == [1]
        assert await numbers(partition) == [1]


async def test_settled_damage_is_complete_again_and_goes_on_being_told(tmp_path: Path) -> None:
    await three_records(tmp_path)
    flip(tmp_path, 3)
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(5))
        book = SettlementBook(Chain(context.backends.objects, 0, None))
        book.settle([SettledOffsets(epoch_number=1, first=3, end=4)], now_ns=1)
        partition.damage.settlements.refresh()
        assert partition.state is not None
        await partition.damage.apply_settlements(partition.state)
        told = await coverage(partition)
        assert told.complete, told.reason
        assert told.given_up == 1
        await context.backends.log.append(0, CUT)
        await until(partition, published(6))
    async with open_context(tmp_path, "c") as context, running(context) as partition:
        await until(partition, reached(6))
        told = await coverage(partition)
        assert (told.complete, told.given_up) == (True, 1)


async def test_damage_in_what_a_published_segment_covers_harms_nothing(tmp_path: Path) -> None:
    await three_records(tmp_path)
    async with open_context(tmp_path) as context, running(context) as partition:
        await context.backends.log.append(0, CUT)
        await until(partition, published(6))
    for offset in (0, 2, 3, 5):
        flip(tmp_path, offset, "headers", 0)
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(6))
        assert (await coverage(partition)).complete
        assert await numbers(partition) == [1, 2, 3, 4, 5, 6, 7]
        assert partition.view is not None
        assert partition.view.epoch.number == 1


async def test_report_from_outside_names_covered_and_uncovered_damage_alike(
    tmp_path: Path,
) -> None:
    await three_records(tmp_path)
    flip(tmp_path, 3)
    async with open_context(tmp_path) as context:
        found = await read_damage(context.backends.objects, context.backends.log, 0)
        assert [(one.first, one.events) for one in found.missing] == [(3, 3)]
        assert found.uncovered_from == 2
        async with running(context) as partition:
            await context.backends.log.append(0, CUT)
            await until(partition, published(6))
        found = await read_damage(context.backends.objects, context.backends.log, 0)
        assert [(one.first, one.events) for one in found.missing] == [(3, 3)]
        assert found.uncovered_from == 6
        SettlementBook(Chain(context.backends.objects, 0, None)).settle(
            [SettledOffsets(epoch_number=1, first=3, end=4)], now_ns=1
        )
        found = await read_damage(context.backends.objects, context.backends.log, 0)
        assert found.missing == ()
        assert [one.first for one in found.settled] == [3]


async def test_report_from_outside_knows_what_was_appended_again_and_is_in_no_cut_yet(
    tmp_path: Path,
) -> None:
    await three_records(tmp_path)
    flip(tmp_path, 3)
    async with open_context(tmp_path) as context:
        log, objects = context.backends.log, context.backends.objects
        async with running(context) as partition:
            await log.append(0, CUT)
            await until(partition, published(6))
        await log.append(0, settled_record((1, 2), "no damaged place", record([2, 3])))
        assert [one.first for one in (await read_damage(objects, log, 0)).missing] == [3]
        await log.append(0, settled_record((1, 3), "mend", record([4, 5, 6])))
        assert (await read_damage(objects, log, 0)).missing == ()


async def test_record_that_is_damaged_after_it_was_read_is_cut_at_once_and_outlives_a_kill(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [1], [2, 3], [4])
        await until(partition, reached(3))
        scrubbing = scrubber_of(partition)
        await scrubbing.scrub()
        assert (await context.backends.log.bounds(0)).end == 3  # all is whole: nothing is cut
        flip(tmp_path, 1)
        await scrubbing.scrub()
        await until(partition, published(4))
        await scrubbing.scrub()
        assert (await context.backends.log.bounds(0)).end == 4
    async with open_context(tmp_path, "c") as context, running(context) as partition:
        await until(partition, reached(4))
        assert await numbers(partition) == [1, 2, 3, 4]
        assert (await coverage(partition)).complete
