"""The Kafka log for the suites: a topic of its own for every place."""

import asyncio
import hashlib
import os
from pathlib import Path

from aiokafka.protocol.admin import DeleteRecordsRequest

from common.clock import SystemClock
from common.errors import LogUnavailable
from common.log import Log, LogIdentity
from common.log.kafka.config import KafkaConfig
from common.log.kafka.log import KafkaLog
from common.log.kafka.topic import create_topic

SERVERS = "BELLWETHER_TEST_KAFKA"  # also read by the suites' own processes


def config_of(place: Path, partitions: int, **settings: int | str) -> KafkaConfig:
    """Settings of a log that is this place's own."""
    topic = "t-" + hashlib.sha256(str(place).encode()).hexdigest()[:20]
    return KafkaConfig(
        servers=os.environ[SERVERS],
        topic=topic,
        partitions=partitions,
        **settings,  # type: ignore[arg-type]  # each is what its name wants
    )


class FreshKafkaLog(KafkaLog):
    """Makes its topic when it is opened, as `bellwether init` does."""

    def __init__(self, config: KafkaConfig) -> None:
        super().__init__(config, SystemClock())
        self.config = config

    async def open(self) -> LogIdentity:
        await create_topic(self.config)
        while True:
            try:
                return await super().open()
            except LogUnavailable as error:
                if "no topic" not in str(error):
                    raise
            await asyncio.sleep(0.05)  # the broker that was asked does not know it yet


def make(place: Path, partitions: int) -> Log:
    return FreshKafkaLog(config_of(place, partitions))


def make_small(place: Path, partitions: int, queue_bytes: int) -> Log:
    return FreshKafkaLog(config_of(place, partitions, partition_bytes_max=queue_bytes))


async def forget(log: Log, partition: int, offset: int) -> int:
    """Let the topic forget what is before `offset`, as its retention does; the new start."""
    assert isinstance(log, FreshKafkaLog)
    leader = log._cluster.leader(partition)
    assert leader is not None
    start = (await log.bounds(partition)).start
    if offset > start:
        wanted = [(log.config.topic, [(partition, offset)])]
        answer = await leader.call(DeleteRecordsRequest(wanted, 5_000))
        [(_, [(_, start, code, *_)], *_)] = answer.topics
        assert code == 0
    return int(start)
