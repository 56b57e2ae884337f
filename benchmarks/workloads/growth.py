"""Workloads that grow in one direction: columns of a dataset, and events in a log."""

import random
from dataclasses import replace

import orjson

from benchmarks.harness.results import Along
from benchmarks.systems import VICTORIALOGS
from benchmarks.systems.base import Checks, Group
from benchmarks.workloads.base import Workload
from benchmarks.workloads.fields import common_fields
from benchmarks.workloads.wide import WIDE

_PER_EVENT = 10


def _some_of(columns: int, seed: int, events: int) -> list[bytes]:
    """Three fields that all have, and ten of so many columns: events of one size, always."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        event = common_fields(dice, number)
        for field in dice.sample(range(columns), _PER_EVENT):
            name = f"attribute.{field:05}"
            event[name] = f"state-{dice.randint(0, 30)}" if field % 2 else dice.randint(0, 10_000)
        found.append(orjson.dumps(event))
    return found


def _columns(count: int) -> Workload:
    return Workload(
        f"{count:,} columns",
        f"13 fields in each event, ten of them out of {count:,}",
        lambda seed, events: _some_of(count, seed, events),
        Checks((("duration_ms",), ("status",)), ("service",)),
        events=65_536,
        systems=frozenset({"bellwether", "duckdb (columns given)", "polars (columns given)"}),
        along=Along("columns", count),
    )


COLUMNS = tuple(_columns(count) for count in (10, 100, 1_000, 10_000))
OVER_HTTP = replace(
    WIDE,
    name="wide spans over HTTP",
    note="the same kind of events in bodies of 100, DuckDB on their lines beside servers of ours",
    body_events=100,
    events=65_536,
    quick=False,
    groups=frozenset({Group.FILES, Group.END_TO_END}),
    systems=frozenset(
        {"duckdb", "http to acknowledged", "http to sealed", "log replay to sealed", VICTORIALOGS}
    ),
)
GROWING = replace(
    WIDE,
    name="wide spans, growing",
    note="the same events, for what grows: cores, datasets, partitions",
    quick=False,
    groups=frozenset({Group.GROWTH}),
)


def _replayed(events: int) -> Workload:
    return replace(
        WIDE,
        name=f"wide spans, a log of {events:,}",
        note="the same kind of events, for the replay of a log that grows: a start is part of it",
        events=events,
        quick=False,
        groups=frozenset({Group.END_TO_END}),
        systems=frozenset({"log replay to sealed"}),
        along=Along("events in a replayed log", events),
    )


REPLAYED = tuple(_replayed(events) for events in (32_768, 524_288))
