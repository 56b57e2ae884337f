"""A broker that is frozen for a minute keeps its connections, answers nothing, loses nothing."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread, scenario

pytestmark = pytest.mark.scenario

FROZEN_S = 60.0


async def test_frozen_broker_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "broker frozen for 60 s") as running:
        await running.steady()
        controller = await in_thread(cluster.kafka.controller)
        victim = next(b for b in cluster.kafka.brokers if b is not controller)
        running.fault()
        victim.pause()
        await running.steady(FROZEN_S)
        victim.resume()
        await running.steady()


async def test_frozen_controller_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "controller frozen for 30 s") as running:
        await running.steady()
        controller = await in_thread(cluster.kafka.controller)
        assert controller is not None
        running.fault()
        controller.pause()
        await running.steady(FROZEN_S / 2)
        controller.resume()
        await running.steady()
