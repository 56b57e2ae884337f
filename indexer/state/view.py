"""The view that a partition serves: segments by dataset, live rows, gaps (I2, I7).

One immutable value, replaced in one step, so that a query reads each row exactly once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from indexer.state.live_rows import LiveRows
from indexer.state.quarantine import NO_DAMAGE, DamageView
from indexer.state.reroutes import ReroutesView
from snapshot.documents.epochs import Epoch
from snapshot.documents.manifest import DatasetTombstone, Gap, SegmentEntry, chain_order
from snapshot.objects_of import Hiding, ServedSegment, served_segments
from snapshot.retention.cutoffs import Cutoffs

Segments = Mapping[str, tuple[SegmentEntry, ...]]


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

    def with_segments(self, entries: Iterable[SegmentEntry]) -> "PartitionView":
        """A copy with these segments added."""
        segments = dict(self.segments)
        for entry in entries:
            segments[entry.dataset] = (*segments.get(entry.dataset, ()), entry)
        return replace(self, segments=segments)

    def without_objects(self, objects: Iterable[str]) -> "PartitionView":
        """A copy without the segments of these hashes."""
        removed = frozenset(objects)
        segments = {
            dataset: tuple(entry for entry in entries if entry.object not in removed)
            for dataset, entries in self.segments.items()
        }
        return replace(self, segments={d: entries for d, entries in segments.items() if entries})

    @property
    def hiding(self) -> Hiding:
        """What hides its segments."""
        return Hiding(self.expired_objects, self.dataset_tombstones)

    def served(self, dataset: str, start_ns: int, end_ns: int) -> list[ServedSegment]:
        """What is read for the dataset's rows of these event times (half open, unix ns)."""
        in_range = (
            entry
            for entry in self.segments.get(dataset, ())
            if entry.time_max_ns >= start_ns and entry.time_min_ns < end_ns
        )
        return served_segments(in_range, self.hiding)

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
        retained = {dataset: tuple(self.visible(dataset)) for dataset in self.segments}
        return replace(self, segments={d: entries for d, entries in retained.items() if entries})
