"""Questions while copies of batches are undecided, and processes are killed meanwhile (I2, I7).

What a shepherd had sent lands long after it was killed, and after its copies elsewhere were kept,
while indexers are killed, or destroyed with their disks, in between.
"""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.asking import asking
from tests.cluster.harness import cut_without_wait, in_thread, scenario

pytestmark = pytest.mark.scenario

LATE_MS = 15_000  # long after the shepherd has given up


async def test_no_answer_counts_twice_or_hides_what_it_claims_while_links_are_broken(
    cluster: Cluster,
) -> None:
    indexers = cluster.roles.of("indexer")
    async with scenario(cluster, "asked while links to brokers break") as running:
        await running.steady()
        async with asking(running) as answers:
            running.fault()
            cluster.proxy["kafka-2"].late(LATE_MS)
            await running.steady(3)
            await in_thread(cluster.roles.of("shepherd")[0].kill)
            cluster.proxy["kafka-3"].black_hole(requests=False)
            await running.steady(5)
            await in_thread(indexers[0].kill)
            cluster.proxy["kafka-2"].heal()
            await cut_without_wait(cluster)
            await running.steady(5)
            cluster.proxy["kafka-3"].heal()
            await in_thread(cluster.roles.wait_ready)
            await answers.next_whole()


async def test_copies_out_while_every_indexer_is_destroyed_count_once(cluster: Cluster) -> None:
    indexers = cluster.roles.of("indexer")
    async with scenario(cluster, "indexers destroyed while copies are undecided") as running:
        await running.steady()
        async with asking(running) as answers:
            running.fault()
            cluster.proxy["kafka-2"].late(LATE_MS)
            await running.steady(3)
            await in_thread(cluster.roles.of("shepherd")[0].kill)
            await cut_without_wait(cluster)
            await running.steady(2)
            for role in indexers:
                await in_thread(role.kill, stay_down=True)
            for role in indexers:
                await in_thread(role.wipe)
            await in_thread(cluster.roles.start, indexers)
            await running.steady(10)
            cluster.proxy["kafka-2"].heal()
            await running.steady(2)
            for role in indexers:  # in the middle of deciding
                await in_thread(role.kill)
            await in_thread(cluster.roles.wait_ready)
            await answers.next_whole()
