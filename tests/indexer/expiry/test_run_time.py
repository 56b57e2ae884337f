"""Time that somebody really ran is added up across restarts, whatever the clocks say (I13)."""

from pathlib import Path

from indexer.expiry.run_time import RunTime
from snapshot.retention.cutoffs import HOUR_NS

MINUTE_NS = 60 * 10**9


def test_run_time_adds_up_across_restarts_with_other_monotonic_clocks(tmp_path: Path) -> None:
    path = tmp_path / "expiry" / "00000.json"
    first = RunTime(path, 5_000)
    first.waiting([1])
    first.look(5_000 + 20 * MINUTE_NS)
    first.waiting([1, 2])
    first.save()
    second = RunTime(path, 77)  # the machine was started anew
    second.look(77 + 40 * MINUTE_NS)
    assert second.document_ran_ns(1) == HOUR_NS
    assert second.document_ran_ns(2) == 40 * MINUTE_NS
    assert second.document_ran_ns(3) == 0


def test_time_that_was_not_saved_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "00000.json"
    first = RunTime(path, 0)
    first.waiting([1])
    first.look(HOUR_NS)
    path.write_bytes(b"\xff")
    second = RunTime(path, 0)
    second.waiting([1])
    assert second.document_ran_ns(1) == 0


def test_log_is_dropped_when_it_was_covered_for_long_enough_of_time_run(tmp_path: Path) -> None:
    run = RunTime(tmp_path / "00000.json", 0)
    for hour in range(30):
        run.look(hour * HOUR_NS)
        run.covered(1, 100 * (hour + 1), 24 * HOUR_NS)
    assert run.droppable(1, 24 * HOUR_NS) == 600
    assert run.droppable(2, 24 * HOUR_NS) == 0  # another epoch has other offsets
    run.covered(2, 7, 24 * HOUR_NS)
    assert run.droppable(1, 24 * HOUR_NS) == 0
    assert run.droppable(2, 0) == 7


def test_marks_are_bounded_however_often_something_is_published(tmp_path: Path) -> None:
    path = tmp_path / "00000.json"
    run = RunTime(path, 0)
    for minute in range(60 * 72):
        run.look(minute * MINUTE_NS)
        run.covered(1, minute + 1, 24 * HOUR_NS)
    assert 60 * 48 - 60 <= run.droppable(1, 24 * HOUR_NS) <= 60 * 48
    run.save()
    assert path.stat().st_size < 8_192
