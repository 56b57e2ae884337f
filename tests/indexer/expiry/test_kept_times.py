"""Times kept on a role's disk: a flipped byte of the file makes nothing older (I2, I13)."""

from collections.abc import Iterator
from pathlib import Path

from common.clock import ManualClock
from common.model.reroute import EpochOffset
from indexer.expiry.clocks import Clocks
from indexer.expiry.trusted_time import Evidence
from indexer.expiry.uptime import Uptime
from indexer.partition.hours import HourGate
from snapshot.retention.cutoffs import DAY_NS, HOUR_NS

MINUTE_NS = 60 * 10**9
MARKER = EpochOffset(1, 10)


def flipped(path: Path) -> Iterator[None]:
    """The file with each of its bytes made another digit or letter in turn."""
    whole = path.read_bytes()
    for at, byte in enumerate(whole):
        for bits in (0x01, 0x08):
            path.write_bytes(whole[:at] + bytes([byte ^ bits]) + whole[at + 1 :])
            yield
    path.write_bytes(whole)


def test_followed_time_of_a_damaged_file_is_followed_again(tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    gate = HourGate(path)
    gate.followed(MARKER, 0)
    gate.save(MARKER, 10 * MINUTE_NS)
    for _ in flipped(path):
        again = HourGate(path)
        again.load()
        assert again.followed(MARKER, 0).followed_ns in (0, 10 * MINUTE_NS)
    again = HourGate(path)
    again.load()
    assert again.followed(MARKER, 0).followed_ns == 10 * MINUTE_NS


def test_run_time_of_a_damaged_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    uptime = Uptime(path, 0)
    uptime.set_pending_documents([1])
    uptime.mark_covered(1, 5, DAY_NS)
    uptime.update(MINUTE_NS)
    uptime.save()
    for _ in flipped(path):
        again = Uptime(path, 0)
        again.set_pending_documents([1])
        assert again.since_document_ns(1) in (0, MINUTE_NS)
        assert again.droppable_before(1, 2 * MINUTE_NS) == 0
    assert Uptime(path, 0).droppable_before(1, MINUTE_NS) == 5


def test_trusted_time_of_a_damaged_file_is_not_trusted(tmp_path: Path) -> None:
    path, clock = tmp_path / "clock.json", ManualClock()
    clocks = Clocks(clock, path)
    clocks.update(Evidence(clock.wall_ns, covered=True))
    clocks.save()
    saved_ns = clocks.trusted.saved_ns
    assert saved_ns is not None
    for _ in flipped(path):
        assert Clocks(clock, path).trusted.saved_ns in (None, saved_ns)
    assert Clocks(clock, path).trusted.saved_ns == saved_ns


def test_time_before_the_first_housekeeping_is_the_kept_one_and_never_later_than_the_clock(
    tmp_path: Path,
) -> None:
    path, clock = tmp_path / "clock.json", ManualClock()
    clocks = Clocks(clock, path)
    clocks.update(Evidence(clock.wall_ns, covered=True))
    clocks.save()
    assert clocks.trusted.saved_ns == clock.wall_ns
    saved_ns = clock.wall_ns
    clock.wall_ns += 3 * DAY_NS
    assert Clocks(clock, path).now_ns == saved_ns
    clock.wall_ns = saved_ns - 2 * DAY_NS
    assert Clocks(clock, path).now_ns == clock.wall_ns


def test_kept_time_follows_closely_while_it_catches_up_with_the_clock(tmp_path: Path) -> None:
    path, clock = tmp_path / "clock.json", ManualClock()
    clocks = Clocks(clock, path)
    clocks.update(Evidence(clock.wall_ns - 8 * HOUR_NS, covered=True))
    clocks.save()
    for _ in range(4):  # twelve minutes of the trusted time in half a minute
        clock.wall_ns += 10 * 10**9
        clock.steady_ns += 10 * 10**9
        clocks.update(None)
        clocks.save()
        assert abs(Clocks(clock, path).now_ns - clocks.now_ns) < MINUTE_NS
