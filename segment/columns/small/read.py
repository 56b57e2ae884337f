"""Segments of a few rows read back without Arrow, as `segment.parquet.small` lays them out.

To open a file with Arrow and to read its columns takes half a millisecond, whatever is in it; here
the pages of many files are put together column by column. A file of any other layout is not read.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct, error
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common import limits
from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.key import SYSTEM_COLUMNS, ColumnKey, FieldType, parse_physical
from segment.columns.names import PackedKeys
from segment.columns.packed import PackedColumns
from segment.columns.segment import METADATA_KEY
from segment.parquet.encoders import Bytes, Encoders
from segment.parquet.format.numbers import MAGIC
from segment.parquet.small import SYSTEM_KINDS, SmallPages

_VARINT = rb"([\x80-\xff]*[\x00-\x7f])"
_SCHEMA = re.compile(rb"\x18\x06schema\x15" + _VARINT + rb"\x00")
_ELEMENT = re.compile(rb"\x15([\x00-\x0c])\x25([\x00\x02])\x18" + _VARINT)
_TEXT_END, _END = b"\x25\x00\x4c\x1c\x00\x00\x00", b"\x00"  # of an element
_SIZE = re.compile(_VARINT)
_METADATA = b"\x18%c%b\x18" % (len(METADATA_KEY), METADATA_KEY)  # as a key, before its value
_ROWS = re.compile(rb"\x16" + _VARINT)
_PAGE = re.compile(  # of PLAIN values, not compressed: type, sizes, checksum, values, encodings
    rb"\x15\x00\x15" + _VARINT + rb"\x15" + _VARINT + rb"\x15" + _VARINT
    + rb"\x1c\x15" + _VARINT + rb"\x15\x00\x15\x06\x15\x06\x00\x00"
)  # fmt: skip
_LENGTH = Struct("<I")
_PHYSICAL = {FieldType.BOOL: 0, FieldType.INT: 4, FieldType.FLOAT: 10}  # texts: 12
_TEXTS = 12
_SCHEMA_WITHIN = 32  # bytes of a footer in which its schema begins
_TRAILER_BYTES = 8  # length of the footer, and the magic
Rows = npt.NDArray[np.uint32]


class _Named(NamedTuple):
    """A column in a footer. physical: its type as it is written. optional: not in every row."""

    name: bytes
    physical: int
    optional: bool


class _Columns(NamedTuple):
    """The columns in a footer. encoded: as they are written there. optional: uint8, of each."""

    encoded: bytes
    named: list[_Named]
    optional: Bytes


class _Schema(NamedTuple):
    """What a footer says. footer_at: where it begins in its file."""

    columns: _Columns
    rows: int
    footer_at: int


class _Fields(NamedTuple):
    """keys: sorted. order: where each of them is among the columns. kinds: uint8, of the columns,
    see `segment.parquet.kernel.small`.
    """

    keys: PackedKeys
    order: npt.NDArray[np.int64]
    kinds: Bytes


class _Cells(NamedTuple):
    """The values of a column, file by file. rows: in all files together. values: PLAIN."""

    rows: list[Rows]
    values: list[bytes]


def read_small(files: Sequence[bytes], encoders: Encoders, *, far: bool) -> ColumnBlock | None:
    """The rows of these segments, one after another; None: one has another layout, or is damaged.

    files: whose SHA-256 was checked. far: see `ColumnBlock.late_or_early`.
    """
    try:
        schemas = _schemas(files)
        if schemas is None:
            return None
        return _compiled(files, schemas, encoders, far) or _page_by_page(files, schemas, far)
    except (ValueError, IndexError, error):  # Arrow says what is wrong with it
        return None


def small_metadata(file: bytes) -> bytes:
    """The JSON of a small segment's `SegmentInfo`. Raises ValueError for a file of other layout.

    It follows everything that has values of events, and a JSON text has no line feed.
    """
    begin = file.rindex(_METADATA) + len(_METADATA)
    found = _SIZE.match(file, begin)
    if found is None:
        raise ValueError("a segment without its metadata")
    return file[found.end() : found.end() + _varint(found[1])]


def _schemas(files: Sequence[bytes]) -> list[_Schema] | None:
    """What the footers say; most files of a dataset have the same columns."""
    found: list[_Schema] = []
    known: list[_Columns] = []
    for data in files:
        end = len(data) - _TRAILER_BYTES
        begin = end - int.from_bytes(data[end : end + 4], "little")
        schema = _schema(data, begin, known) if begin >= len(MAGIC) else None
        if schema is None or schema.rows > limits.SMALL_SEGMENT_ROWS:
            return None  # memory is taken for as many rows as a footer claims
        found.append(schema)
    return found


def _compiled(
    files: Sequence[bytes], schemas: Sequence[_Schema], encoders: Encoders, far: bool
) -> ColumnBlock | None:
    """The rows, put together by the encoders; None: they have not done it."""
    numbers: dict[tuple[bytes, int], int] = {
        (name.encode(), 2 if name == SYSTEM_COLUMNS[-1] else 4): number
        for number, name in enumerate(SYSTEM_COLUMNS)
    }
    columns_of: dict[int, npt.NDArray[np.int64]] = {}
    for schema in schemas:
        if id(schema.columns) not in columns_of:
            some = [
                numbers.setdefault((one.name, one.physical), len(numbers))
                for one in schema.columns.named
            ]
            columns_of[id(schema.columns)] = np.array(some, np.int64)
    fields = _fields(tuple(numbers))
    if fields is None:
        return None
    sizes = np.cumsum([0, *map(len, files)])
    rows = np.array([schema.rows for schema in schemas], np.int64)
    found = encoders.small_cells(
        SmallPages(
            data=np.frombuffer(b"".join(files), np.uint8),
            begins=sizes[:-1],
            ends=sizes[:-1] + np.array([schema.footer_at for schema in schemas], np.int64),
            rows=rows,
            pages=np.array([len(schema.columns.named) for schema in schemas], np.int64),
            columns=np.concatenate([columns_of[id(schema.columns)] for schema in schemas]),
            optional=np.concatenate([schema.columns.optional for schema in schemas]),
            kinds=fields.kinds,
        )
    )
    if found is None:
        return None
    total = int(rows.sum())
    system = len(SYSTEM_COLUMNS)
    if (found.sizes[:system] != total).any():
        return None
    time_ns, rate, offset, index = (found.whole[at : at + total] for at in found.begins[:system])
    keys, at = fields.keys, fields.order
    present = found.sizes[at] > 0
    if not present.all():
        keys, at = keys.take(np.flatnonzero(present)), at[present]
    return ColumnBlock(
        time_ns=time_ns,
        rate=rate,
        offset=offset,
        index_in_record=index.astype(np.int32),
        late_or_early=np.full(total, far),
        columns=PackedColumns(
            keys,
            pa.py_buffer(found.whole),
            found.sizes[at],
            found.begins[at],
            found.row_begins[at],
        ),
    )


@lru_cache(256)
def _fields(named: tuple[tuple[bytes, int], ...]) -> _Fields | None:
    """The fields among columns, of which the first are the system's; None: one is something else.

    named: name and physical type. Datasets that have the same columns share the result.
    """
    system = len(SYSTEM_COLUMNS)
    keys = [parse_physical(name.decode()) for name, _ in named[system:]]
    found = [key for key in keys if key is not None]
    if len(found) < len(keys) or any(
        _PHYSICAL.get(key.type, _TEXTS) != physical
        for key, (_, physical) in zip(found, named[system:], strict=True)
    ):
        return None
    kinds = np.concatenate((SYSTEM_KINDS, PackedKeys.of(found).types))
    order = sorted(range(len(found)), key=found.__getitem__)
    in_order = PackedKeys.of([found[number] for number in order])
    return _Fields(in_order, np.array(order, np.int64) + system, kinds)


def _page_by_page(
    files: Sequence[bytes], schemas: Sequence[_Schema], far: bool
) -> ColumnBlock | None:
    """The rows; None: the pages of a file have another layout."""
    found: dict[tuple[bytes, int], _Cells] = {}
    total = 0
    for data, schema in zip(files, schemas, strict=True):
        if not _add(data, schema, total, found):
            return None
        total += schema.rows
    system: list[npt.NDArray[np.int64]] = []
    for name in SYSTEM_COLUMNS:
        physical = 2 if name == SYSTEM_COLUMNS[-1] else 4
        cells = found.pop((name.encode(), physical), None)
        if cells is None:
            return None
        system.append(np.frombuffer(b"".join(cells.values), "<i4" if physical == 2 else "<i8"))
    columns: dict[ColumnKey, SparseColumn] = {}
    for (raw, physical), cells in found.items():
        key = parse_physical(raw.decode())
        if key is None or _PHYSICAL.get(key.type, _TEXTS) != physical:
            return None
        columns[key] = SparseColumn(np.concatenate(cells.rows), _values(key.type, cells))
    if not all(len(one) == total for one in system):
        return None
    return ColumnBlock(
        time_ns=system[0],
        rate=system[1],
        offset=system[2],
        index_in_record=system[3].astype(np.int32),
        late_or_early=np.full(total, far),
        columns={key: columns[key] for key in sorted(columns)},
    )


def _add(
    data: bytes, schema: _Schema, first_row: int, found: dict[tuple[bytes, int], _Cells]
) -> bool:
    """Add the cells of a file; returns whether it has this layout."""
    at, rows = len(MAGIC), schema.rows
    match = _PAGE.match
    everywhere = np.arange(first_row, first_row + rows, dtype=np.uint32)
    for column in schema.columns.named:
        head = match(data, at)
        if head is None:
            return False
        size, stored, _, count = head.groups()
        if size != stored or _number(count) != rows:
            return False
        at = head.end()
        body = data[at : at + _number(size)]
        at += len(body)
        some = everywhere
        if column.optional:
            levels_end = 4 + int.from_bytes(body[:4], "little")
            some = _rows_of(body[4:levels_end], rows) + np.uint32(first_row)
            body = body[levels_end:]
        cells = found.get((column.name, column.physical))
        if cells is None:
            cells = found[column.name, column.physical] = _Cells([], [])
        cells.rows.append(some)
        cells.values.append(body)
    return at == schema.footer_at


def _schema(data: bytes, begin: int, known: list[_Columns]) -> _Schema | None:
    """What the footer that begins there says. known: columns of other footers; new ones are added.

    To parse one costs more than all else that is read of a file.
    """
    root = _SCHEMA.search(data, begin, begin + _SCHEMA_WITHIN)
    if root is None:
        return None
    at = root.end()
    for columns in known:
        rows = _ROWS.match(data, at + len(columns.encoded))
        if rows is not None and data.startswith(columns.encoded, at):
            return _Schema(columns, _number(rows[1]), begin)
    named: list[_Named] = []
    for _ in range(_number(root[1])):
        element = _ELEMENT.match(data, at)
        if element is None:
            return None
        physical, optional = element[1][0], element[2] != b"\x00"
        at = element.end() + _varint(element[3])
        named.append(_Named(data[element.end() : at], physical, optional))
        ending = _TEXT_END if physical == _TEXTS else _END
        if not data.startswith(ending, at):
            return None
        at += len(ending)
    rows = _ROWS.match(data, at)
    if rows is None:
        return None
    some = np.array([one.optional for one in named], np.uint8)
    known.append(_Columns(data[root.end() : at], named, some))
    return _Schema(known[-1], _number(rows[1]), begin)


@lru_cache(4_096)
def _varint(encoded: bytes) -> int:
    return sum((byte & 127) << 7 * at for at, byte in enumerate(encoded))


@lru_cache(4_096)
def _number(encoded: bytes) -> int:
    """A number that is not negative."""
    return _varint(encoded) >> 1


@lru_cache(4_096)
def _rows_of(levels: bytes, count: int) -> Rows:
    """The rows that have a value, from a hybrid of runs and packed groups of one bit."""
    bits: list[int] = []
    at = 0
    while at < len(levels) and len(bits) < count:
        header = shift = 0
        while True:
            byte = levels[at]
            at += 1
            header |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if header & 1:
            size = header >> 1
            packed = levels[at : at + size]
            bits += [byte >> bit & 1 for byte in packed for bit in range(8)]
            at += size
        else:
            bits += [levels[at]] * (header >> 1)
            at += 1
    rows = np.flatnonzero(bits[:count]).astype(np.uint32)
    rows.flags.writeable = False
    return rows


def _values(field_type: FieldType, cells: _Cells) -> pa.Array:
    size = sum(map(len, cells.rows))
    if field_type is FieldType.BOOL:
        bits = [
            np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")[: len(rows)]
            for rows, body in zip(cells.rows, cells.values, strict=True)
        ]
        return pa.array(np.concatenate(bits).astype(np.bool_))
    if field_type in (FieldType.INT, FieldType.FLOAT):
        data = pa.py_buffer(b"".join(cells.values))
        return pa.Array.from_buffers(field_type.arrow, size, [None, data])
    texts = [text for body in cells.values for text in _texts(body)]
    offsets = np.zeros(size + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, size), out=offsets[1:])
    data = pa.py_buffer(b"".join(texts))
    return pa.Array.from_buffers(field_type.arrow, size, [None, pa.py_buffer(offsets), data])


def _texts(body: bytes) -> list[bytes]:
    """PLAIN texts: each after its length."""
    found, at, end, length = [], 0, len(body), _LENGTH.unpack_from
    while at < end:
        begin = at + 4
        at = begin + length(body, at)[0]
        found.append(body[begin:at])
    return found
