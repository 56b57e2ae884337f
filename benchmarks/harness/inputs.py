"""A workload's events made into the files that every system reads, and what is true of them."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.systems.base import Checks, Keys, Written
from benchmarks.workloads import Workload
from common.model.record_value import encode_event_line

START_NS = 1_790_000_000 * 10**9
_STEP_NS = 900_000
_JITTER_NS = 500_000
_RATES = (1, 1, 1, 10)


@dataclass(frozen=True, slots=True)
class Input:
    """Files of one workload, and the sums that every system must give back."""

    lines: Path
    envelopes: Path
    events: int
    text_bytes: int
    truth: Written


def make_input(workload: Workload, seed: int, events: int, folder: Path) -> Input:
    """Write the files. Times and sample rates come from the seed too."""
    lines = workload.lines(seed, events)
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(seed)
    flat, envelopes = folder / "events.ndjson", folder / "events.lines"
    with flat.open("wb") as for_peers, envelopes.open("wb") as for_us:
        for number, line in enumerate(lines):
            time_ns = START_NS + number * _STEP_NS + dice.randint(0, _JITTER_NS)
            rate = dice.choice(_RATES)
            for_peers.write(b'{"_time":%d,"_rate":%d,%b\n' % (time_ns, rate, line[1:]))
            for_us.write(encode_event_line(time_ns, rate, line))
    return Input(flat, envelopes, events, flat.stat().st_size, true_sums(lines, workload.checks))


def true_sums(lines: Iterable[bytes], checks: Checks) -> Written:
    """What is to be read back from whatever was written."""
    first, second = checks.numbers
    rows, text, numbers = 0, 0, [0.0, 0.0]
    for line in lines:
        event = orjson.loads(line)
        rows += 1
        numbers[0] += _number(_field(event, first))
        numbers[1] += _number(_field(event, second))
        value = _field(event, checks.text)
        text += len(value.encode()) if isinstance(value, str) else 0
    return Written(rows, (numbers[0], numbers[1]), text)


def _field(event: object, keys: Keys) -> object:
    for key in keys:
        event = event.get(key) if isinstance(event, dict) else None
    return event


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value)
