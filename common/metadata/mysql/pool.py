"""A bounded pool of connections with time-outs, and the client library's errors as ours.

Every connection is pinged before it is used again, so a restarted server costs one new connection
and no failed call. Every error that is not about data is raised as MetadataUnavailable (I8).
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

from common.errors import Conflict, MetadataUnavailable
from common.metadata.mysql.config import MysqlConfig

# A value that is too long or no number is refused and not changed, whatever the server's settings.
_MODE = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
Db: TypeAlias = "Connection[Cursor]"


class Pool:
    """At most `connections` connections. Threads wait for one no longer than the time-out."""

    def __init__(self, config: MysqlConfig) -> None:
        self._config = config
        self._turns = threading.BoundedSemaphore(config.connections)
        self._idle: queue.LifoQueue[Db] = queue.LifoQueue()

    @contextmanager
    def connection(self) -> Iterator[Db]:
        """A connection that has just answered a ping.

        Raises MetadataUnavailable; see also `translate_errors`.
        """
        if not self._turns.acquire(timeout=self._config.timeout_ms / 1000):
            raise MetadataUnavailable(f"{_where(self._config)}: all connections are waiting for it")
        try:
            with translate_errors(self._config):
                db = self._take()
                try:
                    yield db
                except BaseException:
                    _drop(db)  # a statement may not have ended
                    raise
                self._idle.put(db)
        finally:
            self._turns.release()

    def close(self) -> None:
        """Close the idle connections."""
        with suppress(queue.Empty):
            while True:
                _drop(self._idle.get_nowait())

    def _take(self) -> Db:
        while True:
            try:
                db = self._idle.get_nowait()
            except queue.Empty:
                return connect(self._config, self._config.database)
            try:
                db.ping()
            except pymysql.Error as error:
                _drop(db)
                if isinstance(error.__context__, TimeoutError):
                    raise  # the server does not answer: another connection would wait as long
            else:
                return db


def connect(config: MysqlConfig, database: str | None, answer_s: float | None = None) -> Db:
    """A new connection.

    answer_s: time-out of one answer; None: the configured one.
    Raises pymysql.Error, OSError or RuntimeError.
    """
    timeout_s = config.timeout_ms / 1000
    return Connection(
        host=config.host,
        port=config.port,
        unix_socket=config.socket or None,
        user=config.user,
        password=config.password,
        database=database,
        charset="utf8mb4",
        autocommit=True,
        sql_mode=_MODE,
        client_flag=CLIENT.FOUND_ROWS,  # an update that changes nothing counts its row
        connect_timeout=timeout_s,
        read_timeout=answer_s or timeout_s,
        write_timeout=timeout_s,
        ssl_ca=config.ca or None,
        ssl_verify_cert=bool(config.ca) or None,
        ssl_verify_identity=bool(config.ca) or None,
        program_name="bellwether",
    )


@contextmanager
def translate_errors(config: MysqlConfig) -> Iterator[None]:
    """Raise the client library's errors as ours. Its texts have users and hosts, no password."""
    try:
        yield
    except pymysql.IntegrityError as error:
        raise Conflict(f"metadata: {error.args[-1]}") from error
    except (pymysql.Error, OSError, RuntimeError) as error:
        # RuntimeError: an authentication method that needs TLS
        reason = error.args[-1] if error.args else type(error).__name__
        raise MetadataUnavailable(f"{_where(config)}: {reason}") from error


def _where(config: MysqlConfig) -> str:
    return f"metadata at {config.address}"


def _drop(db: Db) -> None:
    with suppress(pymysql.Error, OSError):  # the server may be gone
        db.close()
