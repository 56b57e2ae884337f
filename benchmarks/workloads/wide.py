"""Wide spans of a traced web shop: 26 fields, about 700 bytes. The reference of all figures."""

import random
from dataclasses import replace

import orjson

from benchmarks.systems.base import Checks
from benchmarks.workloads.base import WITH_SERVERS, Workload
from tests.generate import wide_event

_NEW_TRACE = 0.12  # of the spans


def wide_lines(seed: int, events: int) -> list[bytes]:
    """Spans of the test suite's own generator."""
    dice = random.Random(seed)
    found, trace = [], ""
    for _ in range(events):
        if not trace or dice.random() < _NEW_TRACE:
            trace = f"{dice.getrandbits(128):032x}"
        found.append(orjson.dumps(wide_event(dice, trace)))
    return found


WIDE = Workload(
    "wide spans",
    "24 to 26 fields: ids, urls, routes, hosts, durations, flags",
    wide_lines,
    Checks((("http.status_code",), ("duration_ms",)), ("http.url",)),
    events=131_072,
    quick=True,
    groups=WITH_SERVERS,
)
BODIES = tuple(
    replace(
        WIDE,
        name=f"wide spans, bodies of {size}",
        note=f"the same events in bodies and records of {size}",
        body_events=size,
        events=events,
        quick=False,
        groups=WITH_SERVERS,
    )
    for size, events in ((1, 16_384), (10, 65_536), (100, 131_072))
)
