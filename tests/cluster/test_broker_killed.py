"""A broker that is killed holds writes up until it is fenced, and loses nothing (I1, I2)."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread, scenario

pytestmark = pytest.mark.scenario


async def test_killed_broker_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "broker killed") as running:
        await running.steady()
        controller = await in_thread(cluster.kafka.controller)
        victim = next(b for b in cluster.kafka.brokers if b is not controller)
        running.fault()
        await in_thread(victim.kill)
        await running.steady(20)
    assert running.load.outcome.acks[-1].at_s > running.fault_s + 10


async def test_killed_controller_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "controller killed") as running:
        await running.steady()
        controller = await in_thread(cluster.kafka.controller)
        assert controller is not None
        running.fault()
        await in_thread(controller.kill)
        await running.steady(20)
        found = await in_thread(cluster.kafka.controller)
        assert found is not None
        assert found is not controller
