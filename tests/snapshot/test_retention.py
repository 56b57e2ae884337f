"""Nothing is deleted before a document has expired it and the grace time is over (I4, I5)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from common import limits
from common.errors import ObjectsUnavailable
from common.model.record import Marker, gone_record, marker_record
from common.objects.directory import DirectoryObjects
from indexer.partition.maintenance import PartitionMaintenance
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DocumentTooNew, decode_checksummed, encode_checksummed
from snapshot.documents.locations import segment_key
from snapshot.documents.manifest import Dropped, SegmentEntry
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.document import Expired, Retention
from snapshot.retention.retention import RetentionBook, ToExpire
from snapshot.verify.verify import verify
from tests.indexer.faulty import FaultyObjects
from tests.indexer.harness import DATASET, QUICK, append, open_context, published, running, until
from tests.indexer.partition.test_partition import numbers

CUT = marker_record(Marker(hour=None, reason="test"))


def entry(name: str, append_ns: int) -> SegmentEntry:
    return SegmentEntry(
        team="t",
        env="e",
        dataset="d",
        epoch_number=1,
        rows=1,
        time_min_ns=0,
        time_max_ns=0,
        append_min_ns=append_ns,
        append_max_ns=append_ns,
        first_offset=0,
        end_offset=1,
        object=name * 64,
        size_bytes=1,
        digest="",
        far=False,
    )


def to_expire(*entries: SegmentEntry, cutoffs: Cutoffs | None = None, due_ns: int = 0) -> ToExpire:
    """These segments, which expire because of their age. due_ns: when the last of them is due."""
    expired = Expired(
        dataset="d",
        segments=len(entries),
        rows=len(entries),
        size_bytes=len(entries),
        time_min_ns=0,
        time_max_ns=0,
        append_min_ns=min(e.append_min_ns for e in entries),
        append_max_ns=max(e.append_max_ns for e in entries),
        epoch_number=1,
        end_offset=1,
        due_ns=due_ns,
    )
    return ToExpire(entries, [expired], cutoffs or Cutoffs(6))


def ran(ns: int) -> Callable[[int], int]:
    """A process that has run for this long since it read each document."""
    return lambda _: ns


def test_objects_go_only_after_the_document_and_the_grace(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path)
    chain = Chain(objects, 0, None)
    old = entry("a", 5)
    objects.put_if_absent(segment_key(old.object), b"x")
    book, twin = RetentionBook(chain), RetentionBook(chain)
    assert book.expire(to_expire(old), 100, "one") is not None
    assert twin.expire(to_expire(old), 101, "two") is None
    assert twin.refresh() == Cutoffs(6)
    assert book.delete_due(109, 10, ran(10), "one") == 0
    assert book.delete_due(10**18, 10, ran(9), "one") == 0  # the clock leapt, nobody ran
    assert book.delete_due(109, 10, ran(10**18), "one") == 0  # the clock stands still
    assert objects.head(segment_key(old.object)) is not None
    assert book.delete_due(110, 10, ran(10), "one") == 1
    assert objects.head(segment_key(old.object)) is None
    twin.refresh()
    assert twin.delete_due(200, 10, ran(0), "two") == 1  # announced: twice is harmless
    assert book.delete_due(10**18, 10, ran(10**18), "one") == 0


def test_nothing_can_be_taken_back_once_its_deletion_is_announced(tmp_path: Path) -> None:
    chain = Chain(DirectoryObjects(tmp_path), 0, None)
    book, other = RetentionBook(chain), RetentionBook(chain)
    book.expire(to_expire(entry("a", 5)), 100, "one")
    other.refresh()
    assert set(other.recoverable(150)) == {"a" * 64}
    book.delete_due(200, 10, ran(10), "one")
    assert other.restore([entry("a", 5)], [], 300, "operator") == []
    assert other.expired_objects == {"a" * 64}


def test_deletion_that_was_decided_before_a_restoration_was_read_does_not_happen(
    tmp_path: Path,
) -> None:
    objects = DirectoryObjects(tmp_path)
    chain = Chain(objects, 0, None)
    objects.put_if_absent(segment_key("a" * 64), b"x")
    book, other = RetentionBook(chain), RetentionBook(chain)
    book.expire(to_expire(entry("a", 5)), 100, "one")
    assert other.restore([entry("a", 5)], [], 150, "operator") == [entry("a", 5)]
    assert book.delete_due(200, 10, ran(10), "one") == 0
    assert objects.head(segment_key("a" * 64)) is not None
    assert book.expired_objects == frozenset()


def test_restored_segments_are_shown_even_if_a_checkpoint_left_them_out(tmp_path: Path) -> None:
    chain = Chain(DirectoryObjects(tmp_path), 0, None)
    book = RetentionBook(chain)
    book.expire(to_expire(entry("a", 5), entry("b", 5)), 100, "one")
    book.restore([entry("a", 5)], [Dropped(1, 0)], 150, "operator")
    reader = RetentionBook(chain)
    reader.refresh()
    retained = reader.retained([entry("b", 5), entry("c", 9)])
    assert {one.object[0] for one in retained} == {"a", "c"}
    assert reader.dropped == {Dropped(1, 0)}
    assert reader.expired_objects == {"b" * 64}
    book.expire(to_expire(entry("a", 5)), 200, "one")  # its time has come after all
    reader.refresh()
    assert reader.retained([]) == []


def test_program_that_does_not_know_restorations_refuses_them_instead_of_hiding_on(
    tmp_path: Path,
) -> None:
    chain = Chain(DirectoryObjects(tmp_path), 0, None)
    book = RetentionBook(chain)
    expired = book.expire(to_expire(entry("a", 5)), 100, "one")
    book.restore([entry("a", 5)], [], 150, "operator")
    keys = [info.key for info in chain.objects.list("retention/00000/")]

    class Before(Retention, frozen=True, kw_only=True):
        """As a program of format 1 reads it."""

        newest_format: ClassVar[int] = 1

    assert expired is not None
    assert decode_checksummed(chain.objects.get(keys[0]), Before, keys[0]).objects == ["a" * 64]
    with pytest.raises(DocumentTooNew):
        decode_checksummed(chain.objects.get(keys[1]), Before, keys[1])


def test_document_of_an_older_program_is_applied_as_before(tmp_path: Path) -> None:
    class Before(msgspec.Struct, frozen=True, kw_only=True):
        partition: int = 0
        number: int = 1
        append_before_ns: int = 6
        objects: list[str]
        published_ns: int = 100
        datasets: dict[str, int] = {}
        format: int = 1

    chain = Chain(DirectoryObjects(tmp_path), 0, None)
    chain.objects.put_if_absent(
        "retention/00000/00000001.json", encode_checksummed(Before(objects=["a" * 64]))
    )
    book = RetentionBook(chain)
    assert book.refresh() == Cutoffs(6)
    assert book.retained([entry("a", 5), entry("b", 7)]) == [entry("b", 7)]
    before_ns = 100 - limits.CLOCK_SKEW_NS - 1
    assert [one.number for one in book.early_documents(before_ns)] == [1]
    assert set(book.recoverable(before_ns)) == {"a" * 64}
    assert book.early_documents(100) == []
    assert book.recoverable(100) == {}


def test_what_expired_before_its_time_is_told_and_kept_until_then(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path)
    chain = Chain(objects, 0, None)
    objects.put_if_absent(segment_key("a" * 64), b"x")
    book = RetentionBook(chain)
    due_ns = 10**15
    book.expire(to_expire(entry("a", 5), due_ns=due_ns), 2 * 10**15, "one")
    assert [one.number for one in book.early_documents(10**12)] == [1]
    assert book.delete_due(10**12, 10, ran(10**18), "one") == 0
    assert book.early_documents(due_ns) == []
    assert book.delete_due(due_ns, 10, ran(10), "one") == 1


def test_nothing_is_deleted_while_a_document_cannot_be_read(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path)
    chain = Chain(objects, 0, None)
    objects.put_if_absent(segment_key("a" * 64), b"x")
    book = RetentionBook(chain)
    book.expire(to_expire(entry("a", 5)), 100, "one")
    objects.put_if_absent("retention/00000/00000002.json", b"not a document")
    reader = RetentionBook(chain)
    reader.refresh()
    assert reader.unreadable == "retention/00000/00000002.json"
    assert reader.delete_due(10**18, 10, ran(10**18), "one") == 0
    assert objects.head(segment_key("a" * 64)) is not None


def test_document_that_could_not_be_read_for_a_moment_is_not_passed_over(tmp_path: Path) -> None:
    class Flaky(FaultyObjects):
        def get(self, key: str) -> bytes:
            if not self.lying:
                return super().get(key)
            self.lying = 0.0
            raise ObjectsUnavailable("the list came, the object did not")

    objects = Flaky(DirectoryObjects(tmp_path))
    objects.put_if_absent("retention/00000/readme.txt", b"not ours")
    RetentionBook(Chain(objects, 0, None)).expire(to_expire(entry("a", 5)), 100, "one")
    twin = RetentionBook(Chain(objects, 0, None))
    objects.lying = 1.0
    with pytest.raises(ObjectsUnavailable):
        twin.refresh()
    assert twin.refresh() == Cutoffs(6)
    assert twin.expired_objects == {"a" * 64}


def test_cut_off_never_goes_back_unless_something_is_restored(tmp_path: Path) -> None:
    book = RetentionBook(Chain(DirectoryObjects(tmp_path), 0, None))
    book.expire(to_expire(entry("a", 5), cutoffs=Cutoffs(60)), 1, "one")
    book.expire(to_expire(entry("b", 5), cutoffs=Cutoffs(0)), 2, "one")
    assert book.refresh() == Cutoffs(60)
    book.restore([entry("a", 5)], [], 3, "operator")
    assert book.refresh() == Cutoffs(5)


async def test_deleted_datasets_segments_are_given_up_and_verify_stays_clean(
    tmp_path: Path,
) -> None:
    config = replace(QUICK, retention_grace_s=0, housekeeping_s=0)
    async with open_context(tmp_path) as context, running(context, config=config) as partition:
        log, objects = context.backends.log, context.backends.objects
        await append(log, [1])
        await log.append(0, CUT)
        await append(log, [2])
        await log.append(0, gone_record("t", "e", DATASET))
        await append(log, [3])
        await log.append(0, CUT)
        await until(partition, published(6))
        assert len(list(objects.list("segments/"))) == 2
        await PartitionMaintenance(partition).run_round()
        assert len(list(objects.list("segments/"))) == 1
        assert await numbers(partition) == [3]
        report = await verify(objects, log, [0])
        assert report.clean, report.problems
        assert report.expired == 1


def test_a_start_deletes_again_only_what_a_crash_may_have_left(tmp_path: Path) -> None:
    """Not everything that ever expired: a request each. An interrupted deletion is finished."""

    class Counting(DirectoryObjects):
        deleted = 0
        fails = False

        def delete(self, key: str) -> None:
            if self.fails:
                raise ObjectsUnavailable("no")
            if key.startswith("segments/"):
                self.deleted += 1
            super().delete(key)

    objects = Counting(tmp_path)
    book = RetentionBook(Chain(objects, 0, None))
    count = limits.RETENTION_DELETIONS_REPEATED + 5
    for number in range(count):
        one = msgspec.structs.replace(entry("a", 5), object=f"{number:064x}")
        objects.put_if_absent(segment_key(one.object), b"x")
        assert book.expire(to_expire(one), 100 + number, "one") is not None
        objects.fails = number == count - 1
        if objects.fails:
            with pytest.raises(ObjectsUnavailable):  # and then the process is killed
                book.delete_due(200 + number, 10, ran(10), "one")
        else:
            assert book.delete_due(200 + number, 10, ran(10), "one") == 1
    objects.fails, objects.deleted = False, 0
    again = RetentionBook(Chain(objects, 0, None))
    again.refresh()
    assert again.undeleted() == []
    assert again.delete_due(1_000, 10, ran(0), "one") == limits.RETENTION_DELETIONS_REPEATED
    assert objects.deleted == limits.RETENTION_DELETIONS_REPEATED
    assert list(objects.list("segments/")) == []
    assert again.delete_due(1_000, 10, ran(0), "one") == 0
