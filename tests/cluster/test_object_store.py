"""An object store that is gone, slow or failing delays snapshots and loses nothing (I4, I5)."""

import asyncio
from urllib.parse import urlsplit

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import (
    ask_count,
    cut_without_wait,
    in_thread,
    scenario,
    unpublished_cuts,
)
from tests.common.objects.faulty_proxy import ProxyFaults, faulty_proxy

pytestmark = pytest.mark.scenario

BAD_S = 30.0


async def test_stopped_object_store_delays_snapshots_and_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "S3 stopped for 30 s") as running:
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
    async with scenario(cluster, "S3 frozen for 30 s") as running:
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
    async with scenario(cluster, "S3 slower by 2 s for 30 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["s3"].latency(2_000, jitter_ms=500)
        await cut_without_wait(cluster)
        await running.steady(BAD_S)
        cluster.proxy["s3"].heal()
        await running.steady()


async def test_object_store_that_fails_half_of_the_time_loses_nothing(cluster: Cluster) -> None:
    """Half of the connections are reset after what they carried was done, or before."""
    async with scenario(cluster, "S3 failing half of the connections for 30 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["s3"].reset(30, share=0.5)
        for _ in range(3):
            await cut_without_wait(cluster)
            await asyncio.sleep(BAD_S / 3)
        cluster.proxy["s3"].heal()
        await running.steady()


@pytest.mark.parametrize(
    "often",
    [
        {"fail_before": 0.25, "fail_after": 0.25, "hang_up": 0.1},
        {"fail_before": 1.0},
        {"late": 0.5},
    ],
    ids=["half answered 500 done or not", "everything answered 503 SlowDown", "half done late"],
)
async def test_object_store_that_lies_loses_nothing(
    cluster: Cluster, often: dict[str, float]
) -> None:
    """What is told as failed may have been done, or be done later; nothing appears twice (I4)."""
    kinds = ", ".join(f"{kind} {share:.0%}" for kind, share in often.items())
    faults = ProxyFaults(late_s=4.0, often=often)
    with faulty_proxy(f"http://127.0.0.1:{cluster.s3.own_port}", faults) as url:
        async with scenario(cluster, f"S3 lying for 30 s ({kinds})") as running:
            await running.steady()
            running.fault()
            cluster.proxy["s3"].divert(urlsplit(url).port or 0)
            for _ in range(3):
                await cut_without_wait(cluster)
                await asyncio.sleep(BAD_S / 3)
                assert (await ask_count(running)).complete, "what is on disks is served"
            waiting = await unpublished_cuts(running)
            cluster.proxy["s3"].heal()
            await running.steady()
            running.note(
                f"{dict(faults.injected)} of {len(faults.seen)} requests; {waiting} cuts waited"
            )
            assert faults.injected.total(), "the store was asked"
            if often.get("fail_before") == 1.0:
                assert waiting, "nothing can have been published"
    assert running.load.outcome.statuses.keys() <= {"200"}, "ingest must not notice"
