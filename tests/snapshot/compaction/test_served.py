"""What is shown does not depend on which compaction documents a reader has read (I2)."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from snapshot.compaction.compacted import NOTHING_COMPACTED, Compacted, CompactionConflict
from snapshot.compaction.documents import Compaction
from snapshot.documents.manifest import DatasetTombstone, SegmentEntry
from snapshot.objects_of import Hiding, PartitionObjects

SEGMENTS = 12
WIDE = 10  # offsets of a segment


def entry(first: int, end: int, name: str) -> SegmentEntry:
    return SegmentEntry(
        team="t",
        env="e",
        dataset="d",
        epoch_number=1,
        rows=end - first,
        time_min_ns=0,
        time_max_ns=1,
        append_min_ns=first,
        append_max_ns=end,
        first_offset=first,
        end_offset=end,
        object=name,
        size_bytes=1,
        digest="",
        far=False,
    )


# Every second offset range has rows of another dataset: an output has none between its inputs.
ENTRIES = [
    entry(2 * WIDE * number, 2 * WIDE * number + WIDE, f"s{number}") for number in range(SEGMENTS)
]


def rows_of(compacted: Compacted) -> dict[str, set[int]]:
    """By object, the offsets of its rows."""
    found = {one.object: set(range(one.first_offset, one.end_offset)) for one in ENTRIES}
    for output in compacted.all():
        found[output.entry.object] = {
            offset for one in output.inputs for offset in range(one.first_offset, one.end_offset)
        }
    return found


def shown(objects: PartitionObjects) -> list[int]:
    """The offset of every row that is read, as often as it is."""
    rows = rows_of(objects.compacted)
    found: list[int] = []
    for one, visible in objects.served("d"):
        ranges = ((one.first_offset, one.end_offset),) if visible is None else visible
        for first, end in ranges:
            found += [offset for offset in rows[one.object] if first <= offset < end]
    return sorted(found)


@dataclass
class History:
    """Documents of both kinds, as one process after the other publishes them."""

    compactions: list[Compacted] = field(default_factory=lambda: [NOTHING_COMPACTED])
    hidings: list[Hiding] = field(default_factory=lambda: [Hiding(frozenset(), {})])
    gone: set[str] = field(default_factory=set)  # announced as deleted
    left_out_at: list[int] = field(default_factory=lambda: [0])  # by compaction: hidings to read

    def compact(self, first: int, count: int) -> None:
        """Put the objects of these segments together, leaving out what is gone."""
        compacted = self.compactions[-1]
        chosen = {one.object for one in ENTRIES[first : first + count]}
        replaced = [
            output
            for output in compacted.all()
            if not chosen.isdisjoint(one.object for one in output.inputs)
        ]
        names = chosen.union(*({i.object for i in output.inputs} for output in replaced))
        inputs = [one for one in ENTRIES if one.object in names - self.gone]
        if len(inputs) < 2:
            return
        output = entry(inputs[0].first_offset, inputs[-1].end_offset, f"out{len(self.compactions)}")
        one = Compaction(
            inputs=inputs, output=output, replaces=[old.entry.object for old in replaced]
        )
        self.compactions.append(compacted.with_compaction(one, len(self.compactions)))
        self.left_out_at.append(len(self.hidings) - 1)

    def hide(self, numbers: set[int]) -> None:
        before = self.hidings[-1]
        names = {f"s{number}" for number in numbers}
        self.hidings.append(Hiding(before.expired | names, before.tombstones))

    def restore(self, numbers: set[int]) -> None:
        before = self.hidings[-1]
        names = {f"s{number}" for number in numbers} - self.gone
        self.hidings.append(Hiding(before.expired - names, before.tombstones))

    def delete(self) -> None:
        """Announce that everything that has expired is deleted."""
        self.gone |= self.hidings[-1].expired

    def tombstone(self, offset: int) -> None:
        before = self.hidings[-1]
        known = before.tombstones.get("d")
        at = max(offset, 0 if known is None else known.offset)
        one = DatasetTombstone("d", 1, at)
        self.hidings.append(Hiding(before.expired, {"d": one}))


numbers = st.sets(st.integers(0, SEGMENTS - 1), max_size=5)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("compact"), st.integers(0, SEGMENTS - 1), st.integers(2, 6)),
        st.tuples(st.just("hide"), numbers),
        st.tuples(st.just("restore"), numbers),
        st.tuples(st.just("delete")),
        st.tuples(st.just("tombstone"), st.integers(0, 2 * WIDE * SEGMENTS)),
    ),
    max_size=14,
)


@given(steps, st.integers(0, SEGMENTS))
def test_every_reader_shows_the_same_rows_once(
    history_steps: list[tuple[object, ...]], known: int
) -> None:
    history = History()
    for name, *arguments in history_steps:
        getattr(history, str(name))(*arguments)
    entries = tuple(ENTRIES[:known] if known else ENTRIES)  # a reader may know fewer manifests
    for at, hiding in enumerate(history.hidings):
        retained = tuple(one for one in entries if one.object not in hiding.expired)
        plain = shown(PartitionObjects(retained, hiding, frozenset()))
        assert len(plain) == len(set(plain))
        for needs, compacted in zip(history.left_out_at, history.compactions, strict=True):
            if at < needs:
                continue  # readers read compactions first, and retention at least as far
            assert shown(PartitionObjects(retained, hiding, frozenset(), compacted)) == plain


def test_of_two_documents_with_the_same_inputs_one_counts() -> None:
    one = Compaction(inputs=ENTRIES[:3], output=entry(0, 50, "a"))
    other = Compaction(inputs=ENTRIES[2:5], output=entry(40, 90, "b"))
    compacted = NOTHING_COMPACTED.with_compaction(one, 1)
    for conflicting in (one, other):
        try:
            compacted.with_compaction(conflicting, 2)
        except CompactionConflict:
            continue
        raise AssertionError("both count")


def test_superseded_objects_are_kept_until_their_deletion_is_announced() -> None:
    one = Compaction(inputs=ENTRIES[:3], output=entry(0, 50, "a"))
    superseded, _ = NOTHING_COMPACTED.superseded_by(one)
    compacted = NOTHING_COMPACTED.with_compaction(one, 1)
    before = PartitionObjects(tuple(ENTRIES[:4]), Hiding(frozenset(), {}), frozenset(), compacted)
    assert {e.object for e in before.stored()} == {"s0", "s1", "s2", "s3", "a"}
    names = [entry.object for entry in superseded]
    after = PartitionObjects(
        before.retained, before.hiding, before.dropped, compacted.with_deleted([1], names)
    )
    assert {e.object for e in after.stored()} == {"s3", "a"}
    assert [one.entry.object for one in after.served()] == ["a", "s3"]
