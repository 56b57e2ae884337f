"""Pages to the bytes of a column chunk: compression, page headers with checksums, page index.

A chunk that zstd does not make smaller by a twentieth is stored uncompressed, which is read faster.
"""

import threading
import zlib
from functools import cache

import msgspec
import zstandard

from segment.parquet.column_chunk.values import EncodedColumn, Packing
from segment.parquet.encoders import Part, joined
from segment.parquet.format.numbers import UNORDERED, Codec, Encoding, PageType
from segment.parquet.format.thrift import LATER, Kind, Struct, flags, listed, number, sized

# Measured on encoded pages against level 1. Short texts: level 3 takes 20 to 50 % more CPU for
# up to 15 % more or 3 % fewer bytes. Texts of kilobytes: 8 % more for 6 % fewer, and with smaller
# tables than the level's nothing more. Doubles with a smaller table and shorter matches: 10 % less
# for 13 % fewer.
_LEVEL_OF_TEXTS = 1
_SETTINGS = {
    Packing.LONG_TEXTS: zstandard.ZstdCompressionParameters.from_level(
        3, hash_log=16, chain_log=15, min_match=5
    ),
    Packing.NUMBERS: zstandard.ZstdCompressionParameters.from_level(1, hash_log=13, min_match=5),
}
_WORTH = 0.95  # compressed bytes are stored if they are at most this part of the plain ones


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """A column chunk as it is in the file.

    size, raw_size: bytes with headers, compressed and not.
    data_at: offset of its first data page from the chunk's start.
    pages: for each data page its offset from the chunk's start, bytes with header, first row.
    """

    column: EncodedColumn
    codec: Codec
    parts: tuple[Part, ...]
    size: int
    raw_size: int
    data_at: int
    pages: tuple[tuple[int, int, int], ...]


def make_chunk(column: EncodedColumn, *, compressed: bool = True) -> Chunk:
    """All pages of a column, its dictionary first."""
    bodies = [joined(page.parts) for page in column.pages]
    dictionary = column.dictionary[0].tobytes() if column.dictionary else None
    whole = [*bodies, dictionary] if dictionary is not None else bodies
    codec, packed = Codec.ZSTD, whole
    if compressed:
        compressor = _compressor(column.packing)
        packed = [compressor.compress(body) for body in whole]
    if not compressed or sum(map(len, packed)) > _WORTH * sum(map(len, whole)):
        codec, packed = Codec.UNCOMPRESSED, whole
    parts: list[Part] = []
    size = raw_size = data_at = 0
    if column.dictionary is not None and dictionary is not None:
        entries = number(column.dictionary[1])
        head = _DICTIONARY_HEADER % (*_header_values(dictionary, packed[-1]), entries)
        parts += [head, packed[-1]]
        data_at = size = len(head) + len(packed[-1])
        raw_size = len(head) + len(dictionary)
    header = _data_header(column.encoding)
    pages = []
    for page, body, stored in zip(column.pages, bodies, packed, strict=False):
        head = header % (*_header_values(body, stored), number(page.rows))
        parts += [head, stored]
        pages.append((size, len(head) + len(stored), page.first_row))
        size += len(head) + len(stored)
        raw_size += len(head) + len(body)
    about = column.without_values()  # values would stay in memory until the file is complete
    return Chunk(about, codec, tuple(parts), size, raw_size, data_at, tuple(pages))


class _Compressors(threading.local):
    """Compressors of one thread: creating one takes as long as compressing a page."""

    def __init__(self) -> None:
        self.made: dict[Packing, zstandard.ZstdCompressor] = {}


_compressors = _Compressors()


def _compressor(packing: Packing) -> zstandard.ZstdCompressor:
    made = _compressors.made.get(packing)
    if made is None:
        if packing in _SETTINGS:
            made = zstandard.ZstdCompressor(compression_params=_SETTINGS[packing])
        else:
            made = zstandard.ZstdCompressor(level=_LEVEL_OF_TEXTS)
        _compressors.made[packing] = made
    return made


def _header(kind: PageType) -> Struct:
    return Struct().i32(1, kind).i32(2, LATER).i32(3, LATER).i32(4, LATER)


def _header_values(raw: bytes, stored: bytes) -> tuple[bytes, bytes, bytes]:
    """The values that are `LATER` in a header: bytes, stored bytes, checksum."""
    crc = zlib.crc32(stored)
    signed = crc - (1 << 32) if crc >> 31 else crc
    return number(len(raw)), number(len(stored)), number(signed)


_ENTRIES = Struct().i32(1, LATER).i32(2, Encoding.PLAIN)
_DICTIONARY_HEADER = _header(PageType.DICTIONARY).struct(7, _ENTRIES).form()


@cache
def _data_header(encoding: Encoding) -> bytes:
    rle = Encoding.RLE  # encoding of both kinds of levels
    data = Struct().i32(1, LATER).i32(2, encoding).i32(3, rle).i32(4, rle)
    return _header(PageType.DATA).struct(5, data).form()


_COLUMN_INDEX = (
    Struct().list(1, LATER).list(2, LATER).list(3, LATER).i32(4, UNORDERED).list(5, LATER).form()
)


def column_index(column: EncodedColumn) -> bytes | None:
    """Bounds and nulls of every page; None where the column has no bounds."""
    if not column.has_bounds:
        return None
    pages = column.pages
    return _COLUMN_INDEX % (
        flags(not page.values for page in pages),
        listed(Kind.BINARY, [sized(page.low or b"") for page in pages]),
        listed(Kind.BINARY, [sized(page.high or b"") for page in pages]),
        listed(Kind.I64, [number(page.rows - page.values) for page in pages]),
    )


_OFFSET_INDEX = Struct().list(1, LATER).form()
_PAGE_LOCATION = Struct().i64(1, LATER).i32(2, LATER).i64(3, LATER).form()


def offset_index(chunk: Chunk, at: int) -> bytes:
    """The offset in the file of every page of a chunk that begins at `at`."""
    locations = [
        _PAGE_LOCATION % (number(at + offset), number(size), number(first_row))
        for offset, size, first_row in chunk.pages
    ]
    return _OFFSET_INDEX % listed(Kind.STRUCT, locations)


def bloom_header(size: int) -> bytes:
    """The header of a split block bloom filter of `size` bytes: xxHash, uncompressed."""
    only = Struct().struct(1, Struct())  # a union of one
    return Struct().i32(1, size).struct(2, only).struct(3, only).struct(4, only).encoded()
