"""Without ZooKeeper claims stand still and nothing else stops (I8)."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import ask_count, in_thread, scenario

pytestmark = pytest.mark.scenario

STOPPED_S = 60.0


async def test_killed_leader_of_zookeeper_is_not_noticed(cluster: Cluster) -> None:
    async with scenario(cluster, "ZooKeeper's leader killed") as running:
        await running.steady()
        leader = await in_thread(cluster.zookeeper.leader)
        assert leader is not None
        running.fault()
        await in_thread(leader.kill)
        await running.steady(15)
    assert running.load.outcome.statuses.keys() <= {"200"}, "no request may notice"


async def test_stopped_ensemble_stops_neither_ingest_nor_queries(cluster: Cluster) -> None:
    async with scenario(cluster, "ZooKeeper stopped for 60 s") as running:
        await running.steady()
        running.fault()
        await in_thread(cluster.zookeeper.kill)
        for _ in range(4):
            await running.steady(STOPPED_S / 4)
            found = await ask_count(running)
            assert found.complete, "what is claimed stays served"
    assert running.load.outcome.statuses.keys() <= {"200"}, "no request may notice"
