"""A cut of a partition: when it is made, besides at markers, and what it holds (I3).

The rules are part of the log's format: twins must agree on them.
"""

from dataclasses import dataclass

from common import limits
from indexer.state.reroutes import ReroutedCut
from snapshot.documents.manifest import ClockStep, DatasetTombstone, HourMarker, QuarantinedRecord


@dataclass(frozen=True, slots=True)
class CutRules:
    """After how much a cut ends. Production uses the defaults; tests pass smaller ones.

    rows_max: rows.
    bytes_max: bytes of the records' events, decoded.
    control_records_max: records without rows.
    """

    rows_max: int = limits.CUT_ROWS_MAX_V1
    bytes_max: int = limits.CUT_BYTES_MAX_V1
    control_records_max: int = limits.CUT_CONTROL_RECORDS_MAX_V1


CUT_RULES = CutRules()


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
