"""The clients' link to one of three brokers is cut for a minute while the brokers stay whole."""

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import scenario

pytestmark = pytest.mark.scenario

CUT_S = 60.0


async def test_black_holed_link_to_a_broker_loses_nothing_when_it_heals_late(
    cluster: Cluster,
) -> None:
    """What was sent into the hole lands when the link heals: it must not count twice (I2)."""
    async with scenario(cluster, "link to a broker black-holed for 60 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["kafka-2"].black_hole()
        await running.steady(CUT_S)
        cluster.proxy["kafka-2"].heal()
        await running.steady()


async def test_answers_of_a_broker_that_get_lost_count_nothing_twice(cluster: Cluster) -> None:
    """Cut one way: requests arrive and are stored, their answers never come."""
    async with scenario(cluster, "answers of a broker lost for 30 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["kafka-3"].black_hole(requests=False)
        await running.steady(CUT_S / 2)
        cluster.proxy["kafka-3"].heal()
        await running.steady()


async def test_slow_link_to_a_broker_loses_nothing(cluster: Cluster) -> None:
    async with scenario(cluster, "link to a broker slower by 800 ms for 30 s") as running:
        await running.steady()
        running.fault()
        cluster.proxy["kafka-1"].latency(800, jitter_ms=300)
        await running.steady(CUT_S / 2)
        cluster.proxy["kafka-1"].heal()
        await running.steady()
