"""Looks at the log's health several times a second: judges, probes, tells (metrics and log)."""

import asyncio
import logging

from common import limits, metrics
from common.clock import Clock
from common.errors import LogUnavailable
from common.log import Log
from common.logs import log_event
from common.model.record import heartbeat_record
from shepherd.delivery.delivery import Delivery
from shepherd.placement.placement import PartitionSelector

_TICK_S = 0.1  # a stuck broker is left within this much of being recognisable
_REFRESH_TICKS = 300  # added partitions are used half a minute later
_REFUSED_TICKS = 20  # a log that refuses records may be another one: it is looked at again soon
_GAUGE_TICKS = 10
_STALL_PROBE_NS = 500_000_000  # while nothing is let in, somebody has to notice the end of it
_logger = logging.getLogger(__name__)


class Prober:
    """The placement's upkeep. Probes are heartbeats: no event of a customer is risked (I2)."""

    def __init__(
        self, log: Log, placement: PartitionSelector, delivery: Delivery, clock: Clock
    ) -> None:
        self._log = log
        self._placement = placement
        self._delivery = delivery
        self._clock = clock
        self._probes: set[asyncio.Task[None]] = set()
        self._pressed = ""
        self._ticks = 0
        self._stall_probe_ns = 0
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_tick = 0
        self._refusals = 0

    async def keep(self) -> None:
        """Run until cancelled."""
        try:
            while True:
                await asyncio.sleep(_TICK_S)
                self.tick()
        finally:
            for task in [*self._probes, *filter(None, [self._refreshing])]:
                task.cancel()

    def tick(self) -> None:
        """Judge once, and start what is due."""
        now_ns = self._clock.monotonic_ns()
        health = self._placement.health
        for change in health.look(now_ns):
            avoided = metrics.placement_avoided.labels(change.kind, change.name)
            avoided.set(1 if change.reason else 0)
            if change.reason:
                metrics.placement_avoided_total.labels(change.kind, change.name).inc()
                log_event(_logger, logging.WARNING, f"{change.kind} avoided", name=change.name,
                    reason=change.reason)  # fmt: skip
            else:
                log_event(_logger, logging.INFO, f"{change.kind} in use again", name=change.name)
        self._tell_pressure(health.pressure)
        due = health.probes_due(now_ns)
        stalled = health.stalled_ns(now_ns) > _STALL_PROBE_NS
        if stalled and now_ns - self._stall_probe_ns > _STALL_PROBE_NS:
            self._stall_probe_ns = now_ns
            due.append((now_ns // _STALL_PROBE_NS) % self._placement.partitions)
        for partition in due:
            if len(self._probes) < limits.PROBES_MAX:
                probe = self._delivery.probe(partition, heartbeat_record())
                task = asyncio.get_running_loop().create_task(probe)
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)
        self._ticks += 1
        if self._ticks % _GAUGE_TICKS == 0:
            self._tell_gauges(now_ns)
        refused = self._delivery.refusals != self._refusals
        due_ticks = _REFUSED_TICKS if refused else _REFRESH_TICKS
        if self._ticks - self._refreshed_tick >= due_ticks and self._refreshing is None:
            self._refreshed_tick, self._refusals = self._ticks, self._delivery.refusals
            self._refreshing = asyncio.get_running_loop().create_task(self._refresh())

    async def _refresh(self) -> None:
        """Partitions may have been added."""
        try:
            identity = await self._log.refresh()
        except LogUnavailable as error:
            log_event(_logger, logging.INFO, "log not looked at again", error=str(error))
        else:
            if identity.partitions > self._placement.partitions:
                log_event(
                    _logger,
                    logging.WARNING,
                    "partitions added",
                    partitions=identity.partitions,
                    advice="a named batch repeated across this moment may count twice unless "
                    "shepherd.named_partitions was set before",
                )
            self._placement.grow(identity.partitions, self._clock.monotonic_ns())
        finally:
            self._refreshing = None

    def _tell_pressure(self, reason: str) -> None:
        if reason and not self._pressed:
            log_event(_logger, logging.WARNING, "pushing back", reason=reason)
        if self._pressed and not reason:
            log_event(_logger, logging.INFO, "no longer pushing back")
        self._pressed = reason
        metrics.placement_pressed.set(1 if reason else 0)

    def _tell_gauges(self, now_ns: int) -> None:
        health = self._placement.health
        for partition, target in enumerate(health.partitions):
            bytes_gauge = metrics.placement_in_flight_bytes.labels(str(partition))
            bytes_gauge.set(target.ledger.in_flight_bytes)
        for name, broker in health.brokers.items():
            for q in (0.5, 0.99):
                seconds = broker.ledger.latency.quantile(q, now_ns) / 1e9
                metrics.placement_latency_seconds.labels(name, str(q)).set(seconds)
