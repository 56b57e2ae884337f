"""Questions beside the eight: heatmap, one hour, values of many fields, words, many columns."""

import hashlib
import random

from benchmarks.queries.asking.asked import (
    BINS_PER_OCTAVE,
    SECOND_NS,
    TABLE,
    ZERO_BIN,
    Asked,
    Form,
    Question,
    Range,
    Sql,
    nearly_all,
    spec,
)
from benchmarks.queries.rows.kinds import KINDS, WORDS, alias, tokens
from benchmarks.queries.rows.shape import Shape

_COUNT = [{"op": "COUNT"}]
_MINUTE_S = 60
_STEPS_MAX = 720  # half a day; Bellwether allows 1,000
_HEATMAP_STEPS = 60
_SAMPLES = 10  # commonest values of each field


def minutes(dice: random.Random, shape: Shape) -> Range:
    """Half a day of whole minutes, or what there is."""
    whole = nearly_all(dice, shape)
    first, last = whole.start_s // _MINUTE_S + 1, whole.end_s // _MINUTE_S
    count = max(min(last - first, _STEPS_MAX - dice.randrange(20)), 1)
    begin = dice.randrange(first, max(last - count, first) + 1)
    return Range(begin * _MINUTE_S, (begin + count) * _MINUTE_S)


def series_sql(column: str, within: Range) -> tuple[Sql, Sql, Sql]:
    """Counts by minute and column: DuckDB's, ClickHouse's and polars' SQL."""
    width_ns = _MINUTE_S * SECOND_NS

    def sql(step: str, group: str) -> Sql:
        return Sql(
            f"SELECT {step} AS step, {column}, sum(r) AS n FROM {TABLE} WHERE {within.sql} "
            f"GROUP BY {group}, {column} ORDER BY step, n DESC"
        )

    floor = f"t // {width_ns} * {_MINUTE_S}"
    return (
        sql(floor, "step"),
        sql(f"intDiv(t, {width_ns}) * {_MINUTE_S}", "step"),
        sql(floor, floor),
    )


