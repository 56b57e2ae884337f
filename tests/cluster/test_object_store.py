"""An object store that is gone, slow or failing delays snapshots and loses nothing (I4, I5)."""

import asyncio

import pytest

from compose.cluster import Cluster
from tests.cluster.world import (
    ask_count,
    cut_without_wait,
    in_thread,
    scene,
    unpublished_cuts,
)

pytestmark = pytest.mark.scenario

BAD_S = 30.0


async def test_stopped_object_store_delays_snapshots_and_loses_nothing(cluster: Cluster) -> None:
    async with scene(cluster, "S3 stopped for 30 s") as running:
        await running.steady()
        running.fault()
        await in_thread(cluster.s3.kill)
        await cut_without_wait(cluster)
        await running.steady(BAD_S)
        assert await unpublished_cuts(running), "what is acknowledged waits, and is kept"
        assert (await ask_count(running)).complete, "what is on disks is served"
        await in_thread(cluster.s3.start)
        await running.steady()
    assert running.load.outcome.statuses.keys() <= {"200"}, "ingest must not notice"


async def test_object_store_frozen_during_uploads_holds_nothing_else_up(cluster: Cluster) -> None:
    async with scene(cluster, "S3 frozen for 30 s") as running:
        await running.steady()
        running.fault()
        cutting = asyncio.create_task(cut_without_wait(cluster))
        await running.steady(0.3)
        cluster.s3.pause()
        await cutting
        await cut_without_wait(cluster)
        assert await unpublished_cuts(running), "what is acknowledged waits, and is kept"
        for _ in range(3):
            await running.steady(BAD_S / 3)
            assert (await ask_count(running)).complete, "what is on disks is served"
        cluster.s3.resume()
        await running.steady()
    assert running.load.outcome.statuses.keys() <= {"200"}, "ingest must not notice"


async def test_slow_object_store_loses_nothing(cluster: Cluster) -> None:
    async with scene(cluster, "S3 slower by 2 s for 30 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["s3"].latency(2_000, jitter_ms=500)
        await cut_without_wait(cluster)
        await running.steady(BAD_S)
        cluster.proxy["s3"].heal()
        await running.steady()


async def test_object_store_that_fails_half_of_the_time_loses_nothing(cluster: Cluster) -> None:
    """Half of the connections are reset after what they carried was done, or before."""
    async with scene(cluster, "S3 failing half of the connections for 30 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["s3"].reset(30, share=0.5)
        for _ in range(3):
            await cut_without_wait(cluster)
            await asyncio.sleep(BAD_S / 3)
        cluster.proxy["s3"].heal()
        await running.steady()
