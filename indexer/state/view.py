"""The view that a partition serves: segments by dataset, live rows, gaps (I2, I7).

One immutable value, replaced in one step, so that a query reads each row exactly once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from indexer.state.live_rows import LiveRows
from indexer.state.quarantine import NO_DAMAGE, DamageView
from indexer.state.reroutes import ReroutesView
from snapshot.compaction.compacted import NOTHING_COMPACTED, Compacted, Output
from snapshot.documents.epochs import Epoch
from snapshot.documents.manifest import DatasetTombstone, Gap, SegmentEntry, chain_order
from snapshot.objects_of import Hiding, PartitionObjects, ServedSegment, served_segments
from snapshot.retention.cutoffs import Cutoffs

Segments = Mapping[str, tuple[SegmentEntry, ...]]


class _Read(NamedTuple):
    """What is read of a dataset, and the values from which that was derived."""

    entries: tuple[SegmentEntry, ...]
    outputs: tuple[Output, ...]
    expired: frozenset[str]
    tombstone: DatasetTombstone | None
    served: tuple[ServedSegment, ...]


@dataclass(frozen=True, slots=True)
class PartitionView:
    """An immutable view of the partition before `live.end_offset` of its epoch.

    watermark_ns: the log's time.
    gaps: offsets that were lost before they were indexed.
    dataset_tombstones: deleted datasets by id, and the record up to which they were deleted.
    expired_objects: hashes of segments that retention hides.
    cutoffs: append times up to which rows have expired.
    earlier: end offsets of other logs of the partition that were indexed, by log id.
    rerouted: batches that are undecided or dropped.
    damage: records that are missing from the rows.
    compacted: outputs that are read instead of several segments.
    """

    epoch: Epoch
    live: LiveRows
    watermark_ns: int
    segments: Segments = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    dataset_tombstones: Mapping[str, DatasetTombstone] = field(default_factory=dict)
    expired_objects: frozenset[str] = frozenset()
    cutoffs: Cutoffs = field(default_factory=Cutoffs)
    earlier: Mapping[str, int] = field(default_factory=dict)
    rerouted: ReroutesView = field(default_factory=ReroutesView)
    damage: DamageView = NO_DAMAGE
    compacted: Compacted = NOTHING_COMPACTED
    _read: dict[str, _Read] = field(default_factory=dict, repr=False, compare=False)

    def with_segments(self, entries: Iterable[SegmentEntry]) -> "PartitionView":
        """A copy with these segments added."""
        segments = dict(self.segments)
        for entry in entries:
            segments[entry.dataset] = (*segments.get(entry.dataset, ()), entry)
        return replace(self, segments=segments)

    def without_objects(self, objects: Iterable[str]) -> "PartitionView":
        """A copy without the segments of these hashes."""
        removed = frozenset(objects)
        segments: dict[str, tuple[SegmentEntry, ...]] = {}
        for dataset, entries in self.segments.items():
            kept = tuple(entry for entry in entries if entry.object not in removed)
            if kept:
                segments[dataset] = entries if len(kept) == len(entries) else kept
        return replace(self, segments=segments)

    @property
    def hiding(self) -> Hiding:
        """What hides its segments."""
        return Hiding(self.expired_objects, self.dataset_tombstones)

    def served(self, dataset: str, start_ns: int, end_ns: int) -> list[ServedSegment]:
        """What is read for the dataset's rows of these event times (half open, unix ns)."""
        return [
            one
            for one in self.served_of(dataset)
            if one.entry.time_max_ns >= start_ns and one.entry.time_min_ns < end_ns
        ]

    def served_of(self, dataset: str) -> tuple[ServedSegment, ...]:
        """What is read for all of the dataset's rows: derived once, also for the views after this
        one while nothing of it changes.
        """
        entries, outputs = self.segments.get(dataset, ()), self.compacted.of(dataset)
        expired, tombstone = self.expired_objects, self.dataset_tombstones.get(dataset)
        known = self._read.get(dataset)
        if (
            known is not None
            and known.entries is entries
            and known.outputs is outputs
            and known.expired is expired
            and known.tombstone is tombstone
        ):
            return known.served
        if not entries:
            self._read.pop(dataset, None)
            return ()
        served = tuple(served_segments(entries, self.hiding, self.compacted))
        self._read[dataset] = _Read(entries, outputs, expired, tombstone, served)
        return served

    def stored(self) -> list[SegmentEntry]:
        """What the store must have of its segments: see `PartitionObjects.stored`."""
        shown = tuple(entry for entries in self.segments.values() for entry in entries)
        return PartitionObjects(shown, self.hiding, frozenset(), self.compacted).stored()

    def visible(self, dataset: str) -> list[SegmentEntry]:
        """The dataset's segments that are served, oldest first."""
        hides = self.hiding.hides
        return [entry for entry in self.segments.get(dataset, ()) if not hides(entry)]

    def all_segments(self) -> list[SegmentEntry]:
        """Every segment that is served, in the order of the chain."""
        visible = (entry for dataset in self.segments for entry in self.visible(dataset))
        return sorted(visible, key=chain_order)

    def without_hidden(self) -> "PartitionView":
        """A copy without the segments that are no longer served."""
        retained: dict[str, tuple[SegmentEntry, ...]] = {}
        for dataset, entries in self.segments.items():
            visible = self.visible(dataset)
            if visible:  # the same tuple if nothing of it is hidden: see `served_of`
                retained[dataset] = entries if len(visible) == len(entries) else tuple(visible)
        return replace(self, segments=retained)
