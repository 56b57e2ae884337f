"""The questions: what Bellwether is asked, and the same in each engine's own language.

Every engine has a table or view `spans` of the same rows, with columns `t` (unix ns), `r` (sample
rate: how many events the row stands for) and the fields by the names in `FIELDS`. All counts are
weighted by `r`, as Bellwether's are. Each call of `ask` makes another question: other literals,
and a range that was not asked before.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.queries.rows import ROWS_PER_TRACE, Shape

FIELDS: Mapping[str, str] = {  # the field's name -> its letter in the segments; the alias
    "service": "s", "route": "s", "status": "i", "duration_ms": "f", "duration_bucket": "i",
    "user": "s", "host": "s", "trace.trace_id": "s", "trace.span_id": "s", "url": "s",
    "cached": "b",
}  # fmt: skip
VIEW = "spans"  # the dataset, and every engine's name of the rows
S = 10**9
MINUTE_S = 60
SERIES_STEPS = 720  # the product allows 1,000
GAMMA = 1.005 / 0.995  # of logarithmic buckets whose middle is within 0.5 %


@dataclass(frozen=True, slots=True)
class Range:
    """Whole seconds of unix time; the end is not part of it."""

    start_s: int
    end_s: int

    @property
    def sql(self) -> str:
        """As a condition of every engine's SQL."""
        return f"t >= {self.start_s * S:d} AND t < {self.end_s * S:d}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. spec: Bellwether's. series: its answer is the series, else the totals.

    keys, values: names in Bellwether's rows, in the order of the engines' columns; a series has
    the unix second of the step before them. duckdb, clickhouse: SQL; sketch: the same where the
    engine estimates, as Bellwether does when a cell holds more than it keeps exactly.
    limit: rows of the answer, in descending order of the first value; 0: all rows, in any order.
    error: by how much two values may differ, relatively, when both are estimates.
    """

    spec: dict[str, Any]
    keys: tuple[str, ...]
    values: tuple[str, ...]
    sql: str
    clickhouse: str = ""
    sketch: str = ""
    clickhouse_sketch: str = ""
    series: bool = False
    limit: int = 0
    error: float = 0.0
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of question."""

    name: str
    ask: Callable[[random.Random, Shape], Asked]


