"""Twins of which one cannot read some records: every event counts once, and they agree (I2, I3)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import ObjectsUnavailable
from common.log.damage import damaged
from common.metrics import divergence_total
from common.model.record import LogRecord, decode
from common.objects import ObjectStore
from common.process.role import RoleContext
from indexer.config import IndexerConfig
from indexer.damage.publish_gate import RecordsRequest, RecordsResponse
from indexer.damage.reappend import RecordsEndpoint
from indexer.partition.partition import Partition
from indexer.seal.partition_reader import last_manifest
from indexer.state.resync import Resync
from snapshot.verify.verify import verify
from tests.indexer.damage.damaging import flip
from tests.indexer.damage.test_damage import coverage
from tests.indexer.harness import (
    QUICK,
    append,
    open_context,
    published,
    reached,
    record,
    recovery_of,
    running,
    until,
)
from tests.indexer.partition.test_partition import CUT, numbers
from tests.waiting import eventually

pytestmark = pytest.mark.slow


class Blind:
    """A log of which some records cannot be read, over a real one."""

    def __init__(self, log: Any, offsets: set[int]) -> None:
        self._log = log
        self.offsets = offsets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def _seen(self, message: LogRecord) -> LogRecord:
        if message.offset not in self.offsets:
            return message
        return damaged(message.partition, message.offset, "a test", message.headers, message.value)

    async def read(self, *arguments: int) -> list[LogRecord]:
        return [self._seen(message) for message in await self._log.read(*arguments)]

    async def read_again(self, partition: int, offset: int) -> LogRecord | None:
        found = await self._log.read_again(partition, offset)
        return None if found is None else self._seen(found)


class Twin:
    """The other indexer, asked without a network; nobody answers until `partition` is there."""

    def __init__(self) -> None:
        self.partition: Partition | None = None
        self._endpoint: RecordsEndpoint | None = None

    async def ask(self, question: RecordsRequest) -> RecordsResponse:
        if self.partition is None:
            return RecordsResponse()
        if self._endpoint is None:
            shared, context = self.partition.shared, self.partition.shared.context
            held = {question.partition: self.partition}
            self._endpoint = RecordsEndpoint(
                held, context.backends.log, shared.cache, context.clock
            )
        return await self._endpoint.answer(question)


@asynccontextmanager
async def recovering(
    context: RoleContext, twin: Twin | None = None, config: IndexerConfig = QUICK
) -> AsyncIterator[Partition]:
    """A partition that is indexed, its damage looked after all the time."""

    async def recover(partition: Partition) -> None:
        recovery = recovery_of(partition)
        while True:
            await asyncio.sleep(0.05)
            if recovery.has_unsettled_damage:
                try:
                    await recovery.run_once()
                except Resync as error:
                    partition.request_resync(str(error))

    async with running(context, config=config, peers=twin) as partition:
        task = asyncio.create_task(recover(partition))
        try:
            yield partition
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def make_blind(context: RoleContext, offsets: set[int]) -> Blind:
    blind = Blind(context.backends.log, offsets)
    object.__setattr__(context.backends, "log", blind)
    return blind


async def test_rows_that_only_the_twin_has_are_published_by_it_and_taken_over(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path, "a") as a, running(a) as whole:
        await append(a.backends.log, [1], [2, 3], [4])
        await until(whole, reached(3))
        flip(tmp_path, 1)  # on the disk, after it was read
        twin = Twin()
        twin.partition = whole
        patient = replace(QUICK, damage_wait_s=20)
        async with open_context(tmp_path, "b") as b, recovering(b, twin, patient) as blind:

            async def is_mended() -> bool:
                if blind.view is None or last_manifest(blind) is None:
                    return False
                return await numbers(blind) == [1, 2, 3, 4]

            await eventually(is_mended)
            assert (await coverage(blind)).complete
            assert last_manifest(blind) is not None
            assert last_manifest(blind).set_aside == []
    async with open_context(tmp_path, "c") as c, running(c) as later:
        await until(later, reached(4))
        assert await numbers(later) == [1, 2, 3, 4]
        assert (await coverage(later)).complete


class Down:
    """An object store that takes nothing until it is let."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.up = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def put_if_absent(self, *arguments: Any) -> bool:
        if not self.up.is_set():
            raise ObjectsUnavailable("down")
        return bool(self._objects.put_if_absent(*arguments))


