"""A block written as a Parquet file that any engine reads without our code (docs/formats.md).

The same block, origin and writer version give the same bytes, whichever encoders are at work; a
new writer version may give others, but never another digest (I3).
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.digest import digest_of
from segment.columns.gather import gather, sizes_of
from segment.columns.key import ESCAPE, OFFSET, PLACE, RATE, REST, TIME, ColumnKey, FieldType
from segment.columns.names import PackedKeys
from segment.columns.packed import Gathered, PackedColumns
from segment.columns.rest import split_rarest
from segment.columns.rest_write import rest_texts
from segment.columns.segment import (
    FIELD_NAME_KEY,
    METADATA_KEY,
    REST_COLUMNS_KEY,
    SEGMENT_FORMAT,
    SegmentInfo,
    SegmentOrigin,
)
from segment.parquet.encoders import Encoders, texts_of
from segment.parquet.file import write_file
from segment.parquet.values import Bits, Column, Doubles, Ints, SmallInts, Values

_ZSTD = ".".join(map(str, zstandard.ZSTD_VERSION))  # the library's, which pages are made by
WRITER = f"bellwether-segment-7 zstd-{_ZSTD} pyarrow-{pa.__version__}"  # Arrow: the schema's bytes
_TRACE_ID_FIELDS = frozenset(("trace.trace_id", "trace_id", "traceId"))
_ARROW_SCHEMA_KEY = b"ARROW:schema"  # as Arrow's own writer keeps types and fields' metadata
_OFFSET_AND_PLACE = (2, 3)  # columns by which rows are sorted
_TEXTS = (FieldType.STRING, FieldType.JSON)
Columns = Mapping[ColumnKey, SparseColumn]
Rest = list[Gathered]


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A segment's bytes and what they say."""

    data: bytes
    object_hash: str
    info: SegmentInfo


def encode_segment(block: ColumnBlock, origin: SegmentOrigin, encoders: Encoders) -> EncodedSegment:
    """The Parquet file of a block with at least one row, in log order."""
    own, rest_keys, rest = _parted(block.columns, block.rows)
    rest_names = rest_keys.physical()
    info = _describe(block, origin, digest_of(block, own, rest_keys, rest))
    rest_column = rest_texts(rest, rest_names, block.rows, encoders) if rest else None
    data = write_file(
        encoders,
        _columns(block, own, rest_column),
        block.rows,
        metadata=_metadata(info, own, rest_names),
        sorting=_OFFSET_AND_PLACE,
        created_by=WRITER,
    )
    return EncodedSegment(data, hashlib.sha256(data).hexdigest(), info)


def _parted(columns: Columns, rows: int) -> tuple[dict[ColumnKey, SparseColumn], PackedKeys, Rest]:
    """Columns of their own, and the keys and cells of those in the rest column; by key."""
    if isinstance(columns, PackedColumns):
        own, rest = split_rarest(columns.sizes, rows)
        keys, at = columns.packed_keys, columns.at
        taken = {keys.at(place): at(place) for place in own.tolist()}
        return taken, keys.take(rest), columns.gathered(rest)
    in_order = sorted(columns)
    own, rest = split_rarest(sizes_of({key: columns[key] for key in in_order}), rows)
    taken = {in_order[place]: columns[in_order[place]] for place in own.tolist()}
    rest_keys = [in_order[place] for place in rest.tolist()]
    return taken, PackedKeys.of(rest_keys), gather(columns, rest_keys)


def _describe(block: ColumnBlock, origin: SegmentOrigin, digest: str) -> SegmentInfo:
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
        digest=digest,
        writer=WRITER,
    )


def _columns(
    block: ColumnBlock, own: Mapping[ColumnKey, SparseColumn], rest: SparseColumn | None
) -> Iterator[Column]:
    yield Column(TIME, None, Ints(block.time_ns, nearly_sorted=True))
    yield Column(RATE, None, Ints(block.rate))
    yield Column(OFFSET, None, Ints(block.offset, nearly_sorted=True))
    yield Column(PLACE, None, SmallInts(block.place))
    for key, column in own.items():
        bloom = key.field in _TRACE_ID_FIELDS and key.type is FieldType.STRING
        yield Column(
            key.physical, _rows(column, block.rows), _values(key.type, column.values), bloom
        )
    if rest is not None:
        yield Column(REST, rest.rows, texts_of(rest.values))


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
    rest_names: pa.Array,
) -> dict[bytes, bytes]:
    schema = _schema(info, own, len(rest_names) > 0).serialize()
    metadata = {
        METADATA_KEY: orjson.dumps(asdict(info)),
        _ARROW_SCHEMA_KEY: base64.b64encode(memoryview(schema)),
    }
    if len(rest_names):
        metadata[REST_COLUMNS_KEY] = _json_list(rest_names)
    return metadata


def _json_list(names: pa.Array) -> bytes:
    """A JSON list of physical names, in which there is nothing to escape."""
    quote, end = (pa.scalar(text, pa.large_string()) for text in ('"', '",'))
    nothing = pa.scalar("", pa.large_string())
    offsets, data = texts_of(pc.binary_join_element_wise(quote, names, end, nothing))
    return b"".join((b"[", data[int(offsets[0]) : int(offsets[-1]) - 1].data, b"]"))


def _schema(info: SegmentInfo, own: Mapping[ColumnKey, SparseColumn], has_rest: bool) -> pa.Schema:
    fields = [pa.field(name, pa.int64(), nullable=False) for name in (TIME, RATE, OFFSET)]
    fields.append(pa.field(PLACE, pa.int32(), nullable=False))
    for key in own:
        physical = key.physical
        is_escaped = ESCAPE in physical  # else it says the name itself
        name = {FIELD_NAME_KEY: key.field.encode()} if is_escaped else None
        everywhere = len(own[key].rows) == info.rows  # then nothing need be said of each value
        fields.append(pa.field(physical, key.type.arrow, not everywhere, name))
    if has_rest:
        fields.append(pa.field(REST, pa.large_string()))
    return pa.schema(fields)
