"""The network between roles is slow, or cut one way: the twin answers, and nothing is lost."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import ask_count, scenario

pytestmark = pytest.mark.scenario

CUT_S = 20.0


async def test_indexer_that_cannot_be_reached_is_replaced_by_its_twin(cluster: Cluster) -> None:
    async with scenario(cluster, "link to an indexer black-holed for 20 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["indexer-a"].black_hole()
        found = await ask_count(running)
        assert found.complete, "the twin has everything"
        running.note(f"a query during the fault took {found.took_s:.2f} s")
        await running.steady(CUT_S)
        cluster.proxy["indexer-a"].heal()
        await running.steady(2)


async def test_answers_of_an_indexer_that_get_lost_are_asked_of_its_twin(cluster: Cluster) -> None:
    async with scenario(cluster, "answers of an indexer lost for 20 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["indexer-b"].black_hole(requests=False)
        found = await ask_count(running)
        assert found.complete, "the twin has everything"
        running.note(f"a query during the fault took {found.took_s:.2f} s")
        await running.steady(CUT_S)
        cluster.proxy["indexer-b"].heal()
        await running.steady(2)


async def test_slow_links_between_all_roles_lose_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "links between roles slower by 300 ms for 20 s") as running:
        await running.steady()
        running.fault()
        for role in (*cluster.roles.of("indexer"), *cluster.roles.of("query")):
            cluster.proxy[role.name].latency(300, jitter_ms=100)
        found = await ask_count(running)
        assert found.complete
        running.note(f"a query during the fault took {found.took_s:.2f} s")
        await running.steady(CUT_S)
