"""SEARCH in text: a clause, a condition, or the texts alone; never a field of that name."""

from typing import Any

import pytest

from query.text.parser import parse_text
from query.tokens.errors import QueryTextError

A = {"op": "search", "value": "a"}
B = {"op": "search", "value": "b"}
X, Y = ({"column": name, "op": "=", "value": 1} for name in "xy")


def filters_of(text: str) -> Any:
    spec = parse_text(text, 10**9)
    return spec["filters"], spec.get("filter_combination")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('SEARCH "a"', [A]),
        ("search 'a' LAST 1d", [A]),
        ('"a" LAST 1d', [A]),
        ('"a" "b"', [A, B]),
        ('"a" WHERE x = 1', [X, A]),
        ('SELECT * SEARCH "a" "b"', [A, B]),
        ('COUNT SEARCH "a" WHERE x = 1 GROUP BY z', [X, A]),
        ('COUNT WHERE x = 1 OR y = 1 SEARCH "a"',
         [{"filter_combination": "OR", "filters": [X, Y]}, A]),
        ('WHERE SEARCH "a" AND x = 1', [A, X]),
        ('WHERE NOT SEARCH "a"', [{"filter_combination": "NONE", "filters": [A]}]),
        ('WHERE search = "a"', [{"column": "search", "op": "=", "value": "a"}]),
        ('WHERE `search` EXISTS', [{"column": "search", "op": "exists"}]),
    ],
)  # fmt: skip
def test_a_search_is_a_condition_beside_the_others(text: str, expected: Any) -> None:
    assert filters_of(text) == (expected, None)


def test_searches_are_joined_by_or_in_where() -> None:
    assert filters_of('WHERE SEARCH "a" OR SEARCH "b"') == ([A, B], "OR")


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        ("SEARCH frame", "frame", "SEARCH"),
        ('SEARCH ""', '""', "empty text"),
        ('SEARCH "a" OR x = 1', "OR", "WHERE SEARCH"),
        ('"a" SEARCH "b"', "SEARCH", "second SEARCH"),
        ('SEARCH "' + "x" * 1_001 + '"', '"x', "1,000 characters"),
        ("SEARCH " + '"a" ' * 9, "SEARCH", "at most 8"),
    ],
)
def test_a_faulty_search_is_refused_with_a_mark(text: str, marked: str, hint: str) -> None:
    with pytest.raises(QueryTextError) as refused:
        parse_text(text, 10**9)
    assert hint in str(refused.value)
    if "at most" not in hint:
        assert text[refused.value.start :].startswith(marked)
