"""The topic: created with the required settings, grown, and detected when it was recreated (I5)."""

import asyncio
import dataclasses

import pytest
from aiokafka.protocol.admin import DeleteTopicsRequest

from common.errors import Conflict, LogRefused, LogUnavailable
from common.log.kafka import topic
from common.log.kafka.config import KafkaConfig
from common.log.kafka.topic import check_topic, create_topic, grow_topic
from tests.common.log.kafka.conftest import PARTITIONS
from tests.conformance.kafka import FreshKafkaLog
from tests.conformance.worker import numbered
from tests.waiting import PATIENCE_S


async def until_refreshed(log: FreshKafkaLog, partitions: int, not_epoch: str = "") -> None:
    """Retry until a change has reached all brokers."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                found = await log.refresh()
            except LogUnavailable:
                found = None
            if found and found.partitions == partitions and found.epoch != not_epoch:
                return
            await asyncio.sleep(0.05)


async def make_again(config: KafkaConfig) -> None:
    """Create a topic that was just deleted: its name becomes free a moment later."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if await create_topic(config):
                    return
            except LogUnavailable:
                pass
            await asyncio.sleep(0.05)


async def until_looked_at(log: FreshKafkaLog) -> None:
    """Wait until the client has detected that the topic was recreated."""
    async with asyncio.timeout(PATIENCE_S):
        while log._cluster.view.topic_id == log._topic_id:
            log._cluster.request_refresh()
            await asyncio.sleep(0.05)


async def lasting(config: KafkaConfig) -> list[topic.Problem]:
    """Problems of settings only: a broker that another test stopped may still catch up."""
    return [problem for problem in await check_topic(config) if not problem.transient]


async def test_made_topic_has_no_problems_and_is_made_once(log: FreshKafkaLog) -> None:
    assert await lasting(log.config) == []
    assert not await create_topic(log.config)
    assert log.retention_ns() == 72 * 3600 * 10**9


async def test_each_problem_is_reported_with_its_remedy(log: FreshKafkaLog) -> None:
    wants = dataclasses.replace(log.config, retention_hours=999, replication=4)
    problems = await lasting(wants)
    assert ["retention.ms" in p.what for p in problems] == [True, False]
    assert "fewer than 4 copies" in problems[1].what
    assert all(p.remedy for p in problems)
    missing = dataclasses.replace(log.config, topic="not-there")
    assert "bellwether init" in (await check_topic(missing))[0].remedy


def test_lagging_replicas_are_reported_as_transient_with_the_partitions_that_wait() -> None:
    config = KafkaConfig()
    assert topic.sync_problems(config, (3, 3), ((1, 2, 3), (3, 1, 2))) == []
    [problem] = topic.sync_problems(config, (3, 3, 3), ((1, 2, 3), (3, 1), (3,)))
    assert problem.transient
    assert "2 partitions lack a copy" in problem.what
    assert "partitions 2 have too few" in problem.what
    assert "brokers 1, 2, 3" in problem.remedy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cleanup.policy", "compact"),
        ("max.message.bytes", "1048588"),
        ("message.timestamp.type", "CreateTime"),
        ("min.insync.replicas", "1"),
        ("retention.bytes", "1000000"),
        ("retention.ms", "1000"),
        ("unclean.leader.election.enable", "true"),
    ],
)
def test_every_setting_that_breaks_a_promise_is_a_problem(name: str, value: str) -> None:
    config = KafkaConfig()
    assert topic.topic_problems(config, topic.topic_settings(config)) == []
    [problem] = topic.topic_problems(config, {**topic.topic_settings(config), name: value})
    assert f"{name}={value}" in problem.what
    assert name in problem.remedy


def test_brokers_that_create_topics_by_themselves_are_a_problem() -> None:
    assert topic.broker_problems("1", {"auto.create.topics.enable": "true"})
    assert not topic.broker_problems("1", {"auto.create.topics.enable": "false"})


async def test_grown_partitions_are_seen_after_a_refresh_and_keep_the_epoch(
    log: FreshKafkaLog,
) -> None:
    epoch = (await log.open()).epoch
    await log.append(0, numbered("before"))
    assert await grow_topic(log.config, PARTITIONS + 2) == PARTITIONS + 2
    with pytest.raises(ValueError, match="no partition"):
        await log.append(PARTITIONS, numbered("too early"))
    await until_refreshed(log, PARTITIONS + 2)
    assert (await log.append(PARTITIONS + 1, numbered("new"))).position.epoch == epoch
    assert (await log.bounds(0)).end == 1
    with pytest.raises(Conflict):
        await grow_topic(log.config, PARTITIONS)


async def test_topic_that_was_made_anew_is_another_log_until_refreshed(log: FreshKafkaLog) -> None:
    epoch = (await log.open()).epoch
    for i in range(5):
        await log.append(0, numbered(str(i)))
    leader = log._cluster.leader(0)
    assert leader is not None
    await leader.call(DeleteTopicsRequest([log.config.topic], 5_000))
    await make_again(log.config)
    with pytest.raises(LogRefused):
        await log.append(0, numbered("to the old one"))
    with pytest.raises(LogUnavailable, match="another log"):
        await log.read(0, 0, 1000, 0)
    await until_refreshed(log, PARTITIONS, not_epoch=epoch)
    appended = await log.append(0, numbered("first of the new one"))
    assert appended.position.epoch != epoch
    assert appended.position.offset == 0
    assert len(await log.read(0, 0, 1000, 0)) == 1


async def test_topic_made_anew_with_fewer_partitions_refuses_what_belongs_to_the_others(
    log: FreshKafkaLog,
) -> None:
    epoch = (await log.open()).epoch
    await log.append(PARTITIONS - 1, numbered("a"))
    leader = log._cluster.leader(0)
    assert leader is not None
    await leader.call(DeleteTopicsRequest([log.config.topic], 5_000))
    await make_again(dataclasses.replace(log.config, partitions=1))
    await until_looked_at(log)
    with pytest.raises(LogUnavailable):  # its end would be taken for the old one's
        await log.bounds(0)
    await until_refreshed(log, 1, not_epoch=epoch)
    with pytest.raises(LogRefused, match="give it as many again"):
        await log.append(PARTITIONS - 1, numbered("b"))
    await log.append(0, numbered("c"))
