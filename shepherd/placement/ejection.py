"""Ejection of a broker or partition: why, since when, when to probe next, and when it ends.

A flapping target, which fails again soon after its return, stays ejected longer each time. Pure.
"""

from dataclasses import dataclass

PROBE_FIRST_NS = 250_000_000  # after a short hiccup a broker should soon take its share again
PROBE_MAX_NS = 5 * 10**9  # a healed broker is back within seconds, a dead one costs next to nothing
_PROBE_LOST_NS = 15 * 10**9  # far above an append's time-out: its end will not be reported
_GOOD_PROBES = 2  # a single acknowledgement does not prove a recovery
_STRIKES_MAX = 4  # 32 good probes, 4 s apart: two minutes of good conduct
_STRIKE_FORGOTTEN_NS = 300 * 10**9  # one strike less after so long in good health


@dataclass(slots=True)
class EjectionHistory:
    """Strikes of one target across its ejections: how often it returned and failed again."""

    strikes: int = 0
    returned_ns: int = -1

    def strike(self, now_ns: int) -> int:
        """Count an ejection; returns the number of strikes."""
        if self.returned_ns >= 0:
            healthy_ns = now_ns - self.returned_ns
            forgotten = healthy_ns // _STRIKE_FORGOTTEN_NS
            self.strikes = min(_STRIKES_MAX, max(0, self.strikes + 1 - forgotten))
        return self.strikes


@dataclass(slots=True)
class Ejection:
    """The ejection of one broker or partition. Times are monotonic, in ns.

    reason: a phrase for logs and the status.
    broker: the broker itself, or the partition's leader when it was ejected.
    """

    reason: str
    since_ns: int
    broker: str
    strikes: int
    next_probe_ns: int = 0
    good: int = 0
    bad: int = 0
    probing_since_ns: int = -1  # -1: no probe is under way

    def __post_init__(self) -> None:
        self.next_probe_ns = self.since_ns + PROBE_FIRST_NS

    def due(self, now_ns: int) -> bool:
        """Whether a probe should be sent. The wait for one is bounded: it may never have been sent,
        or its end may have been reported for another broker that leads the partition since.
        """
        if self.probing_since_ns >= 0:
            return now_ns - self.probing_since_ns > _PROBE_LOST_NS
        return now_ns >= self.next_probe_ns

    def sent(self, now_ns: int) -> None:
        """Record that a probe was sent."""
        self.probing_since_ns = now_ns

    def answered(self, good: bool, now_ns: int) -> bool:
        """Record the end of a probe; returns True when the ejection is over."""
        self.probing_since_ns = -1
        if good:
            self.good += 1
            self.bad = 0
            wait_ns = PROBE_FIRST_NS << self.strikes
        else:
            self.good = 0
            self.bad += 1
            wait_ns = PROBE_FIRST_NS << min(self.bad, 10)
        self.next_probe_ns = now_ns + min(wait_ns, PROBE_MAX_NS)
        return self.good >= _GOOD_PROBES << self.strikes
