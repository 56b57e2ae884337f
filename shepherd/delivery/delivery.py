"""Delivers one record to the log, by another partition when one refuses or times out (I1, I2).

A refused record is simply written to another partition. Where the outcome of an append is unknown,
only a conditional copy may be written (`unless`, docs/design.md, section 6). The first
acknowledgement within `ack_timeout_s` acknowledges the record; appends without a waiting caller
end by themselves, within bounds.
"""

import asyncio
from dataclasses import dataclass, field

from msgspec.structs import replace

from common import limits, metrics
from common.clock import Clock
from common.errors import LogRefused, LogUnavailable
from common.model.position import Position
from common.model.record import Record
from shepherd.delivery.appends import Append, Appends
from shepherd.placement.health import HEDGE_AFTER_MIN_NS
from shepherd.placement.selector import PartitionSelector, Placement, Tried

_CHECK_NS = 50_000_000  # interval at which a slow append is checked for a hedge
_LAST_TRY_NS = 300_000_000  # less time than this is not worth another append


@dataclass(slots=True, eq=False)
class _Attempt:
    """The delivery of one record: the partitions that were tried, and the open appends."""

    record: Record
    named: bool
    began_ns: int
    tried: Tried = field(default_factory=Tried)
    open: list[Append] = field(default_factory=list)
    appends: int = 0  # started so far
    error: LogUnavailable | None = None  # of the last append that failed
    woken: asyncio.Future[None] | None = None

    def wake(self, _: object = None) -> None:
        """Wake the delivery: an append has ended, or the check interval has."""
        if self.woken is not None and not self.woken.done():
            self.woken.set_result(None)

    def outcome_unknown(self, append: Append, error: LogUnavailable) -> None:
        """Note that the append's partition may or may not have the record."""
        unknown = (*self.tried.unknown, append.placement.partition)
        self.tried = replace(self.tried, unknown=unknown)
        self.error = error


class Delivery:
    """Use it from one event loop."""

    def __init__(
        self, appends: Appends, selector: PartitionSelector, clock: Clock, ack_timeout_s: float
    ) -> None:
        self._appends = appends
        self._selector = selector
        self._clock = clock
        self._timeout_ns = int(ack_timeout_s * 1e9)

    async def deliver(self, record: Record, *, named: bool) -> Position | LogUnavailable:
        """Append the record, then copies in other partitions, until one append is acknowledged or
        the time is over. Returns the record's position, or why it was not acknowledged.
        """
        attempt = _Attempt(record, named, self._clock.monotonic_ns())
        try:
            placement: Placement | None = self._first(attempt)
            while True:
                if placement is not None:
                    self._begin(attempt, placement)
                elif not attempt.open:
                    return attempt.error or LogUnavailable("nothing was tried")
                if (position := await self._wait(attempt)) is not None:
                    return position
                if self._left_ns(attempt) <= 0:
                    return LogUnavailable(
                        f"the log did not acknowledge within {self._timeout_ns / 1e9:g} s"
                        "; what was sent may be stored or not"
                    )
                placement = self._another(attempt) if self._wants_another(attempt) else None
        finally:
            for append in attempt.open:
                self._appends.abandon(append)

    async def close(self) -> None:
        """Wait for the open appends, within the bound of `Appends.close`."""
        await self._appends.close()

    def _first(self, attempt: _Attempt) -> Placement:
        selector, record, now_ns = self._selector, attempt.record, attempt.began_ns
        if not attempt.named:
            return selector.choose(record.dataset, len(record.value), now_ns)
        placement = selector.choose_named(record.batch, Tried())
        if placement is None or (
            placement.unless and not self._appends.may_write_conditional(now_ns)
        ):
            return selector.first_named(record.batch)
        return placement

    def _begin(self, attempt: _Attempt, placement: Placement) -> None:
        attempt.appends += 1
        if placement.unless:
            metrics.reroutes_total.labels("named" if attempt.named else "unknown").inc()
        append = self._appends.begin(attempt.record, placement)
        append.task.add_done_callback(attempt.wake)
        attempt.open.append(append)

    async def _wait(self, attempt: _Attempt) -> Position | None:
        """Wait until an append ends or is slow; returns the position if one is acknowledged."""
        now_ns = self._clock.monotonic_ns()
        newest = attempt.open[-1].ticket
        wait_ns = max(_CHECK_NS, newest.started_ns + HEDGE_AFTER_MIN_NS - now_ns)
        wait_ns = min(wait_ns, max(0, self._left_ns(attempt)))
        if not any(append.task.done() for append in attempt.open):
            # `asyncio.wait` builds its sets and callbacks each time: 6 us more.
            loop = asyncio.get_running_loop()
            attempt.woken = loop.create_future()
            timer = loop.call_later(wait_ns / 1e9, attempt.wake)
            try:
                await attempt.woken
            finally:
                timer.cancel()
        acknowledged = None
        for append in [a for a in attempt.open if a.task.done()]:
            attempt.open.remove(append)
            if append.task.cancelled():
                error = LogUnavailable("the shepherd is stopping; try again")
                attempt.outcome_unknown(append, error)
                continue
            failure = append.task.exception()
            if failure is None:
                acknowledged = append.task.result().position
            elif isinstance(failure, LogRefused):
                refused = (*attempt.tried.refused, append.placement.partition)
                attempt.tried = replace(attempt.tried, refused=refused)
                attempt.error = failure
            elif isinstance(failure, LogUnavailable):
                attempt.outcome_unknown(append, failure)
            else:
                raise failure
        return acknowledged

    def _wants_another(self, attempt: _Attempt) -> bool:
        refused = len(attempt.tried.refused)
        if refused >= limits.APPEND_REFUSALS_MAX or self._left_ns(attempt) < _LAST_TRY_NS:
            return False
        if attempt.appends - refused >= limits.APPEND_ATTEMPTS_MAX:
            return False
        health, now_ns = self._selector.health, self._clock.monotonic_ns()
        return all(health.should_hedge(append.ticket, now_ns) for append in attempt.open)

    def _another(self, attempt: _Attempt) -> Placement | None:
        """Another partition, if one is left and may be used; open appends count as unknown."""
        now_ns = self._clock.monotonic_ns()
        pending = tuple(append.placement.partition for append in attempt.open)
        tried = replace(attempt.tried, unknown=attempt.tried.unknown + pending)
        if attempt.named:
            placement = self._selector.choose_named(attempt.record.batch, tried)
        else:
            placement = self._selector.choose_again(attempt.record.dataset, tried, now_ns)
        if placement is None or not placement.unless:
            return placement
        return placement if self._appends.may_write_conditional(now_ns) else None

    def _left_ns(self, attempt: _Attempt) -> int:
        return attempt.began_ns + self._timeout_ns - self._clock.monotonic_ns()
