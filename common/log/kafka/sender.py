"""Sends appends: one sender per broker, many appends in one request.

An append is sent at once while fewer than the allowed requests are in flight; otherwise appends
collect by partition for the next request, so a higher load needs fewer requests per record. Keeps
I1: an append succeeds only by the leader's response with acks of all in-sync replicas.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import LogRefused, LogUnavailable
from common.log.kafka.broker import Broker, NoResponse, NotSent
from common.log.kafka.wire import batch
from common.log.kafka.wire.error_codes import MOVED, Code, certainly_not_appended, describe
from common.log.kafka.wire.protocol import Produce

_BROKER_SLACK_MS = 300  # the broker times out first, so that its response still arrives


@dataclass(slots=True, eq=False)
class PendingAppend:
    """One append.

    send_before_ns: when it is refused if it has not been sent (monotonic).
    stored: receives (offset, append time in ms).
    sent: the record may be in the log, or in a request that may be sent at any moment.
    """

    partition: int
    headers: batch.Headers
    value: bytes
    topic_id: bytes
    size_bytes: int
    send_before_ns: int  # monotonic
    stored: "asyncio.Future[tuple[int, int]]"
    sent: bool = field(default=False)


class _OverdueTimer:
    """Calls `notify` periodically while its block runs for too long."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> None:
        self._timer = self._loop.call_later(limits.KAFKA_OVERDUE_S, self._fire)

    def _fire(self) -> None:
        self._notify()
        self.__enter__()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()


class Sender:
    """Sends to one broker.

    release: called once for every item that is finished, or whose caller was cancelled.
    retry: called with an item that was not appended because the partition has another leader.
    overdue: called periodically while a response is late, because leaders may have moved.
    """

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        timeout_ms: int,
        release: Callable[[PendingAppend], None],
        retry: Callable[[PendingAppend], None],
        overdue: Callable[[], None],
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._release = release
        self._retry = retry
        self._overdue = overdue
        self._waiting: dict[int, deque[PendingAppend]] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._scheduled = False

    def enqueue(self, item: PendingAppend) -> None:
        """Send soon. Items that are enqueued in one iteration of the loop are sent together."""
        self._waiting.setdefault(item.partition, deque()).append(item)
        self._schedule()

    @property
    def idle(self) -> bool:
        """Whether no item waits or is in flight."""
        return not self._waiting and not self._requests

    def take_unsent(self) -> list[PendingAppend]:
        """Remove and return all items that have not been sent."""
        items = [item for queue in self._waiting.values() for item in queue]
        self._waiting.clear()
        return items

    async def drain(self) -> None:
        """Wait until everything that was enqueued has been answered."""
        while self._waiting or self._requests:
            self._send_waiting()
            if self._requests:
                await asyncio.wait(self._requests, return_when=asyncio.FIRST_COMPLETED)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._send_waiting)

    def _send_waiting(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._requests) < limits.KAFKA_PRODUCE_REQUESTS_MAX:
            groups = self._next_request()
            if groups:
                task = asyncio.get_running_loop().create_task(self._send(groups))
                self._requests.add(task)
                task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._requests.discard(task)
        if task.cancelled():
            return
        task.result()  # raises errors that `_send` does not expect: they are bugs
        self._send_waiting()

    def _next_request(self) -> dict[int, list[PendingAppend]]:
        """One batch of each partition that has items to send, within a request's size."""
        bytes_left = limits.KAFKA_REQUEST_BYTES_MAX
        now_ns = self._clock.monotonic_ns()
        groups: dict[int, list[PendingAppend]] = {}
        for partition in list(self._waiting):
            if bytes_left <= 0:
                break
            queue = self._waiting.pop(partition)
            group = self._next_batch(queue, now_ns)
            if group:
                groups[partition] = group
                bytes_left -= sum(item.size_bytes for item in group)
            if queue:
                self._waiting[partition] = queue  # at the end of the order for the next request
        return groups

    def _next_batch(self, queue: deque[PendingAppend], now_ns: int) -> list[PendingAppend]:
        group: list[PendingAppend] = []
        size = batch.BATCH_OVERHEAD_BYTES
        while queue:
            item = queue[0]
            if item.stored.done():  # its caller was cancelled
                self._release(queue.popleft())
            elif now_ns > item.send_before_ns:
                self._refuse(queue.popleft(), f"broker {self._broker.name} is too slow")
            elif size + item.size_bytes > limits.KAFKA_BATCH_BYTES_MAX or (
                group and item.topic_id != group[0].topic_id
            ):
                break
            else:
                # Its batch is sent as soon as there is a connection. A caller that times out
                # before that must not treat the record as refused: it may still be sent.
                item.sent = True
                group.append(queue.popleft())
                size += item.size_bytes
        return group

    async def _send(self, groups: dict[int, list[PendingAppend]]) -> None:
        by_topic: dict[bytes, dict[int, list[PendingAppend]]] = {}
        for partition, items in groups.items():
            by_topic.setdefault(items[0].topic_id, {})[partition] = items
        for topic_id, of_topic in by_topic.items():  # two topics only while the epoch changes
            await self._send_to(topic_id, of_topic)

    async def _send_to(self, topic_id: bytes, groups: dict[int, list[PendingAppend]]) -> None:
        now_ms = self._clock.now_ns() // 1_000_000
        batches = [(p, batch.encode_batch(items, now_ms)) for p, items in groups.items()]
        all_items = [item for items in groups.values() for item in items]
        request = Produce(topic_id, batches, self._timeout_ms - _BROKER_SLACK_MS)
        try:
            with _OverdueTimer(self._overdue):
                response = await self._broker.call(request)
        except NotSent as error:
            for item in all_items:
                item.sent = False
                self._refuse(item, str(error))
            return
        except NoResponse as error:
            for item in all_items:
                self._fail(item, LogUnavailable(f"{error}: the record may be stored or not"))
            return
        except BaseException as error:  # cancelled, or a bug: no caller may wait forever
            why = describe_error(error)
            for item in all_items:
                self._fail(item, LogUnavailable(f"{why}: the record may be stored or not"))
            raise
        by_partition = {p[0]: p[1:4] for topic in response.topics for p in topic[1]}
        for partition, items in groups.items():
            self._complete(items, *by_partition.get(partition, (Code.NONE, -1, -1)))

    def _complete(
        self, items: Sequence[PendingAppend], code: int, base: int, append_ms: int
    ) -> None:
        if code == Code.NONE and base >= 0 and append_ms >= 0:
            for at, item in enumerate(items):
                if not item.stored.done():
                    item.stored.set_result((base + at, append_ms))
                self._release(item)
        elif not certainly_not_appended(code, base):
            what = describe(code) if code else "no offset or no LogAppendTime"
            for item in items:
                error = f"partition {item.partition}: {what}: the record may be stored or not"
                self._fail(item, LogUnavailable(error))
        else:
            for item in items:
                item.sent = False
                if code in MOVED and not item.stored.done():
                    self._retry(item)
                else:
                    self._refuse(item, f"partition {item.partition}: {describe(code)}")

    def _refuse(self, item: PendingAppend, why: str) -> None:
        self._fail(item, LogRefused(f"{why}: the record was not stored"))

    def _fail(self, item: PendingAppend, error: LogUnavailable) -> None:
        if not item.stored.done():
            item.stored.set_exception(error)
        self._release(item)
