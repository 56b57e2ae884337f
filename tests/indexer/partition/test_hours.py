"""No clock closes an hour before it has passed: a batch id may be repeated until then (I2, I13)."""

from pathlib import Path

import pytest

from common import limits
from common.model.record import Marker, marker_record
from common.model.reroute import EpochOffset
from indexer.partition.hours import HourGate, LateCut
from indexer.state.partition_state import HOUR_NS, PartitionState
from snapshot.documents.carried_state import CarriedState
from tests.indexer.harness import record
from tests.indexer.state.test_partition_state import FIRST_HOUR, message

MINUTE_NS = 60 * 10**9


def marked_state(rows: int = 0) -> PartitionState:
    """A partition whose next hour marker lets batch ids go."""
    state = PartitionState(CarriedState())
    at_ns = (FIRST_HOUR + 1) * HOUR_NS
    state.apply(message(0, marker_record(Marker(hour=FIRST_HOUR)), at_ns))
    for number in range(rows):
        state.apply(message(state.next_offset, record([number + 1]), at_ns))
    return state


def test_first_marker_of_all_forgets_nothing_and_need_not_wait(tmp_path: Path) -> None:
    assert HourGate(tmp_path / "0.json").may_close(PartitionState(CarriedState()), 0)


def test_hour_is_closed_only_after_so_much_monotonic_time_since_the_marker_before(
    tmp_path: Path,
) -> None:
    gate, state = HourGate(tmp_path / "0.json"), marked_state()
    assert not gate.may_close(state, 7)
    assert not gate.may_close(state, 7 + limits.HOUR_MARKERS_APART_NS - 1)
    assert gate.may_close(state, 7 + limits.HOUR_MARKERS_APART_NS)
    now_ns = 7 + limits.HOUR_MARKERS_APART_NS
    marker = marker_record(Marker(hour=FIRST_HOUR + 1))
    state.apply(message(1, marker, (FIRST_HOUR + 2) * HOUR_NS))
    assert not gate.may_close(state, now_ns), "the twin's marker counts as well"


@pytest.mark.parametrize("minutes", [5, 30, 44])
def test_process_that_is_restarted_again_and_again_closes_hours_too(
    tmp_path: Path, minutes: int
) -> None:
    """Never sooner, and later by less than a minute for each restart."""
    state, followed = marked_state(), 0
    for _ in range(20):
        gate = HourGate(tmp_path / "hours" / "0.json")
        gate.load()
        for minute in range(minutes + 1):  # its monotonic clock begins anew: another machine's boot
            if gate.may_close(state, minute * MINUTE_NS):
                assert followed + minute >= limits.HOUR_MARKERS_APART_NS // MINUTE_NS
                return
            gate.save(state.batch_window.marked_at, minute * MINUTE_NS)
        followed += minutes
    raise AssertionError("no hour was ever closed")


def test_what_was_followed_since_another_marker_or_is_unreadable_does_not_count(
    tmp_path: Path,
) -> None:
    path = tmp_path / "0.json"
    gate = HourGate(path)
    gate.followed(EpochOffset(1, 5), 0)
    gate.save(EpochOffset(1, 5), HOUR_NS)
    again = HourGate(path)
    again.load()
    assert again.followed(EpochOffset(1, 5), 0).followed_ns == HOUR_NS
    assert again.followed(EpochOffset(1, 6), 0).followed_ns == 0
    assert again.followed(EpochOffset(2, 6), 5).followed_ns == 0
    path.write_bytes(b"{")
    broken = HourGate(path)
    broken.load()
    assert broken.followed(EpochOffset(1, 5), 0).followed_ns == 0


def test_rows_are_cut_each_hour_also_where_no_hour_may_be_closed() -> None:
    late, state = LateCut(), marked_state(rows=1)
    assert not late.is_due(state, FIRST_HOUR + 1, 0), "a first row waits for others"
    assert late.is_due(state, FIRST_HOUR + 1, MINUTE_NS)
    state.apply(message(2, marker_record(Marker(hour=None)), (FIRST_HOUR + 1) * HOUR_NS))
    state.apply(message(3, record([7]), (FIRST_HOUR + 1) * HOUR_NS))
    for minute in (2, 40, 61):
        assert not late.is_due(state, FIRST_HOUR + 1, minute * MINUTE_NS), "once in an hour"
    assert late.is_due(state, FIRST_HOUR + 2, 61 * MINUTE_NS)


def test_rows_are_cut_each_hour_where_the_logs_time_stands_still() -> None:
    late, state = LateCut(), marked_state(rows=1)
    assert not late.is_due(state, None, 0)
    assert not late.is_due(state, None, 59 * MINUTE_NS)
    assert late.is_due(state, None, 60 * MINUTE_NS)
