"""Parquet and Arrow files: one type for each column, the field's own name beside it."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from bellwether.answers.rows.pages import Event
from bellwether.export.layout import Column, Kind, Layout, kind_of
from common.model.times.api import parse_time

_ROWS_AT_ONCE: Final = 10_000  # of one record batch: some MB of usual events
_ROW_GROUP: Final = 100_000
_TYPES: Final = {
    Kind.WHOLE: pa.int64(),
    Kind.REAL: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.JSON: pa.string(),
}


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...


def write_parquet(path: Path, layout: Layout, events: Iterable[Event]) -> None:
    """One Parquet file, zstd."""
    schema = _schema(layout)
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6") as writer:
        for rows in _batched(_batches(layout, schema, events)):
            writer.write_table(pa.Table.from_batches(rows, schema), row_group_size=_ROW_GROUP)


def write_arrow(path: Path, layout: Layout, events: Iterable[Event]) -> None:
    """One Arrow IPC file (Feather), zstd."""
    schema = _schema(layout)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with ExitStack() as stack:
        sink = stack.enter_context(pa.OSFile(str(path), "wb"))
        writer = stack.enter_context(pa.ipc.new_file(sink, schema, options=options))
        for batch in _batches(layout, schema, events):
            writer.write_batch(batch)


def _schema(layout: Layout) -> pa.Schema:
    own = [
        pa.field(layout.time, pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field(layout.rate, pa.int64(), nullable=False),
    ]
    return pa.schema([*own, *(_described(column) for column in layout.columns)])


def _described(column: Column) -> pa.Field:
    told = {"bellwether.field": column.field, "bellwether.type": str(column.kind)}
    return pa.field(column.name, _TYPES[column.kind], metadata=told)


def _batches(
    layout: Layout, schema: pa.Schema, events: Iterable[Event]
) -> Iterator[pa.RecordBatch]:
    waiting = iter(events)
    while some := list(itertools.islice(waiting, _ROWS_AT_ONCE)):
        times = pa.array([parse_time(event.time) for event in some], pa.int64())
        arrays = [times.cast(schema.field(0).type), pa.array([e.samplerate for e in some])]
        arrays += [_values(column, some) for column in layout.columns]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _batched(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """As many as one row group has."""
    waiting = iter(batches)
    while some := list(itertools.islice(waiting, _ROW_GROUP // _ROWS_AT_ONCE)):
        yield some


def _values(column: Column, events: Sequence[Event]) -> pa.Array:
    kind = column.kind
    found: list[Any] = []
    for event in events:
        value = event.data.get(column.field)
        if value is None or kind_of(value) not in column.kinds:
            found.append(None)
        elif kind is Kind.JSON:
            found.append(bytes(value).decode())
        else:
            read = msgspec.json.decode(value)
            found.append(float(read) if kind is Kind.REAL else read)
    return pa.array(found, _TYPES[kind])
