"""Kinds of rows: spans of a web shop, events of 40 fields, log lines, events of many columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.queries.rows.shape import Shape

ROWS_PER_TRACE = 8
ROWS_PER_TOKEN = 50  # of log lines: each holds one of rows / 50 rare tokens
SERVICES, HOSTS = 24, 40
_ROUTES_PER_SERVICE = 10
_BUCKETS_PER_POWER = 2  # of the logarithmic buckets of durations, per power of two
_COLUMNS_PER_EVENT = 10
WORDS = (
    "connection", "refused", "reading", "response", "header", "upstream", "client", "server",
    "timeout", "retry", "pool", "handler", "closed", "waiting", "granted", "payment", "invoice",
    "basket", "checkout", "shipment", "session", "expired", "renewed", "throttled", "queued",
    "delivered", "rejected", "parsed", "flushed", "mounted", "scheduled", "evicted",
)  # fmt: skip
_WORDS_PER_LINE = 14


@dataclass(frozen=True, slots=True)
class Kind:
    """fields: the fields that are asked about, each with its letter in the segments.

    sql: of the JSON object of row `i`.
    """

    fields: Mapping[str, str]
    sql: Callable[[Shape], str]


def dice(seed: int, salt: int, count: int) -> str:
    """SQL BIGINT from 0 to count - 1: random, of the row and the salt."""
    return f"((hash(i * 1024 + {salt:d}, {seed:d}) >> 16) % {count:d})::BIGINT"


def duration_sql(seed: int) -> str:
    """SQL DOUBLE: milliseconds, exponentially distributed."""
    uniform = f"(({dice(seed, 3, 1_000_000_007)} + 1) / 1000000009.0)"
    return f"round(-20 * ln({uniform}), 3)"


def _span(shape: Shape) -> str:
    def of(salt: int, count: int) -> str:
        return dice(shape.seed, salt, count)

    duration = duration_sql(shape.seed)
    bucket = f"ceil({_BUCKETS_PER_POWER} * log2({duration} + 0.001))::BIGINT"
    route = f"({of(5, _ROUTES_PER_SERVICE)} * {SERVICES} + {of(4, SERVICES)})"
    return f"""to_json({{
        'service': 'svc-' || {of(4, SERVICES)},
        'route': '/v1/things/' || {route},
        'status': ([200, 200, 200, 404, 500])[1 + {of(6, 5)}],
        'duration_ms': {duration},
        'duration_bucket': {bucket},
        'user': 'user-' || {of(7, shape.users)},
        'host': 'host-' || {of(8, HOSTS)},
        'trace.trace_id': md5('trace' || (i // {ROWS_PER_TRACE}) || '-{shape.seed}'),
        'trace.span_id': left(md5('span' || i || '-{shape.seed}'), 16),
        'url': 'https://shop.test/v1/things/' || {of(10, 1_000_000_007)} || '?page=2',
        'cached': {of(9, 2)} = 0
    }})"""


def _forty(shape: Shape) -> str:
    """Half texts and half integers, each from some values of which the first are the commonest."""
    members = []
    for number in range(40):
        count = 10 ** (1 + number % 4)  # 10 to 10,000 distinct values
        rank = f"(pow({dice(shape.seed, 20 + number, 1_000_003)} / 1000003.0, 4) * {count})::BIGINT"
        value = f"'value-' || {rank}" if number % 2 else rank
        members.append(f"'attribute.{number:02}': {value}")
    return f"to_json({{{', '.join(members)}}})"


def _request(shape: Shape) -> str:
    """As `_line`, but all lines with one token are beside each other, as those of a request."""
    return _line(shape, f"(i // {ROWS_PER_TOKEN})")


def _line(shape: Shape, number: str = "") -> str:
    """A message of fourteen words and a token that few other lines have.

    number: SQL of the number of the token; at random unless given.
    """
    words = ", ".join(f"'{word}'" for word in WORDS)
    picked = " || ' ' || ".join(
        f"([{words}])[1 + {dice(shape.seed, 40 + place, len(WORDS))}]"
        for place in range(_WORDS_PER_LINE)
    )
    number = number or dice(shape.seed, 60, tokens(shape))
    token = f"left(md5('token' || {number} || '-{shape.seed}'), 12)"
    return f"""to_json({{
        'level': (['info', 'info', 'info', 'warning', 'error'])[1 + {dice(shape.seed, 6, 5)}],
        'service': 'svc-' || {dice(shape.seed, 4, SERVICES)},
        'message': {picked} || ' request ' || {token}
    }})"""


def tokens(shape: Shape) -> int:
    """Distinct rare tokens of the lines."""
    return max(shape.rows // ROWS_PER_TOKEN, 1)


def _many_columns(shape: Shape) -> str:
    """Three fields that all events have, and ten of many."""
    names = ", ".join(
        f"'attribute.' || lpad({dice(shape.seed, 100 + number, shape.columns)}::VARCHAR, 5, '0')"
        for number in range(_COLUMNS_PER_EVENT)
    )
    rest = f"list_distinct([{names}]).list_transform(lambda x: '\"' || x || '\":' || (i % 10000))"
    return f"""('{{"service":"svc-' || {dice(shape.seed, 4, SERVICES)} || '","status":'
        || ([200, 200, 200, 404, 500])[1 + {dice(shape.seed, 6, 5)}]
        || ',"duration_ms":' || {duration_sql(shape.seed)} || ',"host":"host-'
        || {dice(shape.seed, 8, HOSTS)} || '",' || array_to_string({rest}, ',') || '}}')"""


_OF_LINES = {"level": "s", "service": "s", "message": "s"}
_COMMON = {"service": "s", "status": "i", "duration_ms": "f", "host": "s"}
KINDS: Mapping[str, Kind] = {
    "spans": Kind(
        {"service": "s", "route": "s", "status": "i", "duration_ms": "f", "duration_bucket": "i",
         "user": "s", "host": "s", "trace.trace_id": "s", "trace.span_id": "s", "url": "s",
         "cached": "b"},
        _span,
    ),
    "fields": Kind({f"attribute.{n:02}": "s" if n % 2 else "i" for n in range(40)}, _forty),
    "logs": Kind(_OF_LINES, _line),
    "requests": Kind(_OF_LINES, _request),
    "columns": Kind(_COMMON, _many_columns),
}  # fmt: skip


def alias(name: str) -> str:
    """A field's name as a column of every engine; `user` is a function in some."""
    return "user_name" if name == "user" else name.replace(".", "_")
