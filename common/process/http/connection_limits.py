"""Which connections are let in, and which are closed to make room: counts, no sockets (I11, I14).

Connections are bounded together and per address, far below what the process may have open, so that
descriptors are left for the log and the role's own work. At the limit, idle connections are closed:
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

_CLOSED_AT_ONCE: Final = 64  # a part of all: looking through all of them is paid for by many
_RECENT_S: Final = 300.0
# When no connection was idle, none is looked for again within this time.
_NONE_IDLE_S: Final = 0.05


class EvictionRank(IntEnum):
    """What an idle connection has shown so far; those of the lowest rank are closed first."""

    NO_REQUEST = 0
    HEAD_RECEIVED = 1
    KNOWN_CLIENT = 2


class LimitedConnection(Protocol):
    """A connection as its limits see it.

    since_s: when it began to wait for what it waits for.
    """

    since_s: float

    def eviction_rank(self) -> EvictionRank | None:
        """None while a request is being answered: it is not idle."""

    def is_overdue(self, now_s: float) -> bool:
        """Whether it has waited for too long."""

    def close(self) -> None:
        """Close it, whatever it is doing."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many connections may be open.

    all: at once.
    per_address: of those from one address, unless it is of this machine.
    """

    all: int
    per_address: int

    def of(self, address: str) -> int:
        """How many this address may have. A proxy on this machine comes from loopback."""
        loopback = address == "::1" or address.startswith(("127.", "::ffff:127."))
        return self.all if loopback else min(self.per_address, self.all)


def address_group(address: str) -> str:
    """What counts as one address: of IPv6 a network of /64, since one client has all of it."""
    if ":" not in address or address.startswith("::"):
        return address
    network = ipaddress.IPv6Address(address.partition("%")[0]).packed[:8]
    return f"{network.hex()}/64"


class ConnectionLimits:
    """The open connections of one listener. Use it from one event loop.

    refused: connections that were not let in, by reason.
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
        """Why a connection from this address is not let in, or empty. Closes idle ones for it."""
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
        """Count a connection that is not let in."""
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
        """Count it no longer; nothing if that is done already."""
        address = self._open.pop(connection, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def replace(self, connection: LimitedConnection, by: LimitedConnection) -> None:
        """Another object stands for the same connection from now on."""
        address = self._open.pop(connection, None)
        if address is not None:
            self._open[by] = address

    def close_overdue(self) -> int:
        """Close those that have waited for too long; returns how many. Call it every second."""
        now_s = self._now_s()
        overdue = [one for one in self._open if one.is_overdue(now_s)]
        for connection in overdue:
            connection.close()
        return len(overdue)

    def close_unknown(self, count: int) -> int:
        """Close up to `count` idle ones of unknown clients; returns how many there were."""
        return self._close(None, count, EvictionRank.HEAD_RECEIVED)

    def close_without_request(self) -> None:
        """Close those that never sent a whole request: when a listener ends, nothing else does."""
        self._close(None, len(self._open), EvictionRank.NO_REQUEST)

    def is_busy(self) -> bool:
        """Whether a request is being answered on one of them."""
        return any(one.eviction_rank() is None for one in self._open)

    def close_idle(self) -> None:
        """Close those on which no request is being answered."""
        for connection in [one for one in self._open if one.eviction_rank() is not None]:
            connection.close()

    def close_all(self) -> None:
        """Close all, whatever they are doing."""
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
