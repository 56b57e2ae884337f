"""Rotations at every moment of a followed log: while it is waited for, packed or looked at."""

import gzip
import os
from pathlib import Path

import pytest

from bellwether.send.follow import rotated
from bellwether.send.follow.follower import Follower
from tests.bellwether.send.test_follow import Harness, rename


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def at_once(harness: Harness) -> Follower:
    """Do what there is to do, without time passing."""
    follower = harness.follower or harness.start()
    while follower.step():
        pass
    return follower


def restart(harness: Harness) -> None:
    if harness.follower is not None:
        harness.follower.close()
    harness.start()


def test_a_log_rotated_while_the_renamed_one_is_waited_for_is_sent(
    harness: Harness,
) -> None:
    harness.write(1)
    harness.run()
    rename(harness.path)
    restart(harness)
    at_once(harness)  # goes on in app.log.1
    harness.write(2)
    rename(harness.path)  # which is app.log.2 now, and another has its name
    harness.write(3)
    harness.run()
    assert harness.store.lines() == [1, 2, 3]


def test_files_that_were_written_to_in_one_tick_of_the_clock_are_all_sent(harness: Harness) -> None:
    harness.write(1)
    harness.run()
    for number in (2, 3):
        rename(harness.path)
        harness.write(number)
    rename(harness.path)
    for number in (1, 2, 3):
        os.utime(f"{harness.path}.{number}", ns=(10**18, 10**18))
    harness.write(4)
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4]


def test_files_named_by_dates_and_written_to_in_one_tick_are_all_sent(
    harness: Harness,
) -> None:
    harness.write(1)
    harness.run()
    for number in (1, 2, 3):
        old = harness.path.rename(harness.path.with_name(f"app-2026112{number}.log"))
        os.utime(old, ns=(10**18, 10**18))
        harness.write(number + 1)
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4]


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_file_that_is_being_packed_is_sent_once(harness: Harness, keeps_time: bool) -> None:
    harness.write(1, 2)
    harness.run()
    rename(harness.path)
    at_once(harness)
    old, packed = (harness.path.with_name(f"app.log.1{end}") for end in ("", ".gz"))
    data = gzip.compress(old.read_bytes())
    packed.write_bytes(data[: len(data) // 2])
    harness.write(3)
    harness.now_s += 6.0
    at_once(harness)
    packed.write_bytes(data)
    at_once(harness)
    if keeps_time:
        state = old.stat()
        os.utime(packed, ns=(state.st_atime_ns, state.st_mtime_ns))
    old.unlink()
    harness.run()
    assert harness.store.lines() == [1, 2, 3]


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_file_that_was_packed_before_its_end_was_seen_is_sent_once(
    harness: Harness, keeps_time: bool
) -> None:
    harness.write(1, 2)
    harness.run()
    rename(harness.path)
    harness.write(3)
    rename(harness.path)
    for number in (2, 1):
        old = harness.path.with_name(f"app.log.{number}")
        packed = harness.path.with_name(f"app.log.{number}.gz")
        packed.write_bytes(gzip.compress(old.read_bytes()))
        state = old.stat()
        if keeps_time:
            os.utime(packed, ns=(state.st_atime_ns, state.st_mtime_ns))
        old.unlink()
    harness.write(4)
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4]


@pytest.mark.parametrize("is_running", [True, False])
def test_a_rename_between_a_look_and_its_use_loses_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, is_running: bool
) -> None:
    harness.write(1)
    harness.run()
    rename(harness.path)
    harness.write(2)
    if not is_running:
        restart(harness)
    look, renames = rotated.rotated_files, [3, 4]

    def looked(path: Path) -> list[rotated.RotatedFile]:
        found = look(path)
        if renames:
            rename(harness.path)
            harness.write(renames.pop(0))
        return found

    monkeypatch.setattr(rotated, "rotated_files", looked)
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4]
    assert not any("is gone" in text for text in harness.notices)


@pytest.mark.parametrize("count", [1, 2])
def test_a_log_that_is_truncated_before_a_line_of_it_was_sent_is_found_in_its_copy(
    harness: Harness, count: int
) -> None:
    harness.write(1)
    harness.run()
    rename(harness.path)
    harness.write(*range(2, 2 + count))
    follower = harness.follower
    assert follower is not None
    harness.now_s += 6.0
    while not str(harness.notices[-1:]).endswith("app.log']") or follower.bookmark.offset:
        follower.step()
        harness.now_s += 1.0
    # it has begun the new log, and sent nothing of it
    harness.path.rename(harness.path.with_name("kept"))
    harness.path.with_name("app.log.1").rename(harness.path.with_name("app.log.2"))
    inode_kept = harness.path.with_name("kept")
    copy = harness.path.with_name("app.log.1")
    copy.write_bytes(inode_kept.read_bytes())
    inode_kept.rename(harness.path)
    with harness.path.open("r+") as file:
        file.truncate(0)
    harness.write(9)
    harness.run()
    assert harness.store.lines() == [1, *range(2, 2 + count), 9]


def test_what_was_put_aside_after_a_file_that_is_gone_is_sent(harness: Harness) -> None:
    harness.now_s = 2_000_000_000.0
    harness.write(1)
    harness.run()
    for number in (2, 3):
        rename(harness.path)
        harness.write(number)
    harness.path.with_name("app.log.2").unlink()
    later_ns = (int(harness.now_s) + 60) * 10**9
    os.utime(harness.path.with_name("app.log.1"), ns=(later_ns, later_ns))
    restart(harness)
    harness.run()
    assert harness.store.lines() == [1, 2, 3]
    assert sum("is gone" in text for text in harness.notices) == 1


def test_an_empty_log_that_is_gone_does_not_bring_back_what_was_sent(harness: Harness) -> None:
    harness.now_s = 2_000_000_000.0
    harness.write(1)
    harness.run()
    rename(harness.path)
    harness.path.touch()
    harness.run()  # begins the new one, which has nothing yet
    harness.path.unlink()
    restart(harness)
    harness.run()
    harness.write(2)
    harness.run()
    assert harness.store.lines() == [1, 2]


def test_small_logs_with_the_same_lines_are_each_sent(harness: Harness) -> None:
    harness.write(1, 2)
    harness.run()
    for _ in range(3):
        rename(harness.path)
        harness.write(1, 2)
        harness.run()
    rename(harness.path)
    harness.write(1, 2)
    rename(harness.path)
    harness.run()
    harness.write(1, 2)
    harness.run()
    assert harness.store.lines() == [1, 2] * 6
