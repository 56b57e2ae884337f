"""A wrong clock makes no event disappear: what would expire waits, what has comes back (I13)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.system.faketime import DAY_S, WrongClock
from tests.system.harness import System, running

pytestmark = pytest.mark.system

QUICK = {"BELLWETHER_INDEXER_HOUSEKEEPING_S": "0"}
COUNT = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 9_000_000_000}


def count(system: System, after: str = "") -> int:
    """All events, in an answer that has to be complete."""
    rows = system.ask("clocks", COUNT, after=after)["data"]["results"]
    return int(rows[0]["data"]["COUNT"]) if rows else 0


def alarms(system: System) -> dict[str, str]:
    """What is raised in any partition."""
    found: dict[str, str] = {}
    for indexer in system.http("GET", "/bw/1/status").json()["indexers"]:
        for one in indexer.get("status", {"partitions": {}})["partitions"].values():
            found |= one["alarms"]
    return found


def documents(system: System) -> list[dict[str, Any]]:
    """Every retention document."""
    paths = sorted((system.data / "objects").glob("retention/*/*.json"))
    return [json.loads(path.read_text())["body"] for path in paths]


def test_up_whose_clock_is_far_ahead_expires_nothing_and_says_why(tmp_path: Path) -> None:
    """It starts ahead, is set right while it runs, and leaps while it runs."""
    clock = WrongClock(tmp_path / "faketime")
    with running(tmp_path, environ=QUICK | clock.environ) as system:
        receipt = system.send("clocks", [{"data": {"n": n}} for n in range(300)])
        assert count(system, receipt) == 300
        assert system.run("cut").returncode == 0
        assert system.stop() == 0
        clock.set(70 * DAY_S)
        system.start()
        system.wait_until(lambda: "retention_waits" in alarms(system), "the alarm")
        assert count(system) == 300
        clock.set(0)
        system.wait_until(lambda: "retention_waits" not in alarms(system), "the alarm's end")
        clock.set(61 * DAY_S)
        system.wait_until(lambda: "retention_waits" in alarms(system), "the alarm")
        assert count(system) == 300
        clock.set(0)
        assert documents(system) == []
        shown = system.run("retention", "--data", str(system.data), "--json")
        assert shown.returncode == 0, shown.stderr
        assert [one["expiring"] for one in json.loads(shown.stdout)] == [[]] * 4
