"""Nothing is deleted before it was given up in public and the grace is over (I4, I5)."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import ObjectsUnavailable
from common.objects.directory import DirectoryObjects
from common.record import Marker, gone_record, marker_record
from indexer.tending import Caretaker
from snapshot.chain import Chain
from snapshot.cutoffs import Cutoffs
from snapshot.manifest import SegmentEntry, segment_key
from snapshot.retention import Covered, RetentionBook, droppable_offset
from snapshot.verify import verify
from tests.indexer.faulty import FaultyObjects
from tests.indexer.house import DATASET, QUICK, append, open_context, published, running, until
from tests.indexer.test_partition import numbers

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


def test_objects_go_only_after_the_document_and_the_grace(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path)
    chain = Chain(objects, 0, None)
    old = entry("a", 5)
    objects.put_if_absent(segment_key(old.object), b"x")
    book, twin = RetentionBook(chain), RetentionBook(chain)
    assert book.give_up([old], Cutoffs(6), now_ns=100) is not None
    assert twin.give_up([old], Cutoffs(6), now_ns=101) is None
    assert twin.refresh() == Cutoffs(6)
    assert book.delete_due(now_ns=109, grace_ns=10) == 0
    assert objects.head(segment_key(old.object)) is not None
    assert book.delete_due(now_ns=110, grace_ns=10) == 1
    assert objects.head(segment_key(old.object)) is None
    assert twin.delete_due(now_ns=200, grace_ns=10) == 1  # doing it twice is harmless


def test_document_that_could_not_be_read_for_a_moment_is_not_passed_over(tmp_path: Path) -> None:
    class Flaky(FaultyObjects):
        def get(self, key: str) -> bytes:
            if not self.lying:
                return super().get(key)
            self.lying = 0.0
            raise ObjectsUnavailable("the list came, the object did not")

    objects = Flaky(DirectoryObjects(tmp_path))
    objects.put_if_absent("retention/00000/readme.txt", b"not ours")
    RetentionBook(Chain(objects, 0, None)).give_up([entry("a", 5)], Cutoffs(6), now_ns=100)
    twin = RetentionBook(Chain(objects, 0, None))
    objects.lying = 1.0
    with pytest.raises(ObjectsUnavailable):
        twin.refresh()
    assert twin.refresh() == Cutoffs(6)
    assert twin.given_up == {"a" * 64}


def test_cut_off_never_goes_back(tmp_path: Path) -> None:
    book = RetentionBook(Chain(DirectoryObjects(tmp_path), 0, None))
    book.give_up([entry("a", 5)], Cutoffs(60), now_ns=1)
    book.give_up([entry("b", 5)], Cutoffs(0), now_ns=2)
    assert book.refresh() == Cutoffs(60)


def test_log_drops_only_what_is_covered_and_old() -> None:
    covered = [Covered(10, 100), Covered(20, 200), Covered(30, 300)]
    assert droppable_offset(covered, 0, keep_after_ns=201) == 20
    assert droppable_offset(covered, 0, keep_after_ns=10**18) == 30
    assert droppable_offset(covered, 5, keep_after_ns=0) == 5
    assert droppable_offset([], 5, keep_after_ns=10**18) == 5


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
        await Caretaker(partition).tend()
        assert len(list(objects.list("segments/"))) == 1
        assert await numbers(partition) == [3]
        report = await verify(objects, log, [0])
        assert report.clean, report.problems
        assert report.retired == 1
