"""Large steps of a start are left to compiled code that is loading, and wait for nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.clock import SystemClock
from common.model.record import Marker, marker_record
from indexer.seal import sealer as sealing
from indexer.seal.partition_reader import last_manifest
from indexer.seal.segment_files import seal_all
from indexer.shred.interface import Accepted, Shredded
from indexer.shred.kernel_wait import KernelWait
from indexer.shred.selected import SelectedShredder
from segment.parquet.selected import SelectedEncoders
from tests.indexer.harness import QUICK, append, open_context, published, reached, running, until
from tests.indexer.serve.test_server import running_indexer
from tests.kernel_cache import KERNEL_CACHE

CUT = marker_record(Marker(hour=None, reason="test"))
MANY = limits.KERNEL_WAIT_ROWS_MIN
FOR_EVER_MS = 3_600_000
SOON_MS = 20


class Watched(SelectedShredder):
    """Notes how many rows each implementation shreds."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = {"reference": 0, "kernel": 0}

    def shred_values(self, records: Sequence[Accepted]) -> Shredded:
        self.rows[self.name] += sum(one.record.n for one in records)
        return super().shred_values(records)


@pytest.mark.parametrize("rows", [MANY, MANY - 1])
async def test_nothing_waits_for_what_is_not_expected_and_small_steps_never_do(rows: int) -> None:
    kernel_wait = KernelWait(SystemClock(), FOR_EVER_MS)
    await kernel_wait.wait(rows, 0)
    kernel_wait.expect()
    assert kernel_wait.is_expected
    waiting = asyncio.create_task(kernel_wait.wait(rows, 0))
    for _ in range(5):
        await asyncio.sleep(0)
    assert waiting.done() == (rows < MANY)
    kernel_wait.end()
    await waiting
    await kernel_wait.wait(rows, 0)


async def test_the_deadline_is_one_for_all_waits() -> None:
    kernel_wait = KernelWait(SystemClock(), SOON_MS)
    kernel_wait.expect()
    await asyncio.gather(*(kernel_wait.wait(MANY, 0) for _ in range(5)))
    assert not kernel_wait.is_expected
    await kernel_wait.wait(0, limits.KERNEL_WAIT_BYTES_MIN)


async def test_a_setting_of_no_wait_expects_nothing() -> None:
    kernel_wait = KernelWait(SystemClock(), 0)
    kernel_wait.expect()
    assert not kernel_wait.is_expected


async def test_a_large_replay_waits_and_what_follows_the_logs_end_does_not(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        kernel_wait = KernelWait(context.clock, FOR_EVER_MS)
        kernel_wait.expect()
        await append(context.backends.log, list(range(MANY)))
        async with running(context, kernel_wait=kernel_wait) as partition:
            await until(partition, lambda one: one.replay is not None)
            for _ in range(20):
                await partition.log_end.refresh()  # reads the log, as its follower does meanwhile
            assert partition.view is not None
            assert partition.view.live.rows == 0
            kernel_wait.end()
            await until(partition, reached(1))
            kernel_wait.expect()  # as a start whose replay was done before the kernel came
            await append(context.backends.log, list(range(MANY, 2 * MANY)))
            await until(partition, reached(2))
            assert kernel_wait.is_expected


async def test_a_kernel_that_never_arrives_stops_neither_replay_nor_sealing(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        kernel_wait = KernelWait(context.clock, SOON_MS)
        kernel_wait.expect()
        await append(context.backends.log, list(range(MANY)))
        async with running(context, kernel_wait=kernel_wait) as partition:
            await until(partition, reached(1))
            kernel_wait.expect()  # again, for the cut
            await context.backends.log.append(0, CUT)
            await until(partition, published(2))
            assert last_manifest(partition) is not None
            assert last_manifest(partition).rows == MANY


async def test_a_replay_beside_a_warm_cache_is_shredded_and_sealed_by_the_kernel_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await SelectedShredder().use_compiled(KERNEL_CACHE, (1, 2))
    await SelectedEncoders().use_compiled(KERNEL_CACHE)
    shredder, sealed_by = Watched(), set()

    def seal_watched(*arguments: Any, **named: Any) -> Any:
        sealed_by.add(named["encoders"].name)
        return seal_all(*arguments, **named)

    monkeypatch.setattr(sealing, "seal_all", seal_watched)
    config = replace(QUICK, kernel_cache=str(KERNEL_CACHE), kernel_wait_ms=FOR_EVER_MS)
    async with open_context(tmp_path) as context:
        await append(context.backends.log, list(range(MANY)), list(range(MANY, 3 * MANY)))
        await context.backends.log.append(0, CUT)
        async with running_indexer(context, config, shredder) as session:
            answer = await (await session.post("/internal/cut?wait=1")).json()
            assert answer["partitions"]["0"]["published"]
            status = await (await session.get("/internal/status")).json()
    assert status["partitions"]["0"]["kernel_expected"] is False
    assert (shredder.rows, sealed_by) == ({"reference": 0, "kernel": 3 * MANY}, {"kernel"})


async def test_code_that_must_be_compiled_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiling = asyncio.Event()

    async def compile_for_ever(*_: object) -> None:
        compiling.set()
        await asyncio.Event().wait()

    shredder = Watched()
    monkeypatch.setattr(shredder, "use_compiled", compile_for_ever)
    config = replace(QUICK, kernel_cache=str(tmp_path / "empty"), kernel_wait_ms=FOR_EVER_MS)
    async with open_context(tmp_path) as context:
        await append(context.backends.log, list(range(MANY)))
        async with running_indexer(context, config, shredder):
            await asyncio.wait_for(compiling.wait(), 60)
    assert shredder.rows == {"reference": MANY, "kernel": 0}
