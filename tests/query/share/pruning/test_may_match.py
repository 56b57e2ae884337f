"""A source is left out only if DuckDB finds no match in it, whatever the types and operators."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp
from query.plan.plan import Plan
from query.share.pruning.facts import ColumnFacts, SourceFacts
from query.share.pruning.may_match import may_match
from query.share.sources.filters import Parameters, condition
from query.share.sources.sources import gather
from segment.columns import ColumnKey, FieldType
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, type_of, view

NUMBERS: list[Any] = [
    *[0, 1, -1, 5, 50, 2**53, 2**53 + 1, -(2**63), 2**63 - 1],
    *[0.0, -0.0, 0.5, 50.0, 1e20, 2.0**63, -(2.0**63), 5e-324, 0.1],
]
TEXTS: list[Any] = [
    *["", "a", "ab", "b", "A", "5", "50.0", "true", "nan", "inf", "[1]", "ü\0x", "\U0010ffff"],
    *[str(2**63 - 1), "1e3"],
]
VALUES: list[Any] = [
    *NUMBERS, True, False, *TEXTS, Json("[1]"), Json('{"a":"b"}'),
    math.nan, math.inf, -math.inf,
]  # fmt: skip
OPERANDS: list[Any] = [*NUMBERS, True, False, *TEXTS, 2**64, -1e300, "-inf", "NaN", "+5", "aa", "9"]
ROWS = [Row(0, {"x": value}) for value in VALUES] + [Row(0, {})]
SINGLE = [op for op in FilterOp if op not in GROUP_OPS]
NO_VALUES = (FilterOp.EXISTS, FilterOp.NOT_EXISTS)
MANY_VALUES = (FilterOp.IN, FilterOp.NOT_IN)


def singles() -> list[Filter]:
    found: list[Filter] = []
    for op in SINGLE:
        if op in NO_VALUES:
            found += [Filter(name, op) for name in ("x", "none")]
        elif op in (FilterOp.MATCHES, FilterOp.NOT_MATCHES):
            found += [Filter("x", op, (text,)) for text in ("", "^a", "5$", "TRUE", "(?i)nan")]
        elif op in MANY_VALUES:
            found += [Filter("x", op, pair) for pair in pairwise(OPERANDS)]
        else:
            found += [Filter(name, op, (one,)) for one in OPERANDS for name in ("x", "none")]
    return found


SINGLES = singles()


@cache
def matches() -> list[frozenset[int]]:
    """Of each of SINGLES, the indexes of the rows that DuckDB finds."""
    plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(), filters=tuple(SINGLES))
    rows = [Row(0, {**row.data, "id": at}) for at, row in enumerate(ROWS)]
    sources = gather(
        Plan(dataset="d", start_ns=0, end_ns=1, needs=(), breakdowns=("id",), filters=plan.filters),
        [view(blocks=[block(rows)])],
    )
    parameters = Parameters()
    tests = [f"({condition(f, sources.fields_sql, parameters)}) IS TRUE" for f in SINGLES]
    row_id = sources.fields_sql["id"].column(FieldType.INT)
    with databases().use() as connection:
        for name, table in sources.tables.items():
            connection.register(name, table)
        sql = f"SELECT {row_id}, {', '.join(tests)} FROM ({sources.sql})"
        found = connection.execute(sql, parameters.values).fetchall()
    return [frozenset(row[0] for row in found if row[1 + at]) for at in range(len(SINGLES))]


def bound(value: Any) -> Any:
    if isinstance(value, Json):
        return value.text.encode()
    return value.encode() if isinstance(value, str) else value


@st.composite
def facts_of(draw: st.DrawFn, rows: Sequence[Row]) -> SourceFacts:
    """True facts about the rows: all that can be known, or less."""
    by_key: dict[ColumnKey, list[Any]] = {}
    for row in rows:
        for name, value in row.data.items():
            by_key.setdefault(ColumnKey(name, type_of(value)), []).append(value)
    columns = {}
    for key, values in by_key.items():
        bounds = [bound(value) for value in values]
        has_nan = any(isinstance(one, float) and math.isnan(one) for one in bounds)
        is_known = not has_nan and draw(st.integers(0, 3)) > 0
        low, high = (min(bounds), max(bounds)) if is_known else (None, None)
        if is_known and isinstance(low, bytes) and draw(st.booleans()):  # shortened, as by writers
            low, high = low[:1], max(bounds) + b"z"
        columns[key] = ColumnFacts(
            len(values) if draw(st.integers(0, 3)) else None,
            low,
            None if draw(st.integers(0, 7)) == 0 else high,
            frozenset(v for v in values if isinstance(v, str)).__contains__
            if key.type is FieldType.STRING and draw(st.booleans())
            else None,
        )
    if draw(st.booleans()):  # a column without values is a column, too
        columns.setdefault(ColumnKey("x", FieldType.INT), ColumnFacts(0))
    return SourceFacts(len(rows), columns)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_what_is_left_out_has_no_match(data: st.DataObject) -> None:
    picked = data.draw(st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=5))
    facts = data.draw(facts_of([ROWS[at] for at in picked]))
    for single, found in zip(SINGLES, matches(), strict=True):
        if not may_match([single], False, facts):
            assert found.isdisjoint(picked), (single, facts)
        negated = Filter("", FilterOp.NONE_OF, inside=(single,))
        if not may_match([negated], False, facts):
            assert found.issuperset(picked), (negated, facts)


def nested() -> st.SearchStrategy[tuple[Filter, frozenset[int]]]:
    """A filter, and the rows that it matches."""
    rows = frozenset(range(len(ROWS)))

    def group(op: FilterOp, some: list[tuple[Filter, frozenset[int]]]) -> Any:
        inside = tuple(one for one, _ in some)
        found = [one for _, one in some]
        if op is FilterOp.ALL_OF:
            return Filter("", op, inside=inside), frozenset.intersection(*found)
        either = frozenset.union(*found)
        return Filter("", op, inside=inside), either if op is FilterOp.ANY_OF else rows - either

    leaf = st.integers(0, len(SINGLES) - 1).map(lambda at: (SINGLES[at], matches()[at]))
    return st.recursive(
        leaf,
        lambda some: st.builds(group, st.sampled_from(GROUP_OPS), st.lists(some, min_size=1)),
        max_leaves=6,
    )


@settings(max_examples=120, deadline=None)
@given(data=st.data(), several=st.lists(nested(), min_size=1, max_size=3), either=st.booleans())
def test_groups_of_filters_leave_out_no_match(
    data: st.DataObject, several: list[tuple[Filter, frozenset[int]]], either: bool
) -> None:
    picked = data.draw(st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=3))
    facts = data.draw(facts_of([ROWS[at] for at in picked]))
    joined = frozenset.union if either else frozenset.intersection
    if not may_match([one for one, _ in several], either, facts):
        assert joined(*(found for _, found in several)).isdisjoint(picked)


STRING, INT = ColumnKey("x", FieldType.STRING), ColumnKey("x", FieldType.INT)
B_TO_D = SourceFacts(9, {STRING: ColumnFacts(9, b"b", b"d")})
ONLY_B = SourceFacts(9, {STRING: ColumnFacts(3, may_hold="b".__eq__)})
FIVES = SourceFacts(9, {INT: ColumnFacts(9, 5, 5)})


@pytest.mark.parametrize(
    ("facts", "one"),
    [
        (B_TO_D, Filter("x", FilterOp.EQ, ("a",))),
        (B_TO_D, Filter("x", FilterOp.IN, ("a", "e", 5, True))),
        (B_TO_D, Filter("x", FilterOp.STARTS, ("e",))),
        (B_TO_D, Filter("x", FilterOp.GT, ("d",))),
        (B_TO_D, Filter("x", FilterOp.GE, (5,))),
        (B_TO_D, Filter("x", FilterOp.NOT_EXISTS)),
        (B_TO_D, Filter("y", FilterOp.EXISTS)),
        (B_TO_D, Filter("y", FilterOp.CONTAINS, ("a",))),
        (FIVES, Filter("x", FilterOp.NE, (5.0,))),
        (FIVES, Filter("x", FilterOp.NOT_IN, (1, "5"))),
        (FIVES, Filter("x", FilterOp.LT, (5,))),
        (FIVES, Filter("x", FilterOp.EQ, ("fife",))),
        (FIVES, Filter("", FilterOp.NONE_OF, inside=(Filter("x", FilterOp.GE, (4.5,)),))),
        (ONLY_B, Filter("x", FilterOp.EQ, ("c",))),
    ],
)  # fmt: skip
def test_sources_that_cannot_match_are_left_out(facts: SourceFacts, one: Filter) -> None:
    assert not may_match([one], False, facts)
    assert may_match([one, Filter("x", FilterOp.EXISTS)], True, facts)
    assert may_match([], False, facts)
