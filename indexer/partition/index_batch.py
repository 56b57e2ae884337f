"""Turns a batch of events records into live rows, dataset by dataset. Runs in a thread.

It shares no mutable state with the event loop, so a failure has no effect on the view.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.model.record_value import event_lines
from indexer.shred import Accepted, Shredder
from indexer.state.live_rows import LiveDataset, LiveRows
from indexer.tail.tail import TailRecord
from segment.columns import ColumnBlock
from snapshot.documents.manifest import QuarantinedRecord


@dataclass(frozen=True, slots=True)
class Indexed:
    """The result of a batch.

    live: the live rows with the batch added.
    rows: the number of rows that were added.
    quarantined: records whose events cannot be read.
    tailed: records and their rows, by dataset that a tail follows.
    """

    live: LiveRows
    rows: int
    quarantined: tuple[QuarantinedRecord, ...]
    tailed: Mapping[str, tuple[tuple[TailRecord, ...], tuple[ColumnBlock, ...]]]


def index_batch(
    shredder: Shredder,
    live: LiveRows,
    batch: Sequence[Accepted],
    end_offset: int,
    wanted: frozenset[str],
) -> Indexed:
    """The live rows with the batch added; all records before `end_offset` are then indexed."""
    by_dataset: dict[str, list[Accepted]] = {}
    for item in batch:
        dataset = item.record.dataset
        if (known := by_dataset.get(dataset)) is None:
            by_dataset[dataset] = [item]
        else:
            known.append(item)
    quarantined: list[QuarantinedRecord] = []
    tailed: dict[str, tuple[tuple[TailRecord, ...], tuple[ColumnBlock, ...]]] = {}
    added: dict[str, LiveDataset] = {}
    for dataset, records in by_dataset.items():
        shredded = shredder.shred_values(records)
        good = records
        if shredded.quarantined:
            quarantined.extend(
                QuarantinedRecord(one.offset, one.reason) for one in shredded.quarantined
            )
            bad = {one.offset for one in shredded.quarantined}
            good = [record for record in records if record.offset not in bad]
        if good:
            times = [record.append_ns for record in good]
            added[dataset] = LiveDataset.of(shredded.blocks, min(times), max(times))
        if dataset in wanted and good:
            tail_records = tuple(
                TailRecord(one.record.batch, event_lines(one.record), one.offset) for one in good
            )
            tailed[dataset] = (tail_records, added[dataset].blocks)
    quarantined.sort(key=lambda entry: entry.offset)
    rows = sum(one.rows for one in added.values())
    return Indexed(live.added(added).reached(end_offset), rows, tuple(quarantined), tailed)
