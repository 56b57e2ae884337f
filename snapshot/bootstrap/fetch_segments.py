"""Fetches segments to this disk with a bounded number of threads (I11).

An indexer has one fetcher for queries and another for a bootstrap, so that neither waits for the
other's whole list and the shredder's threads stay free.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from snapshot.cache import SegmentCache
from snapshot.documents.locations import SegmentLocation

Failure = DamagedObject | ObjectMissing | ObjectsUnavailable | OSError


class SegmentFetcher:
    """A pool of threads that fetch into one cache."""

    def __init__(self, cache: SegmentCache, parallel: int) -> None:
        self.cache, self.parallel = cache, parallel
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="segments")

    def submit(self, location: SegmentLocation) -> "Future[Path | Failure]":
        """The verified file, or the error; the future never raises. Lease it first."""
        return self._threads.submit(self._outcome, self.cache.ensure, location)

    def submit_pack(self, location: SegmentLocation) -> "Future[Path | Failure]":
        """The whole pack that holds the segment, likewise."""
        return self._threads.submit(self._outcome, self.cache.ensure_pack, location)

    def here(
        self, locations: Iterable[SegmentLocation]
    ) -> tuple[dict[str, Path | Failure], list[SegmentLocation]]:
        """(files of those segments that are on this disk, by hash, the others). Blocks.

        A file costs one `stat`.
        """
        found: dict[str, Path | Failure] = {}
        others: list[SegmentLocation] = []
        for location in dict.fromkeys(locations):
            if self.cache.holds(location):
                found[location.object_hash] = self._outcome(self.cache.ensure, location)
            else:
                others.append(location)
        return found, others

    def close(self) -> None:
        """Cancel what has not begun; fetches that run are finished by their threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _outcome(
        self, fetch: Callable[[SegmentLocation], Path], location: SegmentLocation
    ) -> Path | Failure:
        try:
            return fetch(location)
        except (DamagedObject, ObjectMissing, ObjectsUnavailable, OSError) as error:
            return error
