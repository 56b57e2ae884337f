"""Events that a key may send, per second and per day (I11).

Rates and quotas are counted by this shepherd alone; with several shepherds a key gets each one's
share. Quota counts are kept on disk and survive a restart.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import msgspec

from common import limits
from common.clock import Clock
from common.errors import TooManyRequests
from common.metadata import ApiKey
from common.process.machine.disk_copy import DiskCopy

_SECOND_NS = 10**9
_DAY_S = 86_400
_TEXT = "Request dropped due to rate limiting."


class _Used(msgspec.Struct):
    """Events a key has sent on a UTC day (days since 1970)."""

    day: int
    events: int


@dataclass(slots=True)
class _Bucket:
    """A token bucket."""

    tokens: float  # events left; below zero: a debt
    at_ns: int  # monotonic ns when `tokens` was computed


class KeyLimits:
    """Token buckets and daily quotas per key id."""

    def __init__(self, clock: Clock, disk: Path) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._used: dict[str, _Used] = {}
        self._copy = DiskCopy(disk, lambda: msgspec.json.encode(self._used))
        stored = self._copy.load()
        if stored:
            try:
                self._used = msgspec.json.decode(stored, type=dict[str, _Used])
            except msgspec.DecodeError:
                self._used = {}  # a damaged count starts the day again rather than block a key

    def check(self, key: ApiKey) -> None:
        """Raises TooManyRequests when the key's rate or quota is used up."""
        if key.events_per_s and (bucket := self._bucket(key)).tokens <= 0:
            wait_s = math.ceil(-bucket.tokens / key.events_per_s) or 1
            raise TooManyRequests(_TEXT, wait_s)
        if key.events_per_day:
            seconds = self._clock.now_ns() // _SECOND_NS
            used = self._used.get(key.id)
            if used and used.day == seconds // _DAY_S and used.events >= key.events_per_day:
                raise TooManyRequests(
                    f"{_TEXT} (the daily quota is used up)", _DAY_S - seconds % _DAY_S
                )

    def spend(self, key: ApiKey, events: int) -> None:
        """Count events that a client sent, accepted or not."""
        if key.events_per_s:
            self._bucket(key).tokens -= events
        if key.events_per_day:
            day = self._clock.now_ns() // (_DAY_S * _SECOND_NS)
            used = self._used.get(key.id)
            if used is None or used.day != day:
                self._used = {k: u for k, u in self._used.items() if u.day == day}
                used = self._used[key.id] = _Used(day, 0)
            used.events += events
            self._copy.changed()

    def _bucket(self, key: ApiKey) -> _Bucket:
        """The key's bucket, refilled for the time that has passed, up to one second of its rate."""
        now_ns = self._clock.monotonic_ns()
        bucket = self._buckets.get(key.id)
        if bucket is None:
            bucket = self._buckets[key.id] = _Bucket(float(key.events_per_s), now_ns)
            if len(self._buckets) > limits.KEY_CACHE_ENTRIES_MAX:
                self._buckets.popitem(last=False)
        gained = (now_ns - bucket.at_ns) / _SECOND_NS * key.events_per_s
        bucket.tokens = min(float(key.events_per_s), bucket.tokens + gained)
        bucket.at_ns = now_ns
        self._buckets.move_to_end(key.id)
        return bucket

    async def close(self) -> None:
        """Write the counts to disk."""
        await self._copy.close()
