"""`GET /internal/placement`: brokers and partitions with their statistics and ejections, the chosen
splitter, and the public port's connections.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from common.clock import Clock
from common.process.alarms.board import AlarmBoard
from common.process.http.connection_limits import ConnectionLimits
from shepherd.placement.health import Health, Target
from shepherd.placement.selector import PartitionSelector


class PlacementRoute:
    """The handler of `/internal/placement`."""

    def __init__(
        self,
        selector: PartitionSelector,
        clock: Clock,
        protocols: Sequence[Callable[[], Mapping[str, object]]],
        alarms: AlarmBoard,
        connections: ConnectionLimits,
    ) -> None:
        self._selector = selector
        self._connections = connections
        self._clock = clock
        self._protocols = protocols
        self._alarms = alarms

    async def show(self, _: web.Request) -> web.Response:
        """The placement as this shepherd sees it."""
        health = self._selector.health
        document = placement_document(health, self._clock.monotonic_ns(), self._clock.now_ns())
        shown = {
            **{name: value for show in self._protocols for name, value in show().items()},
            "alarms": self._alarms.describe(),
            "connections": connections_document(self._connections),
        }
        return web.json_response(document | shown)


def connections_document(connections: ConnectionLimits) -> dict[str, Any]:
    """Connections of the public port. refused: since the start, by reason."""
    return {
        "open": len(connections),
        "max": connections.capacity.all,
        "per_address_max": connections.capacity.per_address,
        "closed_for_room": connections.closed,
        "refused": dict(connections.refused),
    }


def placement_document(health: Health, now_ns: int, wall_ns: int) -> dict[str, Any]:
    """Times in it are unix ns, latencies ms. `pressure` is empty when all is well."""
    return {
        "pressure": health.backpressure,
        "patience_ms": health.hedge_after_ns(now_ns) / 1e6,
        "brokers": [
            {"broker": name} | _shown(target, now_ns, wall_ns)
            for name, target in sorted(health.brokers.items())
        ],
        "partitions": [
            {"partition": partition, "leader": health.leader(partition)}
            | _shown(target, now_ns, wall_ns)
            for partition, target in enumerate(health.partitions)
        ],
    }


def _shown(target: Target, now_ns: int, wall_ns: int) -> dict[str, Any]:
    stats, ejection = target.stats, target.ejection
    oldest_ns = stats.oldest_ns
    shown: dict[str, Any] = {
        "state": "healthy" if ejection is None else "avoided",
        "p50_ms": round(stats.latency.quantile(0.5, now_ns) / 1e6, 1),
        "p99_ms": round(stats.latency.quantile(0.99, now_ns) / 1e6, 1),
        "in_flight_bytes": stats.in_flight_bytes,
        "open_appends": stats.open_appends,
        "oldest_ms": None if oldest_ns is None else round((now_ns - oldest_ns) / 1e6),
        "acknowledged": stats.acked_total,
        "failed": stats.failed_total,
        "strikes": target.history.strikes,
    }
    if ejection is not None:
        shown |= {
            "reason": ejection.reason,
            "since_ns": wall_ns - (now_ns - ejection.since_ns),
            "good_probes": ejection.good,
            "next_probe_ms": max(0, round((ejection.next_probe_ns - now_ns) / 1e6)),
        }
    return shown
