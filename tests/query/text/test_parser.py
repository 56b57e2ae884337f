"""The text form means the specification a person would expect; errors point at the word."""

import pytest

from query.text.errors import QueryTextError
from query.text.parser import parse_text

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
