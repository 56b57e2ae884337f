"""Connections that never finish a first request head are closed (slowloris, I11).

Later requests of a connection are covered by the keep-alive time-out, bodies by their own.
"""

from collections.abc import Iterable
from typing import Protocol

from common import limits
from common.clock import Clock


class Connection(Protocol):
    """What is needed of aiohttp's connection."""

    def force_close(self) -> None:
        """Close it, whatever it is doing."""


class SilentConnections:
    """Remembers which open connections have spoken, and since when the others have not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spoke: set[object] = set()  # sweeping forgets those that are closed
        self._silent_since_ns: dict[object, int] = {}

    def spoke(self, connection: object) -> None:
        """A whole request head has come."""
        self._spoke.add(connection)

    def sweep(self, connections: Iterable[Connection]) -> int:
        """Close what has been silent for too long; returns how many. Called every second."""
        now_ns = self._clock.monotonic_ns()
        current = list(connections)
        self._spoke &= set(current)
        since = self._silent_since_ns
        silent = [connection for connection in current if connection not in self._spoke]
        self._silent_since_ns = {connection: since.get(connection, now_ns) for connection in silent}
        late = [
            connection
            for connection in silent
            if now_ns - self._silent_since_ns[connection] > limits.HEAD_READ_TIMEOUT_S * 10**9
        ]
        for connection in late:
            connection.force_close()
        return len(late)
