"""Query results in memory: bounded in number, bytes and age; each belongs to an environment."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from common import limits
from common.clock import Clock
from common.errors import BellwetherError


@dataclass(slots=True)
class StoredResult:
    """One result. body: its JSON once complete; error: why it failed; task: while it runs."""

    id: str
    env_id: str
    dataset: str
    query: dict[str, object]
    created_ns: int
    body: bytes | None = None
    error: BellwetherError | None = None
    task: asyncio.Task[None] | None = None

    @property
    def finished(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.body is not None or self.error is not None


class StoredResults:
    """The newest results; the oldest go first, running ones are cancelled when they go."""

    def __init__(self, clock: Clock, kept_s: int) -> None:
        self._clock = clock
        self._kept_ns = kept_s * 10**9
        self._results: OrderedDict[str, StoredResult] = OrderedDict()

    def add(self, result: StoredResult) -> None:
        """Keep a result, making room for it."""
        self._results[result.id] = result
        self.trim()

    def trim(self) -> None:
        """Drop what is too old or too much; the newest always stays."""
        oldest_ns = self._clock.now_ns() - self._kept_ns
        held = sum(len(r.body or b"") for r in self._results.values())
        while len(self._results) > 1:
            first = next(iter(self._results.values()))
            too_many = len(self._results) > limits.QUERY_RESULTS_MAX
            too_large = held > limits.QUERY_RESULTS_BYTES_MAX
            if not too_many and not too_large and first.created_ns >= oldest_ns:
                return
            held -= len(first.body or b"")
            if first.task is not None:
                first.task.cancel()
            del self._results[first.id]

    def drop(self, result: StoredResult) -> None:
        """Forget a result that nobody waits for; it stops if it still runs."""
        self._results.pop(result.id, None)
        if result.task is not None:
            result.task.cancel()

    def find(self, result_id: str, env_id: str, dataset: str) -> StoredResult | None:
        """The result, if it is this environment's and dataset's."""
        self.trim()
        found = self._results.get(result_id)
        if found is None or found.env_id != env_id or found.dataset != dataset:
            return None
        return found

    async def close(self) -> None:
        """Stop what still runs."""
        running = [r.task for r in self._results.values() if r.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
