"""The text form means the specification a person would expect; errors point at the word."""

import pytest

from common import limits
from query.plan.spec import TimeAxis
from query.text.clauses.axis import AXES
from query.text.parser import parse_query, parse_text
from query.tokens.errors import QueryTextError

NOW_S = 1_790_000_000


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("", {"calculations": [{"op": "COUNT"}]}),
        ("count", {"calculations": [{"op": "COUNT"}]}),
        ("LAST 2h", {"calculations": [{"op": "COUNT"}], "time_range": 7200}),
        (
            "COUNT, P99(duration_ms) WHERE status >= 500 GROUP BY service LAST 2h",
            {
                "calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}],
                "filters": [{"column": "status", "op": ">=", "value": 500}],
                "breakdowns": ["service"],
                "time_range": 7200,
            },
        ),
        (
            'select avg(x) as mean where a = "b c" or `odd name` not in (1, 2.5, "x") '
            "group by service order by avg(x) desc, service limit 7 every 1m30s",
            {
                "calculations": [{"op": "AVG", "column": "x", "name": "mean"}],
                "filters": [
                    {"column": "a", "op": "=", "value": "b c"},
                    {"column": "odd name", "op": "not-in", "value": [1, 2.5, "x"]},
                ],
                "filter_combination": "OR",
                "breakdowns": ["service"],
                "orders": [
                    {"op": "AVG", "column": "x", "order": "descending"},
                    {"column": "service"},
                ],
                "limit": 7,
                "granularity": 90,
            },
        ),
        (
            "CONCURRENCY, CONCURRENCY() as again, rate_sum(x), HEATMAP(y) HAVING CONCURRENCY > 5",
            {
                "calculations": [
                    {"op": "CONCURRENCY"},
                    {"op": "CONCURRENCY", "name": "again"},
                    {"op": "RATE_SUM", "column": "x"},
                    {"op": "HEATMAP", "column": "y"},
                ],
                "havings": [{"calculate_op": "CONCURRENCY", "op": ">", "value": 5}],
            },
        ),
        (
            "COUNT(*) WHERE http.route starts-with /api AND x exists AND y is null "
            "AND z does not contain q",
            {
                "calculations": [{"op": "COUNT"}],
                "filters": [
                    {"column": "http.route", "op": "starts-with", "value": "/api"},
                    {"column": "x", "op": "exists"},
                    {"column": "y", "op": "does-not-exist"},
                    {"column": "z", "op": "does-not-contain", "value": "q"},
                ],
            },
        ),
        (
            "MAX(n) HAVING MAX(n) > 5 SINCE 2026-01-01 UNTIL 2026-01-02T00:00:00Z",
            {
                "calculations": [{"op": "MAX", "column": "n"}],
                "havings": [{"calculate_op": "MAX", "column": "n", "op": ">", "value": 5}],
                "start_time": 1_767_225_600,
                "end_time": 1_767_312_000,
            },
        ),
        (
            "COUNT SINCE 3h ago",
            {
                "calculations": [{"op": "COUNT"}],
                "start_time": NOW_S - 10_800,
                "end_time": NOW_S,
            },
        ),
        (
            "COUNT WHERE ok = true AND neg < -1.5e3",
            {
                "calculations": [{"op": "COUNT"}],
                "filters": [
                    {"column": "ok", "op": "=", "value": True},
                    {"column": "neg", "op": "<", "value": -1500.0},
                ],
            },
        ),
    ],
)
def test_text_means_the_specification_a_person_expects(text: str, spec: dict[str, object]) -> None:
    assert parse_text(text, NOW_S) == spec


@pytest.mark.parametrize(
    ("text", "word", "hint"),
    [
        ("COUNT WHER a = 1", "WHER", "did you mean WHERE?"),
        ("COUTN", "COUTN", "did you mean COUNT?"),
        ("P99 LAST 1h", "P99", "P99 needs a field"),
        ("COUNT LAST soon", "soon", "duration"),
        ("COUNT LIMIT many", "many", "whole number"),
        ("COUNT LAST 1h LAST 2h", "LAST", "second LAST"),
        ('COUNT WHERE a = "b', '"b', "never closed"),
        ("COUNT SINCE yestrday", "yestrday", "did you mean yesterday?"),
        ("COUNT WHERE a =", "", "the query ends here"),
    ],
)
def test_errors_point_at_the_word(text: str, word: str, hint: str) -> None:
    with pytest.raises(QueryTextError) as caught:
        parse_text(text, NOW_S)
    assert text[caught.value.start : caught.value.end] == word
    assert hint in str(caught.value)


