"""Compaction documents of one partition, read and written by two processes (I2, I4, I13)."""

import dataclasses
import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from common import limits
from common.errors import ObjectsUnavailable
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from snapshot.compaction import book
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.documents import Compaction, CompactionDocument
from snapshot.compaction.replay import Replay
from snapshot.documents.chain import Chain
from snapshot.documents.locations import segment_key
from snapshot.documents.manifest import SegmentEntry
from tests.snapshot.compaction.pieces import pieces

GRACE_NS = 1_000


@pytest.fixture
def entries(tmp_path: Path) -> list[SegmentEntry]:
    """Small segments of consecutive cuts."""
    return [one.entry for one in pieces(tmp_path / "pieces", 6, rows=1)]


def output(number: int, inputs: Sequence[SegmentEntry], *replaces: str) -> Compaction:
    """A compaction whose output has the name of this number; what is in it does not matter."""
    entry = msgspec.structs.replace(
        inputs[0], object=f"{number:064x}", rows=len(inputs), end_offset=inputs[-1].end_offset
    )
    return Compaction(inputs=list(inputs), output=entry, replaces=list(replaces))


def name(number: int) -> str:
    return f"{number:064x}"


def read_by(book: CompactionBook) -> list[str]:
    return [one.entry.object for one in book.refresh().all()]


def delete_due(book: CompactionBook, now_ns: int, may_delete: Callable[[int], bool]) -> int:
    return book.delete_due(now_ns, GRACE_NS, lambda _: GRACE_NS, may_delete, frozenset(), "test")


def two_books(objects: ObjectStore) -> tuple[CompactionBook, CompactionBook]:
    return CompactionBook(Chain(objects, 0, None)), CompactionBook(Chain(objects, 0, None))


def test_an_output_that_one_process_left_out_may_be_replaced_by_another(
    tmp_path: Path, entries: list[SegmentEntry]
) -> None:
    """One knows that all inputs are deleted, the other has not read it yet: both read the same."""
    one, other = two_books(DirectoryObjects(tmp_path / "objects"))
    assert one.publish([output(1, entries[:2])], 0, 1, "one") is not None
    other.refresh()
    assert one.delete_outputs({entry.object for entry in entries[:2]}) == 1
    assert other.publish([output(2, entries[:4], name(1))], 1, 2, "other") is not None
    assert read_by(one) == read_by(other) == [name(2)]


def test_a_deletion_that_is_announced_meanwhile_wastes_no_outputs(
    tmp_path: Path, entries: list[SegmentEntry]
) -> None:
    one, other = two_books(DirectoryObjects(tmp_path / "objects"))
    assert one.publish([output(1, entries[:2])], 0, 1, "one") is not None
    assert read_by(other) == [name(1)]
    assert delete_due(one, 2 * GRACE_NS, lambda _: True) == 2  # document 2
    assert other.publish([output(3, entries[2:4])], 1, 2, "other") is not None
    assert read_by(one) == [name(1), name(3)]
    assert one.publish([output(4, entries[4:])], 2, 3, "one") is None  # chosen before document 3


def test_documents_may_be_read_while_those_that_wait_are_listed(
    entries: list[SegmentEntry],
) -> None:
    documents = [
        CompactionDocument(
            partition=0,
            number=number + 1,
            compactions=[output(number + 1, entries[2 * number : 2 * number + 2])],
            published_ns=1,
        )
        for number in range(3)
    ]
    replay = Replay()
    replay.apply(documents[0])
    replay.apply(documents[1])

    class Reading(frozenset[int]):
        """Asked whether it has a number, it lets the other thread read a document."""

        def __contains__(self, number: object) -> bool:
            if replay.number == 2:
                replay.apply(documents[2])
            return False

    replay.compacted = dataclasses.replace(replay.compacted, deleted=Reading())
    assert list(replay.waiting()) == [1, 2]
    assert list(replay.waiting()) == [1, 2, 3]


