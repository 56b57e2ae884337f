"""A followed log: every line once, over rotations, truncations, stops and a store that is away."""

import gzip
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from bellwether.send.follow.bookmark import Bookmark, BookmarkError, exclusive, read_bookmark
from bellwether.send.follow.chunk import CHUNK_LINES
from bellwether.send.follow.follower import Follower, FollowOptions, FollowRefused
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.prepare import Choices, Ready


class Killed(Exception):
    """Stands for SIGKILL."""


class Store:
    """Takes a batch once, as the real store does; may fail before or after it took one."""

    def __init__(self) -> None:
        self.batches: dict[str, list[dict[str, object]]] = {}
        self.fails: list[str] = []

    def post(self, events: list[Ready], batch_id: str) -> list[tuple[Ready, str]]:
        how = self.fails.pop(0) if self.fails else ""
        if how == "before":
            raise Killed
        rows = [orjson.loads(event.part)["data"] for event in events]
        known = self.batches.setdefault(batch_id, rows)
        assert known == rows, "one id, other content"
        if how == "after":
            raise Killed
        return []

    def lines(self) -> list[object]:
        return [row["n"] for rows in self.batches.values() for row in rows]


class Harness:
    """A log, a store, and a follower that can be started anew."""

    def __init__(self, folder: Path, kind: str = "json", options: ReadOptions | None = None):
        self.path = folder / "app.log"
        self.bookmark_path = folder / "state" / "place.json"
        self.bookmark_path.parent.mkdir()
        self.store = Store()
        self.now_s = 1_000.0
        self.notices: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.kind = kind
        self.options = options or ReadOptions()
        self.from_end = False
        self.follower: Follower | None = None

    def start(self) -> Follower:
        bookmark = read_bookmark(self.bookmark_path) or Bookmark(key="k", kind=self.kind)
        options = FollowOptions(
            self.path, Choices(options=self.options), None, from_end=self.from_end
        )
        self.follower = Follower(
            options, bookmark, self.bookmark_path,
            self.store, lambda: self.now_s,  # type: ignore[arg-type]
            self.notices.append, lambda line, why, source: self.refused.append((line, why)),
        )  # fmt: skip
        return self.follower

    def run(self) -> None:
        """Do all there is to do, and let time pass until nothing is left."""
        follower = self.follower or self.start()
        for _ in range(30):
            try:
                while follower.step():
                    pass
            except Killed:
                follower = self.start()
            self.now_s += 1.0

    def write(self, *numbers: int, end: str = "\n") -> None:
        with self.path.open("a") as file:
            file.write("".join(f'{{"n":{n}}}{end}' for n in numbers))


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def test_lines_are_sent_as_they_come_and_a_half_written_one_when_whole(
    harness: Harness,
) -> None:
    harness.run()  # there is no file yet
    harness.write(1, 2)
    with harness.path.open("a") as file:
        file.write('{"n":')
    harness.run()
    assert harness.store.lines() == [1, 2]
    with harness.path.open("a") as file:
        file.write("3}\n")
    harness.run()
    assert harness.store.lines() == [1, 2, 3]


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_stop_around_the_answer_neither_loses_nor_doubles(harness: Harness, how: str) -> None:
    harness.store.fails = [how, "", how, how]
    for n in range(5):
        harness.write(n)
        harness.run()
        harness.start()
    assert harness.store.lines() == [0, 1, 2, 3, 4]


def rename(path: Path) -> None:
    for number in (2, 1):
        old = path.with_name(f"{path.name}.{number}")
        if old.exists():
            old.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))


def rename_and_pack(path: Path) -> None:
    rename(path)
    old = path.with_name(f"{path.name}.1")
    packed = path.with_name(f"{path.name}.1.gz")
    packed.write_bytes(gzip.compress(old.read_bytes()))
    shutil.copystat(old, packed)
    old.unlink()


def rename_by_date(path: Path) -> None:
    path.rename(path.with_name("app-20261128.log"))


