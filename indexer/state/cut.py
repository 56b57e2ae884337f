"""The content of a cut of a partition. `indexer.state.cut_rules` has the rules for its end."""

from dataclasses import dataclass

from indexer.state.reroutes import ReroutedCut
from snapshot.documents.manifest import ClockStep, DatasetTombstone, HourMarker, QuarantinedRecord


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut: offsets `first_offset` up to `next_offset`, and the state carried beyond it.

    damaged: offsets of records whose copy here cannot be read; another copy may be whole.
    """

    first_offset: int
    next_offset: int
    rows: int
    last_batch: bytes
    last_append_ns: int
    watermark_ns: int
    batches: tuple[tuple[bytes, int], ...]
    hour_markers: tuple[HourMarker, ...]
    quarantined: tuple[QuarantinedRecord, ...]
    datasets: tuple[str, ...]
    dataset_tombstones: tuple[DatasetTombstone, ...]
    rerouted: ReroutedCut
    clock_steps: tuple[ClockStep, ...]
    damaged: tuple[int, ...] = ()
