"""Prefetching: segments that this disk lacks are fetched in the background, newest first (I5).

Queries do not wait for it: the segments that they need are fetched at once. Concurrent fetches and
total bytes are bounded; segments that do not fit into the cache are fetched on demand.
"""

import asyncio
import heapq
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from common.back_off import BackOff
from common.clock import Clock
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.metrics import warming_bytes_left, warming_bytes_per_s
from snapshot.bootstrap.fetch_segments import SegmentFetcher
from snapshot.cache import SegmentCache
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import SegmentEntry

_REPORT_NS = 5 * 10**9
_RETRY_FIRST_S = 1.0
_RETRY_MAX_S = 30.0
logger = logging.getLogger(__name__)


class _Wanted(NamedTuple):
    """A segment to fetch, or a whole pack; the newest is the least.

    order_ns: its newest append time, negative.
    segments: number of segments that it brings.
    """

    order_ns: int
    name: str
    location: SegmentLocation
    size_bytes: int
    segments: int = 1
    is_pack: bool = False


def _wanted(entries: Iterable[SegmentEntry], cache: SegmentCache) -> Iterator[_Wanted]:
    """What to fetch for those of the segments that are not on this disk.

    A pack is fetched whole if at least half of its bytes are wanted: one request for many segments.
    """
    packs: dict[str, list[SegmentEntry]] = {}
    for entry in entries:
        if entry.pack:
            packs.setdefault(entry.pack, []).append(entry)
        elif not cache.holds(entry.location):
            yield _one(entry)
    for pack, members in packs.items():
        missing = [entry for entry in members if not cache.holds(entry.location)]
        end = max(entry.pack_offset + entry.size_bytes for entry in members)
        if not missing or 2 * sum(entry.size_bytes for entry in missing) < end:
            yield from map(_one, missing)
            continue
        newest_ns = max(entry.append_max_ns for entry in missing)
        yield _Wanted(-newest_ns, pack, missing[0].location, end, len(missing), is_pack=True)


def _one(entry: SegmentEntry) -> _Wanted:
    return _Wanted(-entry.append_max_ns, entry.object, entry.location, entry.size_bytes)


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
        self._waiting: list[_Wanted] = []  # a heap
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
        for wanted in _wanted(entries, self.fetching.cache):
            if wanted.name in self._known:
                continue
            self._known.add(wanted.name)
            heapq.heappush(self._waiting, wanted)
            self.left_bytes += wanted.size_bytes
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
            fetching = self.fetching
            if fetching.cache.bytes_held + item.size_bytes > self._bytes_max:
                self.on_demand += item.segments
                self._finish(item)
                continue
            submit = fetching.submit_pack if item.is_pack else fetching.submit
            outcome = await asyncio.wrap_future(submit(item.location))
            if isinstance(outcome, Path):
                self.fetched += item.segments
                self.fetched_bytes += item.size_bytes
                self._finish(item)
                back_off.reset()
            elif isinstance(outcome, (DamagedObject, ObjectMissing)):
                self.failed += item.segments  # each is rebuilt when a query needs it
                log_event(logger, logging.ERROR, "segment cannot be fetched", why=str(outcome))
                self._finish(item)
            else:
                why = str(outcome)
                log_event(logger, logging.WARNING, "segments cannot be fetched now", why=why)
                heapq.heappush(self._waiting, item)
                await asyncio.sleep(back_off.next())

    def _finish(self, item: _Wanted) -> None:
        self._known.discard(item.name)
        self.left_bytes -= item.size_bytes
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
