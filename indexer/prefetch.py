"""Prefetching: segments that this disk lacks are fetched in the background, newest first (I5).

Queries do not wait for it: the segments that they need are fetched at once. Concurrent fetches and
total bytes are bounded; segments that do not fit into the cache are fetched on demand.
"""

import asyncio
import heapq
import logging
from collections.abc import Iterable
from pathlib import Path

from common.back_off import BackOff
from common.clock import Clock
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.metrics import warming_bytes_left, warming_bytes_per_s
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import SegmentEntry

_REPORT_NS = 5 * 10**9
_RETRY_FIRST_S = 1.0
_RETRY_MAX_S = 30.0
logger = logging.getLogger(__name__)


class Prefetcher:
    """The segments that are still to be fetched. Used from one event loop."""

    def __init__(
        self,
        fetching: SegmentFetcher,
        at_once: int,
        bytes_max: int,
        clock: Clock,
        *,
        retry_first_s: float = _RETRY_FIRST_S,
    ) -> None:
        """at_once: concurrent fetches. bytes_max: size of the cache. retry_first_s: first wait
        while the object store is unavailable; later waits grow.
        """
        self.fetching = fetching
        self._retry_first_s = retry_first_s
        self._at_once = at_once
        self._bytes_max = bytes_max
        self._clock = clock
        self._waiting: list[tuple[int, SegmentLocation]] = []  # (-append time, where): a heap
        self._known: set[str] = set()
        self._more = asyncio.Event()
        self._began_ns: int | None = None
        self._ended_ns: int | None = None
        self._reported_ns = 0
        self.left_bytes = 0
        self.fetched_bytes = 0
        self.fetched = 0
        self.failed = 0
        self.on_demand = 0  # segments that do not fit and are fetched when a query needs them

    def add(self, entries: Iterable[SegmentEntry]) -> None:
        """Fetch those of these newly served segments that are not on this disk."""
        for entry in entries:
            if entry.object in self._known or self.fetching.cache.holds(entry.object):
                continue
            self._known.add(entry.object)
            heapq.heappush(self._waiting, (-entry.append_max_ns, entry.location))
            self.left_bytes += entry.size_bytes
        if self._waiting:
            self._began_ns = (
                self._clock.monotonic_ns() if self._began_ns is None else self._began_ns
            )
            self._ended_ns = None
            self._more.set()
        warming_bytes_left.set(self.left_bytes)

    @property
    def done(self) -> bool:
        """Whether every segment has been fetched."""
        return not self._known

    @property
    def seconds(self) -> float:
        """The duration so far, or until all were fetched."""
        if self._began_ns is None:
            return 0.0
        end_ns = self._clock.monotonic_ns() if self._ended_ns is None else self._ended_ns
        return (end_ns - self._began_ns) / 1e9

    @property
    def bytes_per_s(self) -> float:
        """Bytes fetched per second."""
        return self.fetched_bytes / self.seconds if self.seconds > 0 else 0.0

    def describe(self) -> dict[str, object]:
        """The progress, for the status."""
        return {
            "done": self.done,
            "segments": self.fetched,
            "bytes": self.fetched_bytes,
            "left_bytes": self.left_bytes,
            "failed": self.failed,
            "on_demand": self.on_demand,
            "seconds": round(self.seconds, 3),
            "bytes_per_s": round(self.bytes_per_s),
        }

    async def run(self) -> None:
        """Fetch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._work())

    async def _work(self) -> None:
        back_off = BackOff(self._retry_first_s, _RETRY_MAX_S)
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            item = heapq.heappop(self._waiting)
            _, location = item
            object_hash, size_bytes = location.object_hash, location.size_bytes
            cache = self.fetching.cache
            if cache.bytes_held + size_bytes > self._bytes_max:
                self.on_demand += 1
                self._finish(object_hash, size_bytes)
                continue
            outcome = await asyncio.wrap_future(self.fetching.submit(location))
            if isinstance(outcome, Path):
                self.fetched += 1
                self.fetched_bytes += size_bytes
                self._finish(object_hash, size_bytes)
                back_off.reset()
            elif isinstance(outcome, (DamagedObject, ObjectMissing)):
                self.failed += 1  # it is rebuilt when a query needs it
                log_event(logger, logging.ERROR, "segment cannot be fetched", why=str(outcome))
                self._finish(object_hash, size_bytes)
            else:
                why = str(outcome)
                log_event(logger, logging.WARNING, "segments cannot be fetched now", why=why)
                heapq.heappush(self._waiting, item)
                await asyncio.sleep(back_off.next())

    def _finish(self, object_hash: str, size_bytes: int) -> None:
        self._known.discard(object_hash)
        self.left_bytes -= size_bytes
        now_ns = self._clock.monotonic_ns()
        if self.done:
            self._ended_ns = now_ns
            self._report("segments are here")
        elif now_ns - self._reported_ns >= _REPORT_NS:
            self._reported_ns = now_ns
            self._report("fetching segments")
        warming_bytes_left.set(self.left_bytes)
        warming_bytes_per_s.set(self.bytes_per_s)

    def _report(self, text: str) -> None:
        log_event(
            logger,
            logging.INFO,
            text,
            segments=self.fetched,
            bytes=self.fetched_bytes,
            left_bytes=self.left_bytes,
            failed=self.failed,
            on_demand=self.on_demand,
            seconds=round(self.seconds, 1),
            bytes_per_s=round(self.bytes_per_s),
        )
