"""Brings one record into the log: another partition when one refuses or does not answer (I1, I2).

A refused record is simply written elsewhere. Where its fate is unknown, only a conditional copy
may be written (`unless`, design section 6). Whoever acknowledges first gives the answer, no later
than `ack_timeout_s`; appends that nobody waits for any more end by themselves, within bounds.
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
from common.model.position import Position
from common.model.record import Record
from shepherd.placement.append_stats import Ticket
from shepherd.placement.health import PATIENCE_MIN_NS
from shepherd.placement.placement import PartitionSelector, Placement, Tried

_LOOK_NS = 50_000_000  # how often an append beyond its patience is looked at
_LAST_TRY_NS = 300_000_000  # less time than this is not worth another append
_COUNTERS_KEPT = 4_096  # partitions times outcomes
_CLOSE_S = 3.0  # a log ends what it was given within its own time-out; beyond, it is cut off


@functools.lru_cache(_COUNTERS_KEPT)
def _appends_counter(partition: int, outcome: str) -> Counter:
    return metrics.placement_appends_total.labels(str(partition), outcome)


class OpenQuestions:
    """Bounds conditional records: each is a question that indexers have to settle (I11)."""

    def __init__(self, per_window_max: int = limits.CONDITIONALS_MAX) -> None:
        self._max = per_window_max
        self._asked_ns: deque[int] = deque()

    def take(self, now_ns: int) -> bool:
        """Whether one more may be asked now; if so it is counted."""
        while self._asked_ns and now_ns - self._asked_ns[0] > limits.CONDITIONAL_WINDOW_S * 10**9:
            self._asked_ns.popleft()
        if len(self._asked_ns) >= self._max:
            return False
        self._asked_ns.append(now_ns)
        return True


class _Append(msgspec.Struct, frozen=True, eq=False):
    """One append under way."""

    task: asyncio.Task[Appended]
    place: Placement
    ticket: Ticket


class Delivery:
    """Use it from one event loop."""

    def __init__(
        self,
        log: Log,
        placement: PartitionSelector,
        clock: Clock,
        ack_timeout_s: float,
        conditionals_max: int = limits.CONDITIONALS_MAX,
    ) -> None:
        self._log = log
        self._placement = placement
        self._clock = clock
        self._timeout_ns = int(ack_timeout_s * 1e9)
        self._questions = OpenQuestions(conditionals_max)
        self._appends: set[asyncio.Task[Appended]] = set()
        self._abandoned_bytes = 0
        self.refusals = 0  # by the log itself: it may be another one than we know

    async def deliver(self, record: Record, *, named: bool) -> Position | LogUnavailable:
        """Append the record (its `via` and `unless` are set here); returns its position, or why
        it was not acknowledged.
        """
        return await _Run(self, record, named).outcome()

    async def probe(self, partition: int, heartbeat: Record) -> None:
        """Send a heartbeat to see how its partition and broker do."""
        append = self.begin(heartbeat, Placement(partition, "probe"))
        await asyncio.wait({append.task})
        good = not append.task.cancelled() and append.task.exception() is None
        metrics.probes_total.labels(append.ticket.broker, "good" if good else "bad").inc()
        self._placement.health.probed(append.ticket, good, self._clock.monotonic_ns())

    def begin(self, record: Record, place: Placement) -> _Append:
        """Start an append; how it ends is told to the placement whoever still waits for it."""
        record = replace(record, via=place.via, unless=place.unless)
        now_ns = self._clock.monotonic_ns()
        ticket = self._placement.health.began(place.partition, len(record.value), now_ns)
        task = asyncio.get_running_loop().create_task(self._append(record, place.partition, ticket))
        self._appends.add(task)
        task.add_done_callback(self._ended)
        return _Append(task, place, ticket)

    async def _append(self, record: Record, partition: int, ticket: Ticket) -> Appended:
        health = self._placement.health
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
            end, outcome = health.lost, "unknown"
            raise
        finally:
            end(ticket, self._clock.monotonic_ns())
            _appends_counter(partition, outcome).inc()
        return appended

    def _ended(self, task: "asyncio.Task[Appended]") -> None:
        self._appends.discard(task)
        if not task.cancelled():
            task.exception()  # was counted; whoever waits for it sees it too

    def abandon(self, append: _Append) -> None:
        """Nobody waits for it any more."""
        size = append.ticket.size
        self._abandoned_bytes += size

        def forget(_: object) -> None:
            self._abandoned_bytes -= size

        append.task.add_done_callback(forget)

    def may_copy(self, now_ns: int) -> bool:
        """Whether a conditional copy may be written now; if so it is counted."""
        if self._abandoned_bytes > limits.ABANDONED_BYTES_MAX:
            return False
        if not self._questions.take(now_ns):
            metrics.reroutes_capped_total.inc()
            return False
        return True

    async def close(self) -> None:
        """Wait for what is still under way, but no longer than the log itself may take."""
        if self._appends:
            await asyncio.wait(self._appends, timeout=_CLOSE_S)
        for task in list(self._appends):
            task.cancel()
        if self._appends:
            await asyncio.wait(self._appends)

    # What `_Run` uses; it is this class's other half.

    @property
    def placement(self) -> PartitionSelector:
        """Where records go."""
        return self._placement

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._clock

    @property
    def timeout_ns(self) -> int:
        """How long a record may take to be acknowledged."""
        return self._timeout_ns


class _Run:
    """One record's way: which appends are open, which are over, and what they said."""

    def __init__(self, delivery: Delivery, record: Record, named: bool) -> None:
        self._delivery = delivery
        self._record = record
        self._named = named
        self._tried = Tried()
        self._open: list[_Append] = []
        self._attempts = 0
        self._error: LogUnavailable | None = None
        self._began_ns = delivery.clock.monotonic_ns()
        self._woken: asyncio.Future[None] | None = None

    async def outcome(self) -> Position | LogUnavailable:
        """Try, wait, try elsewhere; ends by the first acknowledgement or for want of time."""
        try:
            place: Placement | None = self._first()
            while True:
                if place is not None:
                    self._begin(place)
                elif not self._open:
                    return self._error or LogUnavailable("nothing was tried")
                if (found := await self._wait()) is not None:
                    return found
                if self._left_ns() <= 0:
                    return LogUnavailable(
                        f"the log did not acknowledge within {self._delivery.timeout_ns / 1e9:g} s"
                        "; what was sent may be stored or not"
                    )
                place = self._another() if self._wants_another() else None
        finally:
            for append in self._open:
                self._delivery.abandon(append)

    def _first(self) -> Placement:
        delivery, record = self._delivery, self._record
        now_ns = self._began_ns
        if not self._named:
            return delivery.placement.choose(record.dataset, len(record.value), now_ns)
        place = delivery.placement.choose_named(record.batch, Tried())
        if place is None or (place.unless and not delivery.may_copy(now_ns)):
            return delivery.placement.first_named(record.batch)
        return place

    def _begin(self, place: Placement) -> None:
        self._attempts += 1
        if place.unless:
            metrics.reroutes_total.labels("named" if self._named else "unknown").inc()
        append = self._delivery.begin(self._record, place)
        append.task.add_done_callback(self._wake)
        self._open.append(append)

    async def _wait(self) -> Position | None:
        """Until an append ends, or becomes suspicious; the position if one is acknowledged."""
        now_ns = self._delivery.clock.monotonic_ns()
        newest = self._open[-1].ticket
        wait_ns = max(_LOOK_NS, newest.started_ns + PATIENCE_MIN_NS - now_ns)
        wait_ns = min(wait_ns, max(0, self._left_ns()))
        if not any(append.task.done() for append in self._open):
            # `asyncio.wait` does the same with sets and callbacks anew each time: 6 us more.
            loop = asyncio.get_running_loop()
            self._woken = loop.create_future()
            timer = loop.call_later(wait_ns / 1e9, self._wake)
            try:
                await self._woken
            finally:
                timer.cancel()
        acknowledged = None
        for append in [a for a in self._open if a.task.done()]:
            self._open.remove(append)
            if append.task.cancelled():
                self._unknown(append, LogUnavailable("the shepherd is stopping; try again"))
                continue
            error = append.task.exception()
            if error is None:
                acknowledged = append.task.result().position
            elif isinstance(error, LogRefused):
                refused = (*self._tried.refused, append.place.partition)
                self._tried = replace(self._tried, refused=refused)
                self._error = error
            elif isinstance(error, LogUnavailable):
                self._unknown(append, error)
            else:
                raise error
        return acknowledged

    def _wake(self, _: object = None) -> None:
        """An append has ended, or it is time to look at it."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _unknown(self, append: _Append, error: LogUnavailable) -> None:
        unknown = (*self._tried.unknown, append.place.partition)
        self._tried = replace(self._tried, unknown=unknown)
        self._error = error

    def _wants_another(self) -> bool:
        refused = len(self._tried.refused)
        if refused >= limits.APPEND_REFUSALS_MAX or self._left_ns() < _LAST_TRY_NS:
            return False
        if self._attempts - refused >= limits.APPEND_ATTEMPTS_MAX:
            return False
        health, now_ns = self._delivery.placement.health, self._delivery.clock.monotonic_ns()
        return all(health.doubtful(append.ticket, now_ns) for append in self._open)

    def _another(self) -> Placement | None:
        """Another partition, if one is left and may be used; open appends count as unknown."""
        delivery = self._delivery
        now_ns = delivery.clock.monotonic_ns()
        pending = tuple(append.place.partition for append in self._open)
        tried = replace(self._tried, unknown=self._tried.unknown + pending)
        if self._named:
            place = delivery.placement.choose_named(self._record.batch, tried)
        else:
            place = delivery.placement.choose_again(self._record.dataset, tried, now_ns)
        if place is not None and place.unless and not delivery.may_copy(now_ns):
            return None
        return place

    def _left_ns(self) -> int:
        return self._began_ns + self._delivery.timeout_ns - self._delivery.clock.monotonic_ns()
