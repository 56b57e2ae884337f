"""Query results in memory: bounded in number, bytes and age; each belongs to an environment.

When there are too many, the oldest result of the environment with the most results is dropped, and
within it of the key with the most. So no environment evicts the results of another with fewer
(I14).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from common.clock import Clock
from common.errors import BellwetherError
from common.tasks import cancel_and_wait
from query.config import STANDARD_LIMITS, ResultLimits
from query.http.problems import QueryEnded

_RESULT_BYTES = 1_024  # memory of a `StoredResult` without its body, approximately


@dataclass(slots=True)
class StoredResult:
    """A result of a query that waits, runs or has ended.

    query: the specification as JSON.
    polled_ns: when its caller last polled it (monotonic, so that a clock that leaps drops none).
    body: the result as JSON, once it is complete.
    error: why the query failed.
    task: while the query runs or waits.
    added_ns: when it was added (monotonic).
    dataset_ns: when its dataset was made (unix ns); 0: unknown.
    series_form: of the series in its body (`query.results.series_forms`).
    """

    id: str
    env_id: str
    key_id: str
    dataset: str
    query: bytes
    created_ns: int
    polled_ns: int
    body: bytes | None = None
    error: BellwetherError | None = None
    task: asyncio.Task[None] | None = None
    added_ns: int = 0
    dataset_ns: int = 0
    series_form: str = "rows"

    @property
    def finished(self) -> bool:
        """Whether it has a body or an error."""
        return self.body is not None or self.error is not None

    @property
    def size_bytes(self) -> int:
        """Memory that it takes, approximately."""
        return _RESULT_BYTES + len(self.query) + len(self.body or b"")


class ResultStore:
    """The newest results of all environments. A query is cancelled when its result is dropped."""

    def __init__(
        self, clock: Clock, kept_s: int, bounds: ResultLimits = STANDARD_LIMITS.results
    ) -> None:
        self._bounds = bounds
        self._clock = clock
        self._kept_ns = kept_s * 10**9
        self._results: dict[str, StoredResult] = {}  # the oldest first

    def add(self, result: StoredResult) -> None:
        """Add a result and make room for it."""
        result.added_ns = self._clock.monotonic_ns()
        self._results[result.id] = result
        self.trim(result)

    def trim(self, newest: StoredResult | None = None) -> None:
        """Drop results that are too old or too many, never `newest` (default: the last added)."""
        oldest_ns = self._clock.monotonic_ns() - self._kept_ns
        newest = newest or next(reversed(self._results.values()), None)
        for result in list(self._results.values()):
            if result.added_ns >= oldest_ns:
                break
            if result is not newest:
                self._evict(result)
        self._trim(newest, lambda _: 1, self._bounds.count_max)
        self._trim(newest, lambda result: result.size_bytes, self._bounds.bytes_max)

    def _trim(
        self, newest: StoredResult | None, size: Callable[[StoredResult], int], most: int
    ) -> None:
        """Drop results of the environment with the most until all together are at most `most`."""
        results = self._results.values()
        held = sum(map(size, results))
        if held <= most:
            return
        of_env: Counter[str] = Counter()
        of_key: Counter[tuple[str, str]] = Counter()
        for result in results:
            of_env[result.env_id] += size(result)
            of_key[result.env_id, result.key_id] += size(result)
        while held > most:
            left = [result for result in results if result is not newest]
            if not left:
                return
            # of equals `max` returns the first, whose result is the oldest
            env = max((r.env_id for r in left), key=of_env.__getitem__)
            of_most = [r for r in left if r.env_id == env]
            key = max(((env, r.key_id) for r in of_most), key=of_key.__getitem__)
            dropped = next(r for r in of_most if r.key_id == key[1])
            held -= size(dropped)
            of_env[env] -= size(dropped)
            of_key[key] -= size(dropped)
            self._evict(dropped)

    def _evict(self, result: StoredResult) -> None:
        if not result.finished:
            result.error = QueryEnded("the query was ended to make room for others: run it again")
        self.drop(result)

    def drop(self, result: StoredResult) -> None:
        """Remove a result; its query is cancelled if it still runs."""
        self._results.pop(result.id, None)
        if result.task is not None:
            result.task.cancel()

    def end(self, result: StoredResult) -> None:
        """End the query of a result, if it still runs or waits: nobody wants its answer."""
        if result.task is None or result.finished:
            return
        result.error = QueryEnded("the query was ended by who had asked it: run it again")
        result.task.cancel()

    def find(self, result_id: str, env_id: str, dataset: str) -> StoredResult | None:
        """The result, if it belongs to the environment and dataset. Counts as a poll."""
        self.trim()
        found = self._results.get(result_id)
        if found is None or found.env_id != env_id or found.dataset != dataset:
            return None
        self.polled(found)
        return found

    def polled(self, result: StoredResult) -> None:
        """Record a poll by the caller."""
        result.polled_ns = self._clock.monotonic_ns()

    def end_abandoned(self) -> None:
        """End the queries that run or wait but that no caller has polled in a while."""
        before_ns = self._clock.monotonic_ns() - int(self._bounds.unpolled_s * 10**9)
        abandoned = [
            (result, result.task)
            for result in self._results.values()
            if result.task is not None and result.polled_ns < before_ns
        ]
        for result, task in abandoned:
            result.error = QueryEnded(
                f"the query was ended because nobody asked for its result for "
                f"{self._bounds.unpolled_s:g} s: run it again, and ask more often"
            )
            task.cancel()

    async def close(self) -> None:
        """Stop the queries that still run."""
        await cancel_and_wait([r.task for r in self._results.values() if r.task is not None])