X = {"column": "x"}


@pytest.mark.parametrize(
    ("text", "calculations"),
    [
        ("COUNT(*)", [{"op": "COUNT"}]),
        ("count()", [{"op": "COUNT"}]),
        ("COUNT(x)", [{"op": "COUNT", **X}]),
        ("count distinct x", [{"op": "COUNT_DISTINCT", **X}]),
        ("COUNT(DISTINCT x)", [{"op": "COUNT_DISTINCT", **X}]),
        ("COUNT(distinct)", [{"op": "COUNT", "column": "distinct"}]),
        ("AVG x, p99 of y", [{"op": "AVG", **X}, {"op": "P99", "column": "y"}]),
        ("MEDIAN(x), P99.9(x)", [{"op": "P50", **X}, {"op": "P999", **X}]),
        ("percentile(x, 99)", [{"op": "P99", **X}]),
        ("PERCENTILE(99.9, x)", [{"op": "P999", **X}]),
        ("quantile(x, 0.5)", [{"op": "P50", **X}]),
        ("SUM(`sum`) AS `the sum`", [{"op": "SUM", "column": "sum", "name": "the sum"}]),
    ],
)
def test_calculations_as_people_write_them(text: str, calculations: list[dict[str, str]]) -> None:
    assert parse_text(text, NOW_S) == {"calculations": calculations}


def test_a_star_after_from_is_every_dataset() -> None:
    assert parse_query("COUNT FROM * LAST 1h", NOW_S * 10**9).dataset == "__all__"


def test_the_habits_of_sql_are_understood() -> None:
    text = (
        "SELECT service, COUNT(*) AS n FROM web WHERE status = 200 "
        "GROUP BY service HAVING n > 5 ORDER BY n DESC, service LIMIT 10;"
    )
    assert parse_query(text, NOW_S * 10**9) == (
        {
            "calculations": [{"op": "COUNT", "name": "n"}],
            "filters": [{"column": "status", "op": "=", "value": 200}],
            "breakdowns": ["service"],
            "havings": [{"calculate_op": "COUNT", "op": ">", "value": 5}],
            "orders": [{"column": "n", "order": "descending"}, {"column": "service"}],
            "limit": 10,
        },
        "web",
    )
    assert parse_text("SELECT TOP 10 COUNT BY service", NOW_S) == {
        "calculations": [{"op": "COUNT"}], "limit": 10, "breakdowns": ["service"],
    }  # fmt: skip
    assert parse_text("COUNT, P99(t_ms) HAVING P99(t_ms) BETWEEN 1s AND 2s", NOW_S)["havings"] == [
        {"calculate_op": "P99", "column": "t_ms", "op": op, "value": value}
        for op, value in ((">=", 1000), ("<=", 2000))
    ]


