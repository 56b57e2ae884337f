"""Facts of columns: what they say, and their way to metadata."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common import limits, metrics
from common.clock import ManualClock
from common.errors import MetadataUnavailable
from common.metadata import Column, ColumnFacts, Dataset
from common.metadata.sqlite import SqliteMetadata
from common.model.names import column_id
from common.tasks import cancel_and_wait
from shepherd.otlp.metrics.column_facts import facts_by_hash
from shepherd.otlp.metrics.facts_queue import FactsQueue
from shepherd.otlp.metrics.values import Kind, Metric, Temporality
from tests.waiting import eventually

TOOK = Metric("took", Kind.HISTOGRAM, "ms", Temporality.CUMULATIVE, False, "of a request")
LOAD = Metric("load", Kind.GAUGE, "1")


class CountedMetadata(SqliteMetadata):
    """Counts what is stored, and fails on demand."""

    fails = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.stored: list[list[str]] = []

    def put_column_facts(self, facts: Sequence[ColumnFacts]) -> None:
        if self.fails:
            raise MetadataUnavailable("away")
        super().put_column_facts(facts)
        self.stored.append(sorted(one.name for one in facts))


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[CountedMetadata]:
    found = CountedMetadata(tmp_path / "meta.db")
    found.open()
    yield found
    found.close()


@asynccontextmanager
async def running(queue: FactsQueue) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        await cancel_and_wait([task])


def dropped() -> float:
    return metrics.column_facts_dropped_total._value.get()


def test_a_count_has_no_unit_and_other_columns_of_a_histogram_have_that_of_the_metric() -> None:
    found = facts_by_hash({"took.count": TOOK, "took.sum": TOOK, "load": LOAD, "x" * 256: LOAD})
    assert sorted(found.values()) == sorted(
        [
            TOOK._replace(name="took.count", unit="", monotonic=True),
            TOOK._replace(name="took.sum"),
            LOAD,
        ]
    )
    (sum_of_counts,) = facts_by_hash(
        {"a.count": Metric("a.count", Kind.SUM, "ms", Temporality.DELTA)}
    ).values()
    assert (sum_of_counts.unit, sum_of_counts.monotonic) == ("ms", False)
    (long,) = facts_by_hash({"a": LOAD._replace(description="x" * 5_000)}).values()
    assert len(long.description) == limits.COLUMN_FACTS_TEXT_CHARS_MAX


async def test_facts_are_stored_once_beside_what_a_user_wrote(metadata: CountedMetadata) -> None:
    defined = Column(column_id("d", "load"), "d", "load", description="a user's", updated_ns=5)
    metadata.put_column(defined)
    queue = FactsQueue(metadata, ManualClock(wall_ns=7), 0)
    facts = facts_by_hash({"load": LOAD, "took.sum": TOOK})
    async with running(queue):
        queue.offer("e", "d", facts)
        queue.offer("e", "d", facts)
        await eventually(lambda: metadata.stored)
        queue.offer("e", "d", facts)
        other = LOAD._replace(description="changed")
        queue.offer("e", "d", facts_by_hash({"load": other}))
        await eventually(lambda: len(metadata.stored) == 2)
    assert metadata.stored == [["load", "took.sum"], ["load"]]
    found = {one.name: one for one in metadata.list_column_facts("d")}
    assert found["load"] == ColumnFacts(
        column_id("d", "load"), "d", "load", "gauge", "1", "", False, "changed", 7
    )
    assert found["took.sum"].temporality == "cumulative"
    assert metadata.list_columns("d") == [defined]


async def test_another_process_writes_only_what_differs_or_is_of_a_deleted_dataset(
    metadata: CountedMetadata,
) -> None:
    facts = facts_by_hash({"load": LOAD, "took.sum": TOOK})
    for now_ns, expected in ((7, ["load", "took.sum"]), (8, []), (20, ["load", "took.sum"])):
        if now_ns == 20:
            metadata.ensure_dataset(Dataset("d", "e", "d", "d", created_ns=15))
        async with running(queue := FactsQueue(metadata, ManualClock(wall_ns=now_ns), 0)):
            queue.offer("e", "d", facts)
            before = len(metadata.stored)
            await eventually(lambda before=before: len(metadata.stored) > before)
        assert metadata.stored[-1] == expected
    assert {one.updated_ns for one in metadata.list_column_facts("d")} == {20}


async def test_while_metadata_fails_facts_are_dropped_and_offered_again_later(
    metadata: CountedMetadata,
) -> None:
    clock, before = ManualClock(), dropped()
    queue, facts = FactsQueue(metadata, clock, 0), facts_by_hash({"load": LOAD})
    metadata.fails = True
    async with running(queue):
        queue.offer("e", "d", facts)
        await eventually(lambda: dropped() == before + 1)
        metadata.fails = False
        queue.offer("e", "d", facts)  # too soon
        assert dropped() == before + 2
        clock.advance_ms(limits.METADATA_RETRY_S * 1_000)
        queue.offer("e", "d", facts)
        await eventually(lambda: metadata.stored)
    assert metadata.stored == [["load"]]


async def test_an_environment_fills_its_own_queue_only_and_each_has_its_turn(
    metadata: CountedMetadata,
) -> None:
    queue, before = FactsQueue(metadata, ManualClock(), 0), dropped()
    for dataset in range(4):
        names = [f"{dataset}-{number}" for number in range(limits.COLUMN_FACTS_WAITING_MAX // 2)]
        queue.offer("greedy", f"d{dataset}", facts_by_hash(dict.fromkeys(names, LOAD)))
    assert dropped() == before + limits.COLUMN_FACTS_WAITING_MAX
    queue.offer("other", "o", facts_by_hash({"load": LOAD}))
    async with running(queue):
        await eventually(lambda: len(metadata.stored) == 3)
    assert [len(names) for names in metadata.stored] == [1_000, 1, 1_000]


async def test_a_dataset_has_no_more_facts_than_a_user_may_write(
    metadata: CountedMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COLUMN_DEFINITIONS_MAX", 3)
    queue, before = FactsQueue(metadata, ManualClock(), 0), dropped()
    async with running(queue):
        queue.offer("e", "d", facts_by_hash(dict.fromkeys("ab", LOAD)))
        await eventually(lambda: len(metadata.stored) == 1)
        changed = LOAD._replace(unit="s")
        queue.offer("e", "d", facts_by_hash(dict.fromkeys("abcde", changed)))
        await eventually(lambda: len(metadata.stored) == 2)
    assert dropped() == before + 2
    found = metadata.list_column_facts("d")
    assert [one.unit for one in found] == ["s"] * 3


async def test_what_was_sent_is_remembered_within_a_bound(
    metadata: CountedMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COLUMN_FACTS_SENT_MAX", 2)
    queue = FactsQueue(metadata, ManualClock(), 0)
    load = facts_by_hash({"load": LOAD})
    async with running(queue):
        for dataset in ("d1", "d2", "d3", "d3", "d1"):
            queue.offer("e", dataset, load)
            await eventually(lambda: not queue._waiting)
        await eventually(lambda: len(metadata.stored) == 4)
    assert metadata.stored == [["load"], ["load"], ["load"], []]
