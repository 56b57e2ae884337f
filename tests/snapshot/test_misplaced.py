"""A document under another one's key is damage, whatever its checksum says (I4, I7)."""

from pathlib import Path

import msgspec
import pytest

from common.errors import DamagedObject
from snapshot.compaction.bases import CompactionBase
from snapshot.compaction.documents import CompactionDocument, compaction_key
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import decode_checksummed, encode_checksummed
from snapshot.documents.manifest import decode_manifest, manifest_key
from snapshot.verify.documents import unreadable
from tests.snapshot.compaction.histories import (
    History,
    MemoryObjects,
    book_of,
    small_bases,
    state_of,
)
from tests.snapshot.test_manifest import manifest

READS_MAX = 200  # of a reader of some ten documents; more: it goes round in a circle


class Counting(MemoryObjects):
    """Refuses reads beyond a number."""

    reads = 0

    def get(self, key: str) -> bytes:
        self.reads += 1
        assert self.reads <= READS_MAX, f"{key} is read again and again"
        return super().get(key)


def history_in(objects: MemoryObjects, steps: int = 4) -> History:
    history = History(objects)
    for at in range(steps):
        history.compact(2 * at, 2, packed=False)
    return history


def test_an_older_compaction_document_under_the_next_key_is_reported() -> None:
    held = MemoryObjects()
    history = history_in(held)
    after = compaction_key(0, history.book.number + 1)
    objects = Counting()
    objects.held = {**held.held, after: held.get(compaction_key(0, 1))}
    reader = book_of(objects)
    reader.refresh()
    assert reader.unreadable == after
    assert reader.number == history.book.number + 1
    assert [output.entry for output in reader.compacted.all()] == [
        output.entry for output in history.book.compacted.all()
    ]


def test_compaction_documents_that_were_exchanged_are_reported() -> None:
    objects = Counting()
    history_in(objects)
    first, second = compaction_key(0, 1), compaction_key(0, 2)
    one, other = objects.get(first), objects.get(second)
    objects.replace(first, other)
    objects.replace(second, one)
    reader = book_of(objects)
    reader.refresh()
    assert reader.unreadable in (first, second)
    found = list(unreadable(Chain(objects, 0, None), "compactions/", CompactionDocument))
    assert [text.partition(":")[0] for text in found] == [first, second]


def test_a_base_of_another_partition_is_not_used() -> None:
    with small_bases():
        objects = MemoryObjects()
        history = history_in(objects)
        assert history.write_base()
        key = objects.keys("compaction-bases")[0]
        base = decode_checksummed(objects.get(key), CompactionBase, key)
        other = msgspec.structs.replace(base, partition=7, parts=[])
        objects.replace(key, encode_checksummed(other))
        started = book_of(objects)
        assert state_of(started, history.deleted) == state_of(history.book, history.deleted)
        assert started.base_number == 0


def test_a_copy_under_another_key_puts_nothing_again(tmp_path: Path) -> None:
    objects = MemoryObjects()
    chain = Chain(objects, 0, tmp_path)
    older = manifest(partition=0, epoch_number=1, first_offset=0, next_offset=5, segments=[])
    newer_key = manifest_key(0, 1, 9)
    (tmp_path / newer_key).parent.mkdir(parents=True)
    (tmp_path / newer_key).write_bytes(encode_checksummed(older))
    objects.replace(newer_key, encode_checksummed(older))
    with pytest.raises(DamagedObject, match="it is the document of"):
        chain.manifest(newer_key)
    with pytest.raises(DamagedObject):
        decode_manifest(objects.get(newer_key), newer_key)
    assert decode_checksummed(objects.get(newer_key), type(older), newer_key) == older
