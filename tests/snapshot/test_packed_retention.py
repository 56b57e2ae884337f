"""A pack is deleted when the last of its segments is, however they expire (I5)."""

from pathlib import Path

import msgspec
import pytest

from common.objects.directory import DirectoryObjects
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.locations import pack_key
from snapshot.documents.manifest import SegmentEntry
from snapshot.retention.document import Retention
from snapshot.retention.retention import RetentionBook
from tests.snapshot.test_manifest import manifest
from tests.snapshot.test_retention import entry, ran, to_expire

PACK = "e" * 64


def packed(name: str, offset: int) -> SegmentEntry:
    return msgspec.structs.replace(entry(name, 5), pack=PACK, pack_offset=offset, end_offset=9)


ONE, TWO, THREE = (packed(name, at) for at, name in enumerate("abc"))


def filled(folder: Path) -> tuple[DirectoryObjects, Chain]:
    """A store with one cut whose three segments are one pack."""
    objects = DirectoryObjects(folder)
    chain = Chain(objects, 3, None)
    cut = manifest(segments=[ONE, TWO, THREE], format=2)
    objects.put_if_absent(cut.key, encode_checksummed(cut))
    objects.put_if_absent(pack_key(PACK), b"abc")
    return objects, chain


def test_a_pack_goes_with_its_last_segment(tmp_path: Path) -> None:
    objects, chain = filled(tmp_path)
    book = RetentionBook(chain)
    for at, some in enumerate(([ONE], [TWO], [THREE])):
        assert objects.head(pack_key(PACK)) is not None
        document = book.expire(to_expire(*some), 100 + at, "one")
        assert document is not None
        assert document.format == 3
        assert [one.segments for one in document.packs] == [[0]]
        assert book.delete_due(200 + at, 10, ran(10), "one") == 1
    assert objects.head(pack_key(PACK)) is None


def test_a_pack_stays_while_a_segment_is_expired_and_not_deleted(tmp_path: Path) -> None:
    objects, chain = filled(tmp_path)
    book = RetentionBook(chain)
    assert book.expire(to_expire(ONE, TWO), 100, "one") is not None
    assert book.expire(to_expire(THREE), 150, "one") is not None
    assert book.delete_due(155, 50, ran(50), "one") == 2  # the grace of the third is not over
    assert objects.head(pack_key(PACK)) is not None
    assert book.recoverable(155).keys() == {THREE.object}
    assert book.restore([THREE], [], 160, "operator") == [THREE]
    assert book.delete_due(1_000, 50, ran(50), "one") == 0
    assert objects.head(pack_key(PACK)) is not None
    assert book.expire(to_expire(THREE), 1_100, "one") is not None
    assert book.delete_due(1_200, 50, ran(50), "one") == 1
    assert objects.head(pack_key(PACK)) is None


def test_a_restoration_of_packed_segments_stops_older_programs(tmp_path: Path) -> None:
    objects, chain = filled(tmp_path)
    book = RetentionBook(chain)
    book.expire(to_expire(ONE), 100, "one")
    assert book.restore([ONE], [], 160, "operator") == [ONE]
    documents = [chain.load(info.key, Retention) for info in objects.list("retention/")]
    assert [one.format for one in documents] == [3, 3]
    assert documents[1].restores == [ONE]


def test_whoever_lags_behind_the_log_does_not_delete_a_pack_of_a_cut_that_it_has_not_seen(
    tmp_path: Path,
) -> None:
    """Only the cut's manifest says what a pack holds: no view of a process decides."""
    objects, chain = filled(tmp_path)
    RetentionBook(chain).expire(to_expire(ONE), 100, "one")
    other = RetentionBook(chain)
    other.refresh()
    assert other.delete_due(1_000, 10, ran(10), "two") == 1
    assert objects.head(pack_key(PACK)) is not None


@pytest.mark.parametrize("damaged", [True, False])
def test_a_pack_whose_manifest_cannot_be_read_stays(tmp_path: Path, damaged: bool) -> None:
    objects, chain = filled(tmp_path)
    key = manifest().key
    objects.replace(key, b"damaged") if damaged else objects.delete(key)
    book = RetentionBook(chain)
    book.expire(to_expire(ONE, TWO, THREE), 100, "one")
    assert book.delete_due(200, 10, ran(10), "one") == 3
    assert objects.head(pack_key(PACK)) is not None


def test_a_deletion_that_was_interrupted_is_finished_by_the_next_process(tmp_path: Path) -> None:
    objects, chain = filled(tmp_path)
    book = RetentionBook(chain)
    book.expire(to_expire(ONE, TWO, THREE), 100, "one")
    book.delete_due(200, 10, ran(10), "one")
    objects.put_if_absent(pack_key(PACK), b"abc")  # as if it had been killed before
    later = RetentionBook(chain)
    later.refresh()
    later.delete_due(200, 10, ran(0), "two")
    assert objects.head(pack_key(PACK)) is None
