"""Both indexers of a pair are destroyed with their disks: objects and log give all back (I5)."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import ask_count, cut, in_thread, scenario

pytestmark = pytest.mark.scenario


async def test_both_of_a_pair_killed_and_wiped_lose_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "both of a pair killed and wiped") as running:
        await running.steady()
        # so that a part is in segments and a part is in the log alone
        holders = await cut(cluster)
        lost = [
            n
            for n, names in holders.items()
            if not any(name.startswith("indexer-c") for name in names)
        ]
        assert lost, "some partition must lose both of its indexers"
        await running.steady()
        pair = [cluster.roles["indexer", "a"], cluster.roles["indexer", "b"]]
        running.fault()
        for role in pair:
            await in_thread(role.kill, stay_down=True)
        for role in pair:
            await in_thread(role.wipe)
        await running.steady(5)
        await in_thread(cluster.roles.start, pair)
        await running.steady(4)
        for role in pair:  # in the middle of coming back
            await in_thread(role.kill)
        await in_thread(cluster.roles.wait_ready, pair)
        await running.steady()
        assert (await ask_count(running)).complete, "everything is back"
        running.note(f"partitions {lost} had no other indexer")
