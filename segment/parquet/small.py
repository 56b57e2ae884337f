"""Files of a few rows: one page for each column, PLAIN, uncompressed, without indexes or filters.

A column of a dozen values gains nothing by any of these, and costs more to prepare than to write.
"""

from typing import NamedTuple

import numpy as np

from segment.parquet.encoders import Bytes, Indices, Int64s, Texts

# Of the system columns, see `segment.parquet.kernel.small`: three of INT, then INT32.
SYSTEM_KINDS: Bytes = np.array([2, 2, 2, 5], np.uint8)


class SmallTable(NamedTuple):
    """The columns of a file of a few rows.

    whole: the values of fields; a multiple of 8 bytes. sizes, begins, row_begins: int64[columns],
    as in `segment.columns.packed.PackedColumns`.
    names: of the fields. types: their numbers (`segment.columns.names.TYPES`).
    system_names: of the system columns, each after a byte with its size.
    digest_head: what the bytes of each part of the digest begin with.
    system: int64[4 * rows], the system columns one after the other; the last one is written as
    32-bit integers.
    """

    whole: Bytes
    sizes: Int64s
    begins: Int64s
    row_begins: Int64s
    names: Texts
    types: Bytes
    system_names: Bytes
    digest_head: Bytes
    system: Int64s

    @property
    def row_numbers(self) -> Indices:
        """`whole` as uint32, of which some slices are row numbers."""
        return self.whole.view("<u4")


class SmallFile(NamedTuple):
    """A file of a few rows, without what does not depend on its columns.

    pages: all column chunks; the file begins with them, after the magic.
    schema, chunks: the footer's elements of columns and its column chunks, encoded.
    digest_parts: for each column the bytes that its part of the segment's digest is the hash of.
    """

    pages: bytes
    schema: bytes
    chunks: bytes
    digest_parts: list[bytes]


class SmallPages(NamedTuple):
    """Files of a few rows, whose columns are to be put together.

    data: the files, one after the other. begins, ends, rows, pages: int64[files], of each where it
    begins, where its footer does, its rows, and its columns.
    columns: int64[pages of all files], of each page its column's number. optional: uint8, whether
    it has levels.
    kinds: uint8[columns], see `segment.parquet.kernel.small`. 32-bit integers become int64.
    """

    data: Bytes
    begins: Int64s
    ends: Int64s
    rows: Int64s
    pages: Int64s
    columns: Int64s
    optional: Bytes
    kinds: Bytes


class SmallCells(NamedTuple):
    """The values of columns: `whole`, `sizes`, `begins` and `row_begins` as in
    `segment.columns.packed.PackedColumns`.
    """

    whole: Int64s
    sizes: Int64s
    begins: Int64s
    row_begins: Int64s
