"""A base says what the documents up to it say, and these may then be deleted (I2, I4)."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from snapshot.compaction.bases import CompactionBase, part_ranges
from snapshot.compaction.documents import Compaction, compaction_key
from snapshot.documents.checksummed import (
    DocumentTooNew,
    decode_checksummed,
    encode_checksummed,
)
from snapshot.documents.locations import pack_key
from tests.snapshot.compaction.histories import (
    History,
    MemoryObjects,
    book_of,
    busy,
    delete_all,
    only,
    small_bases,
    state_of,
    written,
)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("compact"), st.integers(0, 7), st.integers(2, 4), st.booleans()),
        st.tuples(st.just("compact"), st.integers(0, 7), st.integers(2, 4), st.booleans()),
        st.tuples(st.just("expire"), st.integers(0, 7), st.integers(1, 3)),
        st.tuples(st.just("delete")),
        st.tuples(st.just("write_base")),
        st.tuples(st.just("write_base")),
        st.tuples(st.just("delete_covered")),
    ),
    min_size=6,
    max_size=24,
)


class Archive(MemoryObjects):
    """Keeps every document that was ever put, in `every`."""

    def __init__(self) -> None:
        super().__init__()
        self.every = MemoryObjects()

    def put_if_absent(self, key: str, data: object) -> bool:
        assert isinstance(data, bytes)
        if key.startswith("compactions/"):
            self.every.put_if_absent(key, data)
        return super().put_if_absent(key, data)


@given(steps)
def test_a_base_and_the_documents_after_it_say_what_all_documents_say(
    some: list[tuple[object, ...]],
) -> None:
    objects = Archive()
    with small_bases():
        history = History(objects)
        for name, *arguments in some:
            getattr(history, str(name))(*arguments)
            assert history.missing(history.book) == []
        replayed = state_of(book_of(objects.every), history.deleted)
        assert state_of(book_of(objects), history.deleted) == replayed
        assert state_of(history.book, history.deleted) == replayed
        for key in objects.keys("compaction-bases"):  # also without the documents that it covers
            number = int(key[-13:-5])
            alone = only(objects, "compaction-bases", "compaction-parts", "manifests")
            alone.held.update(objects.every.held)
            for covered in range(1, number + 1):
                alone.delete(compaction_key(0, covered))
            for other in objects.keys("compaction-bases"):
                if other != key:
                    alone.delete(other)
            assert state_of(book_of(alone), history.deleted) == replayed
        assert left_by(objects, {}, history.deleted) == left_by(
            without_bases(objects), objects.every.held, history.deleted
        )


def without_bases(objects: MemoryObjects) -> MemoryObjects:
    return only(objects, "manifests", "segments", "packs")


def left_by(
    objects: MemoryObjects, documents: dict[str, bytes], deleted: set[str]
) -> tuple[list[str], list[str]]:
    """The objects that are left when a reader has started and deleted what it may."""
    copy = MemoryObjects()
    copy.held = {**objects.held, **documents}
    book = book_of(copy)
    book.refresh()
    for _ in range(8):  # sixteen documents at once
        delete_all(book, deleted)
    return list(copy.keys("segments")), list(copy.keys("packs"))


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small_bases():
        yield


def test_twins_make_the_same_bytes() -> None:
    """One that has run since the first document, one that was started, and one that began at the
    base before.
    """
    objects, history = written()
    for at in range(3):
        history.compact(2 * at, 3, packed=False)
    history.delete()
    stores = []
    for own in (history.book, book_of(objects), None):
        copy = MemoryObjects()
        copy.held.update(objects.held)
        if own is None:
            for number in range(1, history.book.base_number + 1):
                copy.delete(compaction_key(0, number))
        book = history.book if own is history.book else book_of(copy)
        if book is history.book:
            copy = objects
        book.refresh()
        book.delete_due(0, 1, lambda _: 0, lambda _: False, history.deleted, "twin")
        book.delete_outputs(history.deleted)
        stores.append((book, copy))
    for book, _ in reversed(stores):
        assert book.write_base(lambda: True)
    parts = [only(copy, "compaction-bases", "compaction-parts").held for _, copy in stores]
    assert parts[0] == parts[1] == parts[2]
    assert len([key for key in parts[0] if "bases" in key]) == 2


def test_parts_that_did_not_change_are_named_again() -> None:
    objects = MemoryObjects()
    history = History(objects, segments=64)
    for at in range(10):
        history.compact(2 * at, 2, packed=False)
    assert history.write_base()
    before = set(objects.keys("compaction-parts"))
    for at in range(10, 14):
        history.compact(2 * at, 2, packed=False)
    assert history.write_base()
    first, second = (
        {ref.object for ref in decode_checksummed(objects.get(key), CompactionBase, key).parts}
        for key in objects.keys("compaction-bases")
    )
    assert len(first & second) >= 2
    assert len(set(objects.keys("compaction-parts")) - before) == len(second - first)


def test_what_is_stored_follows_from_what_is_read_and_not_from_the_past() -> None:
    """Segments expire, so the outputs that are read stay few while documents become many."""
    sizes: list[int] = []
    objects = MemoryObjects()
    history = History(objects, segments=400)
    for at in range(60):
        history.compact(2 * at, 2, packed=at % 2 == 0)
        if at >= 4:
            history.expire(2 * (at - 4), 2)
        history.delete()
        history.write_base()
        history.delete_covered()
        kept = only(objects, "compactions", "compaction-bases", "compaction-parts").held
        sizes.append(sum(map(len, kept.values())))
    assert max(sizes[30:]) <= max(sizes[:30]) * 1.05
    assert len(objects.keys("compactions")) < 12
    assert history.book.number > 60


def test_documents_go_only_up_to_the_base_before_and_after_the_grace() -> None:
    objects, history = written()
    first = history.book.base_number
    assert history.delete_covered() == 0  # there is no base before it
    for at in range(4):
        history.compact(2 * at, 3, packed=True)
    assert history.write_base()
    asked: list[int] = []

    def not_yet(base: int) -> bool:
        asked.append(base)
        return False

    assert history.book.delete_covered(not_yet) == 0
    assert set(asked) == {history.book.base_number}
    assert history.delete_covered() == first
    numbers = [int(key[-13:-5]) for key in objects.keys("compactions")]
    assert numbers == list(range(first + 1, history.book.number + 1))
    assert len(objects.keys("compaction-bases")) == 2
    for at in range(4):
        history.compact(2 * at, 3, packed=False)
    assert history.write_base()
    assert history.delete_covered() > 0
    named = {
        ref.object
        for key in objects.keys("compaction-bases")
        for ref in decode_checksummed(objects.get(key), CompactionBase, key).parts
    }
    assert {key[-69:-5] for key in objects.keys("compaction-parts")} == named
    assert len(objects.keys("compaction-bases")) == 2


def test_a_damaged_base_goes_with_those_before_and_nothing_that_is_no_document() -> None:
    objects, history = written()
    (damaged,) = objects.keys("compaction-bases")
    objects.replace(damaged, objects.get(damaged)[:-3])
    copy = compaction_key(0, 1) + ".copy"
    objects.replace(copy, b"of an operator")
    book = history.book = book_of(objects)  # one that has not read it before
    book.refresh()
    for _ in range(2):
        for at in range(4):
            history.compact(2 * at, 3, packed=True)
        history.delete()
        assert history.write_base()
    assert history.delete_covered() > 0
    bases = objects.keys("compaction-bases")
    assert len(bases) == 2
    assert damaged not in bases
    assert objects.get(copy) == b"of an operator"


@pytest.mark.parametrize("damage", ["newest base", "part of the newest base", "base before"])
def test_one_of_the_two_bases_may_be_damaged(damage: str) -> None:
    objects, history = written()
    for at in range(4):
        history.compact(2 * at, 3, packed=True)
    assert history.write_base()
    expected = state_of(history.book, history.deleted)
    bases = objects.keys("compaction-bases")
    key = bases[0] if damage == "base before" else bases[1]
    if damage.startswith("part"):
        both = [decode_checksummed(objects.get(one), CompactionBase, one) for one in bases]
        (before, newest) = ({ref.object for ref in base.parts} for base in both)
        key = f"compaction-parts/00000/{min(newest - before)}.json"
    objects.replace(key, objects.get(key)[:-3])
    assert history.delete_covered() == 0  # nothing goes while one of them is not whole
    reader = book_of(objects)
    assert state_of(reader, history.deleted) == expected
    assert reader.unreadable == ""


def test_a_reader_that_was_stopped_for_long_begins_again_at_a_base() -> None:
    objects, history = written()
    stopped = book_of(objects)
    stopped.refresh()
    old = stopped.compacted.all()
    for _ in range(3):
        for at in range(4):
            history.compact(2 * at, 3, packed=True)
        history.write_base()
        history.delete_covered()
    assert compaction_key(0, stopped.number + 1) not in objects.held
    kept = [output for output in old if output in history.book.compacted.all()]
    for output in kept:  # before it has noticed
        assert stopped.inputs_of(output) == history.book.inputs_of(output)
    assert state_of(stopped, history.deleted) == state_of(history.book, history.deleted)
    for output in old:
        if output not in kept:
            with pytest.raises((ObjectMissing, DamagedObject)):
                stopped.inputs_of(output)


def test_a_document_that_is_gone_without_a_base_is_reported_and_nothing_is_deleted() -> None:
    objects = MemoryObjects()
    history = busy(objects)
    objects.delete(compaction_key(0, 2))
    reader = book_of(objects)
    reader.refresh()
    assert reader.unreadable == compaction_key(0, 2)
    assert reader.number == history.book.number
    assert not reader.base_due()
    assert reader.delete_outputs(history.deleted) == 0


def test_a_damaged_document_is_forgotten_when_the_twin_has_covered_it() -> None:
    objects = MemoryObjects()
    history = busy(objects)
    data = objects.get(compaction_key(0, 2))
    objects.replace(compaction_key(0, 2), data[:-2])
    reader = book_of(objects)
    reader.refresh()
    assert reader.unreadable
    objects.replace(compaction_key(0, 2), data)
    assert history.write_base()
    objects.replace(compaction_key(0, 2), data[:-2])
    assert state_of(reader, history.deleted) == state_of(history.book, history.deleted)
    assert reader.unreadable == ""


def test_a_listing_that_misses_a_document_loses_nothing() -> None:
    objects = MemoryObjects()
    busy(objects)

    class Missing(MemoryObjects):
        """A listing that began before document 2 was put and ended after document 3 was."""

        def list(self, prefix: str, after: str = "") -> Iterator[object]:  # type: ignore[override]
            missed = compaction_key(0, 2)
            yield from (one for one in super().list(prefix, after) if one.key != missed)

    reading = Missing()
    reading.held = objects.held
    assert state_of(book_of(reading), set()) == state_of(book_of(objects), set())


def test_a_document_that_replaces_an_output_which_a_base_left_out_counts() -> None:
    """A process that lags behind retention still reads it."""
    objects = MemoryObjects()
    history = History(objects)
    for at in (0, 2, 4):
        history.compact(at, 2, packed=False)
    lagging = book_of(objects)
    lagging.refresh()
    (dead, *_) = lagging.compacted.of("d0")
    history.expire(0, 2)
    history.delete()
    assert history.write_base()
    assert dead not in history.book.compacted.all()
    lagging.refresh()
    inputs = history.segments["d0"][:2] + history.segments["d0"][6:8]
    output = msgspec.structs.replace(dead.entry, object="e" * 64, end_offset=80)
    one = Compaction(inputs=inputs, output=output, replaces=[dead.entry.object])
    assert lagging.publish([one], lagging.number, 1, "twin") is not None
    started = book_of(objects)
    started.refresh()
    history.book.refresh()
    for book in (started, history.book, lagging):
        assert "e" * 64 in [output.entry.object for output in book.compacted.of("d0")]
    assert started.compacted.outputs == history.book.compacted.outputs


def test_a_base_of_a_newer_format_stops_its_readers() -> None:
    objects, history = written()
    (key,) = objects.keys("compaction-bases")
    base = decode_checksummed(objects.get(key), CompactionBase, key)
    objects.replace(key, encode_checksummed(msgspec.structs.replace(base, format=2)))
    with pytest.raises(DocumentTooNew, match="format 2 is newer than 1"):
        book_of(objects).refresh()
    assert history.book.refresh().all()


def test_a_base_waits_until_what_was_announced_is_deleted() -> None:
    """It leaves out what is gone, so whoever starts from it does not delete it again."""
    objects = MemoryObjects()
    history = busy(objects)
    started = book_of(objects)
    started.refresh()
    assert not started.base_due()
    started.delete_due(0, 1, lambda _: 0, lambda _: False, history.deleted, "test")
    assert not started.base_due()
    started.delete_outputs(history.deleted)
    assert started.base_due()
    history.compact(0, 6, packed=False)

    class Failing(MemoryObjects):
        fails = True

        def delete(self, key: str) -> None:
            if self.fails:
                raise ObjectsUnavailable("no")
            super().delete(key)

    failing = Failing()
    failing.held = objects.held
    book = book_of(failing)
    book.refresh()
    failing.fails = False
    delete_all(book, history.deleted, announce=False)
    assert book.base_due()
    failing.fails = True
    with pytest.raises(ObjectsUnavailable):
        delete_all(book, history.deleted)
    assert not book.base_due()
    failing.fails = False
    delete_all(book, history.deleted)
    assert book.base_due()


@given(st.dictionaries(st.integers(1, 300), st.integers(1, 100), max_size=40))
def test_parts_are_neighbours_and_as_large_as_allowed(sizes: dict[int, int]) -> None:
    parts = part_ranges(sizes, 150)
    assert [number for part in parts for number in part] == sorted(sizes)
    for part in parts:
        assert len(part) == 1 or sum(sizes[number] for number in part) <= 150
    if sizes:
        more = {**sizes, max(sizes) + 1: 10}
        later = part_ranges(more, 150)
        assert sum(part not in later for part in parts) <= 1  # only the last one grows


def test_a_pack_stays_while_a_replaced_output_in_it_waits_for_its_deletion() -> None:
    """Readers of an older state still read it, although all others in it are deleted."""
    objects = MemoryObjects()
    history = History(objects)
    history.compact(0, 2, packed=True)  # one output of each dataset, in one pack
    pack = history.book.compacted.of("d0")[0].entry.pack
    assert pack
    inputs = history.segments["d0"][:4]
    output = msgspec.structs.replace(inputs[0], object="e" * 64, end_offset=40, pack="")
    replaced = history.book.compacted.of("d0")[0].entry.object
    one = Compaction(inputs=inputs, output=output, replaces=[replaced])
    assert history.book.publish([one], 1, 1, "test") is not None
    history.deleted = {entry.object for entry in history.segments["d1"][:2]}
    history.delete(announce=False)  # the other output of the pack is dead
    assert history.book.compacted.of("d1") == ()
    assert objects.head(pack_key(pack)) is not None
    history.delete()
    assert objects.head(pack_key(pack)) is None
