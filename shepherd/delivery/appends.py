"""The open appends of a shepherd; the end of each is reported to the log's health.

An append without a waiting caller ends by itself, and counts against a bound until then.
"""

import asyncio
import functools
from collections import deque

import msgspec
from msgspec.structs import replace
from prometheus_client import Counter

from common import limits, metrics
from common.clock import Clock
from common.errors import LogOverloaded, LogRefused, LogUnavailable
from common.log import Appended, Log
from common.model.record import Record
from shepherd.placement.append_stats import Ticket
from shepherd.placement.health import Health
from shepherd.placement.selector import Placement

_COUNTERS_KEPT = 4_096  # partitions times outcomes
_CLOSE_S = 3.0  # a log ends its appends within its own time-out; later ones are cancelled


@functools.lru_cache(_COUNTERS_KEPT)
def _appends_counter(partition: int, outcome: str) -> Counter:
    return metrics.placement_appends_total.labels(str(partition), outcome)


class ConditionalBudget:
    """Bounds the rate of conditional records: indexers have to resolve each of them (I11)."""

    def __init__(self, per_window_max: int = limits.CONDITIONALS_MAX) -> None:
        self._max = per_window_max
        self._written_ns: deque[int] = deque()

    def take(self, now_ns: int) -> bool:
        """Whether one more conditional record may be written now; if so it is counted."""
        window_ns = limits.CONDITIONAL_WINDOW_S * 10**9
        while self._written_ns and now_ns - self._written_ns[0] > window_ns:
            self._written_ns.popleft()
        if len(self._written_ns) >= self._max:
            return False
        self._written_ns.append(now_ns)
        return True


class Append(msgspec.Struct, frozen=True, eq=False):
    """One open append."""

    task: asyncio.Task[Appended]
    placement: Placement
    ticket: Ticket


class Appends:
    """All appends of a shepherd that have not ended. Use it from one event loop."""

    def __init__(
        self,
        log: Log,
        health: Health,
        clock: Clock,
        conditionals_max: int = limits.CONDITIONALS_MAX,
    ) -> None:
        self._log = log
        self._health = health
        self._clock = clock
        self._conditionals = ConditionalBudget(conditionals_max)
        self._tasks: set[asyncio.Task[Appended]] = set()
        self._abandoned_bytes = 0
        self.refusals = 0  # by the log as a whole: another log may have replaced it

    def begin(self, record: Record, placement: Placement) -> Append:
        """Start an append of the record; its `via` and `unless` are set here."""
        record = replace(record, via=placement.via, unless=placement.unless)
        now_ns = self._clock.monotonic_ns()
        ticket = self._health.began(placement.partition, len(record.value), now_ns)
        append = self._append(record, placement.partition, ticket)
        task = asyncio.get_running_loop().create_task(append)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return Append(task, placement, ticket)

    async def probe(self, partition: int, heartbeat: Record) -> None:
        """Append a heartbeat to an ejected partition, or to a partition of an ejected broker."""
        append = self.begin(heartbeat, Placement(partition, "probe"))
        await asyncio.wait({append.task})
        good = not append.task.cancelled() and append.task.exception() is None
        metrics.probes_total.labels(append.ticket.broker, "good" if good else "bad").inc()
        self._health.probed(append.ticket, good, self._clock.monotonic_ns())

    def abandon(self, append: Append) -> None:
        """Count an append as one without a waiting caller."""
        size = append.ticket.size
        self._abandoned_bytes += size

        def forget(_: object) -> None:
            self._abandoned_bytes -= size

        append.task.add_done_callback(forget)

    def may_write_conditional(self, now_ns: int) -> bool:
        """Whether a conditional record may be written now; if so it is counted."""
        if self._abandoned_bytes > limits.ABANDONED_BYTES_MAX:
            return False
        if not self._conditionals.take(now_ns):
            metrics.reroutes_capped_total.inc()
            return False
        return True

    async def close(self) -> None:
        """Wait for the open appends, but no longer than the log itself may take."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_S)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _append(self, record: Record, partition: int, ticket: Ticket) -> Appended:
        health = self._health
        end, outcome = health.withdrawn, "stopped"
        try:
            appended = await self._log.append(partition, record)
            end, outcome = health.acknowledged, "acknowledged"
        except LogOverloaded:
            outcome = "overloaded"
            raise
        except LogRefused:
            end, outcome = health.refused, "refused"
            self.refusals += 1
            raise
        except LogUnavailable:
            end, outcome = health.outcome_unknown, "unknown"
            raise
        finally:
            end(ticket, self._clock.monotonic_ns())
            _appends_counter(partition, outcome).inc()
        return appended

    def _ended(self, task: "asyncio.Task[Appended]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # counted in `_append`; a caller that still waits gets it too
