"""The rows that are asked about, made by DuckDB as lines of the log's records.

A row is a function of its number and the seed alone, so rows can be made in blocks, by several
threads, and again. Bodies hold 1,000 rows in the order of time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

BODY_ROWS = 1_000
_BLOCK_ROWS = 131_072  # made at once: bounds memory
ROWS_PER_TRACE = 8
SERVICES, ROUTES, HOSTS = 24, 240, 40
_BUCKETS_PER_POWER = 2  # of the logarithmic buckets, per power of two
_JITTER_NS = 2_000_000_000  # rows are a little out of order, as they are from many clients


@dataclass(frozen=True, slots=True)
class Shape:
    """Which rows to make. The last row happens at `end_ns`; all of them within `span_ns` before.

    users: distinct values of the field `user`.
    """

    rows: int
    seed: int
    end_ns: int
    span_ns: int
    users: int

    @property
    def start_ns(self) -> int:
        """No row is earlier."""
        return self.end_ns - self.span_ns


class Body(NamedTuple):
    """Lines of one record. newest_ns: the time of its last row."""

    lines: bytes
    rows: int
    newest_ns: int


def bodies(shape: Shape, first: int = 0, end: int | None = None) -> Iterator[Body]:
    """Rows `first` to `end` of the shape, in bodies."""
    end = shape.rows if end is None else end
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = true")
        for low in range(first, end, _BLOCK_ROWS):
            high = min(low + _BLOCK_ROWS, end)
            found = connection.execute(_block(shape, low, high)).fetchall()
            for lines, count, newest_ns in found:
                yield Body(lines.encode(), count, newest_ns)


def _block(shape: Shape, low: int, high: int) -> str:
    return f"""
        SELECT string_agg(line, '' ORDER BY i), count(*), max(t) FROM (
            SELECT i, t, '{{"t":' || t || ',"r":' || r || ',"d":' || d || '}}' || chr(10) AS line
            FROM (SELECT i, {_time(shape)} AS t, {_rate(shape.seed)} AS r,
                         {_span(shape)}::VARCHAR AS d
                  FROM range({low:d}, {high:d}) numbers(i))
        ) GROUP BY (i - {low:d}) // {BODY_ROWS:d} ORDER BY min(i)"""


def _dice(seed: int, salt: int) -> str:
    """SQL UBIGINT: a random number of the row."""
    return f"hash(i * 1024 + {salt:d}, {seed:d})"


def _time(shape: Shape) -> str:
    at = f"(i::HUGEINT * {shape.span_ns:d} // {max(shape.rows, 1):d})::BIGINT"
    jitter = f"({_dice(shape.seed, 1)} % {min(_JITTER_NS, max(shape.span_ns // 100, 1)):d})::BIGINT"
    return f"greatest({shape.start_ns:d}, {shape.start_ns:d} + {at} - {jitter})"


def _rate(seed: int) -> str:
    return f"([1, 1, 1, 2, 5, 20])[1 + ({_dice(seed, 2)} % 6)::BIGINT]"


def _span(shape: Shape) -> str:
    """SQL JSON: the row's fields, like those of a span of a web shop."""

    def of(salt: int, count: int) -> str:
        return f"({_dice(shape.seed, salt)} % {count:d})"

    uniform = f"(({_dice(shape.seed, 3)} % 1000000007 + 1) / 1000000009.0)"
    duration = f"round(-20 * ln({uniform}), 3)"
    bucket = f"ceil({_BUCKETS_PER_POWER} * log2({duration} + 0.001))::BIGINT"
    trace = f"md5('trace' || (i // {ROWS_PER_TRACE}) || '-{shape.seed}')"
    url = f"'https://shop.test/v1/things/' || ({_dice(shape.seed, 10)} % 1000000007) || '?page=2'"
    return f"""to_json({{
        'service': 'svc-' || {of(4, SERVICES)},
        'route': '/v1/things/' || ({of(5, ROUTES // SERVICES)} * {SERVICES}
                                   + {of(4, SERVICES)}),
        'status': ([200, 200, 200, 404, 500])[1 + {of(6, 5)}::BIGINT],
        'duration_ms': {duration},
        'duration_bucket': {bucket},
        'user': 'user-' || {of(7, shape.users)},
        'host': 'host-' || {of(8, HOSTS)},
        'trace.trace_id': {trace},
        'trace.span_id': left(md5('span' || i || '-{shape.seed}'), 16),
        'url': {url},
        'cached': {of(9, 2)} = 0
    }})"""
