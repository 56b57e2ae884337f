"""Time that somebody really ran is added up across restarts, whatever the clocks say (I13)."""

from pathlib import Path

from indexer.expiry.uptime import Uptime
from snapshot.retention.cutoffs import HOUR_NS

MINUTE_NS = 60 * 10**9


def test_run_time_adds_up_across_restarts_with_other_monotonic_clocks(tmp_path: Path) -> None:
    path = tmp_path / "expiry" / "00000.json"
    first = Uptime(path, 5_000)
    first.set_pending_documents([1])
    first.update(5_000 + 20 * MINUTE_NS)
    first.set_pending_documents([1, 2])
    first.save()
    second = Uptime(path, 77)  # the machine was started anew
    second.update(77 + 40 * MINUTE_NS)
    assert second.since_document_ns(1) == HOUR_NS
    assert second.since_document_ns(2) == 40 * MINUTE_NS
    assert second.since_document_ns(3) == 0


def test_time_that_was_not_saved_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "00000.json"
    first = Uptime(path, 0)
    first.set_pending_documents([1])
    first.update(HOUR_NS)
    path.write_bytes(b"\xff")
    second = Uptime(path, 0)
    second.set_pending_documents([1])
    assert second.since_document_ns(1) == 0


def test_log_is_dropped_when_it_was_covered_for_long_enough_of_time_run(tmp_path: Path) -> None:
    uptime = Uptime(tmp_path / "00000.json", 0)
    for hour in range(30):
        uptime.update(hour * HOUR_NS)
        uptime.mark_covered(1, 100 * (hour + 1), 24 * HOUR_NS)
    assert uptime.droppable_before(1, 24 * HOUR_NS) == 600
    assert uptime.droppable_before(2, 24 * HOUR_NS) == 0  # another epoch has other offsets
    uptime.mark_covered(2, 7, 24 * HOUR_NS)
    assert uptime.droppable_before(1, 24 * HOUR_NS) == 0
    assert uptime.droppable_before(2, 0) == 7


def test_marks_are_bounded_however_often_something_is_published(tmp_path: Path) -> None:
    path = tmp_path / "00000.json"
    uptime = Uptime(path, 0)
    for minute in range(60 * 72):
        uptime.update(minute * MINUTE_NS)
        uptime.mark_covered(1, minute + 1, 24 * HOUR_NS)
    assert 60 * 48 - 60 <= uptime.droppable_before(1, 24 * HOUR_NS) <= 60 * 48
    uptime.save()
    assert path.stat().st_size < 8_192
