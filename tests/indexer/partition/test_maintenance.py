"""Maintenance: quiet partitions get heartbeats, hours get one marker, the log is freed (I5)."""

from dataclasses import replace
from pathlib import Path

from common.clock import ManualClock, SystemClock
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
