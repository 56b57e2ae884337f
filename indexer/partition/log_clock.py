"""Whether the log's time is right, and when to set it back after a clock was fast (I13).

The log's time is the latest append time and never goes back by itself. Where it is much later than
this machine's clock, one of the two is wrong. A clock record sets it back (`common.model.log_time`)
once the clock has run evenly for a while and a second source agrees: the servers that stamp the
records, or the log itself, which has no rows of the time that the clock shows. A slow clock would
date rows too early, and they would expire too soon; then the log's time stays until the clock is
right.
"""

from bisect import bisect_right
from collections.abc import Collection
from itertools import pairwise

from common import limits

_S_NS = 10**9
_DAY_NS = 24 * 3600 * 10**9
# At least a quarter of the way back has no rows, which allows for nights and for several leaps.
_HOLE_SHARE = 4


class SteadyClock:
    """Measures how long a wall clock has advanced as evenly as the monotonic one."""

    def __init__(self) -> None:
        self._offset_ns: int | None = None
        self._since_ns = 0

    def steady_for_ns(self, wall_ns: int, steady_ns: int) -> int:
        """Monotonic nanoseconds since the last leap that was seen; 0 at the first call."""
        offset_ns = wall_ns - steady_ns
        before_ns, self._offset_ns = self._offset_ns, offset_ns
        if before_ns is None or abs(offset_ns - before_ns) > limits.CLOCK_STEADY_NS:
            self._since_ns = steady_ns
        return steady_ns - self._since_ns


def reason_against(to_ns: int, log_ns: int, lived_ns: Collection[int]) -> str:
    """Why one clock is not enough to set a log back to `to_ns`; "" if it is.

    log_ns: the log's time. lived_ns: append times of records; those of segments are enough.
    """
    if to_ns < limits.CLOCK_EARLIEST_NS:
        return "no log is as old as this clock says"
    if log_ns - to_ns <= limits.CLOCK_DOUBT_NS:
        return ""
    times = sorted({*lived_ns, log_ns})
    after = bisect_right(times, to_ns)
    if after == 0:  # either the log began while its clock was fast, or this clock is slow
        lasted_ns = sum(b - a for a, b in pairwise(times) if b - a <= limits.CLOCK_DOUBT_NS)
        long = lasted_ns > limits.CLOCK_DOUBT_NS
        return "all rows of the log, of more than a day, are later than this clock" if long else ""
    hole_ns = max(b - a for a, b in pairwise([to_ns, *times[after:]]))
    if hole_ns >= (log_ns - to_ns) // _HOLE_SHARE:
        return ""  # the log's time leapt, once or several times, instead of passing
    return "the log has rows from before and after the time that this clock shows"


class Pause:
    """The pause between an indexer's attempts, doubled while they do not help."""

    def __init__(self) -> None:
        self._next_ns: int | None = None
        self._wrong_ns = 0
        self._pause_s = limits.CLOCK_AGAIN_FIRST_S

    def is_over(self, now_ns: int) -> bool:
        """Whether another attempt may be made now (monotonic)."""
        return self._next_ns is None or now_ns >= self._next_ns

    def begin(self, now_ns: int) -> None:
        """Record an attempt."""
        self._next_ns = now_ns + self._pause_s * _S_NS
        self._pause_s = min(2 * self._pause_s, limits.CLOCK_AGAIN_MAX_S)

    def note_wrong(self, now_ns: int) -> None:
        """Record that the log's time is ahead, also where no attempt can be made."""
        self._wrong_ns = now_ns

    def note_right(self, now_ns: int) -> bool:
        """Record that the log's time is right. Returns whether it has been right for long enough
        that the next attempts are made in short order again.
        """
        longest_ns = limits.CLOCK_AGAIN_MAX_S * _S_NS
        if self._next_ns is not None and now_ns >= max(self._next_ns, self._wrong_ns) + longest_ns:
            self._next_ns, self._pause_s = None, limits.CLOCK_AGAIN_FIRST_S
        return self._next_ns is None


class Repeats:
    """Counts the set-backs of one indexer that have one cause, as far as can be known.

    It outlives the pauses: a process with a wrong clock that seldom appends (its twin's heartbeats
    keep it quiet, or it only closes hours) makes the log leap once an hour or so, for good.

    count: how many there were, each at most `CLOCK_REPEAT_S` after the one before.
    """

    def __init__(self) -> None:
        self.count = 0
        self._last_ns = 0

    @property
    def are_several(self) -> bool:
        """Whether one set-back did not suffice, as it does after a leap."""
        return self.count > 1

    def add(self, now_ns: int) -> None:
        """Count a set-back (monotonic)."""
        if now_ns > self._last_ns + limits.CLOCK_REPEAT_S * _S_NS:
            self.count = 0
        self.count += 1
        self._last_ns = now_ns


def describe_duration(ahead_ns: int) -> str:
    """A duration in days or hours, for people."""
    if ahead_ns >= 2 * _DAY_NS:
        return f"{ahead_ns / _DAY_NS:,.1f} days"
    return f"{ahead_ns / (3600 * _S_NS):.1f} h"
