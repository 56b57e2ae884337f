"""Reading: one long poll per reader, each on a connection of its own.

A reader leaves a broker as soon as another one leads its partition, and asks which broker leads
when a response is overdue, so a frozen broker holds up its own partitions only until a new leader
is known. While a leader does not answer us though it leads, another in-sync broker is read instead.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from common import limits
from common.errors import LogUnavailable, OffsetGone
from common.log.damage import damaged
from common.log.interface import Bounds
from common.log.kafka.broker import Broker, NoResponse, NotSent
from common.log.kafka.cluster import Cluster
from common.log.kafka.config import KafkaConfig
from common.log.kafka.offset_lists import OffsetLists
from common.log.kafka.wire.aiokafka_parts import OffsetResetStrategy
from common.log.kafka.wire.batch import decode_records
from common.log.kafka.wire.error_codes import MOVED, Code, describe
from common.log.kafka.wire.protocol import DescribeLogDirs, Fetch
from common.model.record import LogRecord

_DECODE_THREADS = 2
_OFF_LOOP_BYTES = 64 * 1024  # smaller blocks are decoded faster than a thread starts
_FETCH_SLACK_BYTES = 16 * 1024  # headers and framing besides the requested values
_RETRY_S = 0.05
_RETRIABLE = MOVED | {Code.OFFSET_NOT_AVAILABLE, Code.KAFKA_STORAGE_ERROR}


class NotLeader(Exception):
    """The broker no longer leads the partition, or no leader is known."""


class Reader:
    """Use it from one event loop."""

    def __init__(self, config: KafkaConfig, cluster: Cluster) -> None:
        self._topic = config.topic
        self._timeout_s = config.timeout_ms / 1000
        self._cluster = cluster
        self._offsets = OffsetLists(self._topic, self._poll)
        self._threads = ThreadPoolExecutor(_DECODE_THREADS, thread_name_prefix="log-decode")
        self._closing = asyncio.get_running_loop().create_future()

    async def read(
        self, topic_id: bytes, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        """Records from `offset` on (see the interface)."""
        loop = asyncio.get_running_loop()
        max_bytes = min(max_bytes, limits.READ_BLOCK_BYTES_MAX)
        wait_until_s = loop.time() + wait_ms / 1000
        retry_until_s = max(wait_until_s, loop.time() + 2 * self._timeout_s)
        problem = "no leader is known"
        while not self._closing.done():
            self._check_topic(topic_id)
            left_ms = max(0, int((wait_until_s - loop.time()) * 1000))
            try:
                found = await self._fetch(topic_id, partition, offset, max_bytes, left_ms)
            except (NotSent, NoResponse, NotLeader) as error:
                problem = str(error)
                self._cluster.request_refresh()
                if loop.time() >= retry_until_s:
                    break
                await self._cluster.wait_for_change(_RETRY_S)
                continue
            if found or loop.time() >= wait_until_s:
                return found
        if self._closing.done():
            return []
        raise LogUnavailable(f"partition {partition} cannot be read: {problem}")

    async def read_again(self, topic_id: bytes, partition: int, offset: int) -> LogRecord | None:
        """The first intact copy of a record among the brokers (see the interface)."""
        found = await self.read(topic_id, partition, offset, 1, 0)
        return found[0] if found and found[0].offset == offset else None

    async def _fetch(
        self, topic_id: bytes, partition: int, offset: int, max_bytes: int, left_ms: int
    ) -> list[LogRecord]:
        wait_ms = min(left_ms, limits.KAFKA_FETCH_WAIT_MS)
        bytes_max = max_bytes + _FETCH_SLACK_BYTES
        request = Fetch(topic_id, partition, offset, bytes_max, wait_ms)
        broker_read = self._broker_to_read(partition)
        found = await self._fetch_from(broker_read, partition, request, max_bytes)
        if found is None:
            return await self._out_of_range(partition, offset, wait_ms)
        whole = _before_damage(found)
        if whole or not found:
            return whole
        for broker in self._cluster.in_sync_brokers(partition):  # another replica may be intact
            if broker is broker_read:
                continue
            try:
                other = await self._fetch_from(broker, partition, request, max_bytes)
            except (NotSent, NoResponse, NotLeader, LogUnavailable):  # counted by the broker
                continue
            whole = _before_damage(other or [])
            if whole and whole[0].offset == offset:
                return whole
        return found

    async def _fetch_from(
        self, broker: Broker, partition: int, request: Fetch, max_bytes: int
    ) -> list[LogRecord] | None:
        """Records from one broker; None if the offset is out of its range."""
        offset = request.offset
        response = await self._poll(broker, partition, request, request.wait_ms / 1000)
        if response is None:
            return []
        if response.error_code:
            raise NotLeader(f"broker {broker.name}: {describe(response.error_code)}")
        [(_, [found, *_], *_)] = response.topics
        _, code, *_, data, _ = found
        if code in _RETRIABLE:
            raise NotLeader(f"broker {broker.name}: {describe(code)}")
        if code == Code.OFFSET_OUT_OF_RANGE:
            return None
        if code == Code.CORRUPT_MESSAGE:  # the broker cannot read its own segment
            return [damaged(partition, offset, f"broker {broker.name}: {describe(code)}")]
        if code:
            raise LogUnavailable(f"partition {partition} cannot be read: {describe(code)}")
        if not data:
            return []
        if len(data) < _OFF_LOOP_BYTES:
            return decode_records(partition, data, offset, max_bytes)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, decode_records, partition, data, offset, max_bytes
        )

    async def _poll(
        self, broker: Broker, partition: int, request: Any, wait_s: float
    ) -> Any | None:
        """The response, or None when the log closes. Raises NotSent, NoResponse or NotLeader."""
        call = asyncio.ensure_future(broker.call(request, wait_s + self._timeout_s))
        try:
            wait_s_max = wait_s + limits.KAFKA_OVERDUE_S
            while not call.done() and not self._closing.done():
                await asyncio.wait(
                    {call, self._closing},
                    timeout=wait_s_max,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not call.done():
                    self._cluster.request_refresh()
                    wait_s_max = limits.KAFKA_OVERDUE_S
                    if self._cluster.broker_to_read(partition) is not broker:
                        raise NotLeader(f"broker {broker.name} no longer leads it")
            return None if self._closing.done() else await call
        finally:
            if not call.done():
                call.cancel()
                await asyncio.wait({call})

    async def _out_of_range(self, partition: int, offset: int, wait_ms: int) -> list[LogRecord]:
        bounds = await self._bounds(partition)
        if offset < bounds.start:
            raise OffsetGone(partition, offset, bounds.start)
        await asyncio.sleep(min(_RETRY_S, wait_ms / 1000))  # beyond the end: no event to wait for
        return []

    async def bounds(self, topic_id: bytes, partition: int) -> Bounds:
        """First offset held, and the end that all in-sync replicas have. Raises LogUnavailable."""
        bounds = await self._bounds(partition)
        self._check_topic(topic_id)  # the request has the topic's name, not its id
        return bounds

    async def _bounds(self, partition: int) -> Bounds:
        start, end = await asyncio.gather(
            self._list_offset(partition, OffsetResetStrategy.EARLIEST),
            self._list_offset(partition, OffsetResetStrategy.LATEST),
        )
        return Bounds(start, max(start, end))

    async def size_bytes(self, partition: int) -> int:
        """Bytes of the partition's segments on its leader. Raises LogUnavailable."""
        request = DescribeLogDirs(self._topic, partition)
        response = await self._call_leader(
            partition, lambda broker: self._poll(broker, partition, request, 0.0)
        )
        return sum(
            size
            for code, _, topics in response.folders
            for _, partitions in topics
            for _, size, _, is_future in partitions
            if not code and not is_future
        )

    async def _list_offset(self, partition: int, which: int) -> int:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._timeout_s
        while True:
            code, offset = await self._call_leader(
                partition, lambda broker: self._offsets.ask(broker, partition, which)
            )
            if code == Code.NONE:
                return int(offset)
            if code not in _RETRIABLE or loop.time() >= until_s:
                raise LogUnavailable(f"partition {partition}: {describe(code)}")
            self._cluster.request_refresh()
            await self._cluster.wait_for_change(_RETRY_S)

    async def _call_leader(
        self, partition: int, call: Callable[[Broker], Awaitable[Any | None]]
    ) -> Any:
        """Call the leader, and retry while leaders move. Raises LogUnavailable."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._timeout_s
        while True:
            try:
                broker = self._leader(partition)
                response = await call(broker)
            except (NotSent, NoResponse, NotLeader) as error:
                self._cluster.request_refresh()
                if loop.time() >= until_s:
                    raise LogUnavailable(f"partition {partition}: {error}") from error
                await self._cluster.wait_for_change(_RETRY_S)
                continue
            if response is None:
                raise LogUnavailable("the log is closed")
            return response

    def _broker_to_read(self, partition: int) -> Broker:
        broker = self._cluster.broker_to_read(partition)
        if broker is None:
            raise NotLeader("no leader is known")
        return broker

    def _leader(self, partition: int) -> Broker:
        broker = self._cluster.leader(partition)
        if broker is None:
            raise NotLeader("no leader is known")
        return broker

    def _check_topic(self, topic_id: bytes) -> None:
        if topic_id != self._cluster.view.topic_id:
            raise LogUnavailable(f"topic {self._topic} was deleted or made anew: it is another log")

    def close(self) -> None:
        """Wake every reader and end reading."""
        if not self._closing.done():
            self._closing.set_result(None)
        self._threads.shutdown(wait=False)


def _before_damage(found: list[LogRecord]) -> list[LogRecord]:
    """The intact records before the first damaged one."""
    for at, record in enumerate(found):
        if record.damage is not None:
            return found[:at]
    return found
