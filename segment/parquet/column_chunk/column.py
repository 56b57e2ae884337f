"""One column's values to pages: their length, their bounds, and what the column has as a whole."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segment.parquet.column_chunk.values import Column, EncodedColumn, Page
from segment.parquet.column_chunk.writers import ColumnWriter, column_writer, plain_writer
from segment.parquet.encoders import Encoders, Part, Texts

_PAGE_VALUES = 32_768  # a full column has a few pages: each costs 20 us and 100 bytes
# Indices of a full column are one page: zstd finds repetitions over more rows than a short page has
# (access log 6.1 -> 4.7 bytes per event), and bounds of repeating values, which are not sorted,
# hardly differ from page to page.
_PAGE_INDICES = 1 << 18
_PAGE_TEXT_BYTES = 8 << 20  # long texts: 0.3 % smaller than in pages of 1 MiB
_BOUND_BYTES_MAX = 256  # longer texts help no reader to skip a page


def encode_column(
    encoders: Encoders, column: Column, rows: int, *, plain: bool = False
) -> EncodedColumn:
    """All pages of a column of a file with `rows` rows.

    plain: every encoding is PLAIN, and there is no filter.
    """
    writer = plain_writer(encoders, column) if plain else column_writer(encoders, column)
    spans = _page_spans(column, rows, writer.indices is not None)
    pages = tuple(_page(encoders, column, writer, span) for span in spans)
    has_bounds, low, high = _whole_bounds(writer, pages)
    return EncodedColumn(
        writer.encoding,
        writer.dictionary,
        pages,
        has_bounds,
        low,
        high,
        writer.bloom,
        writer.packing,
    )


def _whole_bounds(
    writer: ColumnWriter, pages: tuple[Page, ...]
) -> tuple[bool, bytes | None, bytes | None]:
    """Whether the column has bounds, and the bounds over all its pages."""
    if not writer.has_bounds:
        return False, None, None
    full = [page for page in pages if page.values]
    lows = [page.low for page in full if page.low is not None]
    highs = [page.high for page in full if page.high is not None]
    if len(lows) != len(full) or max(map(len, lows + highs), default=0) > _BOUND_BYTES_MAX:
        return False, None, None
    if len(full) > 1:
        return True, min(lows, key=writer.number), max(highs, key=writer.number)
    return (True, lows[0], highs[0]) if full else (True, None, None)


class _PageSpan(NamedTuple):
    """Rows first_row..end_row-1 of a page, and their values: first..end-1 of the present ones."""

    first_row: int
    end_row: int
    first: int
    end: int


def _page_spans(column: Column, rows: int, has_dictionary: bool) -> Iterator[_PageSpan]:
    """Pages are bounded by their values, not by their rows: a rare column is one page."""
    values = _PAGE_INDICES if has_dictionary else _PAGE_VALUES
    size = rows if column.rows is None else len(column.rows)
    row = first = 0
    while row < rows:
        end = min(first + values, size)
        if isinstance(column.values, Texts) and not has_dictionary:
            offsets = column.values.offsets
            fitting = int(offsets[first]) + _PAGE_TEXT_BYTES
            if offsets[end] > fitting:
                end = max(first + 1, int(np.searchsorted(offsets, fitting, "right")) - 1)
        if end == size:
            end_row = rows
        else:
            end_row = end if column.rows is None else int(column.rows[end - 1]) + 1
        yield _PageSpan(row, end_row, first, end)
        row, first = end_row, end


def _page(encoders: Encoders, column: Column, writer: ColumnWriter, span: _PageSpan) -> Page:
    first_row, end_row, first, end = span
    parts: list[Part] = []
    if column.rows is not None:
        levels = encoders.levels(column.rows[first:end], first_row, end_row)
        parts += [len(levels).to_bytes(4, "little"), levels]
    parts += writer.encoded(first, end)
    bounds = writer.bounds(first, end) if end > first and writer.has_bounds else (None, None)
    return Page(first_row, end_row - first_row, end - first, tuple(parts), *bounds)
