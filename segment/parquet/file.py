"""Columns to the bytes of a Parquet file of one row group: chunks, bloom filters, index, footer.

One row group for any number of rows and columns: each column is encoded by itself, and no dense
column is in memory.
"""

from collections.abc import Iterable, Mapping, Sequence

from segment.parquet.chunk import Chunk, bloom_header, column_index, make_chunk, offset_index
from segment.parquet.column import encode_column
from segment.parquet.encoders import Encoders, Part, joined
from segment.parquet.footer import PlacedChunk, file_footer
from segment.parquet.format import MAGIC
from segment.parquet.values import Column


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
) -> bytes:
    """The file of these columns. The same values give the same bytes with any encoders.

    metadata: of the file.
    sorting: indexes of the columns by which rows are sorted.
    """
    file = _File()
    file.add(MAGIC)
    written: list[tuple[Column, Chunk, int]] = []
    for column in columns:
        chunk = make_chunk(encode_column(encoders, column, rows))
        written.append((column, chunk, file.add(*chunk.parts)[0]))
    blooms = [_add_bloom(file, chunk) for _, chunk, _ in written]
    indexes = [_add_index(file, chunk) for _, chunk, _ in written]
    placed = [
        PlacedChunk(column, chunk, at, file.add(offset_index(chunk, at)), index, bloom)
        for (column, chunk, at), index, bloom in zip(written, indexes, blooms, strict=True)
    ]
    footer = file_footer(placed, rows, metadata, sorting, created_by)
    file.add(footer, len(footer).to_bytes(4, "little"), MAGIC)
    return joined(file.parts)


def _add_bloom(file: _File, chunk: Chunk) -> tuple[int, int] | None:
    bits = chunk.column.bloom
    return None if bits is None else file.add(bloom_header(len(bits)), bits)


def _add_index(file: _File, chunk: Chunk) -> tuple[int, int] | None:
    index = column_index(chunk.column)
    return None if index is None else file.add(index)
