"""LET: calculated fields in the text of a query."""

import pytest

from query.text.parser import parse_text
from query.tokens.errors import QueryTextError


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("COUNT LET slow = IF(GTE($duration_ms, 500), 1, 0) WHERE slow = 1",
         {"slow": "IF(GTE($duration_ms, 500), 1, 0)"}),
        ("LET a = $x - 5, `b c` = $a / 1e6 AND $d SELECT COUNT WHERE a = 1",
         {"a": "$x - 5", "b c": "$a / 1e6 AND $d"}),
        ("COUNT LET a = 1 LET b = $a LAST 1h", {"a": "1", "b": "$a"}),
        ('COUNT let a = "x\\"y, (" GROUP BY a', {"a": '"x\\"y, ("'}),
        ("* LET a = REG_VALUE($m, `\\d+`) WHERE a = '5'", {"a": "REG_VALUE($m, `\\d+`)"}),
        ("COUNT LET a = ($x\n  + 1) -- why\n WHERE a = 1;", {"a": "($x\n  + 1)"}),
        ("COUNT LET a = REG_MATCH($x, `(`)", {"a": "REG_MATCH($x, `(`)"}),  # the server has RE2
    ],
)  # fmt: skip
def test_expressions_end_where_the_query_goes_on(text: str, fields: dict[str, str]) -> None:
    found = parse_text(text, 0)["calculated_fields"]
    assert {one["name"]: one["expression"] for one in found} == fields


def test_a_field_called_let_is_still_a_field() -> None:
    assert parse_text("COUNT WHERE let = 5 GROUP BY let", 0) == {
        "calculations": [{"op": "COUNT"}],
        "filters": [{"column": "let", "op": "=", "value": 5}],
        "breakdowns": ["let"],
    }


@pytest.mark.parametrize(
    ("text", "marked", "why"),
    [
        ("COUNT LET a", "", "expected ="),
        ("COUNT LET a =", "", "expected a value"),
        ("COUNT LET a = iff($x, 1) WHERE a = 1", "iff", "did you mean IF?"),
        ("COUNT LET a = $x == 1", "==", "write ="),
        ("COUNT LET a = IF($x, 1 WHERE a = 1", "WHERE", "did not expect"),
        ("COUNT LET a = $x-$b WHERE a = 1", "$b", "begins with the field `a-`"),
        ("COUNT LET a = 1, a = 2", "a", "twice"),
        ("LET a = 1, COUNT", "", "expected ="),
        ("COUNT LET a = $x) WHERE a = 1", ")", "did not expect"),
        ("COUNT LET a = '5'", "'", "double quotes"),
    ],
)
def test_a_fault_is_marked_in_the_query(text: str, marked: str, why: str) -> None:
    with pytest.raises(QueryTextError) as caught:
        parse_text(text, 0)
    assert text[caught.value.start : caught.value.end] == marked
    assert why in f"{caught.value.why} {caught.value.hint}"
