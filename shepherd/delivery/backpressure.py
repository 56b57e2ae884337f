"""Backpressure while the log as a whole is slow or stuck: 503 with Retry-After, counted (I11).

As long as enough brokers can serve, every request is taken. While the log is under backpressure,
requests may hold an eighth of the usual bytes in flight, of which each environment keeps a share of
its own (I14), and a request that would only wait for its time-out is refused.
"""

from common import metrics
from common.clock import Clock
from common.errors import Unavailable
from shepherd.admission.shares import Shares
from shepherd.config import ShepherdConfig
from shepherd.placement.health import Health

_BYTES_DIVISOR = 8  # of the usual bytes: queues stay short while they drain slowly
_SHARES = 4  # an environment may always hold a quarter of those bytes
_RETRY_AFTER_S = 2


class Backpressure:
    """Checked before a request's body is read."""

    def __init__(
        self, health: Health, in_flight: Shares, clock: Clock, config: ShepherdConfig
    ) -> None:
        self._health = health
        self._in_flight = in_flight
        self._clock = clock
        self._bytes_max = config.in_flight_bytes_max // _BYTES_DIVISOR
        self._ack_timeout_ns = int(config.ack_timeout_s * 1e9)

    def check(self, size: int, environment: str) -> None:
        """Raises Unavailable when a request of this size could only wait until its time-out."""
        if not (reason := self._health.backpressure):
            return
        stalled_ns = self._health.stalled_ns(self._clock.monotonic_ns())
        full = self._in_flight.bytes + size > self._bytes_max
        own_share = self._in_flight.held_by(environment) + size <= self._bytes_max // _SHARES
        if stalled_ns > self._ack_timeout_ns or (full and not own_share):
            metrics.placement_pushed_back_total.inc()
            raise Unavailable(f"the log takes no more now: {reason}; try again", _RETRY_AFTER_S)
