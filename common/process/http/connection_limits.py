"""Decides which connections are accepted, and which idle ones are closed; no sockets (I11, I14).

Connections are bounded in total and per address, far below the process's limit of open files, so
that descriptors remain for the log and the role's own work. At the limit, idle ones are closed:
first those that never sent a whole request, then those that never had a response that only known
clients get, then the others; of equals those that have waited longest. A connection whose request
is being answered is never closed for another. If all are, the new one is refused.
"""

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

_CLOSED_AT_ONCE: Final = 64  # at once, so that many closings share the cost of one scan
_RECENT_S: Final = 300.0
# After a scan that found no idle connection, the next scan waits for this time.
_NONE_IDLE_S: Final = 0.05


class EvictionRank(IntEnum):
    """Rank of an idle connection by its history; the lowest ranks are closed first."""

    NO_REQUEST = 0
    HEAD_RECEIVED = 1
    KNOWN_CLIENT = 2


class LimitedConnection(Protocol):
    """The interface of a connection to its limits.

    since_s: loop time at which its current wait began, in seconds.
    """

    since_s: float

    def eviction_rank(self) -> EvictionRank | None:
        """The rank for closing; None while a request is being served (not idle)."""

    def is_overdue(self, now_s: float) -> bool:
        """Whether the current wait is longer than its time-out."""

    def close(self) -> None:
        """Close the connection in any state."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many connections may be open.

    all: number of connections in total.
    per_address: number of connections from one address of another machine.
    """

    all: int
    per_address: int

    def of(self, address: str) -> int:
        """The limit of an address. Loopback has the total limit: it may be a local proxy."""
        loopback = address == "::1" or address.startswith(("127.", "::ffff:127."))
        return self.all if loopback else min(self.per_address, self.all)


def address_group(address: str) -> str:
    """The key of an address: for IPv6 its /64 network, since one client owns all of it."""
    if ":" not in address or address.startswith("::"):
        return address
    network = ipaddress.IPv6Address(address.partition("%")[0]).packed[:8]
    return f"{network.hex()}/64"


class ConnectionLimits:
    """The open connections of one listener. Use it from one event loop.

    refused: connections that were not accepted, by reason.
    closed: idle connections that were closed to make room.
    """

    def __init__(self, capacity: Capacity, now_s: Callable[[], float]) -> None:
        self.capacity = capacity
        self.refused: Counter[str] = Counter()
        self._refused_s: dict[str, float] = {}  # when last, by reason
        self.closed = 0
        self._now_s = now_s
        self._open: dict[LimitedConnection, str] = {}  # with their addresses
        self._by_address: Counter[str] = Counter()
        self._none_idle_until_s = 0.0

    def __len__(self) -> int:
        return len(self._open)

    def refusal_reason(self, address: str) -> str:
        """Why this address gets no connection; empty if it does. Closes idle ones if needed."""
        most = self.capacity.of(address)
        if self._by_address[address] >= most < self.capacity.all and not self._make_room(address):
            return self._refuse("address")
        if len(self._open) >= self.capacity.all and not self._make_room(None):
            return self._refuse("all")
        return ""

    def _refuse(self, reason: str) -> str:
        self.count_refusal(reason)
        return reason

    def count_refusal(self, reason: str) -> None:
        """Count a connection that is not accepted."""
        self.refused[reason] += 1
        self._refused_s[reason] = self._now_s()

    def alarm_text(self) -> str | None:
        """Why connections were refused in the last minutes, None if none were."""
        now_s = self._now_s()
        reasons = {one for one, at_s in self._refused_s.items() if now_s - at_s < _RECENT_S}
        text = f"{len(self)} of {self.capacity.all} connections are open"
        if "descriptors" in reasons:
            return f"{text} and no file can be opened: raise the limit of open files (ulimit -n)"
        if "address" in reasons:
            return (
                f"{text}, and one address has as many as it may: if it is a proxy, raise "
                "shepherd.connections_per_address_max, else find out what it does"
            )
        if reasons:
            return (
                f"{text}, all being answered: raise the limit of open files (ulimit -n), or "
                "shepherd.connections_max if it is set"
            )
        return None

    def add(self, connection: LimitedConnection, address: str) -> None:
        """Count it as open."""
        self._open[connection] = address
        self._by_address[address] += 1

    def remove(self, connection: LimitedConnection) -> None:
        """Remove the connection from the count. Idempotent."""
        address = self._open.pop(connection, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def replace(self, connection: LimitedConnection, by: LimitedConnection) -> None:
        """Replace the object of a connection, as after its TLS handshake."""
        address = self._open.pop(connection, None)
        if address is not None:
            self._open[by] = address

    def close_overdue(self) -> int:
        """Close overdue connections; returns their number. Call it every second."""
        now_s = self._now_s()
        overdue = [one for one in self._open if one.is_overdue(now_s)]
        for connection in overdue:
            connection.close()
        return len(overdue)

    def close_unknown(self, count: int) -> int:
        """Close up to `count` idle ones of unknown clients; returns how many there were."""
        return self._close(None, count, EvictionRank.HEAD_RECEIVED)

    def close_without_request(self) -> None:
        """Close connections that never sent a whole request: a closing listener drains the rest."""
        self._close(None, len(self._open), EvictionRank.NO_REQUEST)

    def is_busy(self) -> bool:
        """Whether a request is being answered on one of them."""
        return any(one.eviction_rank() is None for one in self._open)

    def close_idle(self) -> None:
        """Close those on which no request is being answered."""
        for connection in [one for one in self._open if one.eviction_rank() is not None]:
            connection.close()

    def close_all(self) -> None:
        """Close all connections in any state."""
        for connection in list(self._open):
            connection.close()

    def _make_room(self, address: str | None) -> bool:
        now_s = self._now_s()
        if now_s < self._none_idle_until_s:
            return False
        if self._close(address, max(1, self.capacity.all // _CLOSED_AT_ONCE)):
            return True
        if address is None:
            self._none_idle_until_s = now_s + _NONE_IDLE_S
        return False

    def _close(
        self, address: str | None, count: int, most: EvictionRank = EvictionRank.KNOWN_CLIENT
    ) -> int:
        idle = [
            (rank, connection.since_s, order, connection)
            for order, (connection, of) in enumerate(self._open.items())
            if address in (None, of)
            and (rank := connection.eviction_rank()) is not None
            and rank <= most
        ]
        idle.sort(key=lambda one: one[:3])
        for *_, connection in idle[:count]:
            self.remove(connection)
            connection.close()
        self.closed += len(idle[:count])
        return len(idle[:count])
