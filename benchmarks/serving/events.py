"""A workload's events as requests to Bellwether, and what its queries must say of them.

Their times are moved so that the last one has just happened: what is far from its arrival goes
into segments of its own, and that is not what is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.serving.client import request
from benchmarks.serving.shepherd_client import ShepherdClient
from benchmarks.systems.base import Checks, Prepared, envelope_lines

DATASET = "benchmark"


@dataclass(frozen=True, slots=True)
class Weighted:
    """What COUNT and two SUMs must give: every event counts as often as its sample rate says."""

    count: int
    sums: tuple[float, float]


def requests_of(prepared: Prepared, key: str, now_ns: int, datasets: int = 1) -> list[bytes]:
    """One request per body; single events by the endpoint for them. datasets: in turn."""
    lines = [_split(line) for line in envelope_lines(prepared)]
    shift_ns = now_ns - max(time_ns for time_ns, _, _ in lines)
    headers = {"X-Honeycomb-Team": key, "Content-Type": "application/json"}
    found = []
    for number, at in enumerate(range(0, len(lines), prepared.body_events)):
        name = dataset_name(number % datasets)
        some = [
            (t + shift_ns, rate, data) for t, rate, data in lines[at : at + prepared.body_events]
        ]
        if prepared.body_events == 1:
            time_ns, rate, data = some[0]
            more = {"X-Honeycomb-Event-Time": str(time_ns), "X-Honeycomb-Samplerate": str(rate)}
            found.append(request(f"/1/events/{name}", headers | more, data))
        else:
            found.append(request(f"/1/batch/{name}", headers, _batch(some)))
    return found


def dataset_name(number: int) -> str:
    """The first one has the plain name."""
    return f"{DATASET}-{number}" if number else DATASET


def is_accepted(status: int, body: bytes) -> bool:
    """Whether every event of a request was accepted."""
    return status == 200 and body.count(b'"status"') == body.count(b'"status":202')


def weighted(prepared: Prepared) -> Weighted:
    """What queries must say."""
    count, sums = 0, [0.0, 0.0]
    for line in envelope_lines(prepared):
        _, rate, data = _split(line)
        event = orjson.loads(data)
        count += rate
        for number, keys in enumerate(prepared.checks.numbers):
            value = event.get(".".join(keys))
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            sums[number] += rate * value if is_number else 0
    return Weighted(count, (sums[0], sums[1]))


def query_stored(shepherd: ShepherdClient, checks: Checks, dataset: str = DATASET) -> Weighted:
    """What the query API says, of the whole dataset. Raises RuntimeError unless it is complete."""
    fields = [".".join(keys) for keys in checks.numbers]
    query = {
        "calculations": [{"op": "COUNT"}, *({"op": "SUM", "column": one} for one in fields)],
        "start_time": 1,
        "end_time": 4_000_000_000,
    }
    body = {"query": query, "disable_series": True, "wait_s": 60, "coverage": "require"}
    answer: Any = shepherd.request("POST", f"/1/query_results/{dataset}", body)
    if not answer.get("complete"):
        raise RuntimeError(f"the query was not answered: {str(answer)[:300]}")
    row: Mapping[str, Any] = answer["data"]["results"][0]["data"]
    first, second = (float(row[f"SUM({one})"]) for one in fields)
    return Weighted(int(row["COUNT"]), (first, second))


def _split(line: bytes) -> tuple[int, int, bytes]:
    """Time, sample rate and data of `{"t":1,"r":2,"d":{...}}`."""
    time, rate, data = line[:-2].split(b",", 2)
    return int(time[5:]), int(rate[4:]), data[4:]


def _batch(some: list[tuple[int, int, bytes]]) -> bytes:
    members = (b'{"time":%d,"samplerate":%d,"data":%b}' % one for one in some)
    return b"[" + b",".join(members) + b"]"
