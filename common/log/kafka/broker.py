"""One broker: its connection pool, and whether it responds. Brokers share no state and no lock.

A broker handles the requests of one connection sequentially, so each request uses a connection
exclusively: a long poll or an append that waits for replicas delays no other request. A broker
that let a request time out, or refused a connection, is *down* until a new connection to it has
been answered, which is tried in the background.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from common import limits, metrics
from common.log.kafka.connect import Connector
from common.log.kafka.wire.aiokafka_parts import (
    AIOKafkaConnection,
    IncompatibleBrokerVersion,
    KafkaError,
    Request,
)


class NotSent(Exception):
    """The request certainly did not reach the broker."""


class NoResponse(Exception):
    """The request may have reached the broker; its outcome is unknown."""


class Broker:
    """A broker at one address. on_change: called when it goes down or comes back."""

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
        self._connecting: asyncio.Task[None] | None = None  # the background task that connects
        self._closed = False
        self._down = False

    @property
    def down(self) -> bool:
        """Whether it failed to respond and has not responded since."""
        return self._down

    def connect_in_background(self) -> None:
        """Connect in the background, so that the first request finds a connection."""
        if not self._closed and not self._idle and self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(
                self._connect_until_answered()
            )

    async def call(self, request: Request[Any], timeout_s: float | None = None) -> Any:
        """Send and wait for the response. Raises NotSent or NoResponse, with the reason."""
        async with self._slots:
            connection = await self._connection()
            try:
                async with asyncio.timeout(timeout_s or self._timeout_s):
                    response = await self._send(connection, request)
            except (TimeoutError, OSError, KafkaError, EOFError, ValueError) as error:
                connection.close()
                self._mark_down(error)
                why = f"broker {self.name}: {str(error) or 'no answer in time'}"
                raise NoResponse(why) from error
            except BaseException:  # cancelled, or not sent: a response may still arrive
                connection.close()
                raise
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
            return response

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
            connection = self._idle.pop()  # the last used one is the most likely to be open
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
        for connection in self._idle:  # they probably fail too; the next request uses a new one
            connection.close()
        self._idle.clear()
        if not self._closed and not self.down:
            self._down = True
            self.connect_in_background()
            self._on_change()

    async def _connect_until_answered(self) -> None:
        """Retry until the broker answers on a new connection, which joins the pool."""
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
        """Close the idle connections; those in use are closed at the end of their request."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
            self._connecting = None
        for connection in self._idle:
            connection.close()
        self._idle.clear()
