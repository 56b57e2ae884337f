"""One client of the ensemble: calls with a time limit, and its errors as ours.

A call is sent only while connected, because the client library would otherwise keep it and send it
much later, perhaps in another session. A wait for a connection ends `ANSWER_TIMEOUT_S` after it was
lost, so that with the ensemble down every call fails at once.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import (
    ConnectionClosedError,
    ConnectionLoss,
    KazooException,
    NoAuthError,
    OperationTimeoutError,
    SessionExpiredError,
)
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import Callback, KazooState
from kazoo.security import make_digest_acl

from common.clock import Clock
from common.errors import Unavailable
from common.locks.zookeeper.config import ZookeeperConfig

ANSWER_TIMEOUT_S = 2.0  # for an answer, and for a connection after it was lost
_CLOSE_S = 3.0  # to end the session; after that it expires by itself
_LOST = (ConnectionLoss, SessionExpiredError, ConnectionClosedError, OperationTimeoutError)
# At its finest level the library logs credentials; above it, a line for each attempt.
_library_logger = logging.getLogger("kazoo")
_library_logger.setLevel(logging.ERROR)


class OutcomeUnknown(Unavailable):
    """The request was sent and no answer came: it may have been executed."""


class Session:
    """The connection, opened at first use. Any number of threads may use it.

    generation: increases with every change of the connection's state.
    """

    def __init__(self, config: ZookeeperConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._client: KazooClient | None = None
        self._live = threading.Event()  # replaced by the library's, once it is started
        self._starting = threading.Lock()
        self._closed = False
        self._lost_ns = 0
        self._confirmed_ns = 0
        self.generation = 0

    @property
    def id(self) -> int | None:
        """The session's number; None while there is no connection."""
        client = self._client
        found = client.client_id if client is not None else None
        return None if found is None else int(found[0])

    @property
    def cannot_have_expired(self) -> bool:
        """Whether the ensemble cannot have ended the session yet, by this machine's clock.

        So a process that was stopped and continues knows at once that it has to ask.
        """
        since_ns = self._clock.monotonic_ns() - self._confirmed_ns
        return self.id is not None and since_ns < self._config.session_ms * 10**6

    @property
    def recently_confirmed(self) -> bool:
        """Whether an answer came a moment ago; otherwise a claim asks whether it is held."""
        since_ns = self._clock.monotonic_ns() - self._confirmed_ns
        return self.id is not None and since_ns < self._config.session_ms * 10**6 // 4

    def call(self, send: Callable[[KazooClient], Any]) -> Any:
        """The answer to the request that `send` makes with one of the `..._async` methods.

        Raises OutcomeUnknown if it was sent and no answer came, Unavailable if it was not sent, and
        the library's errors for errors that the ensemble answered.
        """
        [answer] = self.call_all([send])
        if isinstance(answer, KazooException):
            raise answer
        return answer

    def call_all(self, sends: list[Callable[[KazooClient], Any]]) -> list[Any]:
        """Send several requests at once; an error that the ensemble answered is in the list."""
        client = self._connected()
        sent_ns = self._clock.monotonic_ns()
        waiting = [send(client) for send in sends]
        answers: list[Any] = []
        for item in waiting:
            left_s = ANSWER_TIMEOUT_S - (self._clock.monotonic_ns() - sent_ns) / 1e9
            try:
                answers.append(item.get(timeout=max(left_s, 0.001)))
            except (*_LOST, KazooTimeoutError) as error:
                text = f"{self._where()} did not answer ({type(error).__name__})"
                raise OutcomeUnknown(text) from error
            except NoAuthError as error:
                raise Unavailable(
                    f"{self._where()} refuses: check [zookeeper] username and password", 5
                ) from error
            except KazooException as error:
                answers.append(error)
        self._confirmed_ns = max(self._confirmed_ns, sent_ns)
        return answers

    def wait_for_watches(self) -> None:
        """Return when the callback of every watch that fired before the last answer has run."""
        done = threading.Event()
        self._connected().handler.dispatch_callback(Callback("barrier", done.set, ()))
        if not done.wait(ANSWER_TIMEOUT_S):
            raise Unavailable(f"{self._where()}: the client is stopping")

    def close(self) -> None:
        """End the session, and with it every claim; without an answer it expires by itself."""
        with self._starting:
            self._closed = True
            client, self._client = self._client, None
        if client is None:
            return
        # In a thread, because the library waits much longer for servers that do not answer.
        ending = threading.Thread(
            target=_end_session, args=(client,), name="zookeeper-end", daemon=True
        )
        ending.start()
        ending.join(_CLOSE_S)

    def _connected(self) -> KazooClient:
        client = self._started()
        if not client.connected:
            waited_s = (self._clock.monotonic_ns() - self._lost_ns) / 1e9
            if waited_s >= ANSWER_TIMEOUT_S or not self._live.wait(ANSWER_TIMEOUT_S - waited_s):
                raise Unavailable(f"{self._where()} cannot be reached")
        return client

    def _started(self) -> KazooClient:
        with self._starting:
            if self._closed:
                raise Unavailable("the locks are closed")
            if self._client is None:
                self._lost_ns = self._clock.monotonic_ns()
                self._client = self._make()
                self._live = self._client.start_async()
            return self._client

    def _make(self) -> KazooClient:
        config = self._config
        login = config.username and config.password
        client = KazooClient(
            hosts=config.servers,
            timeout=config.session_ms / 1000,
            auth_data=[("digest", f"{config.username}:{config.password}")] if login else None,
            default_acl=(
                [make_digest_acl(config.username, config.password, all=True)] if login else None
            ),
            connection_retry={"max_tries": -1, "delay": 0.1, "backoff": 2, "max_delay": 1.0},
            command_retry={"max_tries": 0},
            logger=_library_logger,
            use_ssl=config.tls,
            ca=config.ca or None,
            certfile=config.cert or None,
            keyfile=config.key or None,
            check_hostname=config.tls,
        )
        client.add_listener(self._on_state_change)
        return client

    def _on_state_change(self, state: str) -> None:
        """Called by the library's thread. What was known before a change no longer holds."""
        self.generation += 1
        if state != KazooState.CONNECTED:
            self._lost_ns = self._clock.monotonic_ns()
            self._confirmed_ns = 0

    def _where(self) -> str:
        return f"ZooKeeper at {self._config.servers}"


def _end_session(client: KazooClient) -> None:
    try:
        client.stop()
        client.close()
    except Exception as error:  # noqa: BLE001 - a thread's outermost frame; the session expires
        _library_logger.error("the session could not be ended: %s", type(error).__name__)
