"""Segments of a few rows read back without Arrow, as `segment.parquet.small` lays them out.

To open a file with Arrow and to read its columns takes half a millisecond, whatever is in it; here
the pages of many files are put together column by column. A file of any other layout is not read.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.key import SYSTEM_COLUMNS, ColumnKey, FieldType, parse_physical
from segment.parquet.format import MAGIC

_VARINT = rb"([\x80-\xff]*[\x00-\x7f])"
_SCHEMA = re.compile(rb"\x18\x06schema\x15" + _VARINT + rb"\x00")
_ELEMENT = re.compile(rb"\x15([\x00-\x0c])\x25([\x00\x02])\x18" + _VARINT)
_TEXT_END, _END = b"\x25\x00\x4c\x1c\x00\x00\x00", b"\x00"  # of an element
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


class _Cells(NamedTuple):
    """The values of a column, file by file. rows: in all files together. values: PLAIN."""

    rows: list[Rows]
    values: list[bytes]


def read_small(files: Sequence[bytes], *, far: bool) -> ColumnBlock | None:
    """The rows of these segments, one after another; None: one has another layout.

    files: whose SHA-256 was checked. far: see `ColumnBlock.late_or_early`.
    """
    found: dict[tuple[bytes, int], _Cells] = {}
    total = 0
    for data in files:
        rows = _add(data, total, found)
        if rows is None:
            return None
        total += rows
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


def _add(data: bytes, first_row: int, found: dict[tuple[bytes, int], _Cells]) -> int | None:
    """Add the cells of a file; returns its rows, or None if it has another layout."""
    end = len(data) - _TRAILER_BYTES
    begin = end - int.from_bytes(data[end : end + 4], "little")
    if begin < len(MAGIC):
        return None
    schema = _schema(data, begin)
    if schema is None:
        return None
    named, rows = schema
    at = len(MAGIC)
    match = _PAGE.match
    everywhere = np.arange(first_row, first_row + rows, dtype=np.uint32)
    for column in named:
        head = match(data, at)
        if head is None:
            return None
        size, stored, _, count = head.groups()
        if size != stored or _number(count) != rows:
            return None
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
    return rows if at == begin else None


def _schema(data: bytes, begin: int) -> tuple[list[_Named], int] | None:
    """The columns in the footer that begins there, and the number of rows."""
    root = _SCHEMA.search(data, begin, begin + _SCHEMA_WITHIN)
    if root is None:
        return None
    at, named = root.end(), []
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
    return None if rows is None else (named, _number(rows[1]))


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
