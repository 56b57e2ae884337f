"""The rows that are asked about, made by DuckDB as lines of the log's records.

A row is a function of its number and the seed alone, so rows can be made in blocks, by several
threads, and again. Bodies hold 1,000 rows in the order of time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from benchmarks.queries.rows.kinds import KINDS, dice

BODY_ROWS = 1_000
_BLOCK_ROWS = 131_072  # made at once: bounds memory
_JITTER_NS = 2_000_000_000  # rows are a little out of order, as they are from many clients


@dataclass(frozen=True, slots=True)
class Shape:
    """Which rows to make. The last row happens at `end_ns`; all of them within `span_ns` before.

    kind: one of `kinds.KINDS`. users: distinct values of the field `user` of spans. columns: of the
    kind `columns`.
    """

    rows: int
    seed: int
    end_ns: int
    span_ns: int
    users: int = 50_000
    kind: str = "spans"
    columns: int = 0

    @property
    def start_ns(self) -> int:
        """No row is earlier."""
        return self.end_ns - self.span_ns


class Body(NamedTuple):
    """Lines of one record. newest_ns: the time of its last row."""

    lines: bytes
    rows: int
    newest_ns: int


def bodies(
    shape: Shape, first: int = 0, end: int | None = None, body_rows: int = BODY_ROWS
) -> Iterator[Body]:
    """Rows `first` to `end` of the shape, in bodies of so many rows."""
    end = shape.rows if end is None else end
    with duckdb.connect() as connection:
        step = max(_BLOCK_ROWS // body_rows, 1) * body_rows
        for low in range(first, end, step):
            high = min(low + step, end)
            for lines, count, newest_ns in connection.execute(
                _block(shape, low, high, body_rows)
            ).fetchall():
                yield Body(lines.encode(), count, newest_ns)


def _block(shape: Shape, low: int, high: int, body_rows: int) -> str:
    fields = KINDS[shape.kind].sql(shape)
    return f"""
        SELECT string_agg(line, '' ORDER BY i), count(*), max(t) FROM (
            SELECT i, t, '{{"t":' || t || ',"r":' || r || ',"d":' || d || '}}' || chr(10) AS line
            FROM (SELECT i, {_time(shape)} AS t, {_rate(shape.seed)} AS r, {fields}::VARCHAR AS d
                  FROM range({low:d}, {high:d}) numbers(i))
        ) GROUP BY (i - {low:d}) // {body_rows:d} ORDER BY min(i)"""


def _time(shape: Shape) -> str:
    at = f"(i::HUGEINT * {shape.span_ns:d} // {max(shape.rows, 1):d})::BIGINT"
    most_ns = min(_JITTER_NS, max(shape.span_ns // 100, 1))
    return (
        f"greatest({shape.start_ns:d}, {shape.start_ns:d} + {at} - {dice(shape.seed, 1, most_ns)})"
    )


def _rate(seed: int) -> str:
    return f"([1, 1, 1, 2, 5, 20])[1 + {dice(seed, 2, 6)}]"
