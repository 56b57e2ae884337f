"""A shepherd that is killed in the middle of requests leaves none half stored or counted twice."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread, scenario

pytestmark = pytest.mark.scenario


async def test_shepherd_killed_mid_request_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "shepherds killed in turn", pause_max_s=0.02) as running:
        await running.steady()
        running.fault()
        for _ in range(3):
            for role in cluster.roles.of("shepherd"):
                await in_thread(role.kill)
                await running.steady(2)
                await in_thread(cluster.roles.wait_ready, [role])
        await running.steady(3)
