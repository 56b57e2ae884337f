"""Which objects hold a dataset now, and which rows of them are shown (I2)."""

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from snapshot.documents.manifest import DatasetTombstone, Dropped, SegmentEntry
from snapshot.objects_of import Hiding, PartitionObjects, ServedSegment


def entry(
    name: str, first: int, end: int, *, dataset: str = "d", epoch_number: int = 1
) -> SegmentEntry:
    return SegmentEntry(
        team="t", env="e", dataset=dataset, epoch_number=epoch_number, rows=end - first,
        time_min_ns=0, time_max_ns=1, append_min_ns=0, append_max_ns=1, first_offset=first,
        end_offset=end, object=name, size_bytes=1, digest="1:00", far=False,
    )  # fmt: skip


def objects(
    *entries: SegmentEntry,
    expired: frozenset[str] = frozenset(),
    gone: tuple[DatasetTombstone, ...] = (),
    dropped: frozenset[Dropped] = frozenset(),
) -> PartitionObjects:
    return PartitionObjects(entries, Hiding(expired, {one.dataset: one for one in gone}), dropped)


def test_what_expired_or_was_deleted_with_its_dataset_is_not_read() -> None:
    found = objects(
        entry("expired", 0, 5),
        entry("deleted", 5, 10),
        entry("other", 5, 10, dataset="o"),
        entry("kept", 10, 20),
        expired=frozenset({"expired"}),
        gone=(DatasetTombstone("d", 1, 10),),
    )
    assert [one.entry.object for one in found.served()] == ["other", "kept"]
    assert [one.entry.object for one in found.served("d")] == ["kept"]


def test_a_deletion_inside_of_a_segment_hides_the_rows_before_it() -> None:
    found = objects(
        entry("older", 0, 50, epoch_number=1),
        entry("cut", 0, 20, epoch_number=2),
        entry("after", 20, 30, epoch_number=2),
        gone=(DatasetTombstone("d", 2, 12),),
    )
    served = found.served("d")
    assert served == [
        ServedSegment(found.retained[1], ((12, 20),)),
        ServedSegment(found.retained[2]),
    ]
    assert [found.hidden_offsets(one) for one in served] == [((0, 12),), ()]


def test_batches_that_count_elsewhere_are_hidden_offsets_of_their_epoch_only() -> None:
    dropped = frozenset({Dropped(1, 3), Dropped(1, 4), Dropped(1, 9), Dropped(2, 7)})
    found = objects(
        entry("one", 2, 9), entry("two", 2, 9, epoch_number=2), entry("three", 10, 12),
        dropped=dropped,
    )  # fmt: skip
    assert [found.hidden_offsets(one) for one in found.served()] == [((3, 5),), ((7, 8),), ()]


@given(
    st.sets(st.integers(0, 30)),
    st.integers(0, 30),
    st.lists(st.integers(0, 30), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_each_offset_of_a_segment_is_either_shown_or_hidden(
    dropped: set[int], gone: int, bounds: list[int]
) -> None:
    found = objects(
        entry("one", bounds[0], bounds[1]),
        gone=(DatasetTombstone("d", 1, gone),),
        dropped=frozenset(Dropped(1, at) for at in dropped),
    )
    expected = [at for at in range(*bounds) if at < gone or at in dropped]
    if gone >= bounds[1]:
        assert found.served() == []
        return
    (one,) = found.served()
    hidden = found.hidden_offsets(one)
    assert [at for first, end in hidden for at in range(first, end)] == expected
    assert all(end < first for (_, end), (first, _) in itertools.pairwise(hidden))


def test_the_order_is_that_of_the_documents() -> None:
    entries = [entry(name, at, at + 1) for at, name in enumerate("cab")]
    found = objects(*entries)
    assert [one.entry for one in found.served()] == entries
    assert msgspec.json.encode(found.served()[0])  # a value that can be stored
