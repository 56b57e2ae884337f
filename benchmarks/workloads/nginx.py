"""Status documents of an nginx server, nested four deep: the real file, or generated ones like it.

Each document holds its zones, upstreams and caches with 64-bit counters, arrays of objects, keys
that contain dots and keys that begin with digits.
"""

import gzip
import random
from itertools import cycle, islice
from pathlib import Path

import orjson

from benchmarks.systems.base import Checks
from benchmarks.workloads.base import Workload

NGINX_FILE = "nginxplus.ndjson.gz"
_ZONES = ("hg.nginx.org", "trac.nginx.org", "lxr.nginx.org")
_BACKENDS = ("trac-backend", "hg-backend", "lxr-backend", "demo-backend")
_CACHE = ("hit", "stale", "updating", "revalidated", "miss", "expired", "bypass")
_STEP_MS = 5_000


def nginx(real_data: Path | None) -> Workload:
    """The workload, from the real file if its folder is given."""
    source = real_data / NGINX_FILE if real_data else None
    return Workload(
        "nginx documents",
        "86 leaves, nested 4 deep: "
        + ("a real file of 500, repeated" if source else "generated like real ones"),
        lambda seed, events: _real(source, events) if source else documents(seed, events),
        Checks((("timestamp",), ("connections", "accepted")), ("address",)),
        events=8_000,
        body_events=100,
        depth=5,
        quick=True,
    )


def _real(source: Path, events: int) -> list[bytes]:
    """The file's lines, from the beginning again when there are no more."""
    return list(islice(cycle(gzip.decompress(source.read_bytes()).splitlines()), events))


def documents(seed: int, events: int) -> list[bytes]:
    """Counters that only grow, as a server reports them every five seconds."""
    dice = random.Random(seed)
    counters = _Counters(dice)
    return [orjson.dumps(_document(dice, counters, number)) for number in range(events)]


class _Counters:
    """Counters by name: each starts somewhere and grows at its own pace."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._found: dict[str, tuple[int, int]] = {}

    def next(self, name: str, order: float = 5.0) -> int:
        """The counter's next value. order: decimal digits of its start, about."""
        now, pace = self._found.get(name) or (
            int(10 ** self._dice.uniform(order - 1, order + 1)),
            self._dice.choice((0, 0, 1, 5, 40)),
        )
        now += self._dice.randint(0, pace)
        self._found[name] = now, pace
        return now


def _document(dice: random.Random, counters: _Counters, number: int) -> dict[str, object]:
    time_ms = 1_446_249_499_322 + number * _STEP_MS + dice.randint(-300, 300)
    return {
        "version": 6,
        "nginx_version": "1.9.4",
        "address": dice.choice(("206.251.255.63", "206.251.255.64")),
        "generation": 11,
        "load_timestamp": 1_445_680_800_424,
        "timestamp": time_ms,
        "pid": 64_857,
        "connections": {
            "accepted": counters.next("accepted", 7),
            "dropped": 0,
            "active": dice.randint(1, 12),
            "idle": dice.randint(10, 60),
        },
        "ssl": {"handshakes": counters.next("ssl"), "handshakes_failed": counters.next("failed")},
        "requests": {"total": counters.next("total", 7), "current": dice.randint(1, 5)},
        "server_zones": {
            zone: {
                "processing": dice.randint(0, 1),
                "requests": counters.next(f"{zone} requests"),
                "responses": _responses(counters, zone),
                "discarded": counters.next(f"{zone} discarded", 3),
                "received": counters.next(f"{zone} received", 8),
                "sent": counters.next(f"{zone} sent", 10),
            }
            for zone in _ZONES
        },
        "upstreams": {
            name: {"peers": [_peer(counters, f"{name} {at}", at) for at in (0, 1)], "keepalive": 0}
            for name in _BACKENDS
        },
        "caches": {
            "http_cache": {
                "size": 536_858_624 - dice.randint(0, 9_000),
                "max_size": 536_870_912,
                "cold": False,
                **{
                    kind: {
                        "responses": counters.next(f"{kind} n"),
                        "bytes": counters.next(f"{kind} bytes", 10),
                    }
                    for kind in _CACHE
                },
            }
        },
    }


def _peer(counters: _Counters, name: str, at: int) -> dict[str, object]:
    return {
        "id": at,
        "server": f"10.0.0.1:808{at}",
        "backup": at == 1,
        "weight": 1,
        "state": "up" if at == 0 else "unhealthy",
        "requests": counters.next(f"{name} requests"),
        "responses": _responses(counters, name),
        "sent": counters.next(f"{name} sent", 8),
        "received": counters.next(f"{name} received", 9),
        "fails": 0,
        "health_checks": {"checks": counters.next(f"{name} checks"), "last_passed": at == 0},
        "downtime": 0,
        "selected": counters.next(f"{name} selected", 12),
    }


def _responses(counters: _Counters, name: str) -> dict[str, int]:
    kinds = ("1xx", "2xx", "3xx", "4xx", "5xx", "total")
    return {kind: counters.next(f"{name} {kind}", 4) for kind in kinds}
