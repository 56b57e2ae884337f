"""Query results in memory: bounded in number, bytes and age; each belongs to an environment.

When there are too many, the environment that has most gives up its oldest (of its keys, the one
that has most), so that nobody's results push out those of another who has fewer (I14).
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

_RESULT_BYTES = 1_024  # of a result's record itself, about


@dataclass(slots=True)
class StoredResult:
    """One result.

    query: its specification as JSON; body: the result's JSON once complete; error: why it failed;
    task: while it runs or waits; asked_ns: when its caller last asked for it, added_ns: when it was
    added (both monotonic: a clock that leaps drops nothing).
    """

    id: str
    env_id: str
    key_id: str
    dataset: str
    query: bytes
    created_ns: int
    asked_ns: int
    body: bytes | None = None
    error: BellwetherError | None = None
    task: asyncio.Task[None] | None = None
    added_ns: int = 0

    @property
    def finished(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.body is not None or self.error is not None

    @property
    def size_bytes(self) -> int:
        """Memory that it takes, about."""
        return _RESULT_BYTES + len(self.query) + len(self.body or b"")


class ResultStore:
    """The newest results of everybody; one that goes while it runs is cancelled."""

    def __init__(
        self, clock: Clock, kept_s: int, bounds: ResultLimits = STANDARD_LIMITS.results
    ) -> None:
        self._bounds = bounds
        self._clock = clock
        self._kept_ns = kept_s * 10**9
        self._results: dict[str, StoredResult] = {}  # the oldest first

    def add(self, result: StoredResult) -> None:
        """Keep a result, making room for it."""
        result.added_ns = self._clock.monotonic_ns()
        self._results[result.id] = result
        self.trim(result)

    def trim(self, newest: StoredResult | None = None) -> None:
        """Drop what is too old or too much; `newest` (the last one added unless given) stays."""
        oldest_ns = self._clock.monotonic_ns() - self._kept_ns
        newest = newest or next(reversed(self._results.values()), None)
        for result in list(self._results.values()):
            if result.added_ns >= oldest_ns:
                break
            if result is not newest:
                self._give_up(result)
        self._trim(newest, lambda _: 1, self._bounds.count_max)
        self._trim(newest, lambda result: result.size_bytes, self._bounds.bytes_max)

    def _trim(
        self, newest: StoredResult | None, size: Callable[[StoredResult], int], most: int
    ) -> None:
        """Drop results of whoever has most, until all together have no more than `most`."""
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
            # `max` takes the first of several that have as much: whose result is the oldest
            env = max((r.env_id for r in left), key=of_env.__getitem__)
            of_most = [r for r in left if r.env_id == env]
            key = max(((env, r.key_id) for r in of_most), key=of_key.__getitem__)
            dropped = next(r for r in of_most if r.key_id == key[1])
            held -= size(dropped)
            of_env[env] -= size(dropped)
            of_key[key] -= size(dropped)
            self._give_up(dropped)

    def _give_up(self, result: StoredResult) -> None:
        if not result.finished:
            result.error = QueryEnded("the query was ended to make room for others: run it again")
        self.drop(result)

    def drop(self, result: StoredResult) -> None:
        """Forget a result that nobody waits for; it stops if it still runs."""
        self._results.pop(result.id, None)
        if result.task is not None:
            result.task.cancel()

    def find(self, result_id: str, env_id: str, dataset: str) -> StoredResult | None:
        """The result, if it is this environment's and dataset's; its caller has asked for it."""
        self.trim()
        found = self._results.get(result_id)
        if found is None or found.env_id != env_id or found.dataset != dataset:
            return None
        self.asked(found)
        return found

    def asked(self, result: StoredResult) -> None:
        """Its caller waits for it, now."""
        result.asked_ns = self._clock.monotonic_ns()

    def end_abandoned(self) -> None:
        """End the queries that run or wait but that no caller has polled in a while."""
        before_ns = self._clock.monotonic_ns() - int(self._bounds.unpolled_s * 10**9)
        abandoned = [
            (result, result.task)
            for result in self._results.values()
            if result.task is not None and result.asked_ns < before_ns
        ]
        for result, task in abandoned:
            result.error = QueryEnded(
                f"the query was ended because nobody asked for its result for "
                f"{self._bounds.unpolled_s:g} s: run it again, and ask more often"
            )
            task.cancel()

    async def close(self) -> None:
        """Stop what still runs."""
        await cancel_and_wait([r.task for r in self._results.values() if r.task is not None])
