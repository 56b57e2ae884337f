"""Other clocks count as they are: agreement proves, disagreement stops, silence says nothing."""

from pathlib import Path

import pytest

from common import limits
from common.clock import ManualClock
from common.model.clock_reading import ClockReading, is_elsewhere, reading_of
from indexer.expiry.clocks import Clocks
from indexer.expiry.trusted_time import Evidence
from snapshot.retention.cutoffs import DAY_NS, HOUR_NS


def reading(
    clock: ManualClock, ahead_s: float = 0, name: str = "server", *, elsewhere: bool = True
) -> ClockReading:
    """A look at a clock that is so far ahead of the right one, which `clock` has now."""
    span = (clock.steady_ns, clock.steady_ns)
    return reading_of(name, clock.wall_ns + int(ahead_s * 1e9), 0, span, elsewhere=elsewhere)


def stored(time_ns: int) -> Evidence:
    return Evidence(time_ns, covered=True)


def made(folder: Path, **more: bool) -> tuple[Clocks, ManualClock]:
    clock = ManualClock()
    return Clocks(clock, folder / "clock.json", **more), clock


def test_another_machines_clock_proves_the_time_and_one_of_this_machine_does_not(
    tmp_path: Path,
) -> None:
    clocks, clock = made(tmp_path)
    assert not clocks.agreed
    clocks.add_readings([reading(clock, elsewhere=False)])
    assert not clocks.agreed
    clocks.add_readings([reading(clock, name="other")])
    assert clocks.agreed
    shared, clock = made(tmp_path, servers_elsewhere=False)
    shared.add_readings([reading(clock)])
    assert not shared.agreed


def test_any_clock_that_disagrees_stops_and_is_named(tmp_path: Path) -> None:
    clocks, clock = made(tmp_path)
    clocks.add_readings([reading(clock), reading(clock, 3600, "broker 1", elsewhere=False)])
    assert not clocks.agreed
    assert clocks.disagreeing() == {"broker 1": HOUR_NS}
    assert "broker 1 is 3,600 s ahead" in clocks.alarms()["clock_disagrees"]
    clocks.add_readings([reading(clock, 1, "broker 1", elsewhere=False)])
    assert clocks.agreed
    assert clocks.alarms() == {}


def test_leap_shows_at_once_and_not_at_the_next_reading(tmp_path: Path) -> None:
    clocks, clock = made(tmp_path)
    clocks.add_readings([reading(clock)])
    clocks.update(stored(clock.wall_ns))
    clock.wall_ns += 70 * DAY_NS
    assert not clocks.agreed
    assert clocks.disagreeing() == {"server": -70 * DAY_NS}
    clocks.update(None)
    assert clocks.now_ns == clock.wall_ns - 70 * DAY_NS
    assert set(clocks.alarms()) == {"clock_disagrees", "clock_leapt"}


def test_old_reading_proves_nothing(tmp_path: Path) -> None:
    clocks, clock = made(tmp_path)
    clocks.add_readings([reading(clock)])
    clock.advance_ms(limits.CLOCK_FRESH_NS / 1e6 + 1)
    assert not clocks.agreed
    assert clocks.disagreeing() == {}


def test_trusted_time_goes_on_after_a_restart_and_without_its_file_from_what_is_stored(
    tmp_path: Path,
) -> None:
    clocks, clock = made(tmp_path)
    right_ns = clock.wall_ns
    clocks.update(stored(right_ns))
    clocks.save()
    again, clock = made(tmp_path)
    clock.wall_ns += 70 * DAY_NS
    again.update(stored(clock.wall_ns))  # stamped by the same clock since: no second witness
    assert again.now_ns == right_ns
    (tmp_path / "clock.json").write_bytes(b"{")
    third, clock = made(tmp_path)
    clock.wall_ns += 70 * DAY_NS
    third.update(stored(right_ns - HOUR_NS))
    assert third.now_ns == right_ns - HOUR_NS


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "0.0.0.0", ""])
def test_address_of_this_machine_is_not_elsewhere(host: str) -> None:
    assert not is_elsewhere(host)


def test_address_of_another_machine_is_elsewhere() -> None:
    assert is_elsewhere("192.0.2.1")
    assert is_elsewhere("2001:db8::1")