def _range(dice: random.Random, shape: Shape) -> Range:
    """Nearly all rows; another range each time."""
    start_s, end_s = shape.start_ns // S, shape.end_ns // S + 1
    margin = max((end_s - start_s) // 100, 1)
    return Range(start_s + dice.randrange(margin), end_s - dice.randrange(margin))


def _spec(asked: Range, calculations: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "calculations": calculations,
        "start_time": asked.start_s,
        "end_time": asked.end_s,
        **more,
    }


_COUNT = [{"op": "COUNT"}]


def _count_by_service(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)
    return Asked(
        _spec(within, _COUNT, breakdowns=["service"]),
        ("service",),
        ("COUNT",),
        f"SELECT service, sum(r) AS n FROM spans WHERE {within.sql} GROUP BY service",
    )


def _p99(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)
    order = "ORDER BY p DESC LIMIT 10"

    def duckdb(value: str) -> str:
        return (
            "WITH cells AS (SELECT service, route, "
            f"{value} AS v, sum(r) AS w FROM spans WHERE {within.sql} GROUP BY ALL), "
            "summed AS (SELECT service, route, v, sum(w) OVER (PARTITION BY service, route "
            "ORDER BY v) AS upto, sum(w) OVER (PARTITION BY service, route) AS whole FROM cells) "
            "SELECT service, route, min(v) AS p FROM summed WHERE upto >= 0.99 * whole "
            f"GROUP BY service, route {order}"
        )

    def clickhouse(function: str) -> str:
        return (
            f"SELECT service, route, {function}(0.99)(duration_ms, toUInt64(r)) AS p "
            f"FROM spans WHERE {within.sql} GROUP BY service, route {order}"
        )

    bucket = f"{2 / (GAMMA + 1)!r} * pow({GAMMA!r}, ceil(ln(duration_ms) / ln({GAMMA!r})))"
    return Asked(
        _spec(within, [{"op": "P99", "column": "duration_ms"}], breakdowns=["service", "route"],
              orders=[{"op": "P99", "column": "duration_ms", "order": "descending"}], limit=10),
        ("service", "route"),
        ("P99(duration_ms)",),
        duckdb("duration_ms"),
        clickhouse("quantileExactWeighted"),
        sketch=duckdb(f"CASE WHEN duration_ms > 0 THEN {bucket} ELSE 0 END"),
        clickhouse_sketch=clickhouse("quantileTDigestWeighted"),
        limit=10,
        error=0.011,
    )  # fmt: skip


def _trace(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)
    trace = trace_id(dice.randrange(shape.rows // 4, max(shape.rows * 3 // 4, 1)), shape.seed)
    names = ("trace.span_id", "service", "duration_ms")
    return Asked(
        _spec(within, _COUNT, breakdowns=list(names),
              filters=[{"column": "trace.trace_id", "op": "=", "value": trace}], limit=100),
        names,
        ("COUNT",),
        f"SELECT trace_span_id, service, duration_ms, sum(r) AS n FROM spans WHERE {within.sql} "
        f"AND trace_trace_id = '{trace}' GROUP BY trace_span_id, service, duration_ms",
    )  # fmt: skip


def trace_id(row: int, seed: int) -> str:
    """That of a row, as `rows` makes it."""
    import hashlib

    text = f"trace{row // ROWS_PER_TRACE}-{seed}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _users(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)

    def sql(function: str) -> str:
        return f"SELECT {function} AS n FROM spans WHERE {within.sql}"

    return Asked(
        _spec(within, [{"op": "COUNT_DISTINCT", "column": "user"}]),
        (),
        ("COUNT_DISTINCT(user)",),
        sql("count(DISTINCT user)"),
        sql("uniqExact(user)"),
        sketch=sql("approx_count_distinct(user)"),
        clickhouse_sketch=sql("uniq(user)"),
        error=0.08,
    )


def _by_host(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)
    least = dice.choice((404, 405, 450, 499, 500))
    return Asked(
        _spec(within, [*_COUNT, {"op": "AVG", "column": "duration_ms"}], breakdowns=["host"],
              filters=[{"column": "status", "op": ">=", "value": least}]),
        ("host",),
        ("COUNT", "AVG(duration_ms)"),
        "SELECT host, sum(r) AS n, sum(duration_ms * r) / sum(r) AS average FROM spans "
        f"WHERE {within.sql} AND status >= {least} GROUP BY host",
    )  # fmt: skip


def _contains(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)
    part = f"things/{dice.randrange(10, 100)}"
    begin = f"SELECT sum(r) AS n FROM spans WHERE {within.sql} AND"
    return Asked(
        _spec(within, _COUNT, filters=[{"column": "url", "op": "contains", "value": part}]),
        (),
        ("COUNT",),
        f"{begin} contains(url, '{part}')",
        f"{begin} position(url, '{part}') > 0",
    )


def _by_user(dice: random.Random, shape: Shape) -> Asked:
    within = _range(dice, shape)
    return Asked(
        _spec(within, _COUNT, breakdowns=["user"], limit=1_000,
              orders=[{"op": "COUNT", "order": "descending"}]),
        ("user",),
        ("COUNT",),
        f"SELECT user, sum(r) AS n FROM spans WHERE {within.sql} GROUP BY user "
        "ORDER BY n DESC LIMIT 1000",
        limit=1_000,
    )  # fmt: skip


def _series(dice: random.Random, shape: Shape) -> Asked:
    """Half a day's minutes, or as much as there is."""
    whole = _range(dice, shape)
    minutes = min((whole.end_s - whole.start_s) // MINUTE_S - 1, SERIES_STEPS - dice.randrange(20))
    last = (whole.end_s - minutes * MINUTE_S) // MINUTE_S
    begin_s = dice.randrange(whole.start_s // MINUTE_S + 1, max(last, 1) + 1) * MINUTE_S
    within = Range(begin_s, begin_s + minutes * MINUTE_S)
    return Asked(
        _spec(within, _COUNT, breakdowns=["service"], granularity=MINUTE_S),
        ("service",),
        ("COUNT",),
        f"SELECT t // {MINUTE_S * S} * {MINUTE_S} AS step, service, sum(r) AS n FROM spans "
        f"WHERE {within.sql} GROUP BY step, service ORDER BY step, n DESC",
        f"SELECT intDiv(t, {MINUTE_S * S}) * {MINUTE_S} AS step, service, sum(r) AS n FROM spans "
        f"WHERE {within.sql} GROUP BY step, service ORDER BY step, n DESC",
        series=True,
    )


EIGHT = (
    Question("COUNT by service", _count_by_service),
    Question("P99 by service and route, top 10", _p99),
    Question("rows of one trace", _trace),
    Question("COUNT_DISTINCT of users", _users),
    Question("COUNT, AVG by host where status >= n", _by_host),
    Question("contains on a URL", _contains),
    Question("COUNT by user, first 1,000", _by_user),
    Question("COUNT by service for each minute", _series),
)
