"""The outcome of an append whose broker is slow to accept a connection (I2)."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from common.clock import SystemClock
from common.errors import LogRefused, LogUnavailable
from common.log.kafka.appender import Appender
from common.log.kafka.broker import Broker
from common.log.kafka.cluster import Cluster
from common.log.kafka.config import KafkaConfig

TOPIC = b"t" * 16
TIMEOUT_MS = 100


class SlowConnection:
    """A broker that accepts no connection until `connected` is set; then it gets the request."""

    name = "1"
    down = False

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.got: list[Any] = []

    async def call(self, request: Any, timeout_s: float | None = None) -> Any:
        await self.connected.wait()
        self.got.append(request)
        await asyncio.Event().wait()


class OneBroker:
    """A cluster of one broker, which leads every partition."""

    view = SimpleNamespace(topic_id=TOPIC)

    def __init__(self, broker: SlowConnection) -> None:
        self._broker = broker

    def on_change(self, listener: Callable[[], None]) -> None:
        """Metadata never changes."""

    def request_refresh(self) -> None:
        """Does nothing: metadata never changes."""

    def leader(self, partition: int) -> Broker:
        return cast(Broker, self._broker)


async def test_record_that_waits_for_a_connection_is_not_refused_for_it_may_still_be_sent() -> None:
    """A shepherd that takes it for refused reroutes it unconditionally: it would count twice."""
    broker = SlowConnection()
    cluster = cast(Cluster, OneBroker(broker))
    appender = Appender(KafkaConfig(timeout_ms=TIMEOUT_MS), cluster, SystemClock())
    with pytest.raises(LogUnavailable) as raised:
        await appender.append(TOPIC, 0, (), b"value")
    assert not isinstance(raised.value, LogRefused)
    broker.connected.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert broker.got, "the request goes out once there is a connection"
