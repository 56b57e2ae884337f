"""What the results in the object store take up, by environment and day; old days are removed whole.

A day is removed when all of its results are older than they are kept, and, the oldest first, when
its environment would take more than its share. All of it blocks.
"""

import logging
import threading
from collections import defaultdict

from common import limits
from common.clock import Clock
from common.errors import Unavailable
from common.logs import log_event
from common.model.clock_reading import HasClock
from common.objects import ObjectStore
from query.api.results.ids import DAY_NS, PREFIX, day_of, day_prefix

_logger = logging.getLogger(__name__)


class ResultDays:
    """Sizes by environment and day: of the last listing, and of what this process has put since.

    kept_s: how long results are kept.
    share_bytes: of one environment.
    """

    def __init__(self, objects: ObjectStore, clock: Clock, kept_s: int, share_bytes: int) -> None:
        self._objects = objects
        self._clock = clock
        self._kept_ns = kept_s * 10**9
        self._share_bytes = share_bytes
        self._lock = threading.Lock()
        self._sizes: dict[str, dict[int, int]] = {}  # environment -> day -> bytes
        self._listed = False

    def refresh(self) -> None:
        """List what there is, and remove the days that are over. Raises ObjectsUnavailable."""
        sizes: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for info in self._objects.list(PREFIX):
            found = day_of(info.key)
            if found is not None:
                sizes[found[0]][found[1]] += _size(info.size_bytes)
        with self._lock:
            self._sizes, self._listed = sizes, True
        last = self._last_day_over()
        for env, days in list(sizes.items()):
            for day in sorted(days):
                if last is not None and day <= last:
                    self._remove(env, day)
            self._shrink(env, 0)

    def make_room(self, env: str, size_bytes: int, today: int) -> bool:
        """Whether one more result fits into the environment's share, once older days have made
        room for it; if so, it is counted. Raises ObjectsUnavailable.
        """
        if not self._listed:
            self.refresh()
        if not self._shrink(env, _size(size_bytes), today):
            return False
        with self._lock:
            days = self._sizes.setdefault(env, {})
            days[today] = days.get(today, 0) + _size(size_bytes)
        return True

    def _shrink(self, env: str, more: int, today: int | None = None) -> bool:
        """Remove the oldest days but the newest one, until `more` bytes fit; whether they do."""
        while True:
            with self._lock:
                days = dict(self._sizes.get(env, {}))
            if sum(days.values()) + more <= self._share_bytes:
                return True
            newest = max(days, default=0) if today is None else today
            older = [day for day in days if day < newest]
            if not older:
                return False
            self._remove(env, min(older))

    def _remove(self, env: str, day: int) -> None:
        """Remove a day, at most so many objects at once: the rest counts until the next time."""
        left = limits.RESULTS_REMOVED_AT_ONCE
        rest = 0
        for info in list(self._objects.list(day_prefix(env, day))):
            if left:
                self._objects.delete(info.key)
                left -= 1
            else:
                rest += _size(info.size_bytes)
        with self._lock:
            days = self._sizes.get(env, {})
            days.pop(day, None)
            if rest:
                days[day] = rest
        log_event(_logger, logging.INFO, "results removed", env=env, day=day, left_bytes=rest)

    def _last_day_over(self) -> int | None:
        """The newest day that is over by every clock; None while they disagree (I13)."""
        now_ns = self._clock.now_ns()
        if isinstance(self._objects, HasClock):
            try:
                reading = self._objects.read_clock(self._clock)
            except Unavailable:
                return None
            if reading is not None:
                ahead_ns = reading.ahead_ns(self._clock)
                if abs(ahead_ns) > limits.CLOCK_SKEW_NS:
                    log_event(
                        _logger,
                        logging.WARNING,
                        "results are not removed: the store's clock is another one than ours",
                        ahead_s=ahead_ns // 10**9,
                    )
                    return None
        return (now_ns - self._kept_ns) // DAY_NS - 1


def _size(size_bytes: int) -> int:
    """What an object counts: a small one takes up more than its bytes."""
    return max(size_bytes, limits.RESULT_OBJECT_BYTES_MIN)
