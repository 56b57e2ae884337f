"""Parts that several bases name are put again from copies on an indexer's disk (I4)."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.errors import DamagedObject
from snapshot.compaction.bases import CompactionBase
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.part_copies import PartCopies
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import decode_checksummed
from tests.snapshot.compaction.histories import (
    History,
    MemoryObjects,
    book_of,
    digits,
    small_bases,
    state_of,
)

Damage = Callable[[MemoryObjects, str], None]


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small_bases():
        yield


def cut_off(objects: MemoryObjects, key: str) -> None:
    objects.replace(key, objects.get(key)[:-3])


def remove(objects: MemoryObjects, key: str) -> None:
    objects.delete(key)


def two_bases(copies: Path | None) -> tuple[MemoryObjects, History, list[str]]:
    """A history whose documents are deleted; and the keys of parts that both bases name."""
    objects = MemoryObjects()
    history = History(objects, segments=64)
    history.book = CompactionBook(Chain(objects, 0, copies))
    history.book.refresh()
    for first, end in ((0, 9), (9, 12)):
        for at in range(first, end):
            history.compact(2 * at, 2, packed=False)
        assert history.write_base()
    assert history.delete_covered() > 0
    if copies is not None:  # of old documents there are none any more
        shutil.rmtree(copies / "compactions")
    bases = [
        decode_checksummed(objects.get(key), CompactionBase, key)
        for key in objects.keys("compaction-bases")
    ]
    shared = set.intersection(*({ref.object for ref in base.parts} for base in bases))
    return objects, history, [f"compaction-parts/00000/{name}.json" for name in sorted(shared)]


@pytest.mark.parametrize("damage", [cut_off, remove])
def test_a_part_of_both_bases_is_put_again_when_an_indexer_starts(
    tmp_path: Path, damage: Damage
) -> None:
    objects, history, shared = two_bases(tmp_path)
    expected, before = state_of(history.book, history.deleted), dict(objects.held)
    for key in shared:
        damage(objects, key)
    started = CompactionBook(Chain(objects, 0, tmp_path))
    assert state_of(started, history.deleted) == expected
    assert started.unreadable == ""
    assert objects.held == before


@pytest.mark.parametrize("damage", [cut_off, remove])
def test_an_indexer_that_only_read_a_part_has_a_copy(tmp_path: Path, damage: Damage) -> None:
    objects, history, shared = two_bases(None)
    expected, before = state_of(history.book, history.deleted), dict(objects.held)
    CompactionBook(Chain(objects, 0, tmp_path)).refresh()
    for key in shared:
        damage(objects, key)
    assert state_of(CompactionBook(Chain(objects, 0, tmp_path)), history.deleted) == expected
    assert objects.held == before


def test_the_next_base_is_written_although_a_part_is_damaged(tmp_path: Path) -> None:
    objects, history, shared = two_bases(tmp_path)
    before = {key: objects.get(key) for key in shared}
    for key in shared:
        cut_off(objects, key)
    for at in range(12, 15):
        history.compact(2 * at, 2, packed=False)
    assert history.write_base()
    assert {key: objects.get(key) for key in shared} == before
    expected = state_of(history.book, history.deleted)
    assert state_of(book_of(objects), history.deleted) == expected


def test_without_a_copy_the_damage_is_reported(tmp_path: Path) -> None:
    objects, _, shared = two_bases(tmp_path)
    cut_off(objects, shared[0])
    (tmp_path / shared[0]).write_bytes(b"another damage")
    started = CompactionBook(Chain(objects, 0, tmp_path))
    started.refresh()
    assert started.unreadable == "compactions/00000/00000001.json"
    with pytest.raises(DamagedObject):
        decode_checksummed(objects.get(shared[0]), CompactionBase, shared[0])


def test_copies_of_parts_that_no_base_names_are_removed(tmp_path: Path) -> None:
    objects, history, _ = two_bases(tmp_path)
    for at in range(6):
        history.compact(8 * at, 8, packed=False)
    assert history.write_base()
    history.delete_covered()
    CompactionBook(Chain(objects, 0, tmp_path)).refresh()
    copies = {path.name for path in (tmp_path / "compaction-parts/00000").iterdir()}
    assert copies == {key.rpartition("/")[2] for key in objects.keys("compaction-parts")}


def test_copies_are_bounded(tmp_path: Path) -> None:
    copies = PartCopies(tmp_path / "parts", bytes_max=10)
    for at in range(3):
        copies.save(digits(at), b"12345")
    assert sum(path.stat().st_size for path in (tmp_path / "parts").iterdir()) == 10
    copies.keep(set())
    copies.save(digits(2), b"12345")
    assert [path.stem for path in (tmp_path / "parts").iterdir()] == [digits(2)]
