"""The hedging policy: how long a share may take before it is requested from the twin too.

The twin is the other indexer of a partition. The delay follows the durations of recent shares. A
budget bounds the hedges, so that a slow fleet does not get twice the work (I11). An indexer that
did not answer is a suspect for a while and the last choice.
"""

from collections import deque

from common import limits
from common.clock import Clock

_S_NS = 10**9
_SHARES_MIN = 16  # with fewer durations the delay is a default
_GUESS_S = 0.5
_QUANTILE = 0.95
_SLACK = 1.5  # factor of the quantile: most of the slowest twentieth is hardly slower


class HedgingPolicy:
    """Durations and failures of indexers as one query role observes them.

    hedge_ms: the longest delay before a hedge (0: never hedge).
    """

    def __init__(self, clock: Clock, hedge_ms: int) -> None:
        self._clock = clock
        self._hedge_s = hedge_ms / 1000
        self._share_times_s: deque[float] = deque(maxlen=limits.SHARE_TIMES_KEPT)
        self._tokens = limits.HEDGES_AT_ONCE_MAX
        self._suspects: dict[str, int] = {}  # url -> until when (monotonic ns)

    def record_answer(self, url: str, seconds: float, *, waited: bool) -> None:
        """Record an answered share. waited: for a position, so its duration is not recorded."""
        self._suspects.pop(url, None)
        self._tokens = min(limits.HEDGES_AT_ONCE_MAX, self._tokens + limits.HEDGES_PER_SHARE)
        if not waited:
            self._share_times_s.append(seconds)

    def hedge_after_s(self, wait_ms: int) -> float | None:
        """Seconds to wait for a share before it is requested from the twin; None: never."""
        if not self._hedge_s:
            return None
        wait_s = min(wait_ms / 1000, limits.HEDGE_WAIT_S_MAX)
        if len(self._share_times_s) < _SHARES_MIN:
            return min(_GUESS_S, self._hedge_s) + wait_s
        ordered = sorted(self._share_times_s)
        usual_s = ordered[int(_QUANTILE * (len(ordered) - 1))]
        return min(max(_SLACK * usual_s, limits.HEDGE_S_MIN), self._hedge_s) + wait_s

    def may_hedge(self) -> bool:
        """Take a hedge out of the budget. False: the budget is empty."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def suspect(self, url: str) -> None:
        """Make an indexer that did not answer the last choice for a while."""
        now_ns = self._clock.monotonic_ns()
        self._suspects = {u: until for u, until in self._suspects.items() if until > now_ns}
        self._suspects[url] = now_ns + limits.SUSPECT_S * _S_NS

    def is_suspect(self, url: str) -> bool:
        """Whether this indexer recently failed to answer."""
        return self._suspects.get(url, 0) > self._clock.monotonic_ns()
