"""Who is let in, and who is closed to make room: counts and decisions, no sockets (I11, I14).

Connections are bounded together and per address, far below what the process may have open, so that
descriptors are left for the log and the role's own work. Without room the idle ones are closed:
first those that never sent a whole request, then those that never had an answer which only known
clients get, then the others; of equals those that have waited longest. A connection whose request
is being answered is never closed for another. If all are, the newcomer is refused.
"""

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

_CLOSED_AT_ONCE: Final = 64  # a part of all: looking through all of them is paid for by many
_RECENT_S: Final = 300.0
_FULL_S: Final = 0.05  # so long nobody looks again for idle ones when there were none


class Standing(IntEnum):
    """What an idle connection has shown so far; those of the lowest are closed first."""

    SILENT = 0
    HEARD = 1
    KNOWN = 2


class Guest(Protocol):
    """A connection, as the room sees it."""

    since_s: float

    def standing(self) -> Standing | None:
        """None while a request is being answered."""

    def overdue(self, now_s: float) -> bool:
        """Whether it has waited for too long."""

    def close(self) -> None:
        """Close it, whatever it is doing."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """all: connections at once; per_address: of those from one address (not of this machine)."""

    all: int
    per_address: int

    def of(self, address: str) -> int:
        """How many this address may have. Loopback is where a proxy of this machine comes from."""
        loopback = address == "::1" or address.startswith(("127.", "::ffff:127."))
        return self.all if loopback else min(self.per_address, self.all)


def address_group(address: str) -> str:
    """What counts as one address: of IPv6 a network of /64, since one client has all of it."""
    if ":" not in address or address.startswith("::"):
        return address
    network = ipaddress.IPv6Address(address.partition("%")[0]).packed[:8]
    return f"{network.hex()}/64"


class Room:
    """The open connections of one listener. Use it from one event loop."""

    def __init__(self, capacity: Capacity, now_s: Callable[[], float]) -> None:
        self.capacity = capacity
        self.refused: Counter[str] = Counter()  # by why
        self._refused_s: dict[str, float] = {}  # when last
        self.closed = 0  # idle ones, to make room
        self._now_s = now_s
        self._guests: dict[Guest, str] = {}
        self._by_address: Counter[str] = Counter()
        self._full_until_s = 0.0

    def __len__(self) -> int:
        return len(self._guests)

    def refuses(self, address: str) -> str:
        """Why a connection from this address is not let in; empty: it is. Closes idle ones."""
        most = self.capacity.of(address)
        if self._by_address[address] >= most < self.capacity.all and not self._make_room(address):
            return self._refuse("address")
        if len(self._guests) >= self.capacity.all and not self._make_room(None):
            return self._refuse("all")
        return ""

    def _refuse(self, why: str) -> str:
        self.refuse(why)
        return why

    def refuse(self, why: str) -> None:
        """Count a connection that is not let in."""
        self.refused[why] += 1
        self._refused_s[why] = self._now_s()

    def trouble(self) -> str | None:
        """Why connections were refused in the last minutes, for an alarm."""
        now_s = self._now_s()
        why = {why for why, at_s in self._refused_s.items() if now_s - at_s < _RECENT_S}
        text = f"{len(self)} of {self.capacity.all} connections are open"
        if "descriptors" in why:
            return f"{text} and no file can be opened: raise the limit of open files (ulimit -n)"
        if "address" in why:
            return (
                f"{text}, and one address has as many as it may: if it is a proxy, raise "
                "shepherd.connections_per_address_max, else find out what it does"
            )
        if why:
            return (
                f"{text}, all being answered: raise the limit of open files (ulimit -n), or "
                "shepherd.connections_max if it is set"
            )
        return None

    def enter(self, guest: Guest, address: str) -> None:
        """It is open now."""
        self._guests[guest] = address
        self._by_address[address] += 1

    def leave(self, guest: Guest) -> None:
        """It is open no more."""
        address = self._guests.pop(guest, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def replace(self, guest: Guest, by: Guest) -> None:
        """The same connection is spoken for by another object from now on."""
        address = self._guests.pop(guest, None)
        if address is not None:
            self._guests[by] = address

    def sweep(self) -> int:
        """Close those that are overdue; returns how many. Called every second."""
        now_s = self._now_s()
        late = [guest for guest in self._guests if guest.overdue(now_s)]
        for guest in late:
            guest.close()
        return len(late)

    def close_unknown(self, count: int) -> int:
        """Close so many idle ones that have shown nothing; returns how many there were."""
        return self._close(None, count, Standing.HEARD)

    def close_silent(self) -> None:
        """Close those that never sent a whole request: nobody else would at the end."""
        self._close(None, len(self._guests), Standing.SILENT)

    def is_busy(self) -> bool:
        """Whether a request is being answered on one of them."""
        return any(guest.standing() is None for guest in self._guests)

    def close_idle(self) -> None:
        """Close those on which no request is being answered."""
        for guest in [guest for guest in self._guests if guest.standing() is not None]:
            guest.close()

    def close_all(self) -> None:
        """Close all, whatever they are doing."""
        for guest in list(self._guests):
            guest.close()

    def _make_room(self, address: str | None) -> bool:
        now_s = self._now_s()
        if now_s < self._full_until_s:
            return False
        if self._close(address, max(1, self.capacity.all // _CLOSED_AT_ONCE)):
            return True
        if address is None:
            self._full_until_s = now_s + _FULL_S
        return False

    def _close(self, address: str | None, count: int, most: Standing = Standing.KNOWN) -> int:
        idle = [
            (standing, guest.since_s, order, guest)
            for order, (guest, of) in enumerate(self._guests.items())
            if address in (None, of)
            and (standing := guest.standing()) is not None
            and standing <= most
        ]
        idle.sort(key=lambda one: one[:3])
        for *_, guest in idle[:count]:
            self.leave(guest)
            guest.close()
        self.closed += len(idle[:count])
        return len(idle[:count])
