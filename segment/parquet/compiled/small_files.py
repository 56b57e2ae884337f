"""The compiled writer and reader of small files, with their output arrays and scratch memory."""

import threading
import zlib
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from segment.parquet.encoders import Bytes, Int64s
from segment.parquet.format.numbers import MAGIC
from segment.parquet.kernel import small as kernel
from segment.parquet.kernel import small_pages
from segment.parquet.kernel.rle_bit_packed import pack_levels_bound
from segment.parquet.small import SmallCells, SmallFile, SmallPages, SmallTable

T = TypeVar("T", bound=np.generic)
_LENGTH_BYTES = 4  # before a text
_ESCAPED_BYTES = 3  # of a byte of a name in a physical name, at most
# CRC-32 of one byte after nothing, without the inversions at its beginning and end
_CRCS = np.array([zlib.crc32(bytes((byte ^ 0xFF,))) ^ 0xFF000000 for byte in range(256)])


class SmallFiles(threading.local):
    """Writes small files. Each thread has scratch memory, sized for its largest file so far."""

    def __init__(self) -> None:
        self._scratch = np.empty(0, np.uint8)

    def write(self, table: SmallTable) -> SmallFile:
        """The file of a table."""
        columns = len(table.sizes) + kernel.SYSTEM_COLUMNS
        rows = len(table.system) // kernel.SYSTEM_COLUMNS
        names = table.names.size * _ESCAPED_BYTES + len(table.system_names)
        levels = pack_levels_bound(rows) + 4
        values = len(table.whole) + table.system.nbytes
        values += 4 * int(table.sizes.sum())  # lengths of texts; bits as bytes
        body = values + levels
        pages = values + columns * (levels + kernel.HEAD_BYTES)
        schema = names + columns * kernel.ELEMENT_BYTES
        chunks = names + columns * (kernel.CHUNK_BYTES + 2 * kernel.BOUND_BYTES_MAX)
        hashed = values + 4 * columns * rows + names + columns * kernel.HASHED_BYTES
        hashed += columns * len(table.digest_head)
        scratch, *parts = self._parts(body, pages, schema, chunks, hashed)
        ends = np.empty(kernel.ENDS + columns, np.int64)
        kernel.small_file(
            _fixed(table.whole),
            _fixed(table.whole.view("<i8")),
            _fixed(table.row_numbers),
            _fixed(table.sizes),
            _fixed(table.begins),
            _fixed(table.row_begins),
            _fixed(table.names.data),
            _fixed(table.names.offsets),
            _fixed(table.types),
            _fixed(table.system),
            _fixed(table.system_names),
            _fixed(table.digest_head),
            _CRCS,
            scratch,
            parts[0],
            parts[1],
            parts[2],
            parts[3],
            ends,
        )
        found = ends.tolist()
        to_hash = parts[3][: found[-1]].tobytes()
        begins = [0, *found[kernel.ENDS : -1]]
        return SmallFile(
            parts[0][len(MAGIC) : found[kernel.PAGES]].tobytes(),
            parts[1][: found[kernel.SCHEMA]].tobytes(),
            parts[2][: found[kernel.CHUNKS]].tobytes(),
            [to_hash[i:j] for i, j in zip(begins, found[kernel.ENDS :], strict=True)],
        )

    def _parts(self, *sizes: int) -> list[Bytes]:
        """Arrays of at least these sizes, with room after each."""
        ends = np.cumsum([size + 64 for size in sizes])
        if len(self._scratch) < ends[-1]:
            self._scratch = np.empty(int(ends[-1]), np.uint8)
        return np.split(self._scratch[: ends[-1]], ends[:-1])


def small_cells(pages: SmallPages) -> SmallCells | None:
    """As `Encoders.small_cells`. Row numbers, values and texts of a column follow each other."""
    count = len(pages.columns)
    places = np.empty(small_pages.PAGE_NUMBERS * count, np.int64)
    data, rows, numbers = _fixed(pages.data), _fixed(pages.rows), _fixed(pages.pages)
    optional = _fixed(pages.optional)
    begins, ends = _fixed(pages.begins), _fixed(pages.ends)
    nothing = np.empty(0, np.uint32)
    if small_pages.find_values(
        data, begins, ends, rows, numbers, optional, nothing, places
    ) != count:  # fmt: skip
        return None
    _, begin, end, present = places.reshape(-1, small_pages.PAGE_NUMBERS).T
    kinds, columns = pages.kinds, len(pages.kinds)
    sizes = _sums(pages.columns, present, columns)
    texts = (kinds == kernel.STRING) | (kinds == kernel.JSON)
    text_bytes = _sums(pages.columns, end - begin, columns) - _LENGTH_BYTES * sizes
    lacking = end - begin < _LENGTH_BYTES * present
    if lacking[texts[pages.columns]].any():  # its lengths would be other pages' room
        return None
    bits = kinds == kernel.BOOL
    value_words = np.where(bits, (sizes + 63) // 64, sizes + texts)
    text_words = np.where(texts, (text_bytes + 7) // 8, 0)
    row_words = (sizes + 1) // 2
    words = np.stack((row_words, value_words, text_words)).T.ravel()
    starts = 1 + np.concatenate(([0], np.cumsum(words)))
    row_at, value_at, text_at = starts[:-1].reshape(-1, 3).T
    whole = np.zeros(int(starts[-1]) + 1, np.int64)
    begins_of = np.where(bits, value_at * 64, value_at)
    if small_pages.gather_values(
        data, rows, numbers, optional, _fixed(places), _fixed(pages.columns), _fixed(kinds),
        row_at * 2, begins_of.copy(), text_at * 8,
        whole.view(np.uint8), whole, whole.view(np.uint32),
    ):  # fmt: skip
        return None
    return SmallCells(whole, sizes, begins_of, row_at * 2)


def _sums(columns: Int64s, numbers: Int64s, count: int) -> Int64s:
    """The sum of the numbers of each column's pages."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, columns, numbers)
    return sums


def _fixed(array: npt.NDArray[T]) -> npt.NDArray[T]:
    """The array as read-only, as every caller's arrays are compiled."""
    view = array.view()
    view.flags.writeable = False
    return view


_CRCS.flags.writeable = False
