"""Latency quantiles of recent values: log-spaced counts that halve with time.

Pure: every method takes the time. A few hundred bytes per broker or partition, however many
appends there are (I11).
"""

import math

_FIRST_NS = 500_000  # half a millisecond; smaller values count as that
_STEP = 1.25  # buckets are a quarter apart: enough to tell slow from normal
_BUCKETS = 52  # up to a minute
_LOG_STEP = math.log(_STEP)
_DECAY_STEPS = 8  # counts are scaled this often per half-life: cheap, and smooth enough


class DecayingQuantiles:
    """Quantiles of what was added within the last half-lives."""

    __slots__ = ("_counts", "_half_life_ns", "_scaled_ns", "_weight")

    def __init__(self, half_life_ns: int, now_ns: int) -> None:
        self._half_life_ns = half_life_ns
        self._scaled_ns = now_ns
        self._counts = [0.0] * _BUCKETS
        self._weight = 0.0

    def add(self, value_ns: int, now_ns: int) -> None:
        """Count one value."""
        self._decay(now_ns)
        ratio = max(1.0, value_ns / _FIRST_NS)
        bucket = min(_BUCKETS - 1, int(math.log(ratio) / _LOG_STEP))
        self._counts[bucket] += 1.0
        self._weight += 1.0

    def weight(self, now_ns: int) -> float:
        """How many values are remembered; older ones count less."""
        self._decay(now_ns)
        return self._weight

    def quantile(self, q: float, now_ns: int) -> int:
        """The upper end of the bucket that holds quantile `q`, in ns; 0 without values."""
        self._decay(now_ns)
        if self._weight < 1e-6:
            return 0
        left = q * self._weight
        for bucket, count in enumerate(self._counts):
            left -= count
            if left <= 0 and count:
                return int(_FIRST_NS * _STEP ** (bucket + 1))
        return int(_FIRST_NS * _STEP**_BUCKETS)

    def _decay(self, now_ns: int) -> None:
        steps = (now_ns - self._scaled_ns) * _DECAY_STEPS // self._half_life_ns
        if steps < 1:
            return
        factor = 0.5 ** (steps / _DECAY_STEPS)
        self._counts = [count * factor for count in self._counts]
        self._weight *= factor
        self._scaled_ns += steps * self._half_life_ns // _DECAY_STEPS