@pytest.mark.parametrize("sealed", [False, True])
async def test_rows_of_a_twin_that_cannot_publish_are_appended_again_and_count_once(
    tmp_path: Path, sealed: bool
) -> None:
    stores: list[Down] = []

    def down(objects: ObjectStore) -> ObjectStore:
        stores.append(Down(objects))
        return stores[-1]  # type: ignore[return-value] - passes everything else on

    async with open_context(tmp_path, "b") as b:
        await append(b.backends.log, [1])
        async with running(b) as first:  # opens the epoch
            await until(first, reached(1))
    async with open_context(tmp_path, "a", wrap=down) as a, running(a) as whole:
        await append(a.backends.log, [2, 3], [4])
        if sealed:
            await a.backends.log.append(0, CUT)
        await until(whole, reached(4 if sealed else 3))
        flip(tmp_path, 1)
        twin = Twin()
        twin.partition = whole
        async with open_context(tmp_path, "b") as b, recovering(b, twin) as blind:

            async def is_whole() -> bool:
                return blind.view is not None and await numbers(blind) == [1, 2, 3, 4]

            await b.backends.log.append(0, CUT)
            await eventually(is_whole)
            assert (await coverage(blind)).complete
            stores[0].up.set()
            await append(a.backends.log, [5])
            await append(a.backends.log, [2, 3])  # a client repeats the batch
            await a.backends.log.append(0, CUT)

            async def agree() -> bool:
                if blind.view is None or whole.view is None:
                    return False
                both = [await numbers(one) for one in (whole, blind)]
                manifests = [last_manifest(one) for one in (whole, blind)]
                keys = {None if one is None else one.key for one in manifests}
                return both == [[1, 2, 3, 4, 5]] * 2 and len(keys) == 1

            await eventually(agree)
    async with open_context(tmp_path, "c") as c, running(c) as later:
        await until(later, reached(1))

        async def is_there() -> bool:
            return await numbers(later) == [1, 2, 3, 4, 5]

        await eventually(is_there)
        assert (await coverage(later)).complete


async def test_more_records_than_one_question_mends_are_appended_again_once_each(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path, "a") as a, running(a) as whole:
        await append(a.backends.log, *([n] for n in range(1, 7)))
        await until(whole, reached(6))
        endpoint = RecordsEndpoint(
            {0: whole}, a.backends.log, whole.shared.cache, a.clock, appended_max=2
        )
        question = RecordsRequest(0, 1, (1, 2, 3, 4, 5), append=True)
        answers = [await endpoint.answer(question) for _ in range(4)]
        assert [len(answer.appended) for answer in answers] == [2, 4, 5, 5]
        found = await a.backends.log.read(0, 6, 10**6, 0)
        mends = [one.mends for one in map(decode, found) if one.mends is not None]
        assert sorted(mends) == [(1, offset) for offset in (1, 2, 3, 4, 5)]


