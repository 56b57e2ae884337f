"""Clocks that leap under real processes, in every direction: what was promised holds afterwards.

Each leap is tried while `up` runs; a batch that its client named is sent before it and repeated
after it: it counts once (I2). Then all is as before: the log's time, heartbeats, near events.
"""

import os
import time
from pathlib import Path

import pytest

from tests.system.faketime import DAY_S, HOUR_S, WrongClock
from tests.system.harness import System, running
from tests.system.test_wrong_clock import QUICK, ahead_s, count, held, manifests, send, wait_well

pytestmark = [pytest.mark.system, pytest.mark.scenario]

HERE = Path(__file__).resolve().parent
STAY_S = 4  # how long a clock stays wrong: heartbeats, markers and a cut happen meanwhile
YEAR_S = 365 * DAY_S


def send_named(system: System, name: str) -> None:
    """A batch that its client may repeat."""
    answer = system.http(
        "POST",
        "/1/batch/clocks",
        [{"data": {"seq": 1_000_000}}],
        {"X-Bellwether-Batch-Id": name},
    )
    assert [one["status"] for one in answer.json()] == [202]


def leap_and_back(system: System, clock: WrongClock, offsets_s: list[int]) -> None:
    """Send before, during and after; everything is there once, also what is repeated."""
    sent = 0
    for number, offset_s in enumerate([0, *offsets_s, 0]):
        clock.set(offset_s)
        time.sleep(STAY_S)
        receipt = send(system, 10 * number)
        sent += 3
        send_named(system, "the-same")
        system.http("POST", "/bw/1/cut?wait=1")
        assert count(system, receipt) == sent + 1
    wait_well(system)
    before = {(m.partition, m.next_offset) for m in manifests(system)}
    receipt = send(system, 900)
    send_named(system, "the-same")
    system.http("POST", "/bw/1/cut?wait=1")
    assert count(system, receipt) == sent + 4
    fresh = [m for m in manifests(system) if (m.partition, m.next_offset) not in before]
    rows = [segment for one in fresh for segment in one.segments]
    assert sum(segment.rows for segment in rows) == 3
    assert not any(segment.far for segment in rows)


@pytest.mark.parametrize(
    "offsets_s",
    [
        [2 * HOUR_S],
        [70 * DAY_S],
        [20 * YEAR_S],
        [-5 * HOUR_S],
        [-70 * DAY_S],
        [-20 * YEAR_S],
        [3 * HOUR_S, 6 * HOUR_S, -2 * HOUR_S, 70 * DAY_S, YEAR_S, 2 * HOUR_S],
    ],
    ids=["+2h", "+70d", "+20y", "-5h", "-70d", "-20y", "to and fro"],
)
def test_after_a_leap_of_the_machines_clock_all_is_as_before(
    tmp_path: Path, offsets_s: list[int]
) -> None:
    clock = WrongClock(tmp_path / "faketime")
    environ = QUICK | clock.environ
    with running(tmp_path, "--no-telemetry", "--twins", environ=environ) as system:
        leap_and_back(system, clock, offsets_s)


@pytest.mark.parametrize("offset_s", [3 * HOUR_S, 70 * DAY_S, -70 * DAY_S])
def test_installation_that_restarts_with_a_wrong_clock_and_again_with_the_right_one_is_well(
    tmp_path: Path, offset_s: int
) -> None:
    clock = WrongClock(tmp_path / "faketime")
    environ = QUICK | clock.environ
    sent = 0
    for wrong_s in (0, offset_s, 0, 2 * offset_s, 0):
        clock.set(wrong_s)
        with running(tmp_path, "--no-telemetry", environ=environ) as system:
            receipt = send(system, 100 * sent)
            sent += 3
            assert count(system, receipt) == sent
            if wrong_s == 0:
                wait_well(system)


class TwinClock:
    """The clock of the indexer in zone b, of two that run on one machine."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "twin-clock"
        self.set(0)
        path = os.pathsep.join([str(HERE / "twin_clock"), str(HERE.parents[1])])
        self.environ = {
            "PYTHONPATH": path,
            "TEST_CLOCK_FILE": str(self._file),
            "TEST_CLOCK_ZONE": "b",
        }

    def set(self, offset_s: int) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(offset_s))
        fresh.replace(self._file)


@pytest.mark.parametrize("offset_s", [3 * HOUR_S, 70 * DAY_S, -70 * DAY_S])
def test_one_twin_whose_clock_leaps_harms_nothing_and_twins_agree(
    tmp_path: Path, offset_s: int
) -> None:
    clock = TwinClock(tmp_path)
    with running(tmp_path, "--no-telemetry", "--twins", environ=QUICK | clock.environ) as system:
        sent = 3
        count(system, send(system, 0))
        clock.set(offset_s)
        for number in range(1, 6):
            time.sleep(STAY_S)
            receipt = send(system, 10 * number)
            sent += 3
            assert count(system, receipt) == sent
        if offset_s > 0:
            assert max(ahead_s(system)) > HOUR_S, "the wrong twin appends with its own clock"
        clock.set(0)
        system.wait_until(
            lambda: all(abs(t) < 60 for t in ahead_s(system)), "the log's time to be right", 660
        )
        wait_well(system)
        system.http("POST", "/bw/1/cut?wait=1")
        assert count(system, send(system, 900)) == sent + 3
        assert not any(one["divergences"] for one in held(system))
