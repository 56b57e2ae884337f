"""Rotations at every moment of a followed log: while it is waited for, packed or looked at."""

import gzip
import os
from pathlib import Path

import pytest

from bellwether.send.follow import rotated
from bellwether.send.follow.follower import Follower
from tests.bellwether.send.test_follow import House, rename


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def at_once(house: House) -> Follower:
    """Do what there is to do, without time passing."""
    follower = house.follower or house.start()
    while follower.step():
        pass
    return follower


def restart(house: House) -> None:
    if house.follower is not None:
        house.follower.close()
    house.start()


def test_a_log_that_is_rotated_while_the_renamed_one_is_waited_for_is_sent(house: House) -> None:
    house.write(1)
    house.run()
    rename(house.path)
    restart(house)
    at_once(house)  # goes on in app.log.1
    house.write(2)
    rename(house.path)  # which is app.log.2 now, and another has its name
    house.write(3)
    house.run()
    assert house.store.lines() == [1, 2, 3]


def test_files_that_were_written_to_in_one_tick_of_the_clock_are_all_sent(house: House) -> None:
    house.write(1)
    house.run()
    for number in (2, 3):
        rename(house.path)
        house.write(number)
    rename(house.path)
    for number in (1, 2, 3):
        os.utime(f"{house.path}.{number}", ns=(10**18, 10**18))
    house.write(4)
    house.run()
    assert house.store.lines() == [1, 2, 3, 4]


def test_files_named_by_dates_that_were_written_to_in_one_tick_are_all_sent(house: House) -> None:
    house.write(1)
    house.run()
    for number in (1, 2, 3):
        old = house.path.rename(house.path.with_name(f"app-2026112{number}.log"))
        os.utime(old, ns=(10**18, 10**18))
        house.write(number + 1)
    house.run()
    assert house.store.lines() == [1, 2, 3, 4]


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_file_that_is_being_packed_is_sent_once(house: House, keeps_time: bool) -> None:
    house.write(1, 2)
    house.run()
    rename(house.path)
    at_once(house)
    old, packed = (house.path.with_name(f"app.log.1{end}") for end in ("", ".gz"))
    data = gzip.compress(old.read_bytes())
    packed.write_bytes(data[: len(data) // 2])
    house.write(3)
    house.now_s += 6.0
    at_once(house)
    packed.write_bytes(data)
    at_once(house)
    if keeps_time:
        state = old.stat()
        os.utime(packed, ns=(state.st_atime_ns, state.st_mtime_ns))
    old.unlink()
    house.run()
    assert house.store.lines() == [1, 2, 3]


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_file_that_was_packed_before_its_end_was_seen_is_sent_once(
    house: House, keeps_time: bool
) -> None:
    house.write(1, 2)
    house.run()
    rename(house.path)
    house.write(3)
    rename(house.path)
    for number in (2, 1):
        old = house.path.with_name(f"app.log.{number}")
        packed = house.path.with_name(f"app.log.{number}.gz")
        packed.write_bytes(gzip.compress(old.read_bytes()))
        state = old.stat()
        if keeps_time:
            os.utime(packed, ns=(state.st_atime_ns, state.st_mtime_ns))
        old.unlink()
    house.write(4)
    house.run()
    assert house.store.lines() == [1, 2, 3, 4]


@pytest.mark.parametrize("is_running", [True, False])
def test_a_rename_between_a_look_and_its_use_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, is_running: bool
) -> None:
    house.write(1)
    house.run()
    rename(house.path)
    house.write(2)
    if not is_running:
        restart(house)
    look, renames = rotated.put_aside, [3, 4]

    def looked(path: Path) -> list[rotated.PutAside]:
        found = look(path)
        if renames:
            rename(house.path)
            house.write(renames.pop(0))
        return found

    monkeypatch.setattr(rotated, "put_aside", looked)
    house.run()
    assert house.store.lines() == [1, 2, 3, 4]
    assert not any("is gone" in text for text in house.told)


@pytest.mark.parametrize("count", [1, 2])
def test_a_log_that_is_truncated_before_a_line_of_it_was_sent_is_found_in_its_copy(
    house: House, count: int
) -> None:
    house.write(1)
    house.run()
    rename(house.path)
    house.write(*range(2, 2 + count))
    follower = house.follower
    assert follower is not None
    house.now_s += 6.0
    while not str(house.told[-1:]).endswith("app.log']") or follower.place.offset:
        follower.step()
        house.now_s += 1.0
    # it has begun the new log, and sent nothing of it
    house.path.rename(house.path.with_name("kept"))
    house.path.with_name("app.log.1").rename(house.path.with_name("app.log.2"))
    inode_kept = house.path.with_name("kept")
    copy = house.path.with_name("app.log.1")
    copy.write_bytes(inode_kept.read_bytes())
    inode_kept.rename(house.path)
    with house.path.open("r+") as file:
        file.truncate(0)
    house.write(9)
    house.run()
    assert house.store.lines() == [1, *range(2, 2 + count), 9]


def test_what_was_put_aside_after_a_file_that_is_gone_is_sent(house: House) -> None:
    house.now_s = 2_000_000_000.0
    house.write(1)
    house.run()
    for number in (2, 3):
        rename(house.path)
        house.write(number)
    house.path.with_name("app.log.2").unlink()
    later_ns = (int(house.now_s) + 60) * 10**9
    os.utime(house.path.with_name("app.log.1"), ns=(later_ns, later_ns))
    restart(house)
    house.run()
    assert house.store.lines() == [1, 2, 3]
    assert sum("is gone" in text for text in house.told) == 1


def test_an_empty_log_that_is_gone_does_not_bring_back_what_was_sent(house: House) -> None:
    house.now_s = 2_000_000_000.0
    house.write(1)
    house.run()
    rename(house.path)
    house.path.touch()
    house.run()  # begins the new one, which has nothing yet
    house.path.unlink()
    restart(house)
    house.run()
    house.write(2)
    house.run()
    assert house.store.lines() == [1, 2]


def test_small_logs_with_the_same_lines_are_each_sent(house: House) -> None:
    house.write(1, 2)
    house.run()
    for _ in range(3):
        rename(house.path)
        house.write(1, 2)
        house.run()
    rename(house.path)
    house.write(1, 2)
    rename(house.path)
    house.run()
    house.write(1, 2)
    house.run()
    assert house.store.lines() == [1, 2] * 6
