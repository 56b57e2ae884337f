"""The end of a Parquet file: its schema, where every column chunk is, and what is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.parquet.chunk import Chunk
from common.parquet.column import Bits, Column, Doubles, Ints, SmallInts
from common.parquet.encoders import Texts
from common.parquet.format import UTF8, VERSION, Encoding, Physical, Repetition
from common.parquet.thrift import Struct

_PHYSICAL = {
    Ints: Physical.INT64,
    SmallInts: Physical.INT32,
    Doubles: Physical.DOUBLE,
    Bits: Physical.BOOLEAN,
    Texts: Physical.BYTE_ARRAY,
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A column chunk with its places in the file: (offset, bytes), or None where there is none."""

    column: Column
    chunk: Chunk
    at: int
    offset_index: tuple[int, int]
    column_index: tuple[int, int] | None
    bloom: tuple[int, int] | None


def file_footer(
    placed: Sequence[Placed],
    rows: int,
    metadata: Mapping[bytes, bytes],
    sorting: Sequence[int],
    created_by: str,
) -> bytes:
    """The footer of a file of one row group. sorting: numbers of the columns rows are sorted by."""
    raw = sum(one.chunk.raw_size for one in placed)
    group = (
        Struct()
        .structs(1, [_column_chunk(one, rows) for one in placed])
        .i64(2, raw)
        .i64(3, rows)
        .structs(4, [_sorted_by(column) for column in sorting])
        .i64(5, placed[0].at)
        .i64(6, sum(one.chunk.size for one in placed))
        .i16(7, 0)
    )
    root = Struct().i32(3, Repetition.REQUIRED).binary(4, b"schema").i32(5, len(placed))
    pairs = [Struct().binary(1, key).binary(2, value) for key, value in metadata.items()]
    by_type = Struct().struct(1, Struct())
    return (
        Struct()
        .i32(1, VERSION)
        .structs(2, [root, *(_schema_element(one.column) for one in placed)])
        .i64(3, rows)
        .structs(4, [group])
        .structs(5, pairs)
        .binary(6, created_by.encode())
        .structs(7, [by_type] * len(placed))
        .encoded()
    )


def _sorted_by(column: int) -> Struct:
    return Struct().i32(1, column).flag(2, False).flag(3, False)


def _schema_element(column: Column) -> Struct:
    everywhere = column.rows is None
    element = Struct().i32(1, _PHYSICAL[type(column.values)])
    element.i32(3, Repetition.REQUIRED if everywhere else Repetition.OPTIONAL)
    element.binary(4, column.name.encode())
    if isinstance(column.values, Texts):
        element.i32(6, UTF8).struct(10, Struct().struct(1, Struct()))
    return element


def _column_chunk(one: Placed, rows: int) -> Struct:
    written = Struct().i64(2, one.at).struct(3, _column_metadata(one, rows))
    written.i64(4, one.offset_index[0]).i32(5, one.offset_index[1])
    if one.column_index is not None:
        written.i64(6, one.column_index[0]).i32(7, one.column_index[1])
    return written


def _column_metadata(one: Placed, rows: int) -> Struct:
    chunk, column = one.chunk, one.chunk.column
    used = {Encoding.RLE, column.encoding}
    if column.dictionary is not None:
        used.add(Encoding.PLAIN)
    written = (
        Struct()
        .i32(1, _PHYSICAL[type(one.column.values)])
        .i32s(2, sorted(used))
        .binaries(3, [one.column.name.encode()])
        .i32(4, chunk.codec)
        .i64(5, rows)
        .i64(6, chunk.raw_size)
        .i64(7, chunk.size)
        .i64(9, one.at + chunk.data_at)
    )
    if column.dictionary is not None:
        written.i64(11, one.at)
    written.struct(12, _statistics(one))
    if one.bloom is not None:
        written.i64(14, one.bloom[0]).i32(15, one.bloom[1])
    return written


def _statistics(one: Placed) -> Struct:
    column = one.chunk.column
    said = Struct().i64(3, sum(page.rows - page.values for page in column.pages))
    if column.low is not None and column.high is not None:
        said.binary(5, column.high).binary(6, column.low)
    return said
