"""A calculated field answers as a stored field with the same values would, wherever it is used."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from query.expressions.check import read_expression
from query.expressions.nodes import Value
from query.plan.calculated import UseFault, stored_filters, with_calculated
from query.plan.parts.conditions import Filter, FilterOp, filter_fields
from query.plan.plan import CalculatedField, Plan, RowsWanted
from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.totals.totals import merge_totals
from query.share.compute.computation import Computation
from query.share.pruning.footer_facts import FooterFacts
from query.share.row_search.search import rows_of
from query.share.view.view import DatasetView
from tests.query.expressions.evaluator import evaluate
from tests.query.expressions.generated import expressions
from tests.query.share import oracle
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, view
from tests.query.share.test_share_against_oracle import (
    ROWS,
    SPAN_S,
    assert_same,
    nested_filters,
    shares,
    split,
)

COLUMNS = ("calc", "calc", "again", "x")
OPS = ("COUNT", "SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT", "P50")


def renamed(one: Filter, names: Sequence[str]) -> Filter:
    """The filter on other fields, in turn."""
    inside = tuple(renamed(part, names[at:] + names[:at]) for at, part in enumerate(one.inside))
    return Filter(names[0] if one.field else "", one.op, one.values, inside)


@st.composite
def specs(draw: st.DrawFn) -> QuerySpec:
    chosen = draw(st.lists(st.tuples(st.sampled_from(OPS), st.sampled_from(COLUMNS)), max_size=4))
    filters = draw(st.lists(nested_filters(), max_size=2))
    return QuerySpec(
        calculations=(
            Calculation("COUNT"),
            *(Calculation(op, column, f"c{at}") for at, (op, column) in enumerate(chosen)),
        ),
        filters=tuple(renamed(one, draw(st.permutations(COLUMNS))) for one in filters),
        any_filter=draw(st.booleans()),
        breakdowns=tuple(draw(st.lists(st.sampled_from(["calc", "again", "y"]), unique=True))),
        start_s=0,
        end_s=SPAN_S,
    )


def with_values(rows: Sequence[Row], fields: Sequence[CalculatedField]) -> list[Row]:
    """The rows with the values of the fields stored; real ones of their names are gone."""
    made = []
    nodes = [(one.name, read_expression(one.expression)) for one in fields]
    for row in rows:
        data: dict[str, Any] = dict(row.data)
        for name, _ in nodes:
            data.pop(name, None)
        for name, node in nodes:
            plain: dict[str, Value] = {
                n: v.text if isinstance(v, Json) else v for n, v in data.items()
            }
            value = evaluate(node, plain, row.time_ns)
            if value is not None:
                data[name] = value
        made.append(replace(row, data=data))
    return made


def totals(spec: QuerySpec, views: Sequence[DatasetView]) -> dict[Any, dict[str, Any]]:
    asked = build_request(spec, "d", 10**18, disable_series=True, limit=10_000)
    plan = with_calculated(totals_plan(asked, at_least={}, wait_ms=0), {})
    merged = merge_totals(asked, plan, shares(plan, views))
    return {
        tuple((type(v).__name__, v) for v in group): {
            c.label: row["data"][c.label] for c in spec.calculations
        }
        for group, row in zip(merged.top, merged.data["results"], strict=True)
    }


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(ROWS, max_size=25),
    spec=specs(),
    text=expressions(5),
    again=st.sampled_from(
        ["$calc", "SUM($calc, $x)", 'IF(EXISTS($calc), "some", $y)', "$x = $calc"]
    ),
    cuts=st.lists(st.integers(0, 25), max_size=4),
)
def test_any_split_answers_as_if_the_values_were_stored(
    rows: list[Row], spec: QuerySpec, text: str, again: str, cuts: list[int], tmp_path: Path
) -> None:
    fields = (CalculatedField("calc", text), CalculatedField("again", again))
    expected = oracle.answer(spec, with_values(rows, fields))
    spec = replace(spec, calculated=fields[::-1])  # in any order
    assert_same(totals(spec, split(rows, cuts, tmp_path)), expected)


def count_of(filters: tuple[Filter, ...], *fields: CalculatedField) -> QuerySpec:
    return QuerySpec((Calculation("COUNT"),), filters, start_s=0, end_s=SPAN_S, calculated=fields)


def test_numbers_stay_exact_and_types_stay_apart() -> None:
    values: list[Any] = [2**53, 2**53 + 1, 50, 50.0, "50", "1", 1, True]
    rows = [Row(0, {"x": value}) for value in values]
    spec = QuerySpec(
        (Calculation("COUNT"),), breakdowns=("same",), start_s=0, end_s=1,
        calculated=(CalculatedField("same", "IF(true, $x)"),),
    )  # fmt: skip
    found = totals(spec, [view(blocks=[block(rows)])])
    assert {group[0]: row["COUNT"] for group, row in found.items()} == {
        ("int", 2**53): 1, ("int", 2**53 + 1): 1, ("int", 50): 2, ("str", "50"): 1,
        ("str", "1"): 1, ("int", 1): 1, ("bool", True): 1,
    }  # fmt: skip


def test_a_stored_field_of_the_same_name_gives_way_and_the_report_says_so(tmp_path: Path) -> None:
    rows = [Row(0, {"x": 1, "y": 5}), Row(1, {"x": 2, "y": 6})]
    for views in (split(rows, [], tmp_path), split(rows, [1], tmp_path)):
        one = CalculatedField("y", "$x * 10")
        spec = count_of((Filter("y", FilterOp.EQ, (20,)),), one)
        assert totals(spec, views) == {(): {"COUNT": 1}}
        asked = build_request(spec, "d", 10**18, disable_series=True)
        plan = totals_plan(asked, at_least={}, wait_ms=0)
        reports = [Computation(plan, [held], databases()).run().report for held in views]
        assert {name for report in reports for name in report.given_way} == {"y"}


def test_rows_have_calculated_fields_that_are_named_and_match_conditions_on_them(
    tmp_path: Path,
) -> None:
    rows = [Row(at, {"x": at, "y": "stored"}) for at in range(40)]
    fields = (CalculatedField("y", 'CONCAT("n", $x)'), CalculatedField("z", "$x / 2"))
    plan = Plan(
        dataset="d", start_ns=0, end_ns=10**9, needs=(), calculated=fields,
        filters=(Filter("z", FilterOp.GE, (10,)),),
        rows=RowsWanted(limit=3, bytes_max=10**6, fields=("x", "y", "z")),
    )  # fmt: skip
    for cuts in ([], [10, 20, 30]):
        found = []
        for held in split(rows, cuts, tmp_path):
            table = Computation(plan, [held], databases(), None, FooterFacts()).run()
            found += rows_of(table.states["main"])
        found.sort(key=lambda row: row.position, reverse=True)
        assert [msgspec.json.decode(row.data) for row in found[:2]] == [
            {"x": 39, "y": "n39", "z": 19.5}, {"x": 38, "y": "n38", "z": 19.0},
        ]  # fmt: skip
        every = msgspec.structs.replace(plan, rows=RowsWanted(limit=1, bytes_max=10**6))
        some = [
            row
            for held in split(rows, cuts, tmp_path)
            for row in rows_of(Computation(every, [held], databases()).run().states["main"])
        ]
        assert msgspec.json.decode(max(some).data) == {"x": 39, "y": "stored"}


@settings(max_examples=150, deadline=None)
@given(
    filters=st.lists(nested_filters(), min_size=1, max_size=3),
    names=st.permutations(COLUMNS),
    any_filter=st.booleans(),
    row=ROWS,
)
def test_what_pruning_may_use_holds_for_every_row_that_matches(
    filters: list[Filter], names: list[str], any_filter: bool, row: Row
) -> None:
    fields = (CalculatedField("calc", "$x"), CalculatedField("again", "!$x"))
    some = tuple(renamed(one, names) for one in filters)
    plan = Plan(
        dataset="d", start_ns=0, end_ns=1, needs=(), filters=some, any_filter=any_filter,
        calculated=fields,
    )  # fmt: skip
    used = stored_filters(plan)
    (made,) = with_values([row], fields)
    join = any if any_filter else all
    if used and join(oracle.matches(one, made) for one in some):
        assert join(oracle.matches(one, row) for one in used)
    assert filter_fields(used).isdisjoint({"calc", "again"})


def test_fields_that_use_each_other_are_in_order_and_no_circle_or_depth_passes() -> None:
    def plan(*fields: CalculatedField) -> Plan:
        exists = Filter(fields[0].name, FilterOp.EXISTS)
        return Plan(dataset="d", start_ns=0, end_ns=1, needs=(), filters=(exists,),
                    calculated=fields)  # fmt: skip

    chain = [CalculatedField(f"f{at}", f"$f{at + 1}") for at in range(10)]
    found = with_calculated(plan(*chain), {"unused": "1", "f3": "2"})  # its own come first
    assert [one.name for one in found.calculated] == [f"f{at}" for at in range(9, -1, -1)]
    with pytest.raises(UseFault, match="deep"):
        with_calculated(plan(*chain), {"f10": "1"})
    with pytest.raises(UseFault, match="`a` -> `b` -> `a`"):
        with_calculated(plan(CalculatedField("a", "$b"), CalculatedField("b", "$a")), {})
    with pytest.raises(UseFault, match="`a` -> `a`"):
        with_calculated(plan(CalculatedField("a", "$a + 1")), {})
