"""No text of a question becomes SQL: whatever expressions, names and values hold, the statement has
the tokens that it would have with harmless ones, and other tables are out of reach.
"""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.expressions.check import check_expression
from query.expressions.sql.builder import text_literal
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import CalculatedField, Need, Plan, State
from query.share.compute.computation import Computation
from query.share.sources.filters import number_of
from query.share.sources.sources import gather
from query.share.states.statements import Statements
from tests.query.expressions.generated import quoted
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, view

HOSTILE = [
    "'; DROP TABLE live; --", '"; SELECT 1; --', "') OR TRUE --", "x' || (SELECT 1) || '", "{}",
    "{0}",
    "%s", "$1", "$1::VARCHAR", "\0'", "\\'", "''", "c0_i", "\u2019", "/*", "*/", "'\n--", "e'\\x27",
    "read_csv('/etc/passwd')", "𝕏'", "calc0", "t", "_time",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("'\"\\;-`${}()%\0\n\u00e9 ax0"), max_size=12),
)
TEMPLATES = [
    "CONCAT({name}, {text})", "IF({name} = {text}, {text}, {name})", "CONTAINS({name}, {text})",
    "SWITCH({name}, {text}, 1, 0)", "COALESCE({name}, {text})", "IN({name}, {text}, \"b\")",
    "FORMAT_TIME(\"%Y\", {name})", "REG_MATCH({name}, `a`) AND STARTS_WITH({name}, {text})",
    "LENGTH({text})", "METRO_HASH({text})",
]  # fmt: skip
_WORD = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][A-Za-z_0-9]*|\d+|\S")


def statement(field: str, other: str, value: str, template: str) -> tuple[str, list[str]]:
    """The statement of a plan with these names and values, and what is bound to it."""
    expression = template.replace("{name}", f"${quoted(other)}").replace("{text}", quoted(value))
    assert check_expression(expression) is None, expression
    plan = Plan(
        dataset=value,
        start_ns=0,
        end_ns=10,
        needs=(Need(State.COUNT), Need(State.DISTINCT, field)),
        breakdowns=(field,),
        filters=(Filter(field, FilterOp.NE, (value,)), Filter(other, FilterOp.STARTS, (value,))),
        calculated=(CalculatedField(field, expression),),
    )
    views = [view(blocks=[block([Row(1, {other: "a", "z": value}), Row(2, {other: 5})])])]
    statements = Statements(plan, gather(plan, views))
    Computation(plan, views, databases()).run()
    return statements.main(), statements.parameters


def shape(sql: str) -> list[str]:
    """The tokens, each string literal as one, however long it is."""
    found = []
    for token in _WORD.findall(sql):
        if token.startswith("'"):
            found.append("''")
        else:
            found.append(token)
    text = " ".join(found)
    return text.replace("decode ( from_hex ( '' ) )", "''").split()


@settings(max_examples=60, deadline=None)
@given(
    field=TEXTS, other=TEXTS, value=TEXTS, template=st.sampled_from(TEMPLATES)
)  # fmt: skip
def test_names_and_values_never_become_sql(
    field: str, other: str, value: str, template: str
) -> None:
    names: Any = sorted({field, other})
    if len(names) < 2 or "" in (field, other) or number_of(value) is not None:
        return
    hostile, bound = statement(field, other, value, template)
    harmless = statement(*(("m", "n") if names[0] == field else ("n", "m")), "v", template)[0]
    assert shape(hostile) == shape(harmless)
    assert set(bound) <= {value}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_literal_has_only_plain_characters_or_hexadecimal_digits(text: str) -> None:
    assert re.fullmatch(
        r"'[A-Za-z0-9 _./:,%+-]*'|decode\(from_hex\('[0-9a-f]*'\)\)", text_literal(text).text
    )
