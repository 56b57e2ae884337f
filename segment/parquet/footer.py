"""The footer of a Parquet file: schema, offsets and statistics of the column chunks."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from segment.parquet.column_chunk.chunk import Chunk
from segment.parquet.column_chunk.values import Bits, Column, Doubles, Ints, SmallInts
from segment.parquet.encoders import Texts
from segment.parquet.format.numbers import (
    MAGIC,
    UTF8,
    VERSION,
    Codec,
    Encoding,
    Physical,
    Repetition,
)
from segment.parquet.format.thrift import LATER, Kind, Struct, list_head, listed, number, sized

_PHYSICAL = {
    Ints: Physical.INT64,
    SmallInts: Physical.INT32,
    Doubles: Physical.DOUBLE,
    Bits: Physical.BOOLEAN,
    Texts: Physical.BYTE_ARRAY,
}
_PAIR = Struct().binary(1, LATER).binary(2, LATER).form()
_ROOT = Struct().i32(3, Repetition.REQUIRED).binary(4, b"schema").i32(5, LATER).form()
_BY_TYPE = Struct().struct(1, Struct()).encoded()
_GROUP = (
    (Struct().list(1, LATER).i64(2, LATER).i64(3, LATER).list(4, LATER).i64(5, LATER).i64(6, LATER))
    .i16(7, 0)
    .form()
)
_FOOTER = (
    (Struct().i32(1, VERSION).list(2, LATER).i64(3, LATER).list(4, LATER).list(5, LATER))
    .binary(6, LATER)
    .list(7, LATER)
    .form()
)


class PlacedChunk(msgspec.Struct, frozen=True, gc=False):
    """A column chunk in the file.

    at: its offset.
    offset_index, column_index, bloom: (offset, bytes), or None if the chunk has none.
    """

    column: Column
    chunk: Chunk
    at: int
    offset_index: tuple[int, int] | None
    column_index: tuple[int, int] | None
    bloom: tuple[int, int] | None


class EncodedColumns(NamedTuple):
    """The columns of a file as its footer has them.

    schema, chunks: their schema elements and column chunks, one after the other.
    raw_size, size: bytes of the chunks with headers, not compressed and as stored.
    """

    columns: int
    schema: bytes
    chunks: bytes
    raw_size: int
    size: int


def file_footer(
    placed: Sequence[PlacedChunk],
    rows: int,
    metadata: Mapping[bytes, bytes],
    sorting: Sequence[int],
    created_by: str,
) -> bytes:
    """The footer of a file of one row group. sorting: indexes of the columns by which rows are
    sorted.
    """
    columns = EncodedColumns(
        len(placed),
        b"".join([_schema_element(one.column) for one in placed]),
        b"".join([_column_chunk(one, rows) for one in placed]),
        sum(one.chunk.raw_size for one in placed),
        sum(one.chunk.size for one in placed),
    )
    return footer_of(columns, rows, metadata, sorting, created_by)


def footer_of(
    columns: EncodedColumns,
    rows: int,
    metadata: Mapping[bytes, bytes],
    sorting: Sequence[int],
    created_by: str,
) -> bytes:
    """As `file_footer`, of columns that are encoded already."""
    group = _GROUP % (
        list_head(Kind.STRUCT, columns.columns) + columns.chunks,
        number(columns.raw_size),
        number(rows),
        _sorted_by_all(tuple(sorting)),
        number(len(MAGIC)),  # the first column follows it
        number(columns.size),
    )
    root = _ROOT % number(columns.columns)
    pairs = [_PAIR % (sized(key), sized(value)) for key, value in metadata.items()]
    return _FOOTER % (
        list_head(Kind.STRUCT, 1 + columns.columns) + root + columns.schema,
        number(rows),
        listed(Kind.STRUCT, [group]),
        listed(Kind.STRUCT, pairs),
        sized(created_by.encode()),
        list_head(Kind.STRUCT, columns.columns) + _BY_TYPE * columns.columns,
    )


@cache
def _sorted_by_all(columns: tuple[int, ...]) -> bytes:
    return listed(Kind.STRUCT, [_sorted_by(column) for column in columns])


def _sorted_by(column: int) -> bytes:
    return Struct().i32(1, column).flag(2, False).flag(3, False).encoded()


def _schema_element(column: Column) -> bytes:
    form = _element_form(_PHYSICAL[type(column.values)], column.rows is None)
    return form % sized(column.name.encode())


@cache
def _element_form(physical: Physical, everywhere: bool) -> bytes:
    element = Struct().i32(1, physical)
    element.i32(3, Repetition.REQUIRED if everywhere else Repetition.OPTIONAL)
    element.binary(4, LATER)
    if physical is Physical.BYTE_ARRAY:
        element.i32(6, UTF8).struct(10, Struct().struct(1, Struct()))
    return element.form()


def _column_chunk(one: PlacedChunk, rows: int) -> bytes:
    chunk, column = one.chunk, one.chunk.column
    form = _chunk_form(
        _PHYSICAL[type(one.column.values)],
        column.encoding,
        chunk.codec,
        column.dictionary is not None,
        column.low is not None,
        one.bloom is not None,
        one.offset_index is not None,
        one.column_index is not None,
    )
    at = number(one.at)
    path = listed(Kind.BINARY, [sized(one.column.name.encode())])
    values = [at, path, number(rows), number(chunk.raw_size)]
    values += [number(chunk.size), number(one.at + chunk.data_at)]
    if column.dictionary is not None:
        values.append(at)
    values.append(number(sum([page.rows - page.values for page in column.pages])))
    if column.low is not None and column.high is not None:
        values += [sized(column.high), sized(column.low)]
    for part in (one.bloom, one.offset_index, one.column_index):
        if part is not None:
            values += [number(part[0]), number(part[1])]
    return form % tuple(values)


@cache
def _chunk_form(
    physical: Physical,
    encoding: Encoding,
    codec: Codec,
    has_dictionary: bool,
    has_bounds: bool,
    has_bloom: bool,
    has_offset_index: bool,
    has_column_index: bool,
) -> bytes:
    used = {Encoding.RLE, encoding, *((Encoding.PLAIN,) if has_dictionary else ())}
    metadata = (
        Struct()
        .i32(1, physical)
        .list(2, listed(Kind.I32, [number(one) for one in sorted(used)]))
        .list(3, LATER)
        .i32(4, codec)
        .i64(5, LATER)
        .i64(6, LATER)
        .i64(7, LATER)
        .i64(9, LATER)
    )
    if has_dictionary:
        metadata.i64(11, LATER)
    statistics = Struct().i64(3, LATER)
    if has_bounds:
        statistics.binary(5, LATER).binary(6, LATER)
    metadata.struct(12, statistics)
    if has_bloom:
        metadata.i64(14, LATER).i32(15, LATER)
    written = Struct().i64(2, LATER).struct(3, metadata)
    if has_offset_index:
        written.i64(4, LATER).i32(5, LATER)
    if has_column_index:
        written.i64(6, LATER).i32(7, LATER)
    return written.form()