def test_select_star_asks_for_the_events_themselves() -> None:
    assert parse_text("SELECT * WHERE a = 1 LAST 1h LIMIT 5", NOW_S) == {
        "rows": True,
        "filters": [{"column": "a", "op": "=", "value": 1}],
        "limit": 5,
        "time_range": 3600,
    }


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        ("SELECT a, COUNT", "a", "COUNT GROUP BY a counts by it"),
        ("SELECT *, COUNT", ",", "* is the whole event"),
        ("SELECT * GROUP BY a", "GROUP", "events have no groups"),
        ("SELECT DISTINCT a", "DISTINCT", "COUNT GROUP BY name"),
        ("COUNT LIMIT 10 OFFSET 5", "OFFSET", "results have no pages"),
        ("COUNT LIMIT 10, 5", ",", "results have no pages"),
        ("COUNT LIMIT 0", "0", "between 1 and 10,000"),
        ("COUNT LIMIT ٥", "٥", "whole number"),
        ("COUNT LIMIT ²", "²", "whole number"),
        ("COUNT; COUNT", ";", "one query at a time"),
        ("COUNT JOIN b", "JOIN", "nothing is joined"),
        ("COUNT service", "service", "COUNT GROUP BY service counts by it"),
        ("status >= 500", "status", "WHERE status >= ..."),
        ("COUNT status >= 500", "status", "COUNT GROUP BY status"),
        ("COUNT GROUP BY a, a", "a", "is there twice"),
        ("COUNT GROUP BY 1", "1", "a field's name"),
        ("COUNT GROUP BY date_trunc(t)", "date_trunc", "EVERY 5m"),
        ("COUNT GROUP BY LAST 1h", "LAST", "stands in backticks"),
        ("COUNT GROUP service", "service", "expected BY"),
        ("COUNT, count(*)", "count(*)", "is there twice"),
        ("COUNT ORDER BY AVG(x)", "AVG", "calculate it, too: COUNT, AVG(x)"),
        ("COUNT ORDER BY service", "service", "group by it"),
        ("COUNT HAVING service = a", "service", "stand in WHERE"),
        ("COUNT HAVING COUNT > 1 OR COUNT < 0", "OR", "AND only"),
        ("SUM(*)", "*", "SUM needs a field"),
        ("SUM(x, y)", ",", "takes the name of one field"),
        ("P98(x)", "P98", "known: P001"),
        ("P100(x)", "P100", "MAX(x)"),
        ("percentile(x, 98)", "98", "known: P001"),
        ("percentile(x, 0.5)", "0.5", "P50(x)"),
        ("CONCURRENCY(x)", "CONCURRENCY(x)", "takes no field"),
        ("CONCURRENCY x", "x", "takes no field"),
        ("RATE_SUM", "RATE_SUM", "needs a field"),
        ("HEATMAP(x) HAVING HEATMAP(x) > 1", "HEATMAP", "no number"),
        ("COUNT, COUNT WHERE a = 1, SUM(x)", "COUNT WHERE a = 1", "AS errors"),
        ("STDDEV(x)", "STDDEV", "how values spread"),
    ],
)
def test_what_does_not_exist_here_is_told_with_what_does(text: str, marked: str, hint: str) -> None:
    with pytest.raises(QueryTextError) as caught:
        parse_query(text, NOW_S * 10**9)
    assert text[caught.value.start : caught.value.end] == marked
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "axis", "breakdowns"),
    [
        ("COUNT LAST 1h BY END", "end", None),
        ("COUNT SINCE 2h ago UNTIL 1h ago BY end EVERY 5m", "end", None),
        ("COUNT BETWEEN 2h ago AND 1h ago BY START", "start", None),
        ("SELECT * LAST 1h BY OVERLAP", "overlap", None),
        ("COUNT GROUP BY end LAST 1h BY END", "end", ["end"]),
        ("COUNT BY end LAST 1h", None, ["end"]),
        ("COUNT LAST 1h BY `end`", None, ["end"]),
        ("COUNT LAST 1h BY end, kind", None, ["end", "kind"]),
    ],
)
def test_by_end_behind_a_range_is_its_axis_and_elsewhere_a_field(
    text: str, axis: str | None, breakdowns: list[str] | None
) -> None:
    spec = parse_text(text, NOW_S)
    assert (spec.get("time_axis"), spec.get("breakdowns")) == (axis, breakdowns)


def test_every_axis_has_a_word() -> None:
    assert set(AXES.values()) == {one.value for one in TimeAxis}


@pytest.mark.parametrize(
    ("begin", "item", "most"),
    [
        ("", "SUM(a{})", limits.QUERY_LIST_ITEMS_MAX),
        ("COUNT GROUP BY ", "a{}", limits.QUERY_LIST_ITEMS_MAX),
        ("COUNT ORDER BY ", "a{}", limits.QUERY_LIST_ITEMS_MAX),
        ("LET ", "a{} = 1", limits.QUERY_LIST_ITEMS_MAX),
        ("COUNT WHERE a IN (", "{}", limits.FILTER_VALUES_MAX),
    ],
)
def test_a_list_of_too_many_is_refused_at_the_first_one_beyond(
    begin: str, item: str, most: int
) -> None:
    text = begin + ", ".join(item.format(at) for at in range(most + 5))
    with pytest.raises(QueryTextError, match=f"at most {most:,} items") as refused:
        parse_text(text, 0)
    assert text[refused.value.start :].startswith(item.format(most).split("(")[0].split(" ")[0])
