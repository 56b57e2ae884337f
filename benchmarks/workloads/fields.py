"""Many fields: hundreds or thousands in each event, or few of very many, or in no fixed order."""

import random

import orjson

from benchmarks.systems.base import Checks
from benchmarks.workloads.base import Workload
from benchmarks.workloads.wide import wide_lines

_SPARSE_FIELDS = 10_000
_SPARSE_PER_EVENT = 40


def _value(dice: random.Random, field: int) -> object:
    """A field keeps its type: integers, doubles, short texts and flags in turn."""
    kind = field % 4
    if kind == 0:
        return dice.randint(0, 10_000)
    if kind == 1:
        return round(dice.random() * 100, 3)
    if kind == 2:
        return f"state-{dice.randint(0, 30)}"
    return dice.random() < 0.5


def common_fields(dice: random.Random, number: int) -> dict[str, object]:
    """The three fields that every event has, where the others differ from event to event."""
    return {
        "service": f"service-{number % 50}",
        "duration_ms": round(dice.lognormvariate(2, 1), 3),
        "status": dice.choice((200, 404, 500)),
    }


def _full(fields: int, seed: int, events: int) -> list[bytes]:
    dice = random.Random(seed)
    names = [f"group{field % 20}.field_{field}" for field in range(fields)]
    return [
        orjson.dumps({name: _value(dice, at) for at, name in enumerate(names)})
        for _ in range(events)
    ]


def _sparse(seed: int, events: int) -> list[bytes]:
    """Three fields that every event has, and forty of ten thousand."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        event = common_fields(dice, number)
        for field in dice.sample(range(_SPARSE_FIELDS), _SPARSE_PER_EVENT):
            event[f"attribute.{field}"] = _value(dice, field)
        found.append(orjson.dumps(event))
    return found


def _shuffled(seed: int, events: int) -> list[bytes]:
    """The wide spans, each with its fields in an order of its own."""
    dice = random.Random(seed)
    found = []
    for line in wide_lines(seed, events):
        members = list(orjson.loads(line).items())
        dice.shuffle(members)
        found.append(orjson.dumps(dict(members)))
    return found


_FULL_CHECKS = Checks(
    (("group0.field_0",), ("group1.field_1",)),
    ("group2.field_2",),
)
FIELDS_500 = Workload(
    "500 fields",
    "each event has the same 500 fields of four types",
    lambda seed, events: _full(500, seed, events),
    _FULL_CHECKS,
    events=6_000,
    body_events=50,
)
FIELDS_2000 = Workload(
    "2,000 fields",
    "each event has the same 2,000 fields of four types",
    lambda seed, events: _full(2_000, seed, events),
    _FULL_CHECKS,
    events=1_500,
    body_events=15,
)
SPARSE = Workload(
    "sparse schema",
    f"{_SPARSE_PER_EVENT} of {_SPARSE_FIELDS:,} fields in each event, and three that all have",
    _sparse,
    Checks((("duration_ms",), ("status",)), ("service",)),
    events=40_000,
    body_events=500,
)
RANDOM_ORDER = Workload(
    "random key order",
    "the wide spans with their fields in another order in every event",
    _shuffled,
    Checks((("http.status_code",), ("duration_ms",)), ("http.url",)),
    events=98_304,
)
