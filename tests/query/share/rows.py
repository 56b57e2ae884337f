"""Test material: events as blocks, views and segments; an indexer that serves shares of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from query.share.view.view import DatasetView, PartitionNotHeld, SegmentView, ViewRequest
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn
from segment.columns.segment import SegmentOrigin
from segment.columns.segment_read import SegmentReader
from segment.columns.segment_write import encode_segment
from segment.parquet.reference import ReferenceEncoders

Value = int | float | bool | str
EPOCH = "aa"
DATASET = "d" * 24


@dataclass(frozen=True)
class Json:
    """A JSON column's text."""

    text: str


@dataclass(frozen=True)
class Row:
    """One event."""

    time_ns: int
    data: dict[str, Value | Json]
    rate: int = 1


def type_of(value: Value | Json) -> FieldType:
    if isinstance(value, bool):
        return FieldType.BOOL
    if isinstance(value, Json):
        return FieldType.JSON
    names = {int: FieldType.INT, float: FieldType.FLOAT, str: FieldType.STRING}
    return names[type(value)]


def block(rows: Sequence[Row], first_offset: int = 0) -> ColumnBlock:
    """One record per row."""
    cells: dict[ColumnKey, tuple[list[int], list[object]]] = {}
    for at, row in enumerate(rows):
        for name, value in row.data.items():
            places, values = cells.setdefault(ColumnKey(name, type_of(value)), ([], []))
            places.append(at)
            values.append(value.text if isinstance(value, Json) else value)
    columns = {
        key: SparseColumn(np.array(places, np.uint32), pa.array(values, key.type.arrow))
        for key, (places, values) in cells.items()
    }
    n = len(rows)
    return ColumnBlock(
        np.array([r.time_ns for r in rows], np.int64),
        np.array([r.rate for r in rows], np.int64),
        np.arange(first_offset, first_offset + n, dtype=np.int64),
        np.zeros(n, np.int32),
        np.zeros(n, np.bool_),
        columns,
    )


def segment(rows: Sequence[Row], folder: Path, first_offset: int = 0) -> SegmentView:
    """The rows as a Parquet file of the real writer."""
    origin = SegmentOrigin(DATASET, EPOCH, 0, False, 0, 0)
    encoded = encode_segment(block(rows, first_offset), origin, ReferenceEncoders())
    path = folder / f"{encoded.object_hash}.parquet"
    path.write_bytes(encoded.data)
    info = encoded.info
    with SegmentReader(path) as reader:
        columns, overflow_columns = reader.columns, reader.overflow_columns
    return SegmentView(
        path=path,
        object_hash=encoded.object_hash,
        rows=info.rows,
        first_offset=info.first_offset,
        end_offset=info.end_offset,
        time_min_ns=info.time_min_ns,
        time_max_ns=info.time_max_ns,
        columns=columns,
        overflow_columns=overflow_columns,
    )


def view(
    partition: int = 0,
    segments: Sequence[SegmentView] = (),
    blocks: Sequence[ColumnBlock] = (),
    end_offset: int = 10**6,
) -> DatasetView:
    return DatasetView(partition, EPOCH, end_offset, 5, tuple(segments), tuple(blocks))


class Views:
    """PartitionViews over fixed views."""

    def __init__(self, views: Sequence[DatasetView]) -> None:
        self.held = {v.partition: v for v in views}
        self.leased = 0

    def partitions(self) -> list[int]:
        return sorted(self.held)

    def lease(
        self, partition: int, dataset: str, wanted: ViewRequest
    ) -> AbstractAsyncContextManager[DatasetView]:
        return self._lease(partition, dataset)

    @asynccontextmanager
    async def _lease(self, partition: int, dataset: str) -> AsyncIterator[DatasetView]:
        if partition not in self.held:
            raise PartitionNotHeld(partition)
        self.leased += 1
        yield replace(self.held[partition], dataset=dataset)


def dense_block(columns: dict[ColumnKey, pa.Array]) -> ColumnBlock:
    """One event in each record, with a value in every column."""
    n = len(next(iter(columns.values())))
    every = np.arange(n, dtype=np.uint32)
    zeros = np.zeros(n, np.int64)
    return ColumnBlock(
        zeros,
        np.ones(n, np.int64),
        np.arange(n),
        np.zeros(n, np.int32),
        np.zeros(n, np.bool_),
        {key: SparseColumn(every, values) for key, values in columns.items()},
    )
