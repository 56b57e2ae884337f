"""Brokers whose clocks leap ahead and come back: the log's time follows (I2, I3, I13)."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import LogUnavailable
from common.log import Log
from common.model.record import Kind, decode
from compose.cluster.cluster import Cluster
from indexer.partition.maintenance import PartitionMaintenance
from tests.conformance import kafka
from tests.indexer.harness import QUICK, open_context, record, running, until
from tests.indexer.partition.test_timekeeper import DAY_NS, S_NS
from tests.servers import need
from tests.system.faketime import DAY_S, WrongClock

pytestmark = pytest.mark.scenario

LEAP_S = 70 * DAY_S
WAIT_S = 600.0  # for what comes within seconds on a machine without other work


def faked(cluster: Cluster, clock: WrongClock) -> None:
    """Start the brokers again, under a clock that can be set."""
    for broker in cluster.kafka.brokers:
        broker.process.stop(20)
        broker.environ = {k: v for k, v in clock.environ.items() if k != "PYTHONPATH"}
        broker.start()
    for broker in cluster.kafka.brokers:
        broker.wait_ready()


async def store(log: Log, number: int) -> None:
    """Append a record; again where it may be stored or not, as its batch counts once."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await log.append(0, record([number]))
                return
            except LogUnavailable:
                await asyncio.sleep(1)


async def kinds(log: Log, kind: Kind) -> int:
    found, offset = 0, 0
    while block := await log.read(0, offset, 1 << 20, 0):
        found += sum(decode(message).kind is kind for message in block)
        offset = block[-1].offset + 1
    return found


async def test_brokers_that_ran_70_days_ahead_leave_a_log_whose_time_is_right_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = WrongClock(tmp_path / "faketime")
    cluster = need(Cluster(tmp_path / "cluster", parts=()), "kafka")
    try:
        faked(cluster, clock)
        monkeypatch.setenv(kafka.SERVERS, cluster.kafka.servers)
        log = kafka.make(tmp_path, 1)
        await log.open()
        quick = replace(QUICK, heartbeat_ms=500, clock_steady_s=2)
        async with open_context(tmp_path / "house") as context:
            own = replace(context, backends=replace(context.backends, log=log))
            async with running(own, config=quick) as partition:
                tending = asyncio.create_task(PartitionMaintenance(partition).run())

                def ahead_ns() -> int:
                    return (
                        0
                        if partition.state is None
                        else partition.state.watermark_ns - time.time_ns()
                    )

                await store(log, 1)
                await until(partition, lambda _: abs(ahead_ns()) < 60 * S_NS)
                clock.set(LEAP_S)
                await asyncio.sleep(3)
                await store(log, 2)
                await until(partition, lambda _: ahead_ns() > 69 * DAY_NS)
                await until(partition, lambda one: "log_time_ahead" in one.alarms.raised)
                assert await kinds(log, Kind.CLOCK) == 0, "their time has not gone back yet"
                clock.set(0)
                await asyncio.sleep(3)
                async with asyncio.timeout(WAIT_S):
                    while abs(ahead_ns()) > 60 * S_NS or partition.alarms.raised:
                        await store(log, 3)
                        await asyncio.sleep(1)
                assert await kinds(log, Kind.CLOCK) == 1
                assert partition.view is not None
                assert partition.view.live.rows == 3 - sum(
                    entry.rows for entry in partition.view.all_segments()
                )
                tending.cancel()
                await asyncio.gather(tending, return_exceptions=True)
        await log.close()
    finally:
        cluster.stop()
