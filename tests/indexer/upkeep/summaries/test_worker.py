"""Summaries are made beside segments, used by questions, made again, and deleted with segments."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.errors import DamagedObject
from common.metrics import summaries_missing
from common.objects import ObjectStore
from common.process.role import RoleContext
from indexer.fields.listing import FieldFactsListing
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from indexer.serve.footers import Footers
from indexer.serve.leases import PartitionLeases
from indexer.state.view import PartitionView
from indexer.upkeep.summaries import worker
from indexer.upkeep.summaries.held import HeldSummaries
from indexer.upkeep.summaries.worker import SummaryWorker
from query.plan.parts.conditions import Filter, FilterOp
from query.share.view.view import DatasetView, ViewRequest
from query.wire.field_facts import FieldFactsRequest
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders
from segment.summary.compute import summarize
from segment.summary.summary import SUMMARY_FORMAT, SegmentSummary
from snapshot.documents.locations import segment_key, summary_key
from snapshot.objects_of import ServedSegment
from snapshot.summaries import make_summary
from snapshot.unnamed.names import Names
from snapshot.unnamed.objects import find_unnamed, remove_unnamed
from tests.indexer.faulty import FaultyObjects
from tests.indexer.harness import DATASET, append, open_context, repair_of, until
from tests.indexer.upkeep.compaction.compacting import (
    GRACE_S,
    compacting,
    compactor_of,
    cuts,
    verified,
)
from tests.snapshot.unnamed.test_unnamed_objects import tomorrow

FIELDS = frozenset({"n"})


def stored(context: RoleContext) -> set[str]:
    """The segments that have a summary in the store."""
    found = context.backends.objects.list("summaries/")
    return {info.key.rpartition("/")[2] for info in found}


def served(partition: Partition) -> set[str]:
    assert partition.view is not None
    return {one.entry.object for one in partition.view.served_of(DATASET)}


def worker_of(partition: Partition, held: HeldSummaries) -> SummaryWorker:
    return SummaryWorker({partition.number: partition}, partition.shared, held, rows_min=1)


def missing() -> dict[str, float]:
    """The metric that says how many segments have no summary here, by the reason."""
    (found,) = summaries_missing.collect()
    return {sample.labels["why"]: sample.value for sample in found.samples}


async def view_of(partition: Partition, held: HeldSummaries, *filters: Filter) -> DatasetView:
    """The view of a question, as a lease returns it."""
    shared = partition.shared
    leases = PartitionLeases(
        {partition.number: partition},
        shared.prefetcher.fetching,
        Footers(),
        repair_of(partition),
        shared.context.clock,
        summaries=held,
    )
    wanted = ViewRequest(fields=FIELDS, filters=filters)
    async with leases.lease(partition.number, DATASET, wanted) as view:
        return view


def forget(partition: Partition, names: set[str]) -> None:
    """Remove these segments from the disk and from the store."""
    shared = partition.shared
    for name in names:
        shared.cache.forget(name)
        shared.context.backends.objects.delete(segment_key(name))


async def test_what_wide_segments_hold_is_put_together_before_anybody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WIDE_COLUMNS", 1)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n, n + 100] for n in range(4)))
        held, shared = HeldSummaries(), partition.shared
        partitions = {partition.number: partition}

        def listing() -> FieldFactsListing:
            return FieldFactsListing(partitions, held, shared.cache, shared.encoders)

        facts, wanted = listing(), FieldFactsRequest(DATASET, (partition.number,))
        await SummaryWorker(partitions, shared, held, rows_min=1, learn=facts.learn).run_round()
        expected = listing().page(wanted)
        forget(partition, served(partition))
        assert facts.page(wanted) == expected  # with the bytes that files told
        assert listing().page(wanted) != expected


async def test_a_question_neither_fetches_nor_opens_what_summaries_rule_out(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n, n + 100] for n in range(4)))
        held = HeldSummaries()
        worker = worker_of(partition, held)
        await worker.run_round()
        assert stored(context) == served(partition)
        assert (worker.describe()["made"], worker.describe()["held"]) == (4, 4)
        assert missing() == dict.fromkeys(("waiting", "failed", "no_room", "not_here"), 0)
        view = await view_of(partition, held, Filter("n", FilterOp.IN, (2, 50)))
        (read,) = [one for one in view.segments if not one.skipped]
        assert len(view.segments) == 4
        assert {one.columns for one in view.segments} == {read.columns}
        forget(partition, served(partition) - {read.object_hash})
        view = await view_of(partition, held, Filter("n", FilterOp.EQ, (102,)))
        assert [one.skipped for one in view.segments].count(True) == 3
        assert not view.unserved
        view = await view_of(partition, held)
        assert len(view.unserved) == 3  # without filters every segment is read


async def test_segments_are_walked_when_they_change_and_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[int] = []
    served_of = PartitionView.served_of

    def watched(view: PartitionView, dataset: str) -> tuple[ServedSegment, ...]:
        walked.append(threading.get_ident())
        return served_of(view, dataset)

    monkeypatch.setattr(PartitionView, "served_of", watched)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2])
        held = HeldSummaries()
        worker = worker_of(partition, held)
        await worker.run_round()
        assert len(walked) == 1
        await append(context.backends.log, [3])  # only live rows change
        await until(partition, lambda p: p.view is not None and p.view.live.end_offset == 5)
        await worker.run_round()
        assert len(walked) == 1
        await cuts(partition, context.backends.log, [4])
        await worker.run_round()
        assert len(walked) == 2
        assert threading.get_ident() not in walked
        assert len(held) == 3


async def test_summaries_are_loaded_and_made_again_when_missing_or_damaged(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(3)))
        await worker_of(partition, HeldSummaries()).run_round()
        objects = context.backends.objects
        missing, damaged, newer = sorted(served(partition))
        before = {name: objects.get(summary_key(name)) for name in served(partition)}
        objects.delete(summary_key(missing))
        objects.replace(summary_key(damaged), before[damaged][:-1])
        later = before[newer][:7] + bytes([SUMMARY_FORMAT + 1]) + b"of a later program"
        objects.replace(summary_key(newer), later)
        held = HeldSummaries()
        again = worker_of(partition, held)
        await again.run_round()
        assert len(held) == 3
        assert again.describe()["missing"] == 0
        after = {name: objects.get(summary_key(name)) for name in served(partition)}
        assert after == {**before, newer: later}
        other = worker_of(partition, HeldSummaries())
        await other.run_round()
        assert (other.describe()["held"], other.describe()["made"]) == (3, 1)


async def test_a_store_that_is_down_delays_summaries_and_no_more(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        faulty = FaultyObjects(plain.backends.objects)
        context = replace(plain, clock=clock, backends=replace(plain.backends, objects=faulty))
        async with compacting(context, clock=clock) as partition:
            await cuts(partition, context.backends.log, [1], [2])
            held = HeldSummaries()
            worker = worker_of(partition, held)
            faulty.down = True
            await worker.run_round()
            assert "does not answer" in str(worker.describe()["waits_for"])
            view = await view_of(partition, held, Filter("n", FilterOp.EQ, (1,)))
            assert [one.skipped for one in view.segments] == [False, False]
            faulty.down = False
            await worker.run_round()
            assert not held  # a minute later, not in each round
            clock.advance_ms(60_001)
            await worker.run_round()
            assert len(held) == 2
            assert worker.describe()["waits_for"] == ""


async def test_requests_of_a_day_are_bounded(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, *([n] for n in range(4)))
        config = replace(partition.shared.config, summary_requests_per_day=24)
        partition.shared = replace(partition.shared, config=config)
        worker = worker_of(partition, HeldSummaries())
        await worker.run_round()
        assert worker.describe()["made"] == 1
        assert "used up" in str(worker.describe()["waits_for"])


async def test_the_second_indexer_loads_what_the_first_has_made(tmp_path: Path) -> None:
    async with open_context(tmp_path) as first, compacting(first) as partition:
        await cuts(partition, first.backends.log, [1], [2])
        await worker_of(partition, HeldSummaries()).run_round()
    async with open_context(tmp_path, "b") as second, compacting(second) as partition:
        held = HeldSummaries()
        worker = worker_of(partition, held)
        await worker.run_round()
        assert (len(held), worker.describe()["made"], worker.describe()["requests"]) == (2, 0, 2)


async def test_an_output_has_a_summary_and_those_of_its_inputs_go_with_them(tmp_path: Path) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as plain:
        context = replace(plain, clock=clock)
        async with compacting(context, clock=clock) as partition:
            await cuts(partition, context.backends.log, *([n] for n in range(5)))
            held = HeldSummaries()
            worker, maintenance = worker_of(partition, held), PartitionMaintenance(partition)
            await worker.run_round()
            inputs = served(partition)
            assert await compactor_of(partition).step(0) == 1
            await worker.run_round()
            assert len(held) == 1  # what is read no more is not held
            await cuts(partition, context.backends.log, [5])
            await maintenance.run_round()
            clock.advance_ms(2 * GRACE_S * 1_000)
            await maintenance.run_round()
            assert not stored(context) & inputs
            assert len(stored(context)) == 1
            assert (await verified(context)).rows == 6


async def test_a_summary_whose_segment_is_gone_is_found_and_removed(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2], [3])
        await worker_of(partition, HeldSummaries()).run_round()
        objects = context.backends.objects
        alone = sorted(served(partition))[1]
        objects.delete(segment_key(alone))  # documents still name it
        found = find_unnamed(objects, Names(objects), tomorrow(objects)).old
        assert [one.key for one in found] == [summary_key(alone)]
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        done = remove_unnamed(objects, Names(objects), found, scratch)
        assert done.objects == 1
        assert stored(context) == served(partition) - {alone}


def summary(name: str) -> SegmentSummary:
    data = summarize(name, 1, [], ReferenceEncoders(), complete=True)
    return SegmentSummary.decode(data, name)


def test_memory_is_bounded_and_the_newest_rows_stay() -> None:
    one = summary("a" * 64).held_bytes
    held = HeldSummaries(bytes_max=2 * one)
    for order, letter in ((3, "c"), (1, "a"), (2, "b")):
        held.add(summary(letter * 64), order)
    assert held.bytes_held == 2 * one
    assert held.known("a" * 64) is None
    assert held.known("b" * 64) is not None
    assert held.known("c" * 64) is not None
    assert not held.wants(1)
    assert held.wants(2)
    held.retain({"c" * 64})
    assert held.bytes_held == one
    assert held.wants(1)


async def test_each_segment_without_a_summary_is_counted_by_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is not on this disk, one cannot be read, and all are too old for a small memory."""
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2], [3])
        shared = partition.shared
        assert partition.view is not None
        first, second, third = (one.entry for one in partition.view.served_of(DATASET))
        shared.cache.forget(first.object)

        def make(
            objects: ObjectStore, name: str, file: Path, encoders: Encoders, *, replaceable: bool
        ) -> SegmentSummary:
            if name == second.object:
                raise DamagedObject("its pages cannot be read")
            return make_summary(objects, name, file, encoders, replaceable=replaceable)

        monkeypatch.setattr("indexer.upkeep.summaries.worker.make_summary", make)
        held = HeldSummaries()
        worker = worker_of(partition, held)
        await worker.run_round()
        assert stored(context) == {third.object}
        assert missing() == {"waiting": 0, "failed": 1, "no_room": 0, "not_here": 1}
        found = worker.describe()
        assert [found[name] for name in ("held", "made", "missing")] == [1, 1, 2]
        small = worker_of(partition, HeldSummaries(bytes_max=held.bytes_held - 1))
        await small.run_round()
        assert missing()["no_room"] == 3
        assert small.describe()["held"] == 0
