"""Statistics of the appends to one broker or one partition.

Pure bookkeeping; `shepherd.placement.health` draws the conclusions.
"""

from dataclasses import dataclass, field

import msgspec

from shepherd.placement.latency import DecayingQuantiles

_HALF_LIFE_NS = 10 * 10**9  # events of half a minute ago hardly count
UNKNOWN_WEIGHT = 2  # an unknown outcome took a whole time-out: as much as two quick refusals


class Ticket(msgspec.Struct, frozen=True):
    """One append under way. `broker` led the partition when the append began."""

    id: int
    partition: int
    broker: str
    size: int
    started_ns: int


@dataclass(slots=True)
class AppendStats:
    """Times are monotonic, in ns.

    acked_start_ns: the latest start of an append that was acknowledged; an append that began
    before it and is still open has been outpaced.
    failures: weighted, since the last acknowledgement.
    """

    now_ns: int
    latency: DecayingQuantiles = field(init=False)
    in_flight_bytes: int = 0
    acked_start_ns: int = -1
    last_latency_ns: int = 0
    failures: int = 0
    failing_since_ns: int = -1
    acked_total: int = 0
    failed_total: int = 0
    _open: dict[int, Ticket] = field(default_factory=dict)
    _fresh_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self.latency = DecayingQuantiles(_HALF_LIFE_NS, self.now_ns)
        self._fresh_ns = self.now_ns

    @property
    def open_appends(self) -> int:
        """The number of open appends."""
        return len(self._open)

    @property
    def oldest_ns(self) -> int | None:
        """Monotonic ns at which the oldest open append began."""
        for ticket in self._open.values():  # in the order in which they began
            return ticket.started_ns
        return None

    def current_ns(self, now_ns: int) -> int:
        """How long an append takes now: the last one, or the oldest open one if that is longer."""
        oldest_ns = self.oldest_ns
        return max(self.last_latency_ns, 0 if oldest_ns is None else now_ns - oldest_ns)

    def began(self, ticket: Ticket) -> None:
        """Record that an append was sent."""
        self._open[ticket.id] = ticket
        self.in_flight_bytes += ticket.size

    def acknowledged(self, ticket: Ticket, now_ns: int) -> None:
        """Record that the append is durable."""
        self._ended(ticket)
        self.acked_total += 1
        self.last_latency_ns = now_ns - ticket.started_ns
        self.acked_start_ns = max(self.acked_start_ns, ticket.started_ns)
        self.failures, self.failing_since_ns = 0, -1
        if ticket.started_ns >= self._fresh_ns:  # else it began during a fault
            self.latency.add(now_ns - ticket.started_ns, now_ns)

    def failed(self, ticket: Ticket, now_ns: int, weight: int) -> None:
        """Record that the append was refused, or that its outcome is unknown."""
        self._ended(ticket)
        self.failed_total += 1
        if ticket.started_ns < self._fresh_ns:
            return
        if not self.failures:
            self.failing_since_ns = now_ns
        self.failures += weight

    def withdrawn(self, ticket: Ticket) -> None:
        """Record an append whose end is no evidence about the log."""
        self._ended(ticket)

    def forget_failures(self, now_ns: int) -> None:
        """Count only appends that begin from now on."""
        self._fresh_ns = now_ns
        self.failures, self.failing_since_ns = 0, -1
        self.latency = DecayingQuantiles(_HALF_LIFE_NS, now_ns)

    def oldest_fresh_ns(self) -> int | None:
        """As `oldest_ns`, without appends that began before the last `forget_failures`."""
        for ticket in self._open.values():
            if ticket.started_ns >= self._fresh_ns:
                return ticket.started_ns
        return None

    def _ended(self, ticket: Ticket) -> None:
        if self._open.pop(ticket.id, None) is not None:
            self.in_flight_bytes -= ticket.size
