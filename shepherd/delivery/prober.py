"""A loop that evaluates the log's health ten times a second, sends probes, updates metrics."""

import asyncio
import logging

from common import limits, metrics
from common.clock import Clock
from common.errors import LogUnavailable
from common.log import Log
from common.logs import log_event
from common.model.record import heartbeat_record
from common.tasks import run_every
from shepherd.delivery.appends import Appends
from shepherd.placement.selector import PartitionSelector

_TICK_S = 0.1  # the longest delay between a recognisable fault and its ejection
_REFRESH_TICKS = 300  # added partitions are used within half a minute
_REFUSED_TICKS = 20  # a log that refuses records may have been replaced: reopen it
_GAUGE_TICKS = 10
_STALL_PROBE_NS = 500_000_000  # during a stall no request is taken: only a probe can show its end
_logger = logging.getLogger(__name__)


class Prober:
    """Upkeep of placement. Probes are heartbeats: no event of a customer is risked (I2)."""

    def __init__(
        self, log: Log, selector: PartitionSelector, appends: Appends, clock: Clock
    ) -> None:
        self._log = log
        self._selector = selector
        self._appends = appends
        self._clock = clock
        self._probes: set[asyncio.Task[None]] = set()
        self._backpressure = ""
        self._ticks = 0
        self._stall_probe_ns = 0
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_tick = 0
        self._refusals = 0

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            await run_every(_TICK_S, lambda: self._tick(group))

    def _tick(self, group: asyncio.TaskGroup) -> None:
        """Evaluate once, and start the probes that are due."""
        now_ns = self._clock.monotonic_ns()
        health = self._selector.health
        for change in health.evaluate(now_ns):
            avoided = metrics.placement_avoided.labels(change.kind, change.name)
            avoided.set(1 if change.reason else 0)
            if change.reason:
                metrics.placement_avoided_total.labels(change.kind, change.name).inc()
                log_event(_logger, logging.WARNING, f"{change.kind} avoided", name=change.name,
                    reason=change.reason)  # fmt: skip
            else:
                log_event(_logger, logging.INFO, f"{change.kind} in use again", name=change.name)
        self._log_backpressure(health.backpressure)
        due = health.probes_due(now_ns)
        stalled = health.stalled_ns(now_ns) > _STALL_PROBE_NS
        if stalled and now_ns - self._stall_probe_ns > _STALL_PROBE_NS:
            self._stall_probe_ns = now_ns
            due.append((now_ns // _STALL_PROBE_NS) % self._selector.partitions)
        for partition in due:
            if len(self._probes) < limits.PROBES_MAX:
                probe = self._appends.probe(partition, heartbeat_record())
                task = group.create_task(probe)
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)
        self._ticks += 1
        if self._ticks % _GAUGE_TICKS == 0:
            self._update_metrics(now_ns)
        refused = self._appends.refusals != self._refusals
        due_ticks = _REFUSED_TICKS if refused else _REFRESH_TICKS
        if self._ticks - self._refreshed_tick >= due_ticks and self._refreshing is None:
            self._refreshed_tick, self._refusals = self._ticks, self._appends.refusals
            self._refreshing = group.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Use partitions that were added to the log."""
        try:
            identity = await self._log.refresh()
        except LogUnavailable as error:
            log_event(_logger, logging.INFO, "log not looked at again", error=str(error))
        else:
            if identity.partitions > self._selector.partitions:
                log_event(
                    _logger,
                    logging.WARNING,
                    "partitions added",
                    partitions=identity.partitions,
                    advice="a named batch repeated across this moment may count twice unless "
                    "shepherd.named_partitions was set before",
                )
            self._selector.grow(identity.partitions, self._clock.monotonic_ns())
        finally:
            self._refreshing = None

    def _log_backpressure(self, reason: str) -> None:
        if reason and not self._backpressure:
            log_event(_logger, logging.WARNING, "pushing back", reason=reason)
        if self._backpressure and not reason:
            log_event(_logger, logging.INFO, "no longer pushing back")
        self._backpressure = reason
        metrics.placement_pressed.set(1 if reason else 0)

    def _update_metrics(self, now_ns: int) -> None:
        health = self._selector.health
        for partition, target in enumerate(health.partitions):
            bytes_gauge = metrics.placement_in_flight_bytes.labels(str(partition))
            bytes_gauge.set(target.stats.in_flight_bytes)
        for name, broker in health.brokers.items():
            for q in (0.5, 0.99):
                seconds = broker.stats.latency.quantile(q, now_ns) / 1e9
                metrics.placement_latency_seconds.labels(name, str(q)).set(seconds)
