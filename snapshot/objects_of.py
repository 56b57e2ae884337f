"""Which objects hold a partition's or a dataset's rows now, and which rows of them are shown (I2).

The one place where this is decided: for queries, bootstrap and its plan, repair, checkpoints,
retention, `bellwether verify` and `bellwether segments`. A folder of the object store holds more
than that (what has expired, what was replaced, what nothing names), so a listing counts rows twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from snapshot.bootstrap.bootstrap import History, read_history
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.compacted import NOTHING_COMPACTED, Compacted, Output
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


def served_segments(
    entries: Iterable[SegmentEntry], hiding: Hiding, compacted: Compacted = NOTHING_COMPACTED
) -> list[ServedSegment]:
    """What is read for those of the segments that are not hidden, in the order of their rows.

    entries: every segment that is known of each of their datasets: of an output only the rows of
    those of its inputs that are among them are shown.
    """
    shown = [one for one in entries if not hiding.hides(one)]
    if not compacted.outputs:
        return [ServedSegment(one, hiding.visible(one)) for one in shown]
    found: list[ServedSegment] = []
    held = _outputs_of(shown, compacted)
    by_name = {one.object: one for one in shown if one.object in held}
    done: set[str] = set()
    for one in shown:
        output = held.get(one.object)
        if output is None:
            found.append(ServedSegment(one, hiding.visible(one)))
        elif output.entry.object not in done:
            done.add(output.entry.object)
            found.append(ServedSegment(output.entry, _shown_of(output, by_name, hiding)))
    return found


def _outputs_of(shown: Sequence[SegmentEntry], compacted: Compacted) -> dict[str, Output]:
    """By hash of an input, the output that holds it."""
    return {
        one.object: output
        for dataset in {entry.dataset for entry in shown}
        for output in compacted.of(dataset)
        for one in output.inputs
    }


def _shown_of(
    output: Output, shown: Mapping[str, SegmentEntry], hiding: Hiding
) -> OffsetRanges | None:
    """The offsets of an output whose rows are shown; None: all."""
    found: list[tuple[int, int]] = []
    whole = True
    follows = False  # whether the input before it is shown to its end: then the ranges are one
    for one in output.inputs:
        entry = shown.get(one.object)
        if entry is None:
            whole = follows = False
            continue
        visible = hiding.visible(entry)
        whole = whole and visible is None
        for first, end in visible or ((one.first_offset, one.end_offset),):
            begins = found.pop()[0] if follows and first == one.first_offset else first
            found.append((begins, end))
            follows = end == one.end_offset
    return None if whole else tuple(found)


@dataclass(frozen=True, slots=True)
class PartitionObjects:
    """What the documents of one partition say about its objects.

    retained: segments that no retention document expires, in the order of the chain; rows of them
    may be hidden because their dataset was deleted.
    dropped: batches within segments that count in another partition.
    compacted: outputs that are read instead of several of them.
    """

    retained: tuple[SegmentEntry, ...]
    hiding: Hiding
    dropped: frozenset[Dropped]
    compacted: Compacted = NOTHING_COMPACTED

    def served(self, dataset: str | None = None) -> list[ServedSegment]:
        """What is read now, of one dataset or of all."""
        entries = (one for one in self.retained if dataset in (None, one.dataset))
        return served_segments(entries, self.hiding, self.compacted)

    def outputs(self) -> list[Output]:
        """The outputs that hold a segment that has not expired."""
        names = {one.object for one in self.retained}
        every = self.compacted.all()
        return [output for output in every if any(i.object in names for i in output.inputs)]

    def superseded(self) -> list[SegmentEntry]:
        """Segments that an output holds and whose own objects are kept for readers of an older
        state, until their deletion is announced.
        """
        held = {one.object for output in self.outputs() for one in output.inputs}
        gone = self.compacted.gone
        return [one for one in self.retained if one.object in held and one.object not in gone]

    def stored(self) -> list[SegmentEntry]:
        """What the store must have: what is read and what is kept for readers of an older state."""
        names = {one.object for output in self.outputs() for one in output.inputs}
        own = [one for one in self.retained if one.object not in names]
        return [*own, *(output.entry for output in self.outputs()), *self.superseded()]

    def hidden_offsets(self, segment: ServedSegment) -> OffsetRanges:
        """The offsets of a served segment whose rows are not shown, if it has any there."""
        entry = segment.entry
        hidden: list[tuple[int, int]] = []
        at, visible = entry.first_offset, segment.visible
        for first, end in ((at, entry.end_offset),) if visible is None else visible:
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
    compacted: Compacted,
) -> PartitionObjects:
    """The objects of a partition.

    segments, dropped: those of all its manifests, or of a checkpoint and the manifests after it.
    newest: its newest manifest. book: its retention documents, read as far as is wanted.
    compacted: its compaction documents, read before those of retention.
    """
    gone = [] if newest is None else newest.gone
    return PartitionObjects(
        retained=tuple(book.retained(segments)),
        hiding=Hiding(book.expired_objects, {one.dataset: one for one in gone}),
        dropped=frozenset({*dropped, *book.dropped}),
        compacted=compacted,
    )


def objects_of_history(
    history: History, book: RetentionBook, compacted: Compacted
) -> PartitionObjects:
    """The objects of a partition whose documents a bootstrap has read."""
    return objects_of(history.segments, history.dropped, history.newest, book, compacted)


def read_objects(chain: Chain, log_start: int) -> tuple[History, PartitionObjects]:
    """Read the partition's documents. Blocks. Raises ObjectsUnavailable, DocumentTooNew.

    Documents of every kind that cannot be read are among the history's damaged ones.
    """
    history = read_history(chain, log_start)
    compactions = CompactionBook(chain)
    compacted = compactions.refresh()
    book = RetentionBook(chain)
    book.refresh()
    skipped = [key for key in (compactions.unreadable, book.unreadable) if key]
    damaged = (*history.damaged, *((key, "it cannot be read") for key in skipped))
    history = replace(history, damaged=damaged)
    return history, objects_of_history(history, book, compacted)


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
