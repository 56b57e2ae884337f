"""A wrong clock makes no event disappear: what would expire waits, what has comes back (I13)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.faketime import DAY_S, WrongClock
from tests.system.harness import System, running

pytestmark = pytest.mark.system

QUICK = {"BELLWETHER_INDEXER_HOUSEKEEPING_S": "0"}
QUIET = "--no-telemetry"  # own events would be counted with those that expired
CHEAP = {"FAKETIME_NO_CACHE": "0", "FAKETIME_CACHE_DURATION": "1"}  # a leap is seen in a second
COUNT = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 9_000_000_000}


def count(system: System, after: str = "") -> int:
    """All events, in an answer that has to be complete."""
    rows = system.ask("clocks", COUNT, after=after)["data"]["results"]
    return int(rows[0]["data"]["COUNT"]) if rows else 0


def send(system: System, number: int, n: int) -> str:
    """Send a batch until it is acknowledged, as a client of a busy machine does (I2)."""
    answers = []

    def accepted() -> bool:
        headers = {"X-Bellwether-Batch-Id": f"clocks-{number}"}
        body = [{"data": {"n": one}} for one in range(n)]
        answers.append(system.http("POST", "/1/batch/clocks", body, headers))
        return answers[-1].status == 200

    system.wait_until(accepted, "the events to be acknowledged")
    assert [one["status"] for one in answers[-1].json()] == [202] * n
    return answers[-1].headers.get("X-Bellwether-Receipt", "")


def alarms(system: System) -> dict[str, str]:
    """What is raised in any partition; nothing while nobody says."""
    found: dict[str, str] = {}
    for indexer in system.http("GET", "/bw/1/status").json().get("indexers", ()):
        for one in indexer.get("status", {"partitions": {}})["partitions"].values():
            found |= one["alarms"]
    return found


def cut(system: System) -> None:
    assert system.http("POST", "/bw/1/cut").status == 200


def documents(system: System) -> list[dict[str, Any]]:
    """Every retention document."""
    paths = sorted((system.data / "objects").glob("retention/*/*.json"))
    return [json.loads(path.read_text())["body"] for path in paths]


def test_up_whose_clock_is_far_ahead_expires_nothing_and_says_why(tmp_path: Path) -> None:
    """It starts ahead, is set right while it runs, and leaps while it runs."""
    clock = WrongClock(tmp_path / "faketime")
    with running(tmp_path, QUIET, environ=QUICK | clock.environ | CHEAP) as system:
        receipt = send(system, 0, 300)
        assert count(system, receipt) == 300
        cut(system)
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


def wait_count(system: System, n: int) -> None:
    system.wait_until(lambda: count(system) == n, f"{n} events")


def told(system: System) -> Any:
    """The coverage of an answer that may be incomplete."""
    stored = system.http("POST", "/1/queries/clocks", COUNT).json()
    made = system.http("POST", "/1/query_results/clocks", {"query_id": stored["id"]}).json()
    while not made.get("complete"):
        made = system.http("GET", f"/1/query_results/clocks/{made['id']}").json()
    return made["coverage"]


@pytest.mark.scenario
@pytest.mark.parametrize("twins", [(), ("--twins",)], ids=["one", "twins"])
def test_what_an_operator_confirmed_by_a_wrong_clock_is_told_and_comes_back(
    tmp_path: Path, twins: tuple[str, ...]
) -> None:
    clock = WrongClock(tmp_path / "faketime")
    with running(tmp_path, QUIET, *twins, environ=QUICK | clock.environ | CHEAP) as system:
        receipt = send(system, 0, 300)
        assert count(system, receipt) == 300
        cut(system)
        assert system.stop() == 0
        clock.set(70 * DAY_S)
        system.start()
        system.wait_until(lambda: "retention_waits" in alarms(system), "the alarm")
        data = ("--data", str(system.data))
        assert system.run("retention", *data).returncode == 0  # by the right clock nothing is old
        confirmed = command(system, clock, "retention", "confirm", "--yes", *data)
        assert "300" in confirmed
        wait_count(system, 0)
        clock.set(0)
        system.wait_until(lambda: "expired_too_early" in alarms(system), "the alarm")
        coverage = told(system)
        assert not coverage["complete"]
        assert any("expired before their time" in p["reason"] for p in coverage["partitions"])
        assert system.run("status").returncode == 1
        assert "300 events expired before their time" in system.run("doctor", *data).stdout
        shown = system.run("retention", *data)
        assert shown.returncode == 1
        assert "restore" in shown.stdout
        assert system.stop() == 0
        system.start()  # and after a restart
        assert not told(system)["complete"]
        assert "taken back: 300 events" in system.run("retention", "restore", "--yes", *data).stdout
        system.wait_until(lambda: told(system)["complete"], "complete answers")
        wait_count(system, 300)
        system.wait_until(lambda: "expired_too_early" not in alarms(system), "the alarm's end")
        assert system.run("verify", *data).returncode == 0


def command(system: System, clock: WrongClock, *arguments: str) -> str:
    """What a command prints that runs with the wrong clock."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments],
        cwd=system.folder,
        env={**environ, **clock.environ},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.scenario
@pytest.mark.parametrize("twins", [(), ("--twins",)], ids=["one", "twins"])
def test_no_leap_by_hours_to_decades_at_the_start_or_while_running_loses_an_event(
    tmp_path: Path, twins: tuple[str, ...]
) -> None:
    clock = WrongClock(tmp_path / "faketime")
    leaps = [3_600, -3_600, DAY_S, -DAY_S, 59 * DAY_S, 61 * DAY_S, 62 * DAY_S, 70 * DAY_S,
             400 * DAY_S, 3650 * DAY_S, -3650 * DAY_S]  # fmt: skip
    sent = 0
    with running(tmp_path, QUIET, *twins, environ=QUICK | clock.environ | CHEAP) as system:
        for number, leap_s in enumerate(leaps):
            receipt = send(system, 2 * number + 1, 20)
            sent += 20
            assert count(system, receipt) == sent
            cut(system)
            if number % 2:
                assert system.stop() == 0
            clock.set(leap_s)
            if number % 2:
                system.start()
            send(system, 2 * number + 2, 20)
            sent += 20
            time.sleep(5)
            wait_count(system, sent)
            clock.set(0)
        system.wait_until(lambda: "retention_waits" not in alarms(system), "the alarm's end")
        wait_count(system, sent)
        assert documents(system) == []
        assert system.run("verify", "--data", str(system.data)).returncode == 0
