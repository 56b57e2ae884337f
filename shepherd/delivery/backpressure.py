"""Pushes back while the log as a whole is slow or stuck: 503 with Retry-After, counted (I11).

As long as others can serve nobody is turned away; what is let in while the log is pressed waits in
an eighth of the room, of which no environment can take the last part from the others (I14), and
nothing is let in that would only wait for its time-out.
"""

from common import metrics
from common.clock import Clock
from common.errors import Unavailable
from shepherd.config import ShepherdConfig
from shepherd.placement.health import Health
from shepherd.shares import Shares

_PRESSED_SHARE = 8  # of the usual room: queues stay short while they drain slowly
_SHARES = 4  # of that room: so much an environment may hold whatever the others hold
_RETRY_AFTER_S = 2


class Backpressure:
    """Asked before a request's body is read."""

    def __init__(
        self, health: Health, in_flight: Shares, clock: Clock, config: ShepherdConfig
    ) -> None:
        self._health = health
        self._in_flight = in_flight
        self._clock = clock
        self._room = config.in_flight_bytes_max // _PRESSED_SHARE
        self._hopeless_ns = int(config.ack_timeout_s * 1e9)

    def check(self, size: int, environment: str) -> None:
        """Raises Unavailable when a request of this size would only wait in vain."""
        if not (reason := self._health.pressure):
            return
        stalled_ns = self._health.stalled_ns(self._clock.monotonic_ns())
        full = self._in_flight.bytes + size > self._room
        own_share = self._in_flight.held_by(environment) + size <= self._room // _SHARES
        if stalled_ns > self._hopeless_ns or (full and not own_share):
            metrics.placement_pushed_back_total.inc()
            raise Unavailable(f"the log takes no more now: {reason}; try again", _RETRY_AFTER_S)
