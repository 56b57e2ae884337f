"""Two of three brokers are gone: nothing is acknowledged meanwhile, and all of it recovers."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread, scenario

pytestmark = pytest.mark.scenario


async def test_without_leaders_nothing_is_acknowledged_and_nothing_lost(cluster: Cluster) -> None:
    async with scenario(cluster, "two of three brokers killed for 20 s") as running:
        await running.steady()
        running.fault()
        for broker in cluster.kafka.brokers[1:]:
            await in_thread(broker.kill)
        await running.steady(20)
        for broker in cluster.kafka.brokers[1:]:
            await in_thread(broker.start)
        for broker in cluster.kafka.brokers[1:]:
            await in_thread(broker.wait_ready)
        await running.steady()
