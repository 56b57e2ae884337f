"""A block written as a Parquet file that any engine reads without Bellwether (docs/formats.md).

The same block, origin and writer version give the same bytes with any encoders; a new writer
version may give other bytes, but never another digest (I3).
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.digest import digest_head, digest_of, digest_of_parts
from segment.columns.gather import gather, sizes_of
from segment.columns.key import (
    ESCAPE,
    INDEX_IN_RECORD,
    OFFSET,
    OVERFLOW,
    RATE,
    TIME,
    ColumnKey,
    FieldType,
)
from segment.columns.names import PackedKeys
from segment.columns.overflow.overflow import split_rarest
from segment.columns.overflow.write import overflow_texts
from segment.columns.packed import Gathered, PackedColumns
from segment.columns.segment import (
    ALONE_KEY,
    FIELD_NAME_KEY,
    METADATA_KEY,
    OVERFLOW_COLUMNS_KEY,
    SEGMENT_FORMAT,
    SegmentInfo,
    SegmentOrigin,
)
from segment.columns.small.write import small_columns, small_table
from segment.parquet.column_chunk.values import Bits, Column, Doubles, Ints, SmallInts, Values
from segment.parquet.encoders import Encoders, texts_of
from segment.parquet.file import small_file, write_file

_ZSTD = ".".join(map(str, zstandard.ZSTD_VERSION))  # the version that compresses pages
WRITER = f"bellwether-segment-9 zstd-{_ZSTD} pyarrow-{pa.__version__}"  # Arrow: the schema's bytes
_TRACE_ID_FIELDS = frozenset(("trace.trace_id", "trace_id", "traceId"))
_ARROW_SCHEMA_KEY = b"ARROW:schema"  # as Arrow's own writer keeps types and fields' metadata
_DIGEST_HEAD, _NO_KEYS = digest_head(), PackedKeys.of(())
_OFFSET_AND_INDEX = (2, 3)  # indexes of the columns by which rows are sorted
_TEXTS = (FieldType.STRING, FieldType.JSON)
Columns = Mapping[ColumnKey, SparseColumn]
Overflow = list[Gathered]


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A segment's bytes, their SHA-256 and their metadata."""

    data: bytes
    object_hash: str
    info: SegmentInfo


def encode_segment(block: ColumnBlock, origin: SegmentOrigin, encoders: Encoders) -> EncodedSegment:
    """The Parquet file of a block with at least one row, in log order."""
    columns = small_columns(block)
    if columns is not None:
        return _encode_small(block, columns, origin, encoders)
    own, overflow_keys, overflow = _split(block.columns, block.rows)
    overflow_names = overflow_keys.physical()
    info = _describe(block, origin, digest_of(block, own, overflow_keys, overflow))
    overflow_column = (
        overflow_texts(overflow, overflow_names, block.rows, encoders) if overflow else None
    )
    data = write_file(
        encoders,
        _columns(block, own, overflow_column),
        block.rows,
        metadata=_metadata(info, own, overflow_names) | _rewritten(origin),
        sorting=_OFFSET_AND_INDEX,
        created_by=WRITER,
    )
    return EncodedSegment(data, hashlib.sha256(data).hexdigest(), info)


def parquet_columns(block: ColumnBlock) -> tuple[Columns, bool]:
    """The columns to which `encode_segment` gives a Parquet column each, and whether these are all.

    block: of a segment that is not small.
    """
    own, overflow_keys, _ = _split(block.columns, block.rows)
    return own, not len(overflow_keys)


def _encode_small(
    block: ColumnBlock, columns: PackedColumns, origin: SegmentOrigin, encoders: Encoders
) -> EncodedSegment:
    """As `encode_segment`, of a small segment. Its columns have no names and types for Arrow."""
    written = encoders.small(small_table(block, columns, _DIGEST_HEAD))
    if written is None:
        info = _describe(block, origin, digest_of(block, columns, _NO_KEYS, ()))
        own = columns.unpacked()
        of_columns = partial(
            write_file, encoders, _columns(block, own, None, blooms=False), small=True
        )
    else:
        info = _describe(block, origin, digest_of_parts(block.rows, written.digest_parts))
        of_columns = partial(small_file, written)
    data = of_columns(
        rows=block.rows,
        metadata={METADATA_KEY: orjson.dumps(info)} | _rewritten(origin),
        sorting=_OFFSET_AND_INDEX,
        created_by=WRITER,
    )
    return EncodedSegment(data, hashlib.sha256(data).hexdigest(), info)


def _rewritten(origin: SegmentOrigin) -> dict[bytes, bytes]:
    return {ALONE_KEY: origin.rewritten.encode()} if origin.rewritten else {}


