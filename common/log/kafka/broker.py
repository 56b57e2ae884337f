"""One broker: connections of its own, and whether it answers. Brokers share nothing (no lock).

A broker works on the requests of one connection one after the other, so every request here has a
connection to itself while it lasts: a long poll or an append that waits for replicas delays none.
A broker that let a request run out of time, or refused a connection, is *down* until a new
connection to it has answered; that is tried in the background.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from common import limits, metrics
from common.log.kafka.aiokafka_parts import (
    AIOKafkaConnection,
    IncompatibleBrokerVersion,
    KafkaError,
    Request,
)
from common.log.kafka.connect import Connector


class NotSent(Exception):
    """The request certainly never reached the broker."""


class NoResponse(Exception):
    """The request may have reached the broker; nothing is known of what it did."""


class Broker:
    """A broker at one address. `on_change` is called whenever it goes down or comes back."""

    def __init__(
        self,
        name: str,
        address: tuple[str, int],
        connector: Connector,
        timeout_s: float,
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.address = address
        self._connector = connector
        self._timeout_s = timeout_s
        self._on_change = on_change
        self._idle: list[AIOKafkaConnection] = []
        self._slots = asyncio.Semaphore(limits.KAFKA_CONNECTIONS_MAX)
        self._connecting: asyncio.Task[None] | None = None  # in the background
        self._closed = False
        self._down = False

    @property
    def down(self) -> bool:
        """Whether it failed to answer and has not answered since."""
        return self._down

    def connect_in_background(self) -> None:
        """Connect in the background, so that the first request need not."""
        if not self._closed and not self._idle and self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(
                self._connect_until_answered()
            )

    async def call(self, request: Request[Any], timeout_s: float | None = None) -> Any:
        """Send and wait for the answer. Raises NotSent or NoResponse, with the reason."""
        async with self._slots:
            connection = await self._connection()
            try:
                async with asyncio.timeout(timeout_s or self._timeout_s):
                    answer = await self._send(connection, request)
            except (TimeoutError, OSError, KafkaError, EOFError, ValueError) as error:
                connection.close()
                self._mark_down(error)
                why = f"broker {self.name}: {str(error) or 'no answer in time'}"
                raise NoResponse(why) from error
            except BaseException:  # cancelled, or not sent: an answer may still be on its way
                connection.close()
                raise
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
            return answer

    async def _send(self, connection: AIOKafkaConnection, request: Request[Any]) -> Any:
        try:
            waiting = connection.send(request)
        except (IncompatibleBrokerVersion, NotImplementedError) as error:
            raise NotSent(
                f"broker {self.name} is too old for this request ({error}): "
                "Kafka 4.1 or newer is needed"
            ) from error
        return await waiting

    async def _connection(self) -> AIOKafkaConnection:
        if self._closed:
            raise NotSent("the log is closed")
        while self._idle:
            connection = self._idle.pop()  # the most recent one: the others may be given up
            if connection.connected():
                return connection
            connection.close()
        if self.down:
            raise NotSent(f"broker {self.name} does not answer")
        try:
            return await self._connector.connect(*self.address, self._timeout_s)
        except OSError as error:
            self._mark_down(error)
            raise NotSent(f"broker {self.name}: {error}") from error

    def _mark_down(self, error: BaseException) -> None:
        metrics.log_broker_failures_total.labels(self.name, type(error).__name__).inc()
        for connection in self._idle:  # they share the trouble: the next one shall be new
            connection.close()
        self._idle.clear()
        if not self._closed and not self.down:
            self._down = True
            self.connect_in_background()
            self._on_change()

    async def _connect_until_answered(self) -> None:
        """Until the broker answers on a new connection, which is kept."""
        while not self._closed:
            try:
                connection = await self._connector.connect(*self.address, self._timeout_s)
            except OSError as error:
                self._mark_down(error)
                await asyncio.sleep(limits.KAFKA_RETRY_CONNECT_S)
                continue
            self._idle.append(connection)
            break
        self._connecting = None
        if self.down:
            self._down = False
            self._on_change()

    async def close(self) -> None:
        """Give up every connection that is not in use; those in use go when they are done."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
            self._connecting = None
        for connection in self._idle:
            connection.close()
        self._idle.clear()
