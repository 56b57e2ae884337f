"""Formulas of the select list become expressions over labels; what they alone use is hidden."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.expressions.nodes import Column, Literal
from query.expressions.parser import parse
from query.plan.read.spec import read_spec
from query.text.formulas import quoted, reference
from query.text.parser import parse_text
from query.tokens.errors import QueryTextError

COUNT = {"op": "COUNT"}
ERRORS = {
    "op": "COUNT",
    "name": "errors",
    "filters": [{"column": "status", "op": ">=", "value": 500}],
}


def read(text: str) -> tuple[list[Any], list[Any]]:
    """(calculations, formulas) of a text, which is also a valid specification."""
    spec = parse_text(text, 10**9)
    read_spec(spec)
    return spec["calculations"], [(f["name"], f["expression"]) for f in spec["formulas"]]


@pytest.mark.parametrize(
    ("text", "calculations", "formula"),
    [
        ("COUNT WHERE status >= 500 AS errors, COUNT, errors / COUNT AS ratio", [ERRORS, COUNT],
         ("ratio", "$`errors` / $`COUNT`")),
        ("COUNT, COUNT WHERE status >= 500 AS errors, 100*errors/COUNT AS pct", [COUNT, ERRORS],
         ("pct", "100 * $`errors` / $`COUNT`")),
        ("SUM(bytes)/COUNT AS per", [{"op": "SUM", "column": "bytes", "hidden": True},
                                     {**COUNT, "hidden": True}],
         ("per", "$`SUM(bytes)` / $`COUNT`")),
        ("COUNT - errors AS good, COUNT WHERE status >= 500 AS errors",
         [ERRORS, {**COUNT, "hidden": True}], ("good", "$`COUNT` - $`errors`")),
        ("SELECT (MAX(x) - MIN(x)) / 2", [{"op": "MAX", "column": "x", "hidden": True},
                                          {"op": "MIN", "column": "x", "hidden": True}],
         ("(MAX(x) - MIN(x)) / 2", "( $`MAX(x)` - $`MIN(x)` ) / 2")),
        ("COUNT AS `n/o`, if(gt(`n/o`, 5), 'a\"b', true) AS s", [{**COUNT, "name": "n/o"}],
         ("s", 'IF ( GT ( $`n/o` , 5 ) , "a\\U00000022b" , true )')),
        ("COUNT AS a-b, a-b / 2 AS half", [{**COUNT, "name": "a-b"}], ("half", "$`a-b` / 2")),
    ],
)  # fmt: skip
def test_a_formula_is_an_expression_over_labels(
    text: str, calculations: list[Any], formula: tuple[str, str]
) -> None:
    assert read(text) == (calculations, [formula])


def test_formulas_may_use_each_other_and_order_and_filter() -> None:
    text = (
        "COUNT AS n, n / 2 AS half, half / 2 AS quarter GROUP BY g HAVING half > 3 AND n < 9 "
        "ORDER BY quarter DESC"
    )
    spec = parse_text(text, 10**9)
    assert spec["havings"] == [
        {"column": "half", "op": ">", "value": 3},
        {"calculate_op": "COUNT", "op": "<", "value": 9},
    ]
    assert spec["orders"] == [{"column": "quarter", "order": "descending"}]
    read_spec(spec)


def test_a_name_means_its_calculation_where_several_are_written_alike() -> None:
    text = "COUNT, COUNT WHERE status >= 500 AS errors GROUP BY g HAVING errors > 5"
    assert parse_text(text, 10**9)["havings"] == [{"column": "errors", "op": ">", "value": 5}]


@pytest.mark.parametrize(
    ("text", "marked", "why"),
    [
        ("errors / COUNT AS ratio", "errors", "'errors' is not a calculation"),
        ("COUNT AS errors, erors / 2 AS r", "erors", "did you mean errors?"),
        ("COUNT / AS x", "COUNT /", "expected a value"),
        ("COUNT / (2, 3 AS x", "AS", "'AS' is not a calculation"),
        ("COUNT / LOG10(2, 3) AS x", "COUNT / LOG10(2, 3)", "LOG10 takes one argument, not 2"),
        ("HEATMAP(x) / 2 AS f", "HEATMAP", "a heatmap is no number"),
        ("COUNT AS n, n / 2 AS n", "n / 2 AS n", "n is there twice"),
        ("COUNT, COUNT / 2 AS f ORDER BY g", "g", "which is not part of the result"),
    ],
)
def test_what_is_no_formula_is_refused_in_its_place(text: str, marked: str, why: str) -> None:
    with pytest.raises(QueryTextError) as refused:
        parse_text(text, 10**9)
    error = refused.value
    assert why in str(error)
    assert text[error.start : error.end] == marked


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_label_and_any_text_is_itself_in_an_expression(text: str) -> None:
    (field, value) = parse(reference(text)), parse(quoted(text))
    assert isinstance(field, Column)
    assert isinstance(value, Literal)
    assert (field.name, value.value) == (text, text)


WORDS = ["COUNT", "SUM(x)", "n", "/", "-", "*", "(", ")", ",", "2", "IF", "AS", "'t'", "a/b",
         "WHERE", "> 5"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_are_read_or_refused_with_a_mark(words: list[str]) -> None:
    try:
        spec = parse_text("COUNT AS n, " + " ".join(words), 10**9)
    except QueryTextError as error:
        assert error.start <= error.end  # noqa: PT017 - most of what is generated is refused
        return
    read_spec(spec)
