"""The whole cluster takes events, loses an indexer, and still counts each of them once (I2, I6)."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread, scenario

pytestmark = pytest.mark.system


async def test_killed_indexer_loses_no_acknowledged_event(cluster: Cluster) -> None:
    async with scenario(cluster, "indexer killed") as running:
        await running.steady()
        victim = cluster.roles["indexer", "b"]
        running.fault()
        await in_thread(victim.kill)
        await running.steady(6)
        assert victim.starts >= 2, "the supervisor starts again what was killed"
