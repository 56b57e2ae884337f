"""PER in text: the field, and conditions of HAVING on columns of instances."""

from typing import Any

import pytest

from query.text.parser import parse_text
from query.tokens.errors import QueryTextError

STEP = {"column": "last_step", "op": "=", "value": "wait"}
MANY = {"calculate_op": "COUNT", "op": ">", "value": 5}


@pytest.mark.parametrize(
    ("text", "havings"),
    [
        ("COUNT PER trace.trace_id", None),
        ('COUNT PER trace.trace_id HAVING last_step = "wait"', [STEP]),
        ("COUNT HAVING last_step = wait AND COUNT > 5 PER trace.trace_id", [STEP, MANY]),
        (
            "PER trace.trace_id HAVING extent_ms > 1.5s",
            [{"column": "extent_ms", "op": ">", "value": 1_500}],
        ),
        (
            "PER trace.trace_id HAVING last_step NOT IN (a, b)",
            [{"column": "last_step", "op": "not-in", "value": ["a", "b"]}],
        ),
    ],
)
def test_instances_are_of_a_field_and_filtered_by_having(text: str, havings: Any) -> None:
    spec = parse_text(text, 10**9)
    assert (spec["per"], spec.get("havings")) == ("trace.trace_id", havings)


@pytest.mark.parametrize(
    ("text", "marked", "hint"),
    [
        ("COUNT HAVING last_step = wait", "last_step", "PER trace.trace_id"),
        ("COUNT PER a, b", ",", "one field"),
        ("COUNT PER", "", "a field's name"),
        ("SELECT * PER trace.trace_id", "PER", "no groups"),
        ("COUNT PER a PER b", "PER b", "second PER"),
    ],
)
def test_a_faulty_clause_is_refused_with_a_mark(text: str, marked: str, hint: str) -> None:
    with pytest.raises(QueryTextError) as refused:
        parse_text(text, 10**9)
    assert hint in str(refused.value)
    assert text[refused.value.start :].startswith(marked)
