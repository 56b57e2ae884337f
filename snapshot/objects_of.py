"""Which objects hold a partition's or a dataset's rows now, and which rows of them are shown (I2).

The one place where this is decided: for queries, bootstrap and its plan, repair, checkpoints,
retention, `bellwether verify` and `bellwether segments`. A folder of the object store holds more
than that (what has expired, what was replaced, what nothing names), so a listing counts rows twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from snapshot.bootstrap.bootstrap import History, read_history
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import DatasetTombstone, Dropped, Manifest, SegmentEntry
from snapshot.retention.retention import RetentionBook

OffsetRanges = tuple[tuple[int, int], ...]  # half-open ranges of record offsets, ascending


class ServedSegment(NamedTuple):
    """A segment that is read for its dataset.

    visible: the offsets whose rows are shown, half-open and ascending; None: all. Batches that
    count in another partition are not taken out of them: see `PartitionObjects.hidden_offsets`.
    """

    entry: SegmentEntry
    visible: OffsetRanges | None = None


@dataclass(frozen=True, slots=True)
class Hiding:
    """What hides segments of one partition.

    expired: hashes of segments that retention hides.
    tombstones: deleted datasets by id, and the record up to which they were deleted.
    """

    expired: frozenset[str]
    tombstones: Mapping[str, DatasetTombstone]

    def hides(self, entry: SegmentEntry) -> bool:
        """Whether the whole segment is hidden."""
        if entry.object in self.expired:
            return True
        tombstone = self.tombstones.get(entry.dataset)
        if tombstone is None:
            return False
        return (entry.epoch_number, entry.end_offset) <= (tombstone.epoch_number, tombstone.offset)

    def visible(self, entry: SegmentEntry) -> OffsetRanges | None:
        """The offsets of a segment that is not hidden whose rows are shown; None: all."""
        tombstone = self.tombstones.get(entry.dataset)
        if tombstone is None or tombstone.epoch_number != entry.epoch_number:
            return None
        if tombstone.offset <= entry.first_offset:
            return None
        return ((tombstone.offset, entry.end_offset),)


def served_segments(entries: Iterable[SegmentEntry], hiding: Hiding) -> list[ServedSegment]:
    """Those of the segments that are read now, in their order."""
    return [ServedSegment(one, hiding.visible(one)) for one in entries if not hiding.hides(one)]


@dataclass(frozen=True, slots=True)
class PartitionObjects:
    """What the documents of one partition say about its objects.

    retained: segments that no retention document expires, in the order of the chain; rows of them
    may be hidden because their dataset was deleted.
    dropped: batches within segments that count in another partition.
    """

    retained: tuple[SegmentEntry, ...]
    hiding: Hiding
    dropped: frozenset[Dropped]

    def served(self, dataset: str | None = None) -> list[ServedSegment]:
        """The segments that are read now, of one dataset or of all."""
        entries = (one for one in self.retained if dataset in (None, one.dataset))
        return served_segments(entries, self.hiding)

    def hidden_offsets(self, segment: ServedSegment) -> OffsetRanges:
        """The offsets of a served segment whose rows are not shown, if it has any there."""
        entry = segment.entry
        hidden: list[tuple[int, int]] = []
        at = entry.first_offset
        for first, end in segment.visible or ((at, entry.end_offset),):
            hidden.append((at, first))
            at = end
        hidden.append((at, entry.end_offset))
        number = entry.epoch_number
        hidden += [(o.offset, o.offset + 1) for o in self.dropped if o.epoch_number == number]
        return _united(hidden, entry.first_offset, entry.end_offset)


def objects_of(
    segments: Iterable[SegmentEntry],
    dropped: Iterable[Dropped],
    newest: Manifest | None,
    book: RetentionBook,
) -> PartitionObjects:
    """The objects of a partition.

    segments, dropped: those of all its manifests, or of a checkpoint and the manifests after it.
    newest: its newest manifest. book: its retention documents, read as far as is wanted.
    """
    gone = [] if newest is None else newest.gone
    return PartitionObjects(
        retained=tuple(book.retained(segments)),
        hiding=Hiding(book.expired_objects, {one.dataset: one for one in gone}),
        dropped=frozenset({*dropped, *book.dropped}),
    )


def objects_of_history(history: History, book: RetentionBook) -> PartitionObjects:
    """The objects of a partition whose documents a bootstrap has read."""
    return objects_of(history.segments, history.dropped, history.newest, book)


def read_objects(chain: Chain, log_start: int) -> tuple[History, PartitionObjects]:
    """Read the partition's documents. Blocks. Raises ObjectsUnavailable, DocumentTooNew."""
    history = read_history(chain, log_start)
    book = RetentionBook(chain)
    book.refresh()
    return history, objects_of_history(history, book)


def _united(ranges: Sequence[tuple[int, int]], first: int, end: int) -> OffsetRanges:
    """The union of the ranges within [first, end), ascending and without touching ranges."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        low, high = max(low, first), min(high, end)
        if low >= high:
            continue
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)
