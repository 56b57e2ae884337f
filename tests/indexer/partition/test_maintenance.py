"""Maintenance: quiet partitions get heartbeats, hours get one marker, the log is freed (I5)."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.log import Bounds
from common.model.record import Kind, Marker, decode, marker_record
from indexer.partition.maintenance import PartitionMaintenance
from indexer.state.partition_state import HOUR_NS
from tests.indexer.harness import (
    QUICK,
    append,
    open_context,
    published,
    reached,
    running,
    until,
)


async def kinds(log: object, partition: int = 0) -> list[Kind]:
    records = await log.read(partition, 0, 1 << 20, 0)  # type: ignore[attr-defined]  # a log
    return [decode(record).kind for record in records]


async def test_quiet_partition_gets_a_marker_per_hour_and_heartbeats(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        clock = ManualClock(wall_ns=SystemClock().now_ns())
        log = context.backends.log
        async with running(replace(context, clock=clock)) as partition:
            await append(log, [1])
            await until(partition, reached(1))
            maintenance = PartitionMaintenance(partition)
            await maintenance.run_round()
            assert await kinds(log) == [Kind.EVENTS, Kind.MARKER]
            await until(partition, reached(2))
            await maintenance.run_round()
            assert await kinds(log) == [Kind.EVENTS, Kind.MARKER]
            assert partition.state is not None
            assert partition.state.hour is not None
            assert clock.wall_ns // HOUR_NS - partition.state.hour in (1, 2)
            clock.advance_ms(10_000)
            await maintenance.run_round()
            assert await kinds(log) == [Kind.EVENTS, Kind.MARKER, Kind.HEARTBEAT]


async def test_marker_that_came_late_is_not_followed_by_the_next_at_once(
    tmp_path: Path,
) -> None:
    """A batch id is forgotten at the second marker: nobody may repeat one in vain before (I2)."""
    hour = SystemClock().now_ns() // HOUR_NS
    config = replace(QUICK, heartbeat_ms=10**9)
    clock = ManualClock(wall_ns=hour * HOUR_NS + 600 * 10**9)
    async with open_context(tmp_path, clock=clock) as context:
        log = context.backends.log
        await log.append(0, marker_record(Marker(hour=hour - 2)))
        for folder in ("a", "b"):  # also after a restart from what was published
            own = replace(context, clock=clock, folder=tmp_path / folder)
            async with running(own, config=config) as partition:
                await append(log, [1])
                await log.append(0, marker_record(Marker(hour=None)))
                end = (await log.bounds(0)).end
                await until(partition, published(end))
                await PartitionMaintenance(partition).run_round()
                assert (await log.bounds(0)).end == end
                assert partition.state is not None
                assert partition.state.hour == hour - 2
                if folder == "b":
                    await PartitionMaintenance(partition, hour_markers_apart_ns=0).run_round()
                    await until(partition, reached(end + 1))
                    assert partition.state.hour == hour - 1


async def test_partition_whose_records_are_newer_gets_no_heartbeat(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1])
        await until(partition, reached(1))
        maintenance = PartitionMaintenance(partition)
        await maintenance.run_round()
        await until(partition, reached(2))
        await maintenance.run_round()
        assert Kind.HEARTBEAT not in await kinds(log)
        assert partition.shared.config == QUICK


async def test_log_of_a_quiet_partition_is_asked_seldom_and_its_end_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with open_context(tmp_path) as context:
        log = context.backends.log
        own = replace(context, clock=clock)
        config = replace(QUICK, heartbeat_ms=10**9)
        async with running(own, config=config) as partition:
            real, asked = log.bounds, list[int]()

            async def bounds(number: int) -> Bounds:
                asked.append(number)
                return await real(number)

            monkeypatch.setattr(log, "bounds", bounds)
            maintenance = PartitionMaintenance(partition)
            await append(log, [0])
            await until(partition, reached(1))  # at its start it asks by itself
            await maintenance.run_round()
            asked.clear()
            for _ in range(60):
                clock.advance_ms(1_000)
                await maintenance.run_round()
            assert 1 <= len(asked) <= 12
            asked.clear()
            await append(log, [1])
            assert (await partition.log_end.look()).end == (await real(0)).end
            await until(partition, reached((await real(0)).end))
            await maintenance.run_round()
            assert asked == []
            assert partition.log_end.lag == 0


async def test_record_that_was_read_before_its_end_was_announced_is_no_end_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer was killed between both: the partition must not be resumed for that."""
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    async with (
        open_context(tmp_path) as context,
        running(replace(context, clock=clock)) as partition,
    ):
        log = context.backends.log
        await partition.log_end.refresh()
        await append(log, [1], [2])
        await until(partition, reached(2))
        monkeypatch.setattr(log, "known_end", lambda _: 1)
        assert (await partition.log_end.look()).end == 2
