"""A WHERE is a calculation's where the list of calculations goes on behind it, else the query's."""

from typing import Any

import pytest

from query.plan.read.spec import read_spec
from query.text.parser import parse_text
from query.tokens.errors import QueryTextError

ERROR = {"column": "error", "op": "=", "value": True}
SLOW = {"column": "ms", "op": ">", "value": 500}


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (
            "COUNT WHERE error = true AS errors, COUNT AS all WHERE ms > 500 GROUP BY name",
            {
                "calculations": [
                    {"op": "COUNT", "name": "errors", "filters": [ERROR]},
                    {"op": "COUNT", "name": "all"},
                ],
                "filters": [SLOW],
                "breakdowns": ["name"],
            },
        ),
        (
            "COUNT FILTER (WHERE error) AS errors, P99(ms) FILTER (WHERE ms > 500)",
            {
                "calculations": [
                    {"op": "COUNT", "name": "errors", "filters": [ERROR]},
                    {"op": "P99", "column": "ms", "filters": [SLOW]},
                ],
            },
        ),
        (
            "SUM(ms) AS bad WHERE error = true OR ms > 500, COUNT AS all",
            {
                "calculations": [
                    {
                        "op": "SUM",
                        "column": "ms",
                        "name": "bad",
                        "filters": [ERROR, SLOW],
                        "filter_combination": "OR",
                    },
                    {"op": "COUNT", "name": "all"},
                ],
            },
        ),
        (
            "HEATMAP(ms) WHERE ms > 500 LAST 1h",
            {
                "calculations": [{"op": "HEATMAP", "column": "ms"}],
                "filters": [SLOW],
                "time_range": 3600,
            },
        ),
        ("COUNT WHERE error", {"calculations": [{"op": "COUNT"}], "filters": [ERROR]}),
        ("COUNT FILTER ms > 500", {"calculations": [{"op": "COUNT"}], "filters": [SLOW]}),
        ("COUNT FILTER (ms > 500)", {"calculations": [{"op": "COUNT"}], "filters": [SLOW]}),
    ],
)
def test_filters_belong_to_what_they_stand_behind(text: str, spec: dict[str, Any]) -> None:
    assert parse_text(text, 1_790_000_000) == spec
    read_spec(spec)


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        ("COUNT WHERE error = true, COUNT", "COUNT", "AS errors"),
        ("COUNT WHERE error = true AS", "", "a name for the calculation"),
        ("COUNT WHERE error AS errors, COUNT WHERE a = 1", "WHERE", "AS name"),
        ("COUNT FILTER (WHERE error = true AS x", "AS", "expected )"),
        ("COUNT WHERE error = true AS x WHERE a = 1 AS y", "AS", ""),
    ],
)
def test_a_filter_that_is_none_is_marked(text: str, marked: str, hint: str) -> None:
    with pytest.raises(QueryTextError) as caught:
        parse_text(text, 1_790_000_000)
    assert text[caught.value.start : caught.value.end] == marked
    assert hint in str(caught.value)
