"""Questions about whole traces (PER), and searches of a text in every field."""

import random

from benchmarks.queries.asking.asked import TABLE, Asked, Question, Range, Sql, nearly_all, spec
from benchmarks.queries.asking.more import token_of
from benchmarks.queries.rows.kinds import KINDS, WORDS, alias, tokens
from benchmarks.queries.rows.shape import Shape

_COUNT = [{"op": "COUNT"}]
_NS_PER_MS = 1_000_000
# Against plain DuckDB over the same files, by the clock.
_WHOLE_TRACES, _RARE_WORD = 2.0, 0.5


def _by_service(dice: random.Random, shape: Shape) -> Asked:
    """Of a trace the service is that of its first span; it counts with its smallest rate."""
    within = nearly_all(dice, shape)
    calculations = [
        *_COUNT,
        {"op": "AVG", "column": "extent_ms"},
        {"op": "MAX", "column": "spans"},
    ]
    traces = (
        "SELECT arg_min(service, t) AS service, min(r) AS r, count(*) AS spans, "
        f"(max(t + (duration_ms * {_NS_PER_MS})::BIGINT) - min(t)) / {float(_NS_PER_MS)} AS extent "
        f"FROM {TABLE} WHERE {within.sql} GROUP BY trace_trace_id"
    )
    return Asked(
        spec(within, calculations, breakdowns=["service"], per="trace.trace_id"),
        ("service",),
        ("COUNT", "AVG(extent_ms)", "MAX(spans)"),
        Sql(
            "SELECT service, sum(r) AS n, sum(extent * r) / sum(r) AS average, max(spans) AS most "
            f"FROM ({traces}) GROUP BY service"
        ),
    )


def _search(word: str, within: Range, shape: Shape) -> Asked:
    columns = [alias(name) for name, kind in KINDS[shape.kind].fields.items() if kind == "s"]
    held = " OR ".join(f"contains(lower({name}), lower('{word}'))" for name in columns)
    begin = f"SELECT coalesce(sum(r), 0) AS n FROM {TABLE} WHERE {within.sql} AND"
    like = " OR ".join(f"positionCaseInsensitive({name}, '{word}') > 0" for name in columns)
    somewhere = " OR ".join(f"strpos(lower({name}), '{word.lower()}') > 0" for name in columns)
    return Asked(
        spec(within, _COUNT, filters=[{"op": "search", "value": word.upper()}]),
        (),
        ("COUNT",),
        Sql(f"{begin} ({held})"),
        Sql(f"{begin} ({like})"),
        Sql(f"{begin} ({somewhere})"),
        logsql=f"_time:[{within.start_s}, {within.end_s}) {word} | stats sum(r) n",
    )


def _rare(dice: random.Random, shape: Shape) -> Asked:
    return _search(token_of(dice.randrange(tokens(shape)), shape), nearly_all(dice, shape), shape)


def _frequent(dice: random.Random, shape: Shape) -> Asked:
    return _search(dice.choice(WORDS), nearly_all(dice, shape), shape)


PER_TRACE = Question("PER trace.trace_id: COUNT, AVG(extent_ms) by service", _by_service,
                     bound=_WHOLE_TRACES)  # fmt: skip
SEARCHES = (
    Question("SEARCH of a request's id", _rare, "requests", bound=_RARE_WORD),
    Question("SEARCH of a frequent word", _frequent, "requests"),
    Question("SEARCH of a token that most segments hold", _rare, "logs"),
)
