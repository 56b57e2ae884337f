"""Questions about calculated fields of five functions, and the same expressions written by hand."""

import random

from benchmarks.queries.asking.asked import TABLE, Asked, Question, Sql, nearly_all, spec
from benchmarks.queries.rows.shape import Shape

_BOUND = 1.3  # against plain DuckDB over the same files, by the clock


def _label(dice: random.Random, shape: Shape) -> Asked:
    within, least = nearly_all(dice, shape), dice.randrange(50, 500)
    part = f"things/{dice.randrange(10)}"
    expression = (
        f'IF(GTE($duration_ms, {least}), CONCAT($service, "/slow"), '
        f'CONTAINS($url, "{part}"), TO_LOWER($route), "fast")'
    )
    by_hand = (
        f"CASE WHEN duration_ms >= {least} THEN concat(service, '/slow') "
        f"WHEN contains(url, '{part}') THEN lower(route) ELSE 'fast' END"
    )
    return Asked(
        spec(within, [{"op": "COUNT"}], breakdowns=["label"],
             calculated_fields=[{"name": "label", "expression": expression}]),
        ("label",),
        ("COUNT",),
        Sql(f"SELECT {by_hand} AS label, sum(r) AS n FROM {TABLE} WHERE {within.sql} "
            "GROUP BY label"),
    )  # fmt: skip


def _number(dice: random.Random, shape: Shape) -> Asked:
    within, factor = nearly_all(dice, shape), dice.randrange(2, 90)
    expression = f"IF($status >= 400, LOG10($duration_ms * {factor} + 1), $duration_ms / 1000)"
    by_hand = (
        f"CASE WHEN status >= 400 THEN log10(duration_ms * {factor} + 1) "
        "ELSE duration_ms / 1000 END"
    )
    return Asked(
        spec(within, [{"op": "AVG", "column": "cost"}], breakdowns=["service"],
             calculated_fields=[{"name": "cost", "expression": expression}]),
        ("service",),
        ("AVG(cost)",),
        Sql(f"SELECT service, sum(({by_hand}) * r) / sum(r) AS average FROM {TABLE} "
            f"WHERE {within.sql} GROUP BY service"),
    )  # fmt: skip


CALCULATED = (
    Question("COUNT by a calculated text of five functions", _label, bound=_BOUND),
    Question("AVG of a calculated number of five functions", _number, bound=_BOUND),
)
