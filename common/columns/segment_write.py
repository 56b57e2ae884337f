"""A block written as a Parquet file that any engine reads without our code (docs/formats.md).

The same block, origin and writer version give the same bytes; a new writer version may give
others, but never another digest (I3).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common import limits
from common.columns.block import ColumnBlock, SparseColumn
from common.columns.digest import block_digest
from common.columns.encodings import DELTA, choose_encodings
from common.columns.key import OFFSET, PLACE, RATE, REST, SYSTEM_COLUMNS, TIME, ColumnKey, FieldType
from common.columns.rest import encode_rest, split_rarest
from common.columns.segment import (
    FIELD_NAME_KEY,
    FIELD_TYPE_KEY,
    METADATA_KEY,
    REST_COLUMNS_KEY,
    SEGMENT_FORMAT,
    SegmentInfo,
    SegmentOrigin,
)

WRITER = f"bellwether-segment-3 pyarrow-{pa.__version__}"
_ZSTD_LEVEL = 1  # measured on encoded pages: level 3 takes a third more CPU for no fewer bytes
_TRACE_ID_FIELDS = frozenset(("trace.trace_id", "trace_id", "traceId"))
_BLOOM_FALSE_POSITIVES = 0.01
_DELTA_COLUMNS = (TIME, OFFSET, PLACE)  # nearly sorted: a few bits per value


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A segment's bytes and what they say."""

    data: pa.Buffer
    object_hash: str
    info: SegmentInfo
    columns: frozenset[ColumnKey]
    rest_columns: frozenset[ColumnKey]


def encode_segment(block: ColumnBlock, origin: SegmentOrigin) -> EncodedSegment:
    """The Parquet file of a block with at least one row, in log order."""
    info = _describe(block, origin)
    own, rest = split_rarest(block.columns)
    schema = _schema(info, own, rest)
    out = pa.BufferOutputStream()
    sparse = [*own.values(), *([encode_rest(rest)] if rest else [])]
    with _writer(out, schema, own) as writer:
        for rows in _row_groups(block.rows, len(schema)):  # one dense slice in memory at a time
            writer.write_table(_dense_slice(block, sparse, rows, schema))
    data = out.getvalue()
    return EncodedSegment(
        data, hashlib.sha256(data).hexdigest(), info, frozenset(own), frozenset(rest)
    )


def _describe(block: ColumnBlock, origin: SegmentOrigin) -> SegmentInfo:
    return SegmentInfo(
        format=SEGMENT_FORMAT,
        dataset=origin.dataset,
        epoch=origin.epoch,
        partition=origin.partition,
        far=origin.far,
        rows=block.rows,
        first_offset=int(block.offset[0]),
        end_offset=int(block.offset[-1]) + 1,
        time_min_ns=int(block.time_ns.min()),
        time_max_ns=int(block.time_ns.max()),
        append_min_ns=origin.append_min_ns,
        append_max_ns=origin.append_max_ns,
        digest=block_digest(block),
        writer=WRITER,
    )


def _schema(
    info: SegmentInfo,
    own: Mapping[ColumnKey, SparseColumn],
    rest: Mapping[ColumnKey, SparseColumn],
) -> pa.Schema:
    fields = [pa.field(name, pa.int64(), nullable=False) for name in (TIME, RATE, OFFSET)]
    fields.append(pa.field(PLACE, pa.int32(), nullable=False))
    for key in own:
        names = {FIELD_NAME_KEY: key.field.encode(), FIELD_TYPE_KEY: key.type.value.encode()}
        everywhere = len(own[key].rows) == info.rows  # then nothing need be said of each value
        fields.append(pa.field(key.physical, key.type.arrow, not everywhere, names))
    metadata = {METADATA_KEY: orjson.dumps(asdict(info))}
    if rest:
        fields.append(pa.field(REST, pa.large_string()))
        metadata[REST_COLUMNS_KEY] = orjson.dumps([key.physical for key in rest])
    return pa.schema(fields, metadata=metadata)


def _writer(
    out: pa.NativeFile, schema: pa.Schema, own: Mapping[ColumnKey, SparseColumn]
) -> pq.ParquetWriter:
    encodings = choose_encodings(own)
    blooms = {
        key.physical: {
            "ndv": pc.count_distinct(own[key].values).as_py(),
            "fpp": _BLOOM_FALSE_POSITIVES,
        }
        for key in own
        if key.field in _TRACE_ID_FIELDS and key.type is FieldType.STRING
    }
    return pq.ParquetWriter(
        out,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=[RATE, *encodings.dictionary],
        column_encoding={**dict.fromkeys(_DELTA_COLUMNS, DELTA), **encodings.others},
        write_statistics=[*SYSTEM_COLUMNS, *encodings.statistics],
        write_page_index=True,
        write_page_checksum=True,
        bloom_filter_options=blooms or None,
        sorting_columns=[
            pq.SortingColumn(schema.get_field_index(name)) for name in (OFFSET, PLACE)
        ],
    )


def _row_groups(rows: int, columns: int) -> Iterator[slice]:
    """Slices of the rows whose dense form stays within a bound of memory."""
    size = limits.ROW_GROUP_CELLS_MAX // columns
    size = max(limits.ROW_GROUP_ROWS_MIN, min(limits.CUT_ROWS_MAX_V1, size))
    return (slice(first, min(first + size, rows)) for first in range(0, rows, size))


def _dense_slice(
    block: ColumnBlock, sparse: Sequence[SparseColumn], rows: slice, schema: pa.Schema
) -> pa.Table:
    system = (block.time_ns, block.rate, block.offset, block.place)
    arrays = [pa.array(values[rows]) for values in system]
    arrays += [_dense(column, rows.start, rows.stop) for column in sparse]
    return pa.Table.from_arrays(arrays, schema=schema)


def _dense(column: SparseColumn, first: int, end: int) -> pa.Array:
    """Rows first..end-1 of a sparse column as one Arrow array with nulls."""
    low, high = np.searchsorted(column.rows, (first, end)).tolist()
    return SparseColumn(
        column.rows[low:high] - np.uint32(first), column.values.slice(low, high - low)
    ).dense(end - first)
