"""Expressions are parsed with the published precedence and quoting; faults have their place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from query.expressions.check import check_expression
from query.expressions.nodes import Call, Column, Literal, Node
from query.expressions.parser import parse
from query.tokens.errors import QueryTextError
from query.tokens.expression_lexer import expression_end


def shown(node: Node) -> str:
    """The node in function form."""
    if isinstance(node, Literal):
        return repr(node.value)
    if isinstance(node, Column):
        return f"${node.name}"
    return f"{node.function}({', '.join(map(shown, node.args))})"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 - 2 + 3 - 4", "SUM(SUB(1, 2), SUB(3, 4))"),  # minus binds tighter than plus
        ("1 - 2 - 3", "SUB(SUB(1, 2), 3)"),
        ("1 + 2 + 3", "SUM(1, 2, 3)"),
        ("1 + (2 + 3)", "SUM(1, SUM(2, 3))"),
        ("8 / 4 * 2 % 3", "MOD(MUL(DIV(8, 4), 2), 3)"),
        ("1 + 2 * 3 - 4", "SUM(1, SUB(MUL(2, 3), 4))"),
        ("!$a = $b", "EQUALS(NOT($a), $b)"),
        ("!!$a", "NOT(NOT($a))"),
        ("$a < 1 = $b >= 2", "EQUALS(LT($a, 1), GTE($b, 2))"),
        ("$a != 1", "NOT(EQUALS($a, 1))"),
        ("$a OR $b AND $c OR $d", "OR($a, AND($b, $c), $d)"),
        ("AND($a, $b) AND $c", "AND(AND($a, $b), $c)"),
        ("IF($a, 1, 2,)", "IF($a, 1, 2)"),
        ("$a.b/c:d=e+f?g-h_1 - 1", "SUB($a.b/c:d=e+f?g-h_1, 1)"),
        ("$größe", "$größe"),
        ('$"1st token" = $`a"b`', 'EQUALS($1st token, $a"b)'),
        (r'"a\"b\n\x41\u00e9\101"', repr('a"b\nAéA')),
        (r'"\ud83d\ude00"', repr("😀")),
        (r"REG_MATCH($x, `\d+\.`)", r"REG_MATCH($x, '\\d+\\.')"),
        ("-3", "-3"),
        ("$a -3", "SUB($a, 3)"),
        ("$a - -3.5e2", "SUB($a, -350.0)"),
        (".5 + 4e+2", "SUM(0.5, 400.0)"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("true = null", "EQUALS(True, None)"),
        ('SWITCH($x, "a", 1, 2, $y, $z)', "SWITCH($x, 'a', 1, 2, $y, $z)"),
    ],
)
def test_precedence_quoting_and_literals_are_as_published(text: str, wanted: str) -> None:
    assert shown(parse(text)) == wanted
    assert check_expression(text) is None


@pytest.mark.parametrize(
    ("text", "column", "fault"),
    [
        ("", 1, "expected a value"),
        ("$a +", 5, "expected a value"),
        ("SUM(1, 2", 4, "never closed"),
        ("(1))", 4, "did not expect ')'"),
        ("$a-$b", 4, "begins with the field `a-`"),
        ("$a $b", 4, "an operator or a comma"),
        ("$a and $b", 4, "upper case: AND"),
        ("$a == 1", 4, "write ="),
        ("$a && $b", 4, "write AND"),
        ("duration_ms > 5", 1, "a field is $duration_ms"),
        ("iff($x, 1)", 1, "did you mean IF?"),
        ("if($x, 1)", 1, "upper case: IF"),
        ("EXITS($x)", 1, "did you mean EXISTS?"),
        ("1 + INGEST_TIMESTAMP()", 5, "is not stored"),
        ("RATE($x)", 1, "RATE_SUM"),
        ("LT($a)", 1, "takes 2 arguments, not 1"),
        ("EXISTS($a, $b)", 12, "takes one argument, not 2"),
        ("RAND(1)", 6, "takes no arguments"),
        ("-$x", 2, "0 - $x"),
        ("'a'", 1, "double quotes"),
        (r'"a\q"', 3, "no escape"),
        (r'"\ud83d"', 2, "surrogate"),
        ('"open', 1, "never closed"),
        ("$", 1, "a field's name follows $"),
        ("9223372036854775808", 1, "64 bits"),
        ("1e999", 1, "no double is so large"),
        ('REG_MATCH($x, "(")', 15, "no regular expression"),
        ("REG_MATCH($x, $y)", 15, "literal string"),
        (r"REG_VALUE($x, `(?:\pL\pN){300}`)", 15, "size of 60,900"),
        ('LENGTH($x, "words")', 12, "chars or bytes"),
        ("BUCKET($x, 0)", 12, "more than 0"),
        ("BUCKET($x, 1, 5, 5)", 18, "more than the least"),
        ('BUCKET($x, "1")', 12, "literal number"),
        ('SWITCH($x, "a", 1, $y, 2)', 20, "a literal"),
        ('FORMAT_TIME("%Y %Q", 1)', 13, "%Q"),
        ("\u200b1", 1, "U+200B"),
    ],
)
def test_a_fault_points_at_its_column_and_says_what_works(
    text: str, column: int, fault: str
) -> None:
    found = check_expression(text)
    assert found is not None
    assert found.startswith(f"column {column}: ")
    assert fault in found


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000 + "1" + ")" * 1_000,
        "!" * 4_000 + "$x",
        "-".join(["1"] * 2_000),
        "NOT(" * 800 + "1" + ")" * 800,
        "IF(1," * 600 + "1" + ")" * 600,
        "1 - (1 + " * 400 + "1" + ")" * 400,
    ],
)
def test_what_nests_a_thousand_deep_is_refused_without_a_crash(text: str) -> None:
    assert "deep" in (check_expression(text) or "")


def test_the_longest_expression_is_read_and_a_longer_one_is_refused() -> None:
    most = limits.EXPRESSION_CHARS_MAX
    assert check_expression("+".join(["1"] * (most // 2 + 1))) is None
    assert (
        check_expression("1" + " " * most)
        == f"column {most + 1}: an expression has at most {most:,} characters"
    )


def test_a_part_of_a_text_is_read_with_places_in_the_text() -> None:
    text = "LET slow = IF($a, 1, 0) + 1 COUNT WHERE slow = 1"
    assert expression_end(text, 10) == (11, 27)
    node = parse(text, 11, 27)
    assert shown(node) == "SUM(IF($a, 1, 0), 1)"
    assert (node.start, node.end) == (24, 25)
    assert expression_end("$a , 1", 0) == (0, 2)


@given(st.text(alphabet=st.sampled_from('$"`\\abIFSUM(),.!=<>+-*/% 019\n\u00e9eux'), max_size=60))
def test_no_text_crashes_the_parser(text: str) -> None:
    found: QueryTextError | None = None
    try:
        parse(text)
    except QueryTextError as error:
        found = error
    assert found is None or 0 <= found.start <= found.end <= max(1, len(text))


@pytest.mark.parametrize(("operator", "function"), [(" * ", "MUL"), (" + ", "SUM")])
def test_a_chain_of_operators_is_read_once_however_long_it_is(
    operator: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(name: str, *rest: Any) -> Call:
        made.append(name)
        return Call(name, *rest)

    monkeypatch.setattr("query.expressions.parser.Call", counted)
    node = parse(operator.join(["1"] * 1_000))
    assert isinstance(node, Call)
    assert (made, len(node.args)) == ([function], 1_000)
