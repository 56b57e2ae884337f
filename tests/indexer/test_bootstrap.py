"""An indexer on an empty disk: manifest, segments, replay; serves honestly meanwhile (I5, I7)."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import ObjectMissing, ObjectsUnavailable, OffsetGone
from common.model.record import LogRecord
from common.objects import ObjectStore
from indexer.partition.partition import Partition
from indexer.partition.read_ahead import ReadAhead
from snapshot.documents.prefetch import prefetch_documents
from tests.indexer.harness import QUICK, append, open_context, published, reached, running, until
from tests.indexer.partition.test_partition import CUT, numbers
from tests.waiting import PATIENCE_S, eventually


async def three_cuts(folder: Path) -> None:
    """Three segments, then two records that are in no cut; no disk is left."""
    async with open_context(folder) as context, running(context) as partition:
        for n in range(3):
            await append(context.backends.log, [n])
            await context.backends.log.append(0, CUT)
        await until(partition, published(6))
        await append(context.backends.log, [7, 8], [9])
    shutil.rmtree(folder / "roles")


async def warmed(partition: Partition) -> None:
    """Wait until nothing is left to be fetched beforehand."""
    await eventually(lambda: partition.shared.prefetcher.done)


class Gate:
    """An object store that gives out segments only when it is opened; counts who is inside."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.open = threading.Event()
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def fetch(self, key: str, target: Path) -> int:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.open.wait(PATIENCE_S)
        with self._lock:
            self.inside -= 1
        return self._objects.fetch(key, target)


async def test_empty_disk_is_caught_up_and_ready_before_its_segments_are_here(
    tmp_path: Path,
) -> None:
    await three_cuts(tmp_path)
    gates: list[Gate] = []

    def closed(objects: ObjectStore) -> ObjectStore:
        gates.append(Gate(objects))
        return gates[0]  # type: ignore[return-value]  # passes everything else on

    config = replace(QUICK, segment_fetches=2)
    async with (
        open_context(tmp_path, wrap=closed) as context,
        running(context, config=config) as partition,
    ):
        await until(partition, reached(8))
        prefetcher = partition.shared.prefetcher
        assert not prefetcher.done
        assert prefetcher.left_bytes > 0
        assert partition.replay is not None
        assert partition.replay.done
        assert partition.replay.events == 3
        await partition.log_end.refresh()
        assert not partition.log_end.is_catching_up
        gates[0].open.set()
        assert await numbers(partition) == [0, 1, 2, 7, 8, 9]
        await warmed(partition)
        assert prefetcher.fetched == 3
        assert prefetcher.left_bytes == 0
        assert gates[0].most <= 4  # two for warming up, two for queries


async def test_disk_that_is_too_small_is_not_filled_beyond_its_bound_and_serves_everything(
    tmp_path: Path,
) -> None:
    await three_cuts(tmp_path)
    config = replace(QUICK, segment_cache_bytes=1)
    async with open_context(tmp_path) as context, running(context, config=config) as partition:
        await until(partition, reached(8))
        await warmed(partition)
        assert partition.shared.prefetcher.on_demand == 3
        assert partition.shared.cache.bytes_held == 0
        assert await numbers(partition) == [0, 1, 2, 7, 8, 9]


class Down:
    """An object store that gives out no segment for the first three attempts."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.refusals = 3

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def fetch(self, key: str, target: Path) -> int:
        if self.refusals:
            self.refusals -= 1
            raise ObjectsUnavailable("down")
        return self._objects.fetch(key, target)


async def test_store_that_is_down_delays_the_segments_and_not_the_replay(tmp_path: Path) -> None:
    await three_cuts(tmp_path)
    wrap: Callable[[ObjectStore], ObjectStore] = Down  # type: ignore[assignment]  # passes on
    async with (
        open_context(tmp_path, wrap=wrap) as context,
        running(context, prefetch_retry_s=0.01) as partition,
    ):
        await until(partition, reached(8))
        assert partition.replay is not None
        assert partition.replay.done
        await warmed(partition)
        assert partition.shared.prefetcher.fetched == 3


class _Blocks:
    """A log of one partition in blocks of three records; remembers what was asked for."""

    def __init__(self, records: int, start: int = 0) -> None:
        self.records = records
        self.start = start
        self.asked: list[int] = []

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        self.asked.append(offset)
        await asyncio.sleep(0)
        if offset < self.start:
            raise OffsetGone(partition, offset, self.start)
        end = min(self.records, offset + 3)
        return [LogRecord(0, n, n, (), b"x") for n in range(offset, end)]


async def test_reading_ahead_gives_each_record_once_and_in_order() -> None:
    log = _Blocks(20)
    reading = ReadAhead(log, 0, 3, 0)  # type: ignore[arg-type]  # all that it needs of a log
    seen: list[int] = []
    while len(seen) < 20:
        await asyncio.sleep(0)
        seen += [record.offset for record in await reading.take(len(seen))]
        assert reading.is_behind or len(seen) == 20
    assert await reading.take(20) == []
    assert not reading.is_behind
    await reading.close()
    assert seen == list(range(20))
    assert log.asked == sorted(set(log.asked))


async def test_reading_ahead_begins_anew_behind_a_gap() -> None:
    log = _Blocks(20)
    reading = ReadAhead(log, 0, 3, 0)  # type: ignore[arg-type]  # all that it needs of a log
    await reading.take(0)
    log.start = 10
    with pytest.raises(OffsetGone) as gone:
        await reading.take(3)
    assert gone.value.start == 10
    assert [record.offset for record in await reading.take(10)] == [10, 11, 12]
    await reading.close()


def test_documents_come_in_order_and_few_are_asked_for_beforehand() -> None:
    asked: list[str] = []

    def load(key: str) -> str:
        asked.append(key)
        if key == "k05":
            raise ObjectMissing(key)
        return key.upper()

    keys = [f"k{n:02d}" for n in range(40)]
    outcomes: Iterator[tuple[str, object]] = prefetch_documents(load, keys, at_once=4)
    found = [next(outcomes) for _ in range(8)]
    outcomes.close()  # type: ignore[attr-defined]  # a generator
    assert [key for key, _ in found] == keys[:8]
    assert isinstance(found[5][1], ObjectMissing)
    assert found[6][1] == "K06"
    assert len(asked) <= 12
