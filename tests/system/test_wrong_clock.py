"""`bellwether up` whose clock leaps: once it is right again all is as it was (I2, I3, I7, I13)."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snapshot.documents.manifest import Manifest, decode_manifest
from tests.system.faketime import DAY_S, WrongClock
from tests.system.harness import System, running

pytestmark = pytest.mark.system

QUICK = {
    "BELLWETHER_INDEXER_HEARTBEAT_MS": "200",
    "BELLWETHER_INDEXER_CLOCK_STEADY_S": "1",
    "BELLWETHER_INDEXER_MARKER_SPREAD_S": "1",
    "BELLWETHER_INDEXER_KERNEL": "false",  # nothing is compiled for so few events
    "BELLWETHER_SHEPHERD_KERNEL": "false",
}
NEAR_S = 60
COUNT = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 9_000_000_000}


def held(system: System) -> list[dict[str, Any]]:
    """Each partition at each indexer, as the status describes it."""
    status = system.http("GET", "/bw/1/status").json()
    return [
        one
        for indexer in status["indexers"]
        for one in indexer.get("status", {"partitions": {}})["partitions"].values()
    ]


def ahead_s(system: System) -> list[float]:
    """How far the log's time is ahead of the right clock, by partition and indexer."""
    now_s = time.time()
    return [one["watermark_ns"] / 1e9 - now_s for one in held(system)]


def wait_well(system: System) -> None:
    """Wait until the time of every partition is right, also of quiet ones."""

    def well() -> bool:
        times = ahead_s(system)
        return bool(times) and all(abs(t) < NEAR_S for t in times)

    system.wait_until(well, "the log's time to be right")


def count(system: System, after: str = "") -> int:
    """All events, in a complete answer."""
    body = {"query": COUNT, "disable_series": True, "wait_s": 30, "after": after}
    answer = system.http("POST", "/1/query_results/clocks", body)
    assert answer.status == 201, answer.body
    result = answer.json()
    assert result["complete"], result
    assert result["coverage"]["complete"], result["coverage"]
    rows = result["data"]["results"]
    return int(rows[0]["data"]["COUNT"]) if rows else 0


def send(system: System, first: int, n: int = 3) -> str:
    return system.send("clocks", [{"data": {"seq": first + i}} for i in range(n)])


def cut(system: System) -> None:
    answer = system.http("POST", "/bw/1/cut?wait=1")
    assert answer.status == 200, answer.body


def manifests(system: System) -> Iterator[Manifest]:
    """Of all partitions, oldest first."""
    objects = system.data / "objects"
    for path in sorted((objects / "manifests").glob("*/*.json")):
        yield decode_manifest(path.read_bytes(), path.relative_to(objects).as_posix())


def test_log_that_ran_70_days_ahead_is_right_again_within_seconds_of_the_right_clock(
    tmp_path: Path,
) -> None:
    clock = WrongClock(tmp_path / "faketime")
    clock.set(70 * DAY_S)
    environ = QUICK | clock.environ
    with running(tmp_path, "--no-telemetry", environ=environ) as system:
        count(system, send(system, 1))
        cut(system)
        assert min(ahead_s(system)) > 69 * DAY_S
    clock.set(0)
    with running(tmp_path, "--no-telemetry", environ=environ) as system:
        wait_well(system)
        before = [one["watermark_ns"] for one in held(system)]
        assert count(system, send(system, 4)) == 6
        cut(system)
        segments = [segment for one in manifests(system) for segment in one.segments]
        fresh = [one for one in segments if one.append_max_ns < 1e9 * time.time()]
        assert sum(s.rows for s in fresh) == 3
        assert not any(s.far for s in fresh), "events of the right time are near again"
        system.wait_until(
            lambda: all(a["watermark_ns"] > b for a, b in zip(held(system), before, strict=True)),
            "heartbeats of quiet partitions",
        )
        system.wait_until(
            lambda: not any("log_time_ahead" in one["alarms"] for one in held(system)),
            "the alarm to end",
        )
