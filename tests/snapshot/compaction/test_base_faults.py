"""A base is written and documents are deleted while a process or the store fails (I2, I4)."""

from collections.abc import Iterator

import pytest

from common.errors import DamagedObject, ObjectsUnavailable
from snapshot.documents.manifest import BASES_FORMAT
from tests.indexer.upkeep.compaction.compacting import Dying, Killed
from tests.snapshot.compaction.histories import (
    History,
    MemoryObjects,
    book_of,
    busy,
    small_bases,
    state_of,
)


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small_bases():
        yield


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_a_writer_leaves_the_old_or_the_new(after: bool) -> None:
    calls = _kill(after, lambda history: history.write_base())
    assert calls > 6  # documents read, parts put and read back, the base put and listed


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_a_deleter_leaves_enough(after: bool) -> None:
    calls = _kill(after, lambda history: history.delete_covered(), bases=3)
    assert calls > 10


def _kill(after: bool, act: object, bases: int = 1) -> int:
    """Kill `act` at each call of the store; returns how many there are."""
    assert callable(act)
    for at in range(1, 200):
        objects = MemoryObjects()
        history = busy(objects)
        for number in range(bases):
            if number or bases > 1:
                assert history.write_base()
            for first in range(4):
                history.compact(2 * first, 3, packed=number % 2 == 0)
            history.delete()
        expected = state_of(book_of(objects), history.deleted)
        dying = Dying(objects, after=after)
        process = History.__new__(History)
        process.book, process.deleted = book_of(dying), history.deleted
        process.book.refresh()
        process.delete()
        dying.calls, dying.at = 0, at
        died = False
        try:
            act(process)
        except Killed:
            died = True
        assert state_of(book_of(objects), history.deleted) == expected
        again = book_of(objects)
        again.refresh()
        assert history.missing(again) == []
        process.book = again
        act(process)  # and goes on when it is started again
        assert state_of(book_of(objects), history.deleted) == expected
        assert not again.base_due()
        if not died:
            return at
    raise AssertionError("it never ends")


def test_a_store_that_is_down_delays_a_base() -> None:
    objects = MemoryObjects()
    history = busy(objects)
    expected = state_of(book_of(objects), history.deleted)

    class Down(MemoryObjects):
        down = True

        def put_if_absent(self, key: str, data: object) -> bool:
            if self.down:
                raise ObjectsUnavailable("no")
            assert isinstance(data, bytes)
            return super().put_if_absent(key, data)

    down = Down()
    down.held = objects.held
    history.book = book_of(down)
    history.book.refresh()
    with pytest.raises(ObjectsUnavailable):
        history.write_base()
    assert state_of(book_of(objects), history.deleted) == expected
    down.down = False
    assert history.write_base()
    assert state_of(book_of(objects), history.deleted) == expected


def test_a_part_that_reads_back_damaged_is_not_named() -> None:
    objects = MemoryObjects()
    history = busy(objects)

    class Lying(MemoryObjects):
        def replace(self, key: str, data: object) -> None:
            assert isinstance(data, bytes)
            cut = 5 if key.startswith("compaction-parts/") else 0
            super().replace(key, data[: len(data) - cut])

    lying = Lying()
    lying.held = objects.held
    history.book = book_of(lying)
    history.book.refresh()
    with pytest.raises(DamagedObject):
        history.write_base()
    assert objects.keys("compaction-bases") == []


def test_nothing_is_named_when_an_earlier_program_comes_back_meanwhile() -> None:
    objects = MemoryObjects()
    history = busy(objects)
    assert not history.book.write_base(lambda: False)
    assert objects.keys("compaction-bases") == []
    assert history.book.manifests_format < BASES_FORMAT
    assert history.write_base()
    assert history.book.manifests_format == BASES_FORMAT
    assert book_of(objects).manifests_format < BASES_FORMAT  # nothing was read yet
    reader = book_of(objects)
    reader.refresh()
    assert reader.manifests_format == BASES_FORMAT