def copy_and_truncate(path: Path) -> None:
    shutil.copy2(path, path.with_name(f"{path.name}.1"))
    with path.open("r+") as file:
        file.truncate(0)


ROTATIONS = [rename, rename_and_pack, rename_by_date, copy_and_truncate]


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("rotate", ROTATIONS)
def test_a_rotated_log_is_sent_to_its_end_and_then_the_new_one(
    harness: Harness, rotate: Callable[[Path], None], is_running: bool
) -> None:
    harness.write(1, 2)
    harness.run()
    harness.write(3)  # is in the old file only when it is looked at again
    rotate(harness.path)
    harness.write(4)
    if not is_running:
        assert harness.follower is not None
        harness.follower.close()
        harness.start()
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4]
    harness.write(5)
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4, 5]


def test_a_log_that_was_rotated_twice_while_nobody_followed_is_sent_whole(harness: Harness) -> None:
    harness.write(1)
    harness.run()
    harness.write(2)
    rename(harness.path)
    harness.write(3, 4)
    rename(harness.path)
    harness.write(5)
    harness.start()
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4, 5]


def test_what_a_program_writes_to_a_renamed_log_is_sent_too(harness: Harness) -> None:
    harness.write(1)
    harness.run()
    with harness.path.open("a") as kept_open:
        rename(harness.path)
        assert harness.follower is not None
        while harness.follower.step():
            pass
        kept_open.write('{"n":2}\n')
    harness.write(3)
    harness.run()
    assert harness.store.lines() == [1, 2, 3]


def test_files_with_the_same_beginning_are_never_taken_for_each_other(harness: Harness) -> None:
    for _ in range(3):
        harness.write(1, 2)
        harness.run()
        copy_and_truncate(harness.path)
        harness.run()
    harness.write(1, 2)
    harness.run()
    assert Counter(harness.store.lines()) == {1: 4, 2: 4}


def test_a_log_that_is_gone_with_what_was_not_sent_is_told(harness: Harness) -> None:
    harness.write(1)
    harness.run()
    harness.path.unlink()
    harness.write(2)
    harness.start()
    harness.run()
    assert harness.store.lines() == [1, 2]
    assert any("is gone" in text for text in harness.notices)


def test_a_log_that_is_gone_is_reported_once_while_its_next_file_is_awaited(
    harness: Harness,
) -> None:
    harness.write(1)
    harness.run()
    harness.path.unlink()
    harness.start()
    harness.run()
    assert sum("is gone" in text for text in harness.notices) == 1
    harness.write(2)
    harness.run()
    assert harness.store.lines() == [1, 2]
    assert sum("is gone" in text for text in harness.notices) == 1


def test_a_log_that_is_truncated_and_removed_is_waited_for(harness: Harness) -> None:
    harness.write(1)
    harness.run()
    with harness.path.open("r+") as file:
        file.truncate(0)
    harness.path.unlink()
    harness.run()
    harness.write(2)
    harness.run()
    assert harness.store.lines() == [1, 2]


