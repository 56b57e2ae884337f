"""SQL of expressions comes to what a slow and obvious evaluator says, over rows of mixed types."""

import json
import math
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from query.expressions.check import read_expression
from query.expressions.functions import FUNCTIONS, REFUSED
from query.expressions.nodes import Value
from query.expressions.sql.builder import Builder, Sql
from query.expressions.sql.compile import Compiler
from query.expressions.sql.values import KINDS, Typed
from segment.columns import FieldType
from tests.query.expressions.evaluator import evaluate
from tests.query.expressions.generated import FIELDS, expressions, full_rows, rows
from tests.query.share.rows import type_of

EXAMPLES = int(os.environ.get("BELLWETHER_EXPRESSIONS", "300"))


class Rows(NamedTuple):
    """Rows with their times, as a table of this name with a typed column for each type of a field.

    typed: what is known of the fields: where each row has one of one type, that, and its bounds.
    """

    name: str
    rows: Sequence[dict[str, Value]]
    times: Sequence[int]
    table: pa.Table
    typed: dict[str, Typed]


def rows_of(name: str, some: Sequence[dict[str, Value]]) -> Rows:
    times = [1_700_000_000_123_456_789 + at * 10**12 for at in range(len(some))]
    columns: dict[str, pa.Array] = {"t": pa.array(times, pa.int64())}
    fields: dict[str, Typed] = {}
    for at, field in enumerate(FIELDS):
        parts, span = {}, None
        for kind in KINDS:
            values = [
                row[field] if field in row and type_of(row[field]) is kind else None
                for row in some
            ]  # fmt: skip
            held = [one for one in values if one is not None]
            if held:
                columns[f"c{at}_{kind.value}"] = pa.array(values, kind.arrow)
                parts[kind] = Sql(f"c{at}_{kind.value}")
            if held and kind is FieldType.INT:
                span = min(held), max(held)
        every = all(row.get(field) is not None for row in some) and len(parts) == 1
        fields[field] = Typed(parts, every, span=span)
    return Rows(name, some, times, pa.table(columns), fields)


MIXED, FULL = rows_of("mixed", rows()), rows_of("full_rows", full_rows())


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """With the rows as tables; closed after the tests of this file."""
    made = duckdb.connect(config={"threads": 1})
    for one in (MIXED, FULL):
        made.register(one.name, one.table)
    return made


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    connection().close()
    connection.cache_clear()


def computed(text: str, over: Rows) -> list[tuple[FieldType, Value] | None]:
    """The type and value of each row."""
    builder = Builder()
    value = Compiler(builder, over.typed, Sql("t")).compile(read_expression(text))
    for kind, one in value.parts.items():
        builder.output(f"out_{kind.value}", one)
    names = [f"out_{kind.value}" for kind in value.parts]
    selected = ", ".join(names or ["t"])
    every = builder.select(f"SELECT * FROM {over.name}")
    found = connection().execute(f"SELECT {selected} FROM ({every})")
    made = []
    for row in found.fetchall():
        held = [
            (kind, one)
            for kind, one in zip(value.parts, row, strict=False)
            if one is not None and value.parts
        ]
        assert len(held) <= 1, f"a value of two types: {held}"
        assert held or not value.certain, "a value that was to be certain is absent"
        if held and held[0][0] is FieldType.INT and value.span is not None:
            assert value.span[0] <= held[0][1] <= value.span[1], "beyond its bounds"
        made.append(held[0] if held else None)
    return made


def same(found: tuple[FieldType, Value] | None, wanted: Value) -> bool:
    if found is None or wanted is None:
        return found is None and wanted is None
    kind, value = found
    if kind is not type_of(wanted):
        return False
    if isinstance(wanted, float):
        assert isinstance(value, float)
        return (math.isnan(wanted) and math.isnan(value)) or math.isclose(
            wanted, value, rel_tol=1e-14
        )
    return value == wanted


# not made smaller: that takes minutes, and most of them are small
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(expressions(), st.sampled_from([MIXED, FULL]))
def test_generated_expressions_come_to_what_the_evaluator_says(text: str, over: Rows) -> None:
    node = read_expression(text)
    for row, time_ns, found in zip(over.rows, over.times, computed(text, over), strict=True):
        wanted = evaluate(node, row, time_ns)
        assert same(found, wanted), (text, row, found, wanted)


def examples() -> list[tuple[str, Value]]:
    """Those of the documentation: of each function an expression, and what it comes to."""
    page = Path("docs/calculated-fields.md").read_text()
    table = [line for line in page.splitlines() if line.count(" | ") == 3]
    cells = [[cell.strip(" |") for cell in line.split(" | ")[2:]] for line in table]
    return [
        (text.strip("`") if text.startswith("``") else text[1:-1], json.loads(value.strip("`")))
        for text, value in cells
        if text.startswith("`")
    ]


def test_every_example_of_the_documentation_is_true() -> None:
    found = examples()
    assert len(found) > 25
    for text, wanted in found:
        assert same(computed(text, MIXED)[0], wanted), (text, computed(text, MIXED)[0], wanted)
        assert same(computed(text, MIXED)[0], evaluate(read_expression(text), MIXED.rows[0]))


def test_every_function_is_in_the_documentation() -> None:
    page = Path("docs/calculated-fields.md").read_text()
    for name in (*FUNCTIONS, *REFUSED):
        assert f"`{name}(" in page or f"`{name}`" in page, name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2 > 1 + 1", False),
        ("9007199254740993 = 9007199254740992.0", False),
        ("9007199254740993 + 0", 2**53 + 1),
        ("9223372036854775807 + 1", 2.0**63),
        ("50 = 50.0", True),
        ('"1" = 1', False),
        ("1.0 + 5 + \"2.3\"", 8.3),
        ("DIV(1, 0)", None),
        ("LT($none, 5)", False),
        ("!($none < 5)", True),
        ("$none = null", True),
        ('CONCAT("a", $none, 1, 2.0, true)', "a12true"),
        ("COALESCE($none, \"\", 5)", 5),
        ("INT(9007199254740993)", 2**53),
        ('INT("12.9")', 12),
        ('INT("x")', 0),
        ("MIN(3, \"1\", 2.5)", 2.5),
        ("BUCKET(10, 10, 0, 30)", "0 - 10"),
        ("BUCKET(0, 10, 0, 30)", "0 - 10"),
        ("BUCKET(31, 10, 0, 30)", "> 30"),
        ("BUCKET(-0.5, 10, 0, 30)", "< 0"),
        ("BUCKET(7, 2.5)", "5 - 7.5"),
        ('LENGTH("größe")', 5),
        ('LENGTH("größe", "bytes")', 7),
        (r'REG_VALUE("v1.22", `v(\d+)\.`)', "1"),
        (r'REG_COUNT("a1b22", `\d+`)', 2),
        ('UNIX_TIMESTAMP("2017-07-20T11:22:44.888Z")', 1500549764.888),
        ('FORMAT_TIME("%Y-%m-%d", 1500549764.888)', "2017-07-20"),
        ('SWITCH("b", "a", 1, "b", 2, 3)', 2),
        ("IF(1 > 2, 1)", None),
    ],
)  # fmt: skip
def test_values_are_exact_and_typed(text: str, wanted: Value) -> None:
    found = computed(text, MIXED)[0]
    assert same(found, wanted), found
    assert same(found, evaluate(read_expression(text), MIXED.rows[0]))
