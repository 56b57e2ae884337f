"""Copies of documents on the indexer's own disk repair the store, and are bounded (I4, I11)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.objects.directory import DirectoryObjects
from snapshot.compaction.documents import CompactionDocument
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed


def document(number: int, writer: str = "w") -> CompactionDocument:
    return CompactionDocument(
        partition=0, number=number, compactions=[], published_ns=number, deletes=[], writer=writer
    )


def copies_of(chain: Chain, folder: Path, *some: CompactionDocument) -> dict[int, int]:
    """By number, the bytes of each copy that is kept after these were saved in turn."""
    for one in some:
        chain.save_copy(one.key, one)
    return {int(path.stem): path.stat().st_size for path in folder.rglob("*.json")}


def test_the_newest_copies_are_kept_within_their_bytes(tmp_path: Path) -> None:
    size = len(encode_checksummed(document(1)))
    objects, folder = DirectoryObjects(tmp_path / "objects"), tmp_path / "copies"
    chain = Chain(objects, 0, folder, copies_bytes_max=3 * size)
    assert copies_of(chain, folder, *map(document, range(1, 8))) == dict.fromkeys((5, 6, 7), size)
    large = document(8, "w" * 4 * size)  # the last one is kept even if it is larger than all may be
    assert copies_of(chain, folder, large).keys() == {8}
    assert chain.load(large.key, CompactionDocument) == large  # the store has none
    assert objects.get(large.key) == encode_checksummed(large)
    assert copies_of(chain, folder, document(9)).keys() == {9}


def test_saving_a_copy_looks_at_no_other_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cut saves one, beside up to 512 that are there."""
    folder = tmp_path / "copies"
    chain = Chain(DirectoryObjects(tmp_path / "objects"), 0, folder)
    copies_of(chain, folder, *map(document, range(1, 4)))
    again = Chain(DirectoryObjects(tmp_path / "objects"), 0, folder, copies_bytes_max=1)
    real, listed = Path.glob, list[Path]()

    def glob(self: Path, pattern: str) -> Iterator[Path]:
        listed.append(self)
        yield from real(self, pattern)

    monkeypatch.setattr(Path, "glob", glob)
    for number in range(4, 40):
        chain.save_copy(document(number).key, document(number))
    assert listed == []
    again.save_copy(document(40).key, document(40))  # of a process that finds them there
    again.save_copy(document(41).key, document(41))
    assert len(listed) == 1
    assert copies_of(again, folder).keys() == {41}
