"""The topic grows under running roles (I5)."""

import asyncio
import itertools
import time

import aiohttp
import pytest

from common.clock import SystemClock
from common.log.kafka.config import KafkaConfig
from common.log.kafka.log import KafkaLog
from common.log.kafka.topic import grow_topic
from common.model.position import parse_receipt
from compose.cluster.cluster import Cluster
from compose.topology import TOPIC
from tests.cluster.harness import Scenario, ask_count, cut, scenario

pytestmark = pytest.mark.scenario

MORE = 2
CHANGE_S = 60.0


def settings(cluster: Cluster) -> KafkaConfig:
    topology = cluster.topology
    return KafkaConfig(
        servers=cluster.kafka.servers,
        topic=TOPIC,
        partitions=topology.partitions,
        replication=topology.replication,
        min_insync=topology.min_insync,
    )


async def count_partitions(config: KafkaConfig) -> int:
    """How many the topic has now: other scenarios may have grown it."""
    log = KafkaLog(config, SystemClock())
    try:
        return (await log.open()).partitions
    finally:
        await log.close()


async def until_written(running: Scenario, partitions: set[int]) -> float:
    """Send to dataset after dataset until all of these were chosen; returns how long it took."""
    begin_s = time.monotonic()
    reached: set[int] = set()
    headers = {"X-Honeycomb-Team": running.target.key}
    async with asyncio.timeout(CHANGE_S), aiohttp.ClientSession(headers=headers) as session:
        for number in itertools.count():
            url = f"{running.target.url}/1/batch/grown-{number % 40}"
            async with session.post(url, json=[{"data": {"x": number}}]) as answer:
                assert answer.status == 200, await answer.text()
                receipt = answer.headers.get("X-Bellwether-Receipt", "")
            reached |= {position.partition for position in parse_receipt(receipt)}
            if partitions <= reached:
                break
    return time.monotonic() - begin_s


async def test_partitions_that_are_added_under_load_are_used_and_nothing_is_lost(
    cluster: Cluster,
) -> None:
    async with scenario(cluster, "topic grown under load") as running:
        await running.steady()
        running.fault()
        before = await count_partitions(settings(cluster))
        partitions = await grow_topic(settings(cluster), before + MORE)
        added = set(range(before, partitions))
        assert len(added) == MORE
        took_s = await until_written(running, added)
        async with asyncio.timeout(CHANGE_S):
            while True:
                holders = await cut(cluster)
                if all(len(holders.get(number, ())) >= 2 for number in added):
                    break
        found = await ask_count(running, after=running.load.outcome.receipt())
        assert found.complete
        running.note(f"{before} partitions grown to {partitions}: written to after {took_s:.1f} s")
    assert running.load.outcome.statuses.keys() <= {"200"}, "no request may notice"