def _split(
    columns: Columns, rows: int
) -> tuple[dict[ColumnKey, SparseColumn], PackedKeys, Overflow]:
    """(columns that become Parquet columns; keys and cells of the others), sorted by key."""
    if isinstance(columns, PackedColumns):
        own, rarest = split_rarest(columns.sizes, rows)
        if not len(rarest):
            return columns.unpacked(), _NO_KEYS, []
        keys, at = columns.packed_keys, columns.at
        taken = {keys.at(index): at(index) for index in own.tolist()}
        return taken, keys.take(rarest), columns.gathered(rarest)
    in_order = sorted(columns)
    own, rarest = split_rarest(sizes_of({key: columns[key] for key in in_order}), rows)
    taken = {in_order[index]: columns[in_order[index]] for index in own.tolist()}
    overflow_keys = [in_order[index] for index in rarest.tolist()]
    return taken, PackedKeys.of(overflow_keys), gather(columns, overflow_keys)


def _describe(block: ColumnBlock, origin: SegmentOrigin, digest: str) -> SegmentInfo:
    return SegmentInfo(
        format=SEGMENT_FORMAT,
        dataset=origin.dataset,
        epoch=origin.epoch,
        partition=origin.partition,
        far=origin.late_or_early,
        rows=block.rows,
        first_offset=int(block.offset[0]),
        end_offset=int(block.offset[-1]) + 1,
        time_min_ns=int(block.time_ns.min()),
        time_max_ns=int(block.time_ns.max()),
        append_min_ns=origin.append_min_ns,
        append_max_ns=origin.append_max_ns,
        digest=digest,
        writer=WRITER,
    )


def _columns(
    block: ColumnBlock,
    own: Mapping[ColumnKey, SparseColumn],
    overflow: SparseColumn | None,
    *,
    blooms: bool = True,
) -> Iterator[Column]:
    yield Column(TIME, None, Ints(block.time_ns, nearly_sorted=True))
    yield Column(RATE, None, Ints(block.rate))
    yield Column(OFFSET, None, Ints(block.offset, nearly_sorted=True))
    yield Column(INDEX_IN_RECORD, None, SmallInts(block.index_in_record))
    for key, column in own.items():
        bloom = blooms and key.field in _TRACE_ID_FIELDS and key.type is FieldType.STRING
        yield Column(
            key.physical, _rows(column, block.rows), _values(key.type, column.values), bloom
        )
    if overflow is not None:
        yield Column(OVERFLOW, overflow.rows, texts_of(overflow.values))


def _rows(column: SparseColumn, rows: int) -> npt.NDArray[np.uint32] | None:
    return None if len(column.rows) == rows else column.rows


def _values(field_type: FieldType, values: pa.Array) -> Values:
    """The values as the writer takes them: views of the Arrow array's memory."""
    if field_type in _TEXTS:
        return texts_of(values)
    data = values.buffers()[1]
    if field_type is FieldType.BOOL:
        return Bits(np.frombuffer(data, np.uint8), values.offset, len(values))
    here = slice(values.offset, values.offset + len(values))
    if field_type is FieldType.INT:
        return Ints(np.frombuffer(data, np.int64)[here])
    return Doubles(np.frombuffer(data, np.float64)[here])


def _metadata(
    info: SegmentInfo,
    own: Mapping[ColumnKey, SparseColumn],
    overflow_names: pa.Array,
) -> dict[bytes, bytes]:
    schema = _schema(info, own, len(overflow_names) > 0).serialize()
    metadata = {
        METADATA_KEY: orjson.dumps(info),
        _ARROW_SCHEMA_KEY: base64.b64encode(memoryview(schema)),
    }
    if len(overflow_names):
        metadata[OVERFLOW_COLUMNS_KEY] = _json_list(overflow_names)
    return metadata


def _json_list(names: pa.Array) -> bytes:
    """A JSON list of physical names, which need no escaping."""
    quote, end = (pa.scalar(text, pa.large_string()) for text in ('"', '",'))
    nothing = pa.scalar("", pa.large_string())
    offsets, data = texts_of(pc.binary_join_element_wise(quote, names, end, nothing))
    return b"".join((b"[", data[int(offsets[0]) : int(offsets[-1]) - 1].data, b"]"))


def _schema(
    info: SegmentInfo, own: Mapping[ColumnKey, SparseColumn], has_overflow: bool
) -> pa.Schema:
    fields = [pa.field(name, pa.int64(), nullable=False) for name in (TIME, RATE, OFFSET)]
    fields.append(pa.field(INDEX_IN_RECORD, pa.int32(), nullable=False))
    for key in own:
        physical = key.physical
        is_escaped = ESCAPE in physical  # else the physical name holds the field's name
        name = {FIELD_NAME_KEY: key.field.encode()} if is_escaped else None
        everywhere = len(own[key].rows) == info.rows  # then the column needs no definition levels
        fields.append(pa.field(physical, key.type.arrow, not everywhere, name))
    if has_overflow:
        fields.append(pa.field(OVERFLOW, pa.large_string()))
    return pa.schema(fields)
