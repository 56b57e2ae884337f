"""Appends: limits the bytes in flight, routes each record to its leader, follows leader changes.

The outcome of an append is precise: LogRefused if the record is certainly not in the log,
LogUnavailable if the outcome is unknown. A record of unknown outcome is never sent again (I2).
"""

import asyncio

from common import limits, metrics
from common.clock import Clock
from common.errors import LogOverloaded, LogRefused, LogUnavailable
from common.log.kafka.broker import Broker
from common.log.kafka.cluster import Cluster
from common.log.kafka.config import KafkaConfig
from common.log.kafka.sender import PendingAppend, Sender
from common.log.kafka.wire import batch

_TIMEOUT_FACTOR = 1.4  # of timeout_ms: the longest an append may take, waiting and sending together
_ROUTE_AGAIN_S = 0.1


class Appender:
    """Use it from one event loop."""

    def __init__(self, config: KafkaConfig, cluster: Cluster, clock: Clock) -> None:
        self._config = config
        self._cluster = cluster
        self._clock = clock
        self._senders: dict[Broker, Sender] = {}
        self._leaderless: list[PendingAppend] = []  # their partition has no known leader now
        self._route_timer: asyncio.TimerHandle | None = None
        self._bytes: dict[int, int] = {}
        self._total_bytes = 0
        self._closed = False
        cluster.on_change(self._route_anew)

    async def append(
        self, topic_id: bytes, partition: int, headers: batch.Headers, value: bytes
    ) -> tuple[int, int]:
        """Append one record: (offset, append time in ms). Raises as `Log.append` does."""
        size = batch.record_bytes(headers, value)
        self._admit(partition, size)
        timeout_ms = self._config.timeout_ms
        send_before_ns = self._clock.monotonic_ns() + timeout_ms * 1_000_000
        stored: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        item = PendingAppend(partition, headers, value, topic_id, size, send_before_ns, stored)
        self._bytes[partition] = self._bytes.get(partition, 0) + size
        self._total_bytes += size
        metrics.log_inflight_bytes.set(self._total_bytes)
        self._route(item)
        try:
            async with asyncio.timeout(timeout_ms * _TIMEOUT_FACTOR / 1000):
                await asyncio.sleep(0)  # so that retries after a refusal starve no other task
                return await stored
        except TimeoutError as error:
            if item.sent:
                why = f"partition {partition}: no answer in time: the record may be stored or not"
                raise LogUnavailable(why) from error
            why = f"partition {partition}: could not be sent in time: the record was not stored"
            raise LogRefused(why) from error
        finally:
            stored.cancel()  # an item that was not sent is dropped when its caller is gone

    async def close(self) -> None:
        """Refuse items without a leader, and wait for those in flight."""
        self._closed = True
        for item in self._leaderless:
            self._refuse(item, "the log is closed")
        self._leaderless.clear()
        if self._route_timer is not None:
            self._route_timer.cancel()
        await asyncio.gather(*(sender.drain() for sender in self._senders.values()))

    def _admit(self, partition: int, size: int) -> None:
        if self._closed:
            raise LogRefused("the log is closed")
        if size + batch.BATCH_OVERHEAD_BYTES > limits.KAFKA_BATCH_BYTES_MAX:
            raise LogRefused(f"a record of {size} bytes is larger than the log takes")
        here = self._bytes.get(partition, 0)
        if not self._total_bytes:
            return  # one record is always admitted, however small the limits are
        if here and here + size > self._config.partition_bytes_max:
            raise LogOverloaded(f"{here} bytes are already on their way to partition {partition}")
        if self._total_bytes + size > self._config.total_bytes_max:
            raise LogOverloaded(f"{self._total_bytes} bytes are already on their way to the log")

    def _route(self, item: PendingAppend) -> None:
        """Enqueue an item at its leader's sender. Only items that were certainly not appended."""
        if item.stored.done():
            self._release(item)
            return
        if item.topic_id != self._cluster.view.topic_id:
            self._refuse(item, f"topic {self._config.topic} was deleted or made anew")
            return
        broker = self._cluster.leader(item.partition)
        if broker is None:
            self._hold(item)
        elif broker.down:
            self._cluster.request_refresh()
            self._refuse(item, f"broker {broker.name} does not answer")
        else:
            self._sender_of(broker).enqueue(item)

    def _hold(self, item: PendingAppend) -> None:
        """Keep an item until its leader is known, or its append times out."""
        self._leaderless.append(item)
        self._cluster.request_refresh()
        if self._route_timer is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._route_timer = loop.call_later(_ROUTE_AGAIN_S, self._route_leaderless)

    def _route_leaderless(self) -> None:
        self._route_timer = None
        leaderless, self._leaderless = self._leaderless, []
        for item in leaderless:
            self._route(item)

    def _route_anew(self) -> None:
        """Route unsent items again, after a leader moved or a broker went down or came back."""
        for broker, sender in list(self._senders.items()):
            for item in sender.take_unsent():
                self._route(item)
            if broker not in self._cluster.brokers() and sender.idle:
                del self._senders[broker]
        self._route_leaderless_now()

    def _route_leaderless_now(self) -> None:
        if self._route_timer is not None:
            self._route_timer.cancel()
        self._route_leaderless()

    def _sender_of(self, broker: Broker) -> Sender:
        sender = self._senders.get(broker)
        if sender is None:
            timeout_ms = self._config.timeout_ms
            sender = Sender(
                broker,
                self._clock,
                timeout_ms,
                self._release,
                self._hold,
                self._cluster.request_refresh,
            )
            self._senders[broker] = sender
        return sender

    def _refuse(self, item: PendingAppend, why: str) -> None:
        if not item.stored.done():
            item.stored.set_exception(LogRefused(f"{why}: the record was not stored"))
        self._release(item)

    def _release(self, item: PendingAppend) -> None:
        self._bytes[item.partition] -= item.size_bytes
        self._total_bytes -= item.size_bytes
        metrics.log_inflight_bytes.set(self._total_bytes)
