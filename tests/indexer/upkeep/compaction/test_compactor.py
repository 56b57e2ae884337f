"""Compaction beside indexing: every event is shown once before, during and after it (I2, I4)."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common import limits
from common.clock import ManualClock, SystemClock
from common.errors import ObjectMissing
from common.model.names import dataset_id
from common.objects import ObjectStore
from common.process.versions import FIRST_DOCUMENTS
from indexer.partition.maintenance import PartitionMaintenance
from indexer.seal.partition_reader import last_manifest
from indexer.state.view import PartitionView
from indexer.upkeep.compaction.budget import RequestBudget
from indexer.upkeep.compaction.turns import rank_of
from query.share.view.view import ViewRequest
from segment.summary.compute import summarize_file
from snapshot.cache import SegmentCache
from snapshot.compaction.choose import Choice, Part, choose
from snapshot.compaction.documents import compaction_prefix
from snapshot.compaction.output import OutputMaker
from snapshot.compaction.proof import Unproved
from snapshot.documents.locations import segment_key, summary_key
from snapshot.documents.manifest import COMPACTED_FORMAT, SegmentEntry
from snapshot.objects_of import Hiding, served_segments
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.retention import ToExpire
from snapshot.summaries import SUMMARY_ROWS_MIN, load_summary
from snapshot.verify.verify import verify
from tests.indexer.harness import (
    DATASET,
    open_context,
    published,
    record,
    repair_of,
    until,
)
from tests.indexer.partition.test_partition import CUT, views_of
from tests.indexer.upkeep.compaction.compacting import (
    GRACE_S,
    compacting,
    compactor_of,
    cuts,
    files_read,
    shown,
    verified,
)
from tests.snapshot.compaction.pieces import ENCODERS, pieces


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


async def test_segments_are_looked_through_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    all_segments = PartitionView.all_segments

    def watched(view: PartitionView) -> list[SegmentEntry]:
        threads.append(threading.get_ident())
        return all_segments(view)

    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(5)))
        monkeypatch.setattr(PartitionView, "all_segments", watched)
        assert await compactor_of(partition).step(0) == 1
        assert threads
        assert threading.get_ident() not in threads


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
    await twins_compact(tmp_path, lambda objects: objects)


async def twins_compact(tmp_path: Path, store: Callable[[ObjectStore], ObjectStore]) -> None:
    """Both indexers of a partition compact at the same moment. store: in place of a directory."""
    async with (
        open_context(tmp_path, wrap=store) as context,
        open_context(tmp_path, "b", wrap=store) as context_b,
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


async def test_a_damaged_output_is_made_again_from_its_inputs_while_they_are_there(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(5)))
        assert await compactor_of(partition).step(0) == 1
        assert partition.view is not None
        (served,) = partition.view.served_of(DATASET)
        output, objects = served.entry, context.backends.objects
        partition.shared.cache.forget(output.object)
        objects.replace(output.location.key, b"damaged")
        async with views_of(partition).lease(0, DATASET, ViewRequest()) as leased:
            assert leased.unserved == (output.object,)  # and the answer says so
        assert await repair_of(partition).repair(0, output) == "inputs"
        assert await shown(partition) == [0, 1, 2, 3, 4]
        await verified(context)


async def test_an_output_that_is_too_large_to_be_made_again_ends_no_indexer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(5)))
        assert await compactor_of(partition).step(0) == 1
        assert partition.view is not None
        (served,) = partition.view.served_of(DATASET)
        partition.shared.cache.forget(served.entry.object)
        context.backends.objects.replace(served.entry.location.key, b"damaged")
        monkeypatch.setattr(limits, "COMPACTED_DECODED_BYTES_MAX", 10)
        repair = repair_of(partition)
        await repair.try_repair(0, served.entry)
        assert "bytes of columns" in repair.describe(0)[served.entry.object]


async def test_segments_in_packs_are_put_together_and_their_packs_go_with_the_last(
    tmp_path: Path,
) -> None:
    other = dataset_id("t", "e", "other")
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            log, objects = context.backends.log, context.backends.objects
            for n in range(5):
                await log.append(0, record([n], batch=100 + n))
                await log.append(0, record([n + 50], batch=200 + n, dataset=other))
                await log.append(0, CUT)
            await until(partition, published(15))
            assert partition.view is not None
            packs = {entry.pack for entry in partition.view.all_segments()}
            assert len(packs) == 5
            assert await compactor_of(partition).step(0) == 2
            maintenance = PartitionMaintenance(partition)
            await maintenance.run_round()
            assert len(list(objects.list("packs/"))) == 6
            await cuts(partition, log, [5])
            await maintenance.run_round()
            clock.advance_ms(2 * GRACE_S * 1_000)
            await maintenance.run_round()
            assert len(list(objects.list("packs/"))) == 1  # of the outputs
            assert await shown(partition) == [0, 1, 2, 3, 4, 5]
            assert await shown(partition, other) == [50, 51, 52, 53, 54]
            assert (await verified(context)).rows == 11


async def test_what_is_left_alone_is_not_put_together(tmp_path: Path) -> None:
    """It would have the name of its only part, which is deleted a grace time later."""
    async with open_context(tmp_path) as context, compacting(context) as partition:
        made = pieces(tmp_path / "made", 3)
        cache, book = partition.shared.cache, partition.compactions
        for one in made:
            cache.adopt(one.entry.object, one.path)
        one, two, three = (one.entry for one in made)
        maker = OutputMaker(context.backends.objects, cache, book, tmp_path / "scratch")
        with pytest.raises(ObjectMissing):
            maker.merge(Choice((Part(one), Part(two))), frozenset({one.object}), ENCODERS)
        stored = maker.store([maker.merge(Choice((Part(one), Part(two))), frozenset(), ENCODERS)])
        compacted = book.publish(stored.made, 0, 1, "test")
        assert compacted is not None
        (output,) = compacted.all()
        again = Choice((Part(output.entry, output), Part(three)))
        with pytest.raises(ObjectMissing):
            maker.merge(again, frozenset({three.object}), ENCODERS)
        inputs = maker.merge(again, frozenset({one.object}), ENCODERS).compaction.inputs
        assert inputs == [two, three]


@pytest.mark.parametrize("summarizes", [False, True])
async def test_the_summary_of_a_large_output_is_put_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, summarizes: bool
) -> None:
    monkeypatch.setattr(limits, "PACKED_SEGMENT_BYTES_MAX", 1_000)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        made = pieces(tmp_path / "made", 3, rows=SUMMARY_ROWS_MIN // 2)
        cache, book, objects = (
            partition.shared.cache,
            partition.compactions,
            context.backends.objects,
        )
        for one in made:
            cache.adopt(one.entry.object, one.path)
        maker = OutputMaker(objects, cache, book, tmp_path / "scratch", summarizes=summarizes)
        choice = Choice(tuple(Part(one.entry) for one in made))
        (output,) = maker.store([maker.merge(choice, frozenset(), ENCODERS)]).made
        name = output.output.object
        assert (load_summary(objects, name).summary is not None) == summarizes
        if summarizes:
            file = cache.ensure(output.output.location)
            assert objects.get(summary_key(name)) == summarize_file(file, name, ENCODERS)


@pytest.mark.slow
async def test_a_thousand_pieces_become_one_file(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        made = pieces(tmp_path / "made", 1_000, rows=1)
        cache, book = partition.shared.cache, partition.compactions
        entries = [one.entry for one in made]
        for one in made:
            cache.adopt(one.entry.object, one.path)
        choices = choose(entries, book.compacted, (), entries[-1].append_max_ns, lambda _: 2**62)
        maker = OutputMaker(context.backends.objects, cache, book, tmp_path / "scratch")
        stored = maker.store([maker.merge(one, frozenset(), ENCODERS) for one in choices])
        compacted = book.publish(stored.made, 0, 1, "test")
        assert compacted is not None
        hiding = Hiding(frozenset(), {})
        (read,) = served_segments(entries, hiding, compacted)
        assert read.visible is None
        assert read.entry.rows == 1_000


def test_each_indexer_of_a_pair_is_first_for_some_partitions() -> None:
    ranks = [rank_of("a", {"a", "b"}, partition) for partition in range(40)]
    others = [rank_of("b", {"a", "b"}, partition) for partition in range(40)]
    assert [one + other for one, other in zip(ranks, others, strict=True)] == [1] * 40
    assert 8 < sum(ranks) < 32
    assert rank_of("a", set(), 3) == 0


def test_requests_of_a_day_are_spread_over_it() -> None:
    clock = ManualClock()
    budget = RequestBudget(2_400, clock)
    assert budget.has_room
    budget.use(150)  # a step may go beyond once
    assert not budget.has_room
    clock.advance_ms(20 * 60_000)
    assert not budget.has_room
    clock.advance_ms(11 * 60_000)
    assert budget.has_room


async def test_an_output_that_is_not_proved_is_an_alarm_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(5)))
        assert partition.view is not None
        wrong = Unproved(partition.view.all_segments()[1], "its content has another digest")
        tried: list[int] = []

        def prove(*_: object) -> list[Unproved]:
            tried.append(1)
            return [wrong]

        monkeypatch.setattr("snapshot.compaction.output.unproved_inputs", prove)
        compactor = compactor_of(partition)
        for n in range(3):
            await compactor.run_round()
            await cuts(partition, context.backends.log, [10 + n])
        assert len(tried) == 1  # although there are other segments to put together
        maintenance = PartitionMaintenance(partition)
        await maintenance.run_round()
        assert DATASET in partition.alarms.raised["compaction_unproved"]
        assert "another digest" in str(compactor.describe(0)["unproved"])
        assert await shown(partition) == [0, 1, 2, 3, 4, 10, 11, 12]
        assert await files_read(partition) == 8
        assert list(context.backends.objects.list(compaction_prefix(0))) == []
        assert (await verified(context)).rows == 8


async def test_a_damaged_output_without_inputs_is_said_loudly_and_mended_from_a_copy(
    tmp_path: Path,
) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            await cuts(partition, context.backends.log, *([n] for n in range(5)))
            maintenance = PartitionMaintenance(partition)
            assert await compactor_of(partition).step(0) == 1
            await cuts(partition, context.backends.log, [5])
            await maintenance.run_round()
            clock.advance_ms(2 * GRACE_S * 1_000)
            await maintenance.run_round()
            assert partition.view is not None
            served = [one.entry for one in partition.view.served_of(DATASET)]
            output = max(served, key=lambda entry: entry.rows)
            objects, copy = context.backends.objects, tmp_path / "copy"
            output.location.fetch(objects, copy)
            partition.shared.cache.forget(output.object)
            objects.replace(output.location.key, b"damaged")
            report = await verify(objects, context.backends.log, [0])
            (problem,) = report.problems
            assert f"{output.location} is damaged" in problem.what
            assert "it holds 5 segments" in problem.what
            assert "backup" in problem.remedy
            async with views_of(partition).lease(0, DATASET, ViewRequest()) as leased:
                assert leased.unserved == (output.object,)  # and the answer says so
            repair = repair_of(partition)
            await repair.try_repair(0, output)
            assert output.object in repair.describe(0)
            other = tmp_path / "cache"  # of an indexer on this machine
            SegmentCache(objects, other, 2**30).adopt(output.object, copy)
            assert await repair_of(partition, [other]).repair(0, output) == "cache"
            assert await shown(partition) == [0, 1, 2, 3, 4, 5]
            await verified(context)