def test_what_is_read_back_before_a_deletion_is_what_is_read_now(
    tmp_path: Path, entries: list[SegmentEntry]
) -> None:
    book, _ = two_books(DirectoryObjects(tmp_path / "objects"))
    assert book.publish([output(1, entries[:2])], 0, 1, "one") is not None
    assert book.publish([output(2, entries[:4], name(1))], 1, 1, "one") is not None
    assert [one.entry.object for one in book.outputs_for(1)] == [name(2)]
    assert [one.entry.object for one in book.outputs_for(2)] == [name(2)]


class Failing(DirectoryObjects):
    """A store that deletes nothing while `fails`."""

    fails = True

    def delete(self, key: str) -> None:
        if self.fails:
            raise ObjectsUnavailable("no")
        super().delete(key)


def test_no_more_deletions_are_announced_than_a_start_repeats(
    tmp_path: Path, entries: list[SegmentEntry]
) -> None:
    objects = Failing(tmp_path / "objects")
    book, _ = two_books(objects)
    many = [msgspec.structs.replace(entries[0], object=name(100 + n)) for n in range(80)]
    for one in many:
        objects.put_if_absent(segment_key(one.object), b"x")
    for number in range(40):
        made = output(number + 1, many[2 * number : 2 * number + 2])
        assert book.publish([made], number, 1, "one") is not None
    for _ in range(3):
        with pytest.raises(ObjectsUnavailable):
            delete_due(book, 2 * GRACE_NS, lambda _: True)
    objects.fails = False
    again, _ = two_books(objects)  # the process was killed and starts again
    again.refresh()
    while delete_due(again, 2 * GRACE_NS, lambda _: True):
        pass
    assert list(_segments(objects)) == []


def test_outputs_without_rows_are_deleted_although_the_process_ends_meanwhile(
    tmp_path: Path, entries: list[SegmentEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than are deleted in one round, as when a dataset's rows all expire."""
    monkeypatch.setattr(limits, "OBJECTS_DELETED_AT_ONCE", 10)
    objects = DirectoryObjects(tmp_path / "objects")
    book, started = two_books(objects)
    for number in range(40):
        held = [msgspec.structs.replace(entries[0], object=name(100 + number))]
        objects.put_if_absent(segment_key(name(number + 1)), b"x")
        assert book.publish([output(number + 1, held)], number, 1, "one") is not None
    expired = {name(100 + number) for number in range(40)}
    assert book.delete_outputs(expired) == 10
    started.refresh()
    while started.delete_outputs(expired):
        pass
    assert list(_segments(objects)) == []


def test_what_is_deleted_is_not_held_in_memory(tmp_path: Path, entries: list[SegmentEntry]) -> None:
    """A segment's entry takes most of a kilobyte, its name a tenth; there are ever more of them."""
    objects, count, width = DirectoryObjects(tmp_path / "objects"), 40, 50
    one, started = two_books(objects)
    for number in range(count):
        inputs = [
            msgspec.structs.replace(entries[0], object=name(1_000 + number * width + at))
            for at in range(width)
        ]
        assert one.publish([output(number + 1, inputs)], number, 1, "one") is not None
    tracemalloc.start()
    try:
        started.refresh()
        before = _held_bytes()
        while delete_due(started, 2 * GRACE_NS, lambda _: True):
            pass
        freed = before - _held_bytes()
        assert freed > 300 * count * width
        again, _ = two_books(objects)
        again.refresh()
        held = _held_bytes() + freed - before
        assert held < 0.75 * before  # sixteen documents of forty are kept
    finally:
        tracemalloc.stop()


def _held_bytes() -> int:
    """Memory that the reading of documents has taken; not what else the process does meanwhile."""
    gc.collect()
    of_documents = tracemalloc.Filter(True, f"{Path(book.__file__).parents[1]}/*")
    traces = tracemalloc.take_snapshot().filter_traces([of_documents]).traces
    return sum(trace.size for trace in traces)


def _segments(objects: ObjectStore) -> Iterator[str]:
    for info in objects.list("segments/"):
        yield info.key
