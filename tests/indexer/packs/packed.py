"""A partition whose cuts have several small datasets, so that they are published as packs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from common.log import Log
from common.model.names import dataset_id
from common.model.record import Marker, marker_record
from common.process.role import RoleContext
from common.process.versions import DOCUMENTS_PACKS, FixedGate
from indexer.partition.partition import Partition
from segment.columns import ColumnKey, FieldType
from segment.columns.segment_read import SegmentReader
from snapshot.documents.manifest import SegmentEntry
from tests.indexer.harness import open_context, published, record, running, until

CUT = marker_record(Marker(hour=None, reason="test"))
PACKING = FixedGate(DOCUMENTS_PACKS)
DATASETS = tuple(dataset_id("t", "e", name) for name in ("one", "two", "three", "four"))


async def append_all(log: Log, first: int) -> int:
    """A record for each dataset, and a cut; returns the offset after it."""
    for at, dataset in enumerate(DATASETS):
        number = first + at
        await log.append(0, record([number], batch=number, dataset=dataset))
    return (await log.append(0, CUT)).position.offset + 1


@asynccontextmanager
async def filled(folder: Path) -> AsyncIterator[tuple[RoleContext, Partition, list[SegmentEntry]]]:
    """A partition with one pack of four segments and another of four, and the segments."""
    async with (
        open_context(folder) as context,
        running(context, document_gate=PACKING) as partition,
    ):
        await append_all(context.backends.log, 0)
        end = await append_all(context.backends.log, 10)
        await until(partition, published(end))
        yield context, partition, entries_of(partition)


def entries_of(partition: Partition) -> list[SegmentEntry]:
    """The segments that it serves, in the order of the log."""
    assert partition.view is not None
    return sorted(partition.view.all_segments(), key=lambda entry: entry.first_offset)


def numbers_in(path: Path) -> list[int]:
    """The values of the field `n`."""
    with SegmentReader(path) as reader:
        found: list[int] = reader.block().columns[ColumnKey("n", FieldType.INT)].values.to_pylist()
    return found


def numbers_of(partition: Partition) -> Mapping[str, list[int]]:
    """The numbers of every dataset, from its segments, wherever they lie."""
    found: dict[str, list[int]] = {}
    for entry in entries_of(partition):
        path = partition.shared.cache.ensure(entry.location)
        found.setdefault(entry.dataset, []).extend(numbers_in(path))
    return found


def expected(*firsts: int) -> Mapping[str, list[int]]:
    """The numbers after `append_all` with each of these."""
    return {dataset: [first + at for first in firsts] for at, dataset in enumerate(DATASETS)}
