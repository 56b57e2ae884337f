"""Columns to the bytes of a Parquet file of one row group: chunks, bloom filters, index, footer.

One row group for any number of rows and columns: each column is encoded by itself, and no dense
column is in memory.
"""

from collections.abc import Iterable, Mapping, Sequence

from segment.parquet.column_chunk.chunk import (
    Chunk,
    bloom_header,
    column_index,
    make_chunk,
    offset_index,
)
from segment.parquet.column_chunk.column import encode_column
from segment.parquet.column_chunk.values import Column
from segment.parquet.encoders import Encoders, Part, joined
from segment.parquet.footer import EncodedColumns, PlacedChunk, file_footer, footer_of
from segment.parquet.format.numbers import MAGIC
from segment.parquet.small import SmallFile


class _File:
    """The parts of a file, in order."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.size = 0

    def add(self, *parts: Part) -> tuple[int, int]:
        """Append parts; returns their (offset, bytes)."""
        at = self.size
        self.parts += parts
        self.size += sum(map(len, parts))
        return at, self.size - at


def write_file(
    encoders: Encoders,
    columns: Iterable[Column],
    rows: int,
    *,
    metadata: Mapping[bytes, bytes],
    sorting: Sequence[int],
    created_by: str,
    small: bool = False,
) -> bytes:
    """The file of these columns. The same values give the same bytes with any encoders.

    metadata: of the file.
    sorting: indexes of the columns by which rows are sorted.
    small: as `segment.parquet.small` says.
    """
    file = _File()
    file.add(MAGIC)
    written: list[tuple[Column, Chunk, int]] = []
    for column in columns:
        encoded = encode_column(encoders, column, rows, plain=small)
        chunk = make_chunk(encoded, compressed=not small)
        written.append((column, chunk, file.add(*chunk.parts)[0]))
    blooms = [_add_bloom(file, chunk) for _, chunk, _ in written]
    # of chunks of one page each an index only repeats the statistics of the chunks
    indexed = not small and any(len(chunk.pages) > 1 for _, chunk, _ in written)
    indexes = [_add_index(file, chunk) if indexed else None for _, chunk, _ in written]
    placed = [
        PlacedChunk(
            column, chunk, at, _add_offsets(file, chunk, at) if indexed else None, index, bloom
        )
        for (column, chunk, at), index, bloom in zip(written, indexes, blooms, strict=True)
    ]
    footer = file_footer(placed, rows, metadata, sorting, created_by)
    file.add(footer, len(footer).to_bytes(4, "little"), MAGIC)
    return joined(file.parts)


def small_file(
    written: SmallFile,
    rows: int,
    *,
    metadata: Mapping[bytes, bytes],
    sorting: Sequence[int],
    created_by: str,
) -> bytes:
    """As `write_file`, of columns that `Encoders.small` has written."""
    count, size = len(written.digest_parts), len(written.pages)
    columns = EncodedColumns(count, written.schema, written.chunks, size, size)
    footer = footer_of(columns, rows, metadata, sorting, created_by)
    length = len(footer).to_bytes(4, "little")
    return b"".join((MAGIC, written.pages, footer, length, MAGIC))


def _add_offsets(file: _File, chunk: Chunk, at: int) -> tuple[int, int]:
    return file.add(offset_index(chunk, at))


def _add_bloom(file: _File, chunk: Chunk) -> tuple[int, int] | None:
    bits = chunk.column.bloom
    return None if bits is None else file.add(bloom_header(len(bits)), bits)


def _add_index(file: _File, chunk: Chunk) -> tuple[int, int] | None:
    index = column_index(chunk.column)
    return None if index is None else file.add(index)
