"""The questions about spans. Their counts are weighted by `r`, as Bellwether's are.

Each question is another one every time: other literals, and a range that was not asked before.
"""

import hashlib
import random

from benchmarks.queries.asking.asked import TABLE, Asked, Form, Question, Sql, nearly_all, spec
from benchmarks.queries.asking.calculated import CALCULATED
from benchmarks.queries.asking.more import (
    BY_BUCKET,
    HEATMAP,
    OF_MANY_COLUMNS,
    ONE_HOUR,
    TOP_VALUES,
    WORDS_ASKED,
    minutes,
    series_sql,
)
from benchmarks.queries.asking.whole import PER_TRACE, SEARCHES
from benchmarks.queries.rows.kinds import KINDS, ROWS_PER_TRACE, alias
from benchmarks.queries.rows.shape import Shape

_GAMMA = 1.005 / 0.995  # of logarithmic buckets whose middle is within 0.5 %
_COUNT = [{"op": "COUNT"}]


def _count_by_service(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    return Asked(
        spec(within, _COUNT, breakdowns=["service"]),
        ("service",),
        ("COUNT",),
        Sql(f"SELECT service, sum(r) AS n FROM {TABLE} WHERE {within.sql} GROUP BY service"),
    )


def _p99(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    order = "ORDER BY p DESC LIMIT 10"
    calculation = {"op": "P99", "column": "duration_ms"}

    def by_weight(value: str) -> str:
        """The smallest value up to which 99 % of the weight lies, as Bellwether defines it."""
        return (
            f"WITH cells AS (SELECT service, route, {value} AS v, sum(r) AS w FROM {TABLE} "
            f"WHERE {within.sql} GROUP BY service, route, {value}), "
            "summed AS (SELECT service, route, v, sum(w) OVER (PARTITION BY service, route "
            "ORDER BY v) AS upto, sum(w) OVER (PARTITION BY service, route) AS whole FROM cells) "
            "SELECT service, route, min(v) AS p FROM summed WHERE upto >= 0.99 * whole "
            f"GROUP BY service, route {order}"
        )

    def clickhouse(function: str) -> str:
        return (
            f"SELECT service, route, {function}(0.99)(duration_ms, toUInt64(r)) AS p "
            f"FROM {TABLE} WHERE {within.sql} GROUP BY service, route {order}"
        )

    middle = f"{2 / (_GAMMA + 1)!r} * pow({_GAMMA!r}, ceil(ln(duration_ms) / ln({_GAMMA!r})))"
    bucket = f"CASE WHEN duration_ms > 0 THEN {middle} ELSE 0 END"
    return Asked(
        spec(within, [calculation], breakdowns=["service", "route"],
             orders=[{**calculation, "order": "descending"}], limit=10),
        ("service", "route"),
        ("P99(duration_ms)",),
        Sql(by_weight("duration_ms"), by_weight(bucket)),
        Sql(clickhouse("quantileExactWeighted"), clickhouse("quantileBFloat16Weighted")),
        Sql(by_weight("duration_ms")),
        limit=10,
        error=0.015,
    )  # fmt: skip


def _trace(dice: random.Random, shape: Shape) -> Asked:
    """Its spans as groups: builds without a route for rows can answer that, too."""
    within = nearly_all(dice, shape)
    trace = _trace_id(dice, shape)
    names = ("trace.span_id", "service", "duration_ms")
    columns = ", ".join(alias(name) for name in names)
    return Asked(
        spec(within, _COUNT, breakdowns=list(names),
             filters=[{"column": "trace.trace_id", "op": "=", "value": trace}]),
        names,
        ("COUNT",),
        Sql(f"SELECT {columns}, sum(r) AS n FROM {TABLE} WHERE {within.sql} "
            f"AND trace_trace_id = '{trace}' GROUP BY {columns}"),
    )  # fmt: skip


def _whole_rows(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    trace = _trace_id(dice, shape)
    names = tuple(KINDS["spans"].fields)
    columns = ", ".join(alias(name) for name in names)
    return Asked(
        {"start_time": within.start_s, "end_time": within.end_s, "limit": 100,
         "filters": [{"column": "trace.trace_id", "op": "=", "value": trace}]},
        names,
        ("samplerate",),
        Sql(f"SELECT {columns}, r FROM {TABLE} WHERE {within.sql} AND trace_trace_id = '{trace}' "
            "ORDER BY t DESC LIMIT 100"),
        form=Form.ROWS,
    )  # fmt: skip


def _trace_id(dice: random.Random, shape: Shape) -> str:
    """That of a row of the middle, as `kinds` makes it."""
    row = dice.randrange(shape.rows // 4, max(shape.rows * 3 // 4, shape.rows // 4 + 1))
    text = f"trace{row // ROWS_PER_TRACE}-{shape.seed}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _users(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)

    def sql(function: str) -> str:
        return f"SELECT {function} AS n FROM {TABLE} WHERE {within.sql}"

    return Asked(
        spec(within, [{"op": "COUNT_DISTINCT", "column": "user"}]),
        (),
        ("COUNT_DISTINCT(user)",),
        Sql(sql("count(DISTINCT user_name)"), sql("approx_count_distinct(user_name)")),
        Sql(sql("uniqExact(user_name)"), sql("uniq(user_name)")),
        Sql(sql("count(DISTINCT user_name)")),
        error=0.12,  # DuckDB's HyperLogLog
    )


def _by_host(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    least = dice.choice((404, 405, 450, 499, 500))
    return Asked(
        spec(within, [*_COUNT, {"op": "AVG", "column": "duration_ms"}], breakdowns=["host"],
             filters=[{"column": "status", "op": ">=", "value": least}]),
        ("host",),
        ("COUNT", "AVG(duration_ms)"),
        Sql(f"SELECT host, sum(r) AS n, sum(duration_ms * r) / sum(r) AS average FROM {TABLE} "
            f"WHERE {within.sql} AND status >= {least} GROUP BY host"),
    )  # fmt: skip


def _contains(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    part = f"things/{dice.randrange(10, 100)}"
    begin = f"SELECT sum(r) AS n FROM {TABLE} WHERE {within.sql} AND"
    return Asked(
        spec(within, _COUNT, filters=[{"column": "url", "op": "contains", "value": part}]),
        (),
        ("COUNT",),
        Sql(f"{begin} contains(url, '{part}')"),
        Sql(f"{begin} position(url, '{part}') > 0"),
        Sql(f"{begin} strpos(url, '{part}') > 0"),
    )


def _by_user(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    return Asked(
        spec(within, _COUNT, breakdowns=["user"], limit=1_000,
             orders=[{"op": "COUNT", "order": "descending"}]),
        ("user",),
        ("COUNT",),
        Sql(f"SELECT user_name, sum(r) AS n FROM {TABLE} WHERE {within.sql} GROUP BY user_name "
            "ORDER BY n DESC LIMIT 1000"),
        limit=1_000,
    )  # fmt: skip


def _by_minute(dice: random.Random, shape: Shape) -> Asked:
    within = minutes(dice, shape)
    return Asked(
        spec(within, _COUNT, breakdowns=["service"], granularity=60),
        ("service",),
        ("COUNT",),
        *series_sql("service", within),
        form=Form.SERIES,
    )


EIGHT = (
    Question("COUNT by service", _count_by_service),
    Question("P99 by service and route, top 10", _p99),
    Question("rows of one trace", _trace),
    Question("COUNT_DISTINCT of users", _users),
    Question("COUNT, AVG by host where status >= n", _by_host),
    Question("contains on a URL", _contains),
    Question("COUNT by user, first 1,000", _by_user),
    Question("COUNT by service for each minute", _by_minute),
)
WHOLE_ROWS = Question("whole rows of one trace, as a page", _whole_rows)
ALL = (
    *EIGHT, WHOLE_ROWS, BY_BUCKET, HEATMAP, ONE_HOUR, TOP_VALUES, *WORDS_ASKED, OF_MANY_COLUMNS,
    PER_TRACE, *SEARCHES, *CALCULATED,
)  # fmt: skip
