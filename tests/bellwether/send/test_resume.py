"""A file that is sent again, in whatever state it is by then: every line is stored once."""

import bz2
import gzip
import lzma
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
import zstandard

from bellwether.send.deliver.batches import BatchLimits
from bellwether.send.deliver.sender import Progress
from bellwether.send.files.resume import remove_oldest, write_state
from bellwether.send.files.source import FINISHED_AFTER_S, open_source
from bellwether.send.files.whole import GREW
from bellwether.send.follow.bookmark import Bookmark, bookmark_file, write_bookmark
from bellwether.send.load import REPEAT_SAFE_S, Load, LoadOptions, LoadRefused, begin
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.prepare import LOAD_FIELD, Choices

PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress),
    (".zst", zstandard.ZstdCompressor().compress),
]  # fmt: skip


@dataclass
class Store:
    """A folder with files, and a store that keeps the ids of batches until `forget` is called."""

    folder: Path
    now_s: float = 1_000_000_000.0
    ids: set[str] = field(default_factory=set)
    events: list[dict[str, object]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    nonces: int = 0

    def send(
        self, path: Path, kind: str = "json", stop_after: int = 10**9, finished: bool = False,
        **choices_of: object,
    ) -> Load:  # fmt: skip
        """One run of the command; `stop_after` batches it is interrupted."""
        self.errors = []
        choices = choices_of.pop("choices", Choices())
        options = LoadOptions("d", "http://x", kind, choices, **choices_of)  # type: ignore[arg-type]

        def nonce() -> str:
            self.nonces += 1
            return str(self.nonces)

        load = begin(
            open_source(str(path), self.now_s, finished), options,
            {"XDG_STATE_HOME": str(self.folder / "state")},
            lambda: open_source(str(path), self.now_s, finished), lambda: self.now_s, nonce,
        )  # fmt: skip
        progress = Progress()
        ended = True
        for number, batch in enumerate(load.batches(load.events(), SMALL_BATCHES)):
            if number >= stop_after:
                ended = False
                break
            if batch.id not in self.ids:
                self.ids.add(batch.id)
                self.events += [event["data"] for event in orjson.loads(batch.body)]
            self.errors += [refused.error or "" for refused in batch.refused]
            progress.accepted += len(batch.events)
            progress.offset, progress.line = batch.end, batch.line
            progress.last_bytes = batch.last_bytes
        state = load.state(progress, ended)
        assert load.state_path is not None
        assert state is not None
        write_state(load.state_path, state)
        return load

    def forget(self) -> None:
        """Time passes: the store no longer knows the ids."""
        self.ids.clear()
        self.now_s += REPEAT_SAFE_S + 1

    def numbers(self) -> Counter[object]:
        """How often each n is there."""
        return Counter(event["n"] for event in self.events)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


SMALL_BATCHES = BatchLimits(events_max=40)


def lines(start: int, stop: int, pad: int = 0) -> bytes:
    return b"".join(b'{"n":%d,"pad":"%b"}\n' % (n, b"x" * pad) for n in range(start, stop))


def write(path: Path, data: bytes, age_s: float = 0.0, store: Store | None = None) -> Path:
    path.write_bytes(data)
    if store is not None:
        os.utime(path, (store.now_s - age_s, store.now_s - age_s))
    return path


def once(count: int) -> Counter[object]:
    return Counter(dict.fromkeys(range(count), 1))


@pytest.mark.parametrize("pad", [0, 700, 3_000])
@pytest.mark.parametrize("first", [1, 7, 100])
def test_a_file_that_grew_is_gone_on_with_at_any_size(store: Store, first: int, pad: int) -> None:
    path = store.folder / "a.log"
    for start, stop in ((0, first), (first, first + 1), (first + 1, first + 90)):
        with path.open("ab") as file:
            file.write(lines(start, stop, pad))
        store.send(path, resume=True)
        store.forget()
    assert store.numbers() == once(first + 90)


def test_a_grown_file_without_resume_repeats_the_batches_that_are_there(store: Store) -> None:
    path = write(store.folder / "a", lines(0, 65))
    store.send(path)
    write(path, lines(0, 130))
    store.send(path)
    write(path, lines(0, 131))
    store.send(path)
    assert store.numbers() == once(131)


TRACE = [
    b"2023-11-14 22:13:00,000 INFO main - one\n",
    b"2023-11-14 22:13:01,000 ERROR main - two\njava.lang.FooException: y\n\tat a.B(C.java:1)\n",
    b"\tat c.D(E.java:1)\n\nCaused by: q.ZException: q\n",
    b"\tat f.G(H.java:1)\n2023-11-14 22:13:02,000 INFO main - three\n",
]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("kind", ["text", "syslog", "pattern"])
def test_an_entry_of_several_lines_that_grew_is_gone_on_with_in_further_events(
    store: Store, kind: str, resume: bool, end: bytes
) -> None:
    options = {
        "text": ReadOptions(),
        "syslog": ReadOptions(continuation=r"^\t|Exception"),
        "pattern": ReadOptions(pattern=r"(?P<time>\S+ \S+) (?P<message>.*)",
                               continuation=r"^\t|Exception"),
    }[kind]  # fmt: skip
    path = write(store.folder / "log", b"")
    for count in range(2, len(TRACE) + 1):
        data = b"".join(TRACE[:count])
        if kind == "syslog":
            data = data.replace(b",000 INFO main -", b"Z host app:")
            data = data.replace(b",000 ERROR main -", b"Z host app:")
        write(path, data.replace(b"\n", end))
        store.send(path, kind, choices=Choices(options=options), resume=resume)
        assert store.errors == []
    stored = [line for e in store.events for line in str(e["message"]).split("\n") if line]
    assert [line.rpartition(" - ")[2].rpartition("app: ")[2].rpartition("main - ")[2]
            for line in stored] == [
        "one", "two", "java.lang.FooException: y", "\tat a.B(C.java:1)", "\tat c.D(E.java:1)",
        "Caused by: q.ZException: q", "\tat f.G(H.java:1)", "three",
    ]  # fmt: skip
    assert [e.get("continued") for e in store.events] == [None, None, 2, 3, None]


def test_the_same_file_long_after_is_asked_about(store: Store) -> None:
    path = write(store.folder / "a", lines(0, 50))
    first = store.send(path)
    store.send(path)
    store.forget()
    with pytest.raises(
        LoadRefused, match=r"--resume stores what was added.*--again stores all"
    ) as refusal:
        store.send(path)
    assert first.key in str(refusal.value)
    store.send(path, resume=True)
    assert store.numbers() == once(50)
    again = store.send(path, again=True)
    assert again.key != first.key
    assert set(store.numbers().values()) == {2}


@pytest.mark.parametrize(("suffix", "pack"), PACKERS)
def test_a_file_that_was_rotated_and_packed_is_the_same_file(
    store: Store, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = write(store.folder / "app.log", lines(0, 70))
    key = store.send(path).key
    store.forget()
    moved = path.rename(store.folder / "app.log.1")
    with moved.open("ab") as file:
        file.write(lines(70, 90))
    assert store.send(moved, resume=True).key == key
    store.forget()
    write(store.folder / f"app.log.1{suffix}", pack(lines(0, 90)))
    assert store.send(store.folder / f"app.log.1{suffix}", resume=True).key == key
    write(path, lines(90, 130))
    assert store.send(path, resume=True).key != key
    assert store.numbers() == once(130)


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("count", [5, 15, 100])  # shorter than the other file, as long, longer
def test_another_file_with_the_same_beginning_is_another_file(
    store: Store, count: int, resume: bool
) -> None:
    common = lines(0, 45, 3_000)  # more than what files are told apart by at first
    one = write(store.folder / "one", common + lines(45, 60))
    other = write(store.folder / "other", common + lines(1045, 1045 + count))
    assert len(common) > 100_000
    first = store.send(one)
    second = store.send(other, resume=resume)
    assert second.key != first.key
    assert second.before is None
    assert store.numbers() == once(60) + Counter(range(45)) + Counter(range(1045, 1045 + count))
    store.send(other, resume=resume)  # and is known from now on
    store.send(one, resume=True)
    assert store.numbers() == once(60) + Counter(range(45)) + Counter(range(1045, 1045 + count))


def test_a_file_that_was_truncated_and_filled_again_is_read_from_its_beginning(
    store: Store,
) -> None:
    path = write(store.folder / "a", lines(0, 60))
    store.send(path, resume=True)
    write(path, lines(60, 150))
    store.send(path, resume=True)
    assert store.numbers() == once(150)


@pytest.mark.parametrize(
    ("kind", "whole", "part", "rest"),
    [
        ("logfmt", b"n=%d pad=x\n", b'n=60 msg="hel', b'lo"\n'),
        ("logfmt", b"n=%d pad=x\r\n", b"n=6", b"0 msg=hello\r\n"),
        ("csv", b"%d,x\n", b"60,hel", b"lo\n"),
        ("json", b'{"n":%d}\n', b'{"n":60,"m', b'sg":"hello"}\n'),
        ("json", b'{\n "n": %d\n}\n', b'{\n "n": 60,\n', b' "msg": "hello"\n}\n'),
    ],
)
def test_a_half_written_last_line_is_stored_once_and_whole(
    store: Store, kind: str, whole: bytes, part: bytes, rest: bytes
) -> None:
    begin_ = (b"n,msg\n" if kind == "csv" else b"") + b"".join(whole % n for n in range(60))
    path = write(store.folder / "a", begin_ + part, store=store)
    store.send(path, kind)
    assert store.numbers() == once(60)
    assert len(store.errors) == 1
    store.forget()
    write(path, begin_ + part + rest, store=store)
    store.send(path, kind, resume=True)
    assert store.numbers() == once(61)
    assert [event["msg"] for event in store.events if event["n"] == 60] == ["hello"]


def test_the_last_line_of_a_file_that_nobody_writes_to_needs_no_line_break(store: Store) -> None:
    old = write(store.folder / "old", b"n=1\nn=2", FINISHED_AFTER_S + 1, store)
    store.send(old, "logfmt")
    new = write(store.folder / "new", b"n=3\nn=4", store=store)
    store.send(new, "logfmt", finished=True)
    write(store.folder / "p.gz", gzip.compress(b"n=5\nn=6"), store=store)
    store.send(store.folder / "p.gz", "logfmt")
    assert store.numbers() == Counter(range(1, 7))


@pytest.mark.parametrize("kind", ["logfmt", "json"])
def test_a_line_that_was_stored_without_its_break_is_not_stored_again(
    store: Store, kind: str
) -> None:
    one, two, three = (
        (b"n=0", b"n=1", b"n=2") if kind == "logfmt" else (b'{"n":0}', b'{"n":1}', b'{"n":2}')
    )
    path = write(store.folder / "a", one + b"\n" + two, store=store)
    store.send(path, kind, finished=True)
    write(path, one + b"\n" + two + b"\n" + three + b"\n", store=store)
    store.send(path, kind, resume=True)
    assert store.numbers() == once(3)
    assert store.errors == []


def test_a_line_that_grew_after_it_was_stored_is_told_and_not_stored_twice(store: Store) -> None:
    path = write(store.folder / "a", b"n=0\nn=1", store=store)
    store.send(path, "logfmt", finished=True)
    write(path, b"n=0\nn=12\nn=2\n", store=store)
    store.send(path, "logfmt", resume=True)
    assert store.numbers() == once(3)
    assert store.errors == [GREW]


def test_an_interrupted_load_goes_on_where_it_was(store: Store) -> None:
    path = write(store.folder / "a", lines(0, 500))
    store.send(path, stop_after=3)
    assert store.numbers() == once(120)
    store.forget()
    load = store.send(path, resume=True, stop_after=2)
    assert load.before is not None
    assert load.before.accepted == 120
    store.send(path, resume=True)
    assert store.numbers() == once(500)
    store.forget()
    store.send(path, resume=True)
    assert store.numbers() == once(500)


def test_events_carry_the_id_of_their_load(store: Store) -> None:
    path = write(store.folder / "a", lines(0, 3))
    load = store.send(path)
    assert {event[LOAD_FIELD] for event in store.events} == {load.key}
    named = store.send(path, load_id="May's import")
    assert named.key != load.key
    assert store.events[-1][LOAD_FIELD] == "May's import"
    store.send(path, no_load_id=True)
    assert LOAD_FIELD not in store.events[-1]
    assert len(store.events) == 9


def test_other_choices_are_another_load(store: Store) -> None:
    path = write(store.folder / "a", b"n,m\n1,2\n")
    store.send(path, "csv")
    load = store.send(path, "tsv", resume=True)
    assert load.before is None
    assert len(store.events) == 2


def test_states_are_bounded_and_survive_damage(store: Store) -> None:
    for n in range(5):
        load = store.send(write(store.folder / str(n), lines(n, n + 1)))
    assert load.state_path is not None
    remove_oldest(load.state_path.parent, files_max=3)
    kept = list(load.state_path.parent.glob("*.json"))
    assert len(kept) == 3
    for path in kept:
        path.write_bytes(b"{")
    store.send(store.folder / "4", resume=True)  # not known any more, but the batch still is
    assert store.numbers() == once(5)


def test_the_bookmark_of_a_followed_log_outlives_any_number_of_loads(tmp_path: Path) -> None:
    place = bookmark_file(tmp_path, "quiet.log", "web", "http://host")
    write_bookmark(place, Bookmark(key="k"))
    os.utime(place, (1, 1))  # it is the oldest: nothing was written to its log for long
    for n in range(3):
        (tmp_path / f"scope-{n}.json").write_bytes(b"{}")
    remove_oldest(tmp_path, files_max=1)
    assert place.exists()
    assert len(list(tmp_path.glob("scope-*.json"))) == 1
