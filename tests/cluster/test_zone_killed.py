"""A whole zone ends at once: its broker, its ZooKeeper member and every role in it (I6)."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import ask_count, in_thread, scenario

pytestmark = pytest.mark.scenario


async def test_killed_zone_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "zone b killed for 30 s") as running:
        await running.steady()
        running.fault()
        for role in cluster.roles.of(zone="b"):
            await in_thread(role.kill, stay_down=True)
        await in_thread(cluster.zookeeper.members[1].kill)
        brokers = [b for b in cluster.kafka.brokers if cluster.topology.rack(b.number) == "b"]
        for broker in brokers:
            await in_thread(broker.kill)
        await running.steady(20)
        found = await ask_count(running)
        assert found.complete, "every partition has its twin in another zone"
        running.note(f"a query during the fault took {found.took_s:.2f} s")
        await running.steady(10)
        assert running.load.outcome.acks[-1].at_s > running.fault_s + 20, "writes must go on"
