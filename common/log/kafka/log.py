"""The log on Kafka: one topic, one Kafka record per append, brokers that share no lock.

Keeps I1 (an append returns after all in-sync replicas have the record) and I2 (a record that may
be stored is never sent again). Design and reasons: docs/adr/0005-kafka-client.md.
"""

import asyncio
import random

from common import metrics
from common.clock import Clock
from common.errors import LogRefused, LogUnavailable, OffsetGone
from common.log.interface import Appended, Bounds, LogIdentity
from common.log.kafka.appender import Appender
from common.log.kafka.broker import NoResponse, NotSent
from common.log.kafka.cluster import Cluster
from common.log.kafka.config import KafkaConfig
from common.log.kafka.connect import Connector
from common.log.kafka.reader import Reader
from common.log.kafka.wire.aiokafka_parts import DescribeConfigsRequest
from common.log.kafka.wire.protocol import NO_TOPIC
from common.model.position import Position
from common.model.record import LogRecord, Record, encode_headers

_TOPIC_RESOURCE = 2
_FOREVER = -1


class KafkaLog:
    """One process's access to the log. Use it from one event loop."""

    def __init__(self, config: KafkaConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._random = random.Random()
        self._closed = True
        self._topic_id = NO_TOPIC
        self._identity = LogIdentity("", 0)
        self._partitions_most = 0  # the largest partition count so far
        self._retention_ns: int | None = None

    async def open(self) -> LogIdentity:
        """Find the topic. Raises LogUnavailable; the topic is made by `bellwether init`."""
        if not self._closed:
            return self._identity
        connector = await asyncio.to_thread(Connector, self._config)
        self._cluster = Cluster(self._config, connector, self._random)
        try:
            await self._cluster.open()
            self._appender = Appender(self._config, self._cluster, self._clock)
            self._reader = Reader(self._config, self._cluster)
            self._closed = False
            return await self.refresh()
        except BaseException:
            self._closed = True
            await self._cluster.close()
            raise

    async def refresh(self) -> LogIdentity:
        """Adopt the topic's current id, partition count and retention."""
        if self._closed:
            raise LogUnavailable("the log is closed")
        view = await self._cluster.refresh()
        if view.topic_id == NO_TOPIC or not view.leaders:
            raise LogUnavailable(
                f"there is no topic {self._config.topic}: run `bellwether init`", retry_after_s=5
            )
        self._retention_ns = await self._ask_retention_ns()
        self._topic_id = view.topic_id
        self._identity = LogIdentity(view.topic_id.hex(), len(view.leaders))
        self._partitions_most = max(self._partitions_most, len(view.leaders))
        return self._identity

    async def append(self, partition: int, record: Record) -> Appended:
        """Append and wait until all in-sync replicas have it (see the interface)."""
        if self._closed:
            raise LogRefused("the log is closed")
        self._check(partition)
        epoch, topic_id = self._identity.epoch, self._topic_id
        started_ns = self._clock.monotonic_ns()
        offset, append_ms = await self._appender.append(
            topic_id, partition, encode_headers(record), record.value
        )
        metrics.log_append_seconds.observe((self._clock.monotonic_ns() - started_ns) / 1e9)
        return Appended(Position(epoch, partition, offset), append_ms * 1_000_000)

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        """Records from `offset` on (see the interface)."""
        self._check(partition)
        return await self._reader.read(self._topic_id, partition, offset, max_bytes, wait_ms)

    async def read_again(self, partition: int, offset: int) -> LogRecord | None:
        """One record, from any broker with an intact copy (see the interface)."""
        self._check(partition)
        try:
            return await self._reader.read_again(self._topic_id, partition, offset)
        except OffsetGone:
            return None

    async def bounds(self, partition: int) -> Bounds:
        """Start and end of a partition. Raises LogUnavailable."""
        self._check(partition)
        return await self._reader.bounds(self._topic_id, partition)

    def known_end(self, partition: int) -> int | None:
        """None: brokers announce nothing (see the interface)."""
        self._check(partition)
        return None

    def leader(self, partition: int) -> str:
        """Broker id of the partition's leader, or ""."""
        broker = None if self._closed else self._cluster.leader(partition)
        return "" if broker is None else broker.name

    def leader_host(self, partition: int) -> str:
        """Host of the partition's leader, or ""."""
        broker = None if self._closed else self._cluster.leader(partition)
        return "" if broker is None else broker.address[0]

    def has_server_time(self) -> bool:
        """True: the leader sets the append times (LogAppendTime)."""
        return True

    def retention_ns(self) -> int | None:
        """The topic's retention.ms; None if it is unlimited."""
        return self._retention_ns

    async def drop_before(self, partition: int, offset: int) -> int:
        """Frees nothing, because retention is by time. Returns the start."""
        return (await self.bounds(partition)).start

    async def abandon(self, partition: int, first: int) -> None:
        """Does nothing: brokers skip records that they cannot read."""
        self._check(partition)

    async def size_bytes(self, partition: int) -> int:
        """Bytes of one replica of the partition."""
        self._check(partition)
        return await self._reader.size_bytes(partition)

    async def close(self) -> None:
        """Finish what is in flight, then close."""
        if self._closed:
            return
        self._closed = True
        self._reader.close()
        await self._appender.close()
        await self._cluster.close()

    async def _ask_retention_ns(self) -> int | None:
        wanted = [(_TOPIC_RESOURCE, self._config.topic, ["retention.ms"])]
        for broker in sorted(self._cluster.brokers(), key=lambda broker: broker.down):
            try:
                response = await broker.call(DescribeConfigsRequest(wanted))
            except (NotSent, NoResponse):  # counted by `Broker`; the next one is asked
                continue
            for code, _, _, _, entries in response.resources:
                for _, value, *_ in entries if not code else ():
                    return None if int(value) == _FOREVER else int(value) * 1_000_000
        raise LogUnavailable(f"no broker tells the settings of topic {self._config.topic}")

    def _check(self, partition: int) -> None:
        if self._closed:
            raise LogUnavailable("the log is closed")
        if not 0 <= partition < self._partitions_most:
            raise ValueError(f"no partition {partition}: there are {self._identity.partitions}")
        if partition >= self._identity.partitions:
            raise LogRefused(
                f"topic {self._config.topic} was made anew with {self._identity.partitions} "
                f"partitions, it had {self._partitions_most}: give it as many again",
                retry_after_s=5,
            )