def _heatmap(dice: random.Random, shape: Shape) -> Asked:
    """60 steps of bins, some 40 of which hold durations."""
    within = nearly_all(dice, shape)
    step_s = max((within.end_s - within.start_s) // _HEATMAP_STEPS, 1)
    number = f"CAST(floor(log2(duration_ms) * {BINS_PER_OCTAVE}) AS BIGINT)"
    bin_of = f"CASE WHEN duration_ms > 0 THEN {number} ELSE {ZERO_BIN} END"

    def sql(step: str) -> Sql:
        return Sql(
            f"SELECT {step} AS step, {bin_of} AS bin, sum(r) AS n FROM {TABLE} "
            f"WHERE {within.sql} GROUP BY {step}, {bin_of}"
        )

    floor = sql(f"t // {step_s * SECOND_NS} * {step_s}")
    return Asked(
        spec(within, [{"op": "HEATMAP", "column": "duration_ms"}], granularity=step_s),
        ("bin",),
        ("HEATMAP(duration_ms)",),
        floor,
        sql(f"intDiv(t, {step_s * SECOND_NS}) * {step_s}"),
        floor,
        form=Form.BINS,
    )


def _by_bucket(dice: random.Random, shape: Shape) -> Asked:
    """The number of a bucket of durations is a field of the rows."""
    within = minutes(dice, shape)
    return Asked(
        spec(within, _COUNT, breakdowns=["duration_bucket"], granularity=_MINUTE_S),
        ("duration_bucket",),
        ("COUNT",),
        *series_sql("duration_bucket", within),
        form=Form.SERIES,
    )


def _one_hour(dice: random.Random, shape: Shape) -> Asked:
    whole = nearly_all(dice, shape)
    length_s = min(3_600, max(whole.end_s - whole.start_s - 1, 1))
    start_s = dice.randrange(whole.start_s, max(whole.end_s - length_s, whole.start_s + 1))
    within = Range(start_s, start_s + length_s)
    return Asked(
        spec(within, [*_COUNT, {"op": "MAX", "column": "duration_ms"}], breakdowns=["service"]),
        ("service",),
        ("COUNT", "MAX(duration_ms)"),
        Sql(
            f"SELECT service, sum(r) AS n, max(duration_ms) AS most FROM {TABLE} "
            f"WHERE {within.sql} GROUP BY service"
        ),
    )


def _top_values(dice: random.Random, shape: Shape) -> Asked:
    """How many events have each field, and its commonest value; ten values are found of each."""
    within = nearly_all(dice, shape)
    names = tuple(KINDS["fields"].fields)

    def sql(count: str, top: str) -> Sql:
        parts = [
            text.format(column=alias(name), number=number)
            for number, name in enumerate(names)
            for text in (count, top)
        ]
        return Sql(f"SELECT {', '.join(parts)} FROM {TABLE} WHERE {within.sql}")

    held = "sum(CASE WHEN {column} IS NOT NULL THEN r END) AS n{number}"
    return Asked(
        {"start_time": within.start_s, "end_time": within.end_s, "limit": len(names),
         "samples": _SAMPLES, "match": "attribute.*"},
        ("name",),
        ("events", "samples"),
        sql(held, f"CAST(approx_top_k({{column}}, {_SAMPLES})[1] AS VARCHAR) AS v{{number}}"),
        sql(held, f"toString(topK({_SAMPLES})({{column}})[1]) AS v{{number}}"),
        Sql(f"TOP VALUES {within.start_s * SECOND_NS:d} {within.end_s * SECOND_NS:d}"),
        form=Form.FIELDS,
        unpivot=names,
    )  # fmt: skip


def _words(word: str, within: Range) -> Asked:
    begin = f"SELECT coalesce(sum(r), 0) AS n FROM {TABLE} WHERE {within.sql} AND"
    return Asked(
        spec(within, _COUNT, filters=[{"column": "message", "op": "contains", "value": word}]),
        (),
        ("COUNT",),
        Sql(f"{begin} contains(message, '{word}')"),
        Sql(f"{begin} position(message, '{word}') > 0"),
        Sql(f"{begin} strpos(message, '{word}') > 0"),
        logsql=f"_time:[{within.start_s}, {within.end_s}) {word} | stats sum(r) n",
    )


def token_of(number: int, shape: Shape) -> str:
    """A rare token, as `kinds` makes it."""
    token = f"token{number}-{shape.seed}"
    return hashlib.md5(token.encode(), usedforsecurity=False).hexdigest()[:12]


def _rare_word(dice: random.Random, shape: Shape) -> Asked:
    return _words(token_of(dice.randrange(tokens(shape)), shape), nearly_all(dice, shape))


def _frequent_word(dice: random.Random, shape: Shape) -> Asked:
    return _words(dice.choice(WORDS), nearly_all(dice, shape))


def _average_by_host(dice: random.Random, shape: Shape) -> Asked:
    within = nearly_all(dice, shape)
    return Asked(
        spec(within, [*_COUNT, {"op": "AVG", "column": "duration_ms"}], breakdowns=["host"]),
        ("host",),
        ("COUNT", "AVG(duration_ms)"),
        Sql(
            f"SELECT host, sum(r) AS n, sum(duration_ms * r) / sum(r) AS average FROM {TABLE} "
            f"WHERE {within.sql} GROUP BY host"
        ),
    )


BY_BUCKET = Question("heatmap: COUNT by minute and logarithmic bucket", _by_bucket)
HEATMAP = Question("HEATMAP of durations, 60 steps", _heatmap)
ONE_HOUR = Question("one hour: COUNT, MAX by service", _one_hour)
TOP_VALUES = Question("top values of 40 fields", _top_values, "fields")
WORDS_ASKED = (
    Question("a rare word in log lines", _rare_word, "logs"),
    Question("a frequent word in log lines", _frequent_word, "logs"),
)
OF_MANY_COLUMNS = Question("COUNT, AVG by host", _average_by_host, "columns")
