"""Where questions end, however they are typed, pasted or written into a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.shell.statements import is_unfinished, split_statements


def texts(text: str) -> list[tuple[str, int]]:
    return [tuple(one) for one in split_statements(text)]


@pytest.mark.parametrize(
    "text",
    ["COUNT WHERE", "COUNT,", "COUNT WHERE a = 'x", "COUNT WHERE (a = 1", "COUNT WHERE a =",
     "COUNT WHERE a = 1 and", "COUNT GROUP BY", "COUNT \\", "SUM(", "COUNT WHERE a in (1, 2",
     'COUNT WHERE a = "it""s', "COUNT WHERE `odd name", r"COUNT WHERE a = E'x\'"],
)  # fmt: skip
def test_a_question_that_cannot_end_here_goes_on(text: str) -> None:
    assert is_unfinished(text)


@pytest.mark.parametrize(
    "text",
    ["COUNT", "COUNT WHERE a = 'x'", "COUNT GROUP BY where_", "\\use", "", "COUNT;",
     "COUNT WHERE a = \"it''s\"", "SELECT * WHERE a = 'C:\\temp'", "COUNT -- what (is it",
     r"COUNT WHERE a = E'x\''"],
)  # fmt: skip
def test_a_question_that_is_whole_is_asked(text: str) -> None:
    assert not is_unfinished(text)


def test_questions_of_a_file_are_told_apart_with_their_lines() -> None:
    text = """-- what broke?
COUNT LAST 1h
COUNT
WHERE status >= 500
GROUP BY service

\\use web
COUNT WHERE text = "a;b
c"; SUM(x) ;
  COUNT,
  P99(ms)
COUNT \\
LAST 5m
"""
    assert texts(text) == [
        ("COUNT LAST 1h", 2), ("COUNT\nWHERE status >= 500\nGROUP BY service", 3), ("\\use web", 7),
        ('COUNT WHERE text = "a;b\nc"', 8), ("SUM(x)", 9), ("COUNT,\n  P99(ms)", 10),
        ("COUNT\nLAST 5m", 12),
    ]  # fmt: skip


def test_two_questions_on_two_lines_are_two_and_a_comma_joins_them() -> None:
    assert texts("COUNT\nSUM(x)") == [("COUNT", 1), ("SUM(x)", 2)]
    assert texts("COUNT,\nSUM(x)") == [("COUNT,\nSUM(x)", 1)]
    assert texts("COUNT\n, SUM(x)") == [("COUNT\n, SUM(x)", 1)]
    assert texts(";;\n ; \n") == []


@given(st.text(alphabet="ab \n;'\"`(),\\=", max_size=60))
def test_no_text_is_lost_or_made_up(text: str) -> None:
    found = "".join(one.text for one in split_statements(text))
    for char in "ab'(,":
        assert found.count(char) == text.count(char)
