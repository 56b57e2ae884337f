"""How many requests to the object store compaction may make in a day of running (I11)."""

from common.clock import Clock

_DAY_NS = 24 * 3_600 * 10**9


class RequestBudget:
    """Refills evenly, up to an hour's part; a step may go below zero once.

    per_day: requests; used: those made so far.
    """

    def __init__(self, per_day: int, clock: Clock) -> None:
        self._per_day = per_day
        self._most = max(1.0, per_day / 24)
        self._clock = clock
        self._left = self._most
        self._filled_ns = clock.monotonic_ns()
        self.used = 0

    @property
    def has_room(self) -> bool:
        """Whether a step may begin."""
        now_ns = self._clock.monotonic_ns()
        more = (now_ns - self._filled_ns) / _DAY_NS * self._per_day
        self._left = min(self._most, self._left + more)
        self._filled_ns = now_ns
        return self._left > 0

    def use(self, requests: int) -> None:
        """Count requests that were made."""
        self._left -= requests
        self.used += requests
