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
        self.cache = cache
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="segments")

    def submit(self, location: SegmentLocation) -> "Future[Path | Failure]":
        """The verified file, or the error; the future never raises. Lease it first."""
        return self._threads.submit(self._outcome, self.cache.ensure, location)

    def submit_pack(self, location: SegmentLocation) -> "Future[Path | Failure]":
        """The whole pack that holds the segment, likewise."""
        return self._threads.submit(self._outcome, self.cache.ensure_pack, location)

    def fetch_all(self, locations: Iterable[SegmentLocation]) -> dict[str, Path | Failure]:
        """The files of all these segments by their hashes, or the errors. Blocks.

        A file that is on this disk already costs one `stat`.
        """
        found: dict[str, Path | Failure] = {}
        coming: dict[str, Future[Path | Failure]] = {}
        for location in dict.fromkeys(locations):
            object_hash = location.object_hash
            if self.cache.holds(location):
                found[object_hash] = self._outcome(self.cache.ensure, location)
            else:
                coming[object_hash] = self.submit(location)
        return found | {object_hash: future.result() for object_hash, future in coming.items()}

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