def test_the_order_of_numeric_dates_is_learnt_once_and_for_all(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    line = '{"n":%d,"time":"%s/06/2026 10:00:00"}\n'
    harness.path.write_text(line % (1, "13"))  # day first: there is no such month
    harness.run()
    for n in (2, 3, 4):  # alone, after a stop and in the next file it may be read in two orders
        with harness.path.open("a") as file:
            file.write(line % (n, "05"))
        if n == 3:
            harness.start()
        harness.run()
        if n == 3:
            rename(harness.path)
    assert harness.store.lines() == [1, 2, 3, 4]
    assert harness.refused == []


def test_of_short_lines_no_more_are_held_at_once_than_of_long_ones(harness: Harness) -> None:
    harness.write(*range(10_000))
    harness.run()
    assert harness.store.lines() == list(range(10_000))
    assert max(map(len, harness.store.batches.values())) <= CHUNK_LINES


def test_a_bad_line_and_one_that_is_too_long_cost_themselves(harness: Harness) -> None:
    with harness.path.open("w") as file:
        file.write('{"n":1}\nnot json\n{"n":2}\n{"n":"' + "x" * 4_100_000 + '"}\n{"n":3}\n')
    harness.run()
    assert harness.store.lines() == [1, 2, 3]
    assert [line for line, _ in harness.refused] == [2, 4]


def test_a_table_is_read_by_its_names_however_far_it_has_grown(tmp_path: Path) -> None:
    harness = Harness(tmp_path, "csv")
    harness.path.write_text("n;text\n1;a\n")
    harness.run()
    with harness.path.open("a") as file:
        file.write('2;"two\n')
    assert harness.follower is not None
    assert not harness.follower.step()  # the value may go on
    with harness.path.open("a") as file:
        file.write('lines"\n3;c\n1;2;3\n4;d\n')
    harness.start()
    harness.run()
    assert harness.store.lines() == [1, 2, 3, 4]
    assert [line for line, _ in harness.refused] == [6]


def test_a_document_over_several_lines_is_waited_for(harness: Harness) -> None:
    with harness.path.open("w") as file:
        file.write('{\n "n": 1\n}\n{\n "n":\n')
    follower = harness.start()
    while follower.step():
        pass
    assert harness.store.lines() == [1]
    with harness.path.open("a") as file:
        file.write(" 2\n}\n")
    harness.run()
    assert harness.store.lines() == [1, 2]
    assert harness.refused == []


def test_a_stack_trace_that_is_still_written_stays_one_event(tmp_path: Path) -> None:
    harness = Harness(tmp_path, "text")
    harness.path.write_text(
        "2026-11-28 19:00:36,123 INFO main - begin\n"
        "2026-11-28 19:00:37,123 ERROR main - failed\njava.lang.RuntimeException: no\n"
    )
    follower = harness.start()
    while follower.step():
        pass
    with harness.path.open("a") as file:
        file.write(
            "\tat com.example.Main.run(Main.java:7)\n2026-11-28 19:00:38,123 INFO main - on\n"
        )
    harness.run()
    messages = [str(row["message"]) for rows in harness.store.batches.values() for row in rows]
    assert len(messages) == 3
    assert messages[1].endswith("Main.java:7)")


def test_from_the_end_leaves_out_what_is_there(harness: Harness) -> None:
    harness.write(1, 2)
    harness.from_end = True
    harness.start()
    harness.run()
    harness.write(3)
    harness.run()
    assert harness.store.lines() == [3]


def test_a_log_whose_first_lines_make_no_sense_is_not_sent(harness: Harness) -> None:
    harness.path.write_text("words\n" * 20)
    with pytest.raises(FollowRefused, match="cannot be read"):
        harness.run()
    assert harness.store.batches == {}


def test_bad_lines_at_the_beginning_of_a_later_file_end_nothing(harness: Harness) -> None:
    harness.write(1)
    harness.run()
    rename(harness.path)
    harness.path.write_text("words\n" * 20)
    harness.write(2)
    harness.run()
    assert harness.store.lines() == [1, 2]
    assert len(harness.refused) == 20


def test_two_cannot_follow_one_log(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    with exclusive(path), pytest.raises(BookmarkError, match="another"), exclusive(path):
        pass
    path.write_text("{")
    with pytest.raises(BookmarkError, match="remove it"):
        read_bookmark(path)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_writes_rotations_and_stops_keeps_every_line_once(
    harness: Harness, seed: int
) -> None:
    chance = random.Random(seed)
    written = 0
    for _ in range(60):
        match chance.randrange(6):
            case 0 | 1 | 2:
                count = chance.randrange(1, 4)
                harness.write(*range(written, written + count))
                written += count
            case 3:
                if harness.path.exists() and harness.path.stat().st_size:
                    harness.run()  # as logrotate at night: the follower is not days behind
                    chance.choice((rename, copy_and_truncate))(harness.path)
            case 4:
                harness.store.fails = [chance.choice(("before", "after", ""))]
                harness.run()
            case 5:
                harness.start()
    harness.run()
    assert harness.store.lines() == list(range(written))