async def test_log_that_is_restored_after_a_cut_without_its_record_is_mended_once(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        await append(a.backends.log, [1], [2, 3], [4])
        flip(tmp_path, 1)
        async with recovering(a) as one, recovering(b) as other:
            await a.backends.log.append(0, CUT)
            await until(one, published(4))
            await until(other, published(4))
            assert not (await coverage(one)).complete
            flip(tmp_path, 1)  # the same bits again: restored

            async def is_mended() -> bool:
                both = [await numbers(one), await numbers(other)]
                return both == [[1, 2, 3, 4]] * 2

            await eventually(is_mended)
            assert (await coverage(one)).complete
            await append(a.backends.log, [2, 3])  # a client repeats the batch
            await a.backends.log.append(0, CUT)
            end = (await a.backends.log.bounds(0)).end
            await until(one, published(end))
            await until(other, published(end))
            assert await numbers(one) == await numbers(other) == [1, 2, 3, 4]
            assert last_manifest(one) is not None
            assert last_manifest(one).damaged == []
            report = await verify(a.backends.objects, a.backends.log, [0])
            assert report.clean, report.problems
    async with open_context(tmp_path, "c") as c, running(c) as later:
        await until(later, reached(end))
        assert await numbers(later) == [1, 2, 3, 4]
        assert (await coverage(later)).complete


async def damaged_offsets(partition: Partition) -> set[int]:
    """Offsets of records that an answer lacks."""
    told = await coverage(partition)
    return {offset for run in told.damaged for offset in range(run.first, run.end)}


@pytest.mark.parametrize("whose_blindness", [("a", "b"), ("a", "b", "both")])
@pytest.mark.parametrize("seed", range(3))
async def test_twins_agree_and_count_every_event_once_whatever_each_of_them_cannot_read(
    tmp_path: Path, seed: int, whose_blindness: tuple[str, ...]
) -> None:
    chance = random.Random(seed)
    diverged = divergence_total.labels("0")._value.get()
    async with open_context(tmp_path, "a") as a, open_context(tmp_path, "b") as b:
        log, copies, batches = a.backends.log, dict[int, int](), list[int]()
        for _ in range(chance.randrange(10, 30)):
            kind = chance.choices(["events", "repeat", "cut"], [8, 2, 1])[0]
            if kind == "cut":
                await log.append(0, CUT)
            elif kind == "repeat" and batches:
                first = chance.choice(batches)
                appended = await log.append(0, record([first, first + 1], batch=first))
                copies[appended.position.offset] = first
            else:
                first = 10 * len(batches) + 1
                batches.append(first)
                appended = await log.append(0, record([first, first + 1], batch=first))
                copies[appended.position.offset] = first
        end = (await log.bounds(0)).end
        blind = set(chance.sample(range(end), chance.randrange(1, end // 2)))
        whose = {offset: chance.choice(whose_blindness) for offset in blind}
        lost = {offset for offset, who in whose.items() if who == "both"}
        make_blind(a, {offset for offset, who in whose.items() if who != "b"})
        make_blind(b, {offset for offset, who in whose.items() if who != "a"})
        expected = {n for at, first in copies.items() if at not in lost for n in (first, first + 1)}
        twins = Twin(), Twin()
        async with recovering(a, twins[1]) as one, recovering(b, twins[0]) as other:
            twins[0].partition, twins[1].partition = one, other

            async def agree() -> bool:
                if one.view is None or other.view is None:
                    return False
                both = [await numbers(one), await numbers(other)]
                manifests = [last_manifest(one), last_manifest(other)]
                ends = {0 if m is None else m.next_offset for m in manifests}
                if both != [sorted(expected)] * 2 or len(ends) != 1 or min(ends) <= end:
                    return False
                # also repetitions and markers, without rows, are no longer taken for lost
                return all([await damaged_offsets(twin) == lost for twin in (one, other)])

            await append(log, [9_999])  # a marker without rows before it cuts nothing
            expected.add(9_999)
            await log.append(0, CUT)
            await eventually(agree)
    assert divergence_total.labels("0")._value.get() == diverged
    async with open_context(tmp_path, "c") as c, running(c) as later:

        async def is_there() -> bool:
            return later.view is not None and await numbers(later) == sorted(expected)

        await eventually(is_there)
        assert await damaged_offsets(later) == lost
        assert (await coverage(later)).complete == (not lost)
