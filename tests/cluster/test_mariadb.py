"""Accepting data needs only the log: the database may stop, freeze or be slow (I8)."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread, scenario, status_of

pytestmark = pytest.mark.scenario

GONE_S = 20.0


async def test_stopped_database_is_not_noticed_and_unknown_keys_get_503(cluster: Cluster) -> None:
    async with scenario(cluster, "MariaDB stopped for 20 s") as running:
        await running.steady()
        running.fault()
        await in_thread(cluster.mariadb.kill)
        assert await status_of(running, key="unknown-key-0001") == 503, "never 401: it is unknown"
        await running.steady(GONE_S)
        await in_thread(cluster.mariadb.start)
        await running.steady()
    assert running.load.outcome.statuses.keys() <= {"200"}, "known keys must not notice"


async def test_frozen_database_is_not_noticed_and_unknown_keys_get_503(cluster: Cluster) -> None:
    async with scenario(cluster, "MariaDB frozen for 20 s") as running:
        await running.steady()
        running.fault()
        cluster.mariadb.pause()
        assert await status_of(running, key="unknown-key-0002") == 503, "never 401: it is unknown"
        await running.steady(GONE_S)
        cluster.mariadb.resume()
        await running.steady()
    assert running.load.outcome.statuses.keys() <= {"200"}, "known keys must not notice"


async def test_slow_database_is_not_noticed(cluster: Cluster) -> None:
    async with scenario(cluster, "MariaDB slower by 900 ms for 20 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["mariadb"].latency(900, jitter_ms=200)
        await running.steady(GONE_S)
        cluster.proxy["mariadb"].heal()
        await running.steady()
    assert running.load.outcome.statuses.keys() <= {"200"}, "known keys must not notice"
