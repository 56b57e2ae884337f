"""Narrow events like those that metrics become: seven fields, about 120 bytes."""

import random

import orjson

from benchmarks.systems.base import Checks
from benchmarks.workloads.base import Workload

_NAMES = ["cpu.busy", "cpu.steal", "mem.used", "disk.read", "disk.write", "net.in", "net.out"]


def metric_lines(seed: int, events: int) -> list[bytes]:
    """Hosts report each metric in turn."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        event = {
            "metric": _NAMES[number % len(_NAMES)],
            "host": f"node-{number // len(_NAMES) % 400}",
            "zone": "abc"[number // len(_NAMES) % 3],
            "value": round(dice.gauss(50, 20), 3),
            "count": dice.randint(1, 5_000),
            "unit": "percent",
            "up": True,
        }
        found.append(orjson.dumps(event))
    return found


METRICS = Workload(
    "narrow metrics",
    "7 fields: name, host, zone, value, count, unit, a flag",
    metric_lines,
    Checks((("value",), ("count",)), ("host",)),
    events=400_000,
    quick=True,
)
