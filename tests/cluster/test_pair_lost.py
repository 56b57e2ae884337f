"""Both indexers of a pair are destroyed with their disks: objects and log give all back (I5)."""

import pytest

from compose.cluster import Cluster
from tests.cluster.world import cut, in_thread, scene

pytestmark = pytest.mark.scenario


async def test_both_of_a_pair_killed_and_wiped_lose_nothing(cluster: Cluster) -> None:
    async with scene(cluster, "both of a pair killed and wiped") as running:
        await running.steady()
        await cut(cluster)  # so that a part is in segments and a part is in the log alone
        await running.steady()
        pair = [cluster.roles["indexer", "a"], cluster.roles["indexer", "b"]]
        running.fault()
        for role in pair:
            await in_thread(role.kill, stay_down=True)
        for role in pair:
            await in_thread(role.wipe)
        await running.steady(5)
        await in_thread(cluster.roles.start, pair)
        await in_thread(cluster.roles.wait_ready, pair)
        await running.steady()
