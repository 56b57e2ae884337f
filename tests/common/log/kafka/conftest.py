"""A Kafka log of the test's own on the session's brokers, whose links and processes may break."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from common.log.kafka.log import KafkaLog
from compose.servers.kafka import Kafka, KafkaBroker
from compose.servers.proxy import Proxy
from tests.conformance import kafka
from tests.conformance.kafka import FreshKafkaLog, config_of

PARTITIONS = 6


@pytest.fixture
async def log(
    kafka_server: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FreshKafkaLog]:
    """A fresh log, open."""
    monkeypatch.setenv(kafka.SERVERS, kafka_server.servers)
    log = FreshKafkaLog(config_of(tmp_path, PARTITIONS))
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def victim(log: KafkaLog, kafka_server: Kafka) -> AsyncIterator[KafkaBroker]:
    """A broker that leads partitions, is not the controller, and runs again afterwards."""
    controller = await asyncio.to_thread(kafka_server.controller)
    led = {log.leader(p) for p in range(PARTITIONS)}
    broker = next(b for b in kafka_server.brokers if b is not controller and str(b.number) in led)
    yield broker
    if broker.process.paused:
        broker.resume()
    if not broker.process.alive:
        broker.start()
    await asyncio.to_thread(broker.wait_ready)


@pytest.fixture
def links(proxy_server: Proxy) -> Iterator[Proxy]:
    """The links to the brokers, healed afterwards."""
    yield proxy_server
    proxy_server.heal()
