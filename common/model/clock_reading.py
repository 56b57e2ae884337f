"""Readings of clocks that are not this machine's (I13).

The servers of the log, objects and metadata have clocks of their own if they run on other machines.
A clock at an address of this machine can prove that a clock is wrong, but never that all are right:
it may be the same clock.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from common.clock import Clock


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One reading of one clock.

    offset_ns: the clock minus our monotonic time, which no step of our clock changes.
    error_ns: the largest error of that, from the round trip and the resolution.
    elsewhere: whether it is on another machine.
    """

    name: str
    offset_ns: int
    error_ns: int
    elsewhere: bool

    def ahead_ns(self, clock: Clock) -> int:
        """That clock minus our clock now, in ns."""
        return self.offset_ns + clock.monotonic_ns() - clock.now_ns()


@runtime_checkable
class HasClock(Protocol):
    """A backend whose server has a clock."""

    def read_clock(self, clock: Clock) -> ClockReading | None:
        """The server's clock against ours; None if it has none to read. Blocks.

        Raises Unavailable if it cannot be reached now.
        """


@runtime_checkable
class KnowsLeaderHosts(Protocol):
    """A log whose partitions are led by servers."""

    def leader_host(self, partition: int) -> str:
        """Host of the partition's leader; "" while it is not known."""


def reading_of(
    name: str, theirs_ns: int, resolution_ns: int, span: tuple[int, int], *, elsewhere: bool
) -> ClockReading:
    """A reading.

    theirs_ns: the server's time, cut off to its resolution.
    span: our monotonic time before and after the request.
    """
    begin_ns, end_ns = span
    middle_ns = (begin_ns + end_ns) // 2
    error_ns = (abs(end_ns - begin_ns) + resolution_ns) // 2
    return ClockReading(name, theirs_ns + resolution_ns // 2 - middle_ns, error_ns, elsewhere)


def is_elsewhere(host: str) -> bool:
    """Whether a host is another machine than this one, by its addresses. Blocks for the names."""
    if not host:
        return False
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return False  # unknown, so it proves nothing
    addresses = {str(address[0]).split("%")[0] for *_, address in found}
    return bool(addresses) and not any(_is_here(address) for address in addresses)


def _is_here(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    if parsed.is_loopback or parsed.is_unspecified:
        return True
    family = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))  # only an address of our own can be bound
        except OSError:
            return False
    return True
