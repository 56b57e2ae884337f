"""Any split of rows over partitions, blocks and segments answers as plain Python does."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.process.versions import OWN
from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp
from query.plan.plan import Plan
from query.plan.planner import QueryRequest, build_request, series_plan, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.merge.merge import merge
from query.results.totals.totals import merge_totals
from query.share.compute.answer import decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.pruning.footer_facts import FooterFacts
from query.share.sources.small_segments import SmallSegments
from query.share.view.view import DatasetView
from tests.query.results.series_rows import series_rows
from tests.query.share import oracle
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, segment, view

ALLOWED = databases()
SPAN_S = 1_000
NUMBERS = [0, 1, -1, 5, 50, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 0.5, 50.0, -0.0, 1e20, -2.5]
VALUES: list[Any] = [*NUMBERS, True, False, "", "5", "50.0", "true", "a", "[1]", "b'\"; --", "ü\0x"]
OPERANDS: list[Any] = [*VALUES, 0.1, 2**53 + 1.0, "1e3", 1e300]
ROWS = st.builds(
    Row,
    st.integers(0, SPAN_S - 1).map(lambda s: s * 10**9),
    st.dictionaries(
        st.sampled_from(["x", "y"]),
        st.sampled_from([*VALUES, Json("[1]"), Json('{"a":"b"}')]),
    ),
    st.sampled_from([1, 1, 3, 1000]),
)
UNARY = (FilterOp.EXISTS, FilterOp.NOT_EXISTS)
PATTERNS = (FilterOp.MATCHES, FilterOp.NOT_MATCHES)
# what Python's re and RE2 read alike
REGEXES = ["", "5", "^5$", "^[a-z]+$", r"\[1\]", "TRUE", "(?i)TRUE", ".", "(?s)^.*ü", "^-?[0-9.]+$"]
SEARCHED = ["A", "ü", "Ü", '"', "\\", "5", "TRUE", "b'", "\0X", "[1", "x", "none", '{"A']
SINGLE_OPS = [op for op in FilterOp if op not in GROUP_OPS]


def operands_of(op: FilterOp) -> list[Any]:
    if op is FilterOp.SEARCH:
        return SEARCHED
    return REGEXES if op in PATTERNS else OPERANDS


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    op = draw(st.sampled_from(SINGLE_OPS))
    if op is FilterOp.SEARCH:
        return Filter("", op, (draw(st.sampled_from(SEARCHED)),))
    count = 0 if op in UNARY else draw(st.integers(1, 3)) if "in" in op.value.split("-") else 1
    values = tuple(draw(st.sampled_from(operands_of(op))) for _ in range(count))
    return Filter(draw(st.sampled_from(["x", "y", "none"])), op, values)


def nested_filters() -> st.SearchStrategy[Filter]:
    def group(inside: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        some = st.lists(inside, min_size=1, max_size=3).map(tuple)
        return st.builds(
            lambda op, held: Filter("", op, (), held), st.sampled_from(GROUP_OPS), some
        )

    return st.recursive(filters(), group, max_leaves=6)


CALCULATIONS = tuple(
    Calculation(op, column)
    for op, column in [
        ("COUNT", None),
        ("COUNT", "x"),
        ("SUM", "x"),
        ("AVG", "x"),
        ("MIN", "x"),
        ("MAX", "x"),
        ("COUNT_DISTINCT", "x"),
        ("P50", "x"),
        ("P99", "y"),
    ]
)


OWN_FILTERS = ("COUNT", None), ("COUNT", "x"), ("SUM", "x"), ("MIN", "x"), ("COUNT_DISTINCT", "x")
NEWER = (
    *OWN_FILTERS, ("COUNT_DISTINCT", "y"), ("P50", "x"), ("P99", "y"), ("HEATMAP", "x"),
    ("HEATMAP", "y"),
)  # fmt: skip


@st.composite
def newer_calculations(draw: st.DrawFn) -> tuple[Calculation, ...]:
    """Calculations that older programs do not know, some with filters of their own."""
    own = st.lists(nested_filters(), max_size=2).map(tuple)
    chosen = draw(st.lists(st.tuples(st.sampled_from(NEWER), own, st.booleans()), max_size=6))
    return tuple(
        Calculation(op, column, f"c{at}", filters, bool(filters) and any_filter)
        for at, ((op, column), filters, any_filter) in enumerate(chosen)
    )


@st.composite
def specs(draw: st.DrawFn) -> QuerySpec:
    return QuerySpec(
        calculations=CALCULATIONS,
        filters=tuple(draw(st.lists(nested_filters(), max_size=2))),
        any_filter=draw(st.booleans()),
        breakdowns=tuple(draw(st.lists(st.sampled_from(["x", "y", "none"]), unique=True))),
        start_s=0,
        end_s=SPAN_S,
        granularity_s=draw(st.sampled_from([1, 7, 100, 1000])),
    )


def split(rows: Sequence[Row], cuts: list[int], folder: Path) -> list[DatasetView]:
    """Rows over two partitions, each as segments and blocks in turn."""
    edges = sorted({0, len(rows), *(min(c, len(rows)) for c in cuts)})
    parts: list[list[Any]] = [[], []]
    ends = [0, 0]
    views: list[DatasetView] = []
    for number, (first, end) in enumerate(pairwise(edges)):
        p = number % 2
        piece = rows[first:end]
        made = segment(piece, folder, ends[p]) if number % 3 else block(piece, ends[p])
        parts[p].append(made)
        ends[p] += len(piece)
    for p in range(2):
        segments = [s for s in parts[p] if hasattr(s, "path")]
        blocks = [b for b in parts[p] if not hasattr(b, "path")]
        views.append(view(p, segments, blocks, ends[p]))
    return views


def shares(plan: Plan, views: Sequence[DatasetView], version: int = OWN.plan) -> list[Any]:
    # of one partition; segments of the other are read from their files, unless footers forbid it
    small, facts = SmallSegments(), FooterFacts()
    answers = [
        Computation(
            plan, [one], ALLOWED, None if one.partition % 2 else small, facts, version
        ).run()
        for one in views
    ]
    sent = [encode_answer(of_version(a, version, len(plan.breakdowns))) for a in answers]
    return [decode_answer(data).states for data in sent]


def query_request(spec: QuerySpec) -> QueryRequest:
    return build_request(spec, "d", 10**18, disable_series=True, limit=10_000)


def totals(
    spec: QuerySpec, views: Sequence[DatasetView], version: int = OWN.plan
) -> dict[Any, dict[str, Any]]:
    asked = query_request(spec)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    merged = merge_totals(asked, plan, shares(plan, views, version))
    found = {}
    for group, row in zip(merged.top, merged.data["results"], strict=True):
        named = tuple((type(v).__name__, v) for v in group)
        assert [row["data"][field] for field in spec.breakdowns] == list(group)
        found[named] = {c.label: row["data"][c.label] for c in spec.calculations}
    return found


def assert_same(mine: dict[Any, dict[str, Any]], other: dict[Any, dict[str, Any]]) -> None:
    assert mine.keys() == other.keys()
    for group, values in mine.items():
        for label, value in values.items():
            assert oracle.same(value, other[group][label]), (group, label, value, other[group])


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(ROWS, max_size=25), spec=specs(), cuts=st.lists(st.integers(0, 25), max_size=4)
)
def test_any_split_answers_as_plain_python(
    rows: list[Row], spec: QuerySpec, cuts: list[int], tmp_path: Path
) -> None:
    views, expected = split(rows, cuts, tmp_path), oracle.answer(spec, rows)
    assert_same(totals(spec, views), expected)
    for version in range(1, OWN.plan):
        assert_same(totals(spec, views, version), expected)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(ROWS, max_size=25),
    spec=specs(),
    newer=newer_calculations(),
    unweighted=st.booleans(),
    cuts=st.lists(st.integers(0, 25), max_size=4),
)
def test_any_split_answers_filtered_and_unweighted_calculations_as_plain_python(
    rows: list[Row],
    spec: QuerySpec,
    newer: tuple[Calculation, ...],
    unweighted: bool,
    cuts: list[int],
    tmp_path: Path,
) -> None:
    some = newer or (Calculation("HEATMAP", "x"),)
    spec = replace(spec, calculations=some, unweighted=unweighted)
    assert_same(totals(spec, split(rows, cuts, tmp_path)), oracle.answer(spec, rows))


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(ROWS, max_size=12), newer=newer_calculations())
def test_sampled_events_answer_as_all_the_events_that_they_stand_for(
    rows: list[Row], newer: tuple[Calculation, ...]
) -> None:
    rows = [replace(row, rate=min(row.rate, 7)) for row in rows]
    every = [replace(row, rate=1) for row in rows for _ in range(row.rate)]
    spec = QuerySpec((*CALCULATIONS, *newer), breakdowns=("y",), start_s=0, end_s=SPAN_S)
    assert_same(totals(spec, [view(blocks=[block(rows)])]), oracle.answer(spec, every))


def test_string_and_array_of_the_same_text_are_one_group(tmp_path: Path) -> None:
    rows = [Row(1, {"x": "[1]"}), Row(2, {"x": Json("[1]")})]
    spec = QuerySpec((Calculation("COUNT"),), breakdowns=("x",), start_s=0, end_s=1)
    assert totals(spec, split(rows, [1], tmp_path)) == {(("str", "[1]"),): {"COUNT": 2}}


def test_series_reach_from_the_first_year_to_the_last(tmp_path: Path) -> None:
    rows = [Row(-8 * 10**18, {}), Row(-1, {}), Row(9 * 10**18, {})]
    spec = QuerySpec((Calculation("COUNT"),), start_s=-8_000_000_000, end_s=9_223_372_035)
    asked = build_request(spec, "d", 0)
    plan = series_plan(asked, totals_plan(asked, at_least={}, wait_ms=0), {}, None)
    merged = merge(plan, shares(plan, [view(0, blocks=[block(rows)])]))
    found = [row for row in series_rows(asked, plan, merged, [()]) if row["data"]["COUNT"]]
    assert [r["data"]["COUNT"] for r in found] == [1, 1, 1]
    assert found[0]["time"] < "1725"
    assert found[-1]["time"] > "2250"


@pytest.mark.parametrize("op", SINGLE_OPS)
def test_filter_operator_matches_plain_python_for_every_pair_of_values(op: FilterOp) -> None:
    rows = [Row(0, {"x": value, "id": i}) for i, value in enumerate([*VALUES, Json("[1]")])]
    rows.append(Row(0, {"id": len(rows)}))
    views = [view(blocks=[block(rows)])]
    operands: list[Any] = [None] if op in UNARY else operands_of(op)
    for operand in operands:
        field = "" if op is FilterOp.SEARCH else "x"
        one = Filter(field, op, () if operand is None else (operand,))
        spec = QuerySpec((Calculation("COUNT"),), (one,), breakdowns=("id",), start_s=0, end_s=9)
        assert_same(totals(spec, views), oracle.answer(spec, rows))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(ROWS, max_size=25), spec=specs())
def test_series_add_up_to_the_totals_though_rows_arrive_between(
    rows: list[Row], spec: QuerySpec, tmp_path: Path
) -> None:
    asked = query_request(spec)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    merged = merge_totals(asked, plan, shares(plan, [view(0, blocks=[block(rows)])]))
    top = merged.top
    late = Row(5 * 10**9, {"x": 1, "y": 2})
    grown = [
        view(0, blocks=[block([*rows, late, late])]),
        view(0, segments=[segment([*rows, late], tmp_path)], blocks=[block([late], len(rows) + 1)]),
    ]
    for after in grown:
        one = series_plan(asked, plan, {0: len(rows)}, tuple(top))
        series = series_rows(asked, one, merge(one, shares(one, [after])), top)
        counted = sum(row["data"]["COUNT"] for row in series)
        expected = sum(row["data"]["COUNT"] for row in merged.data["results"])
        assert counted == expected


OTHER_DIGITS = [
    "٣",
    "３",
    "३",
    "²",
    "1٠",
    "٣.٥",
]  # Arabic-Indic, full-width, Devanagari, superscript


@pytest.mark.parametrize("text", OTHER_DIGITS)
def test_digits_of_other_scripts_are_text(text: str) -> None:
    held: list[Any] = [3, 2, 10, 3.5, *OTHER_DIGITS]
    rows = [Row(0, {"x": value, "id": i}) for i, value in enumerate(held)]
    one = Filter("x", FilterOp.EQ, (text,))
    spec = QuerySpec((Calculation("COUNT"),), (one,), breakdowns=("id",), start_s=0, end_s=9)
    found = totals(spec, [view(blocks=[block(rows)])])
    assert [group[0][1] for group in found] == [held.index(text)]


def test_groups_of_filters_are_read_as_plain_python_reads_them(tmp_path: Path) -> None:
    rows = [Row(0, {"a": a, "b": b, "id": 4 * a + b}) for a in range(4) for b in range(4)]
    a1, b2 = Filter("a", FilterOp.EQ, (1,)), Filter("b", FilterOp.GE, (2,))
    missing = Filter("none", FilterOp.LT, (5,))
    for op in GROUP_OPS:
        inner = Filter("", op, (), (a1, b2, missing))
        for outer in GROUP_OPS:
            nested = Filter("", outer, (), (inner, Filter("a", FilterOp.NE, (3,))))
            spec = QuerySpec(
                (Calculation("COUNT"),), (nested,), breakdowns=("id",), start_s=0, end_s=9
            )
            assert_same(totals(spec, split(rows, [7], tmp_path)), oracle.answer(spec, rows))


def test_an_indexer_that_knows_no_groups_refuses_the_plan_instead_of_ignoring_them() -> None:
    sent = msgspec.json.encode(Filter("", FilterOp.ANY_OF, (), (Filter("a", FilterOp.EXISTS),)))

    class Older(msgspec.Struct):
        field: str
        op: Literal["=", "!=", "exists"]
        values: tuple[int | str, ...] = ()

    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(sent, type=Older)


def test_columns_in_the_rest_column_read_as_columns_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 1)
    rows = [Row(0, {"x": v, "y": v}) for v in [*VALUES, Json("[1]")]]
    one = segment(rows, tmp_path)
    assert len(one.overflow_columns) > 5
    spec = QuerySpec(CALCULATIONS, breakdowns=("y",), start_s=0, end_s=9)
    assert_same(totals(spec, [view(segments=[one])]), oracle.answer(spec, rows))


def test_rows_before_a_deletion_are_hidden(tmp_path: Path) -> None:
    rows = [Row(0, {"x": 1}) for _ in range(10)]
    one = replace(segment(rows, tmp_path), visible=((7, 10),))
    spec = QuerySpec((Calculation("COUNT"),), start_s=0, end_s=9)
    assert totals(spec, [view(segments=[one])]) == {(): {"COUNT": 3}}


def test_only_the_visible_ranges_of_a_segment_are_read(tmp_path: Path) -> None:
    rows = [Row(0, {"x": offset}) for offset in range(10)]
    one = segment(rows, tmp_path)
    spec = QuerySpec((Calculation("SUM", "x"),), start_s=0, end_s=9)
    shown = replace(one, visible=((1, 3), (7, 9)))
    assert totals(spec, [view(segments=[shown])]) == {(): {"SUM(x)": 1 + 2 + 7 + 8}}
    hidden = replace(one, visible=())
    assert totals(spec, [view(segments=[hidden])]) == totals(spec, [view()])


def test_field_names_never_become_sql(tmp_path: Path) -> None:
    names = ['"; DROP TABLE live; --', "'", '"', "Status", "status", "f:x:i", "_time", "", "ü\0"]
    rows = [Row(0, {name: i for i, name in enumerate(names)})]
    for views in ([view(blocks=[block(rows)])], [view(segments=[segment(rows, tmp_path)])]):
        for i, name in enumerate(names):
            spec = QuerySpec(
                (Calculation("MAX", name),),
                (Filter(name, FilterOp.GE, (i,)),),
                breakdowns=(name,),
                start_s=0,
                end_s=9,
            )
            assert list(totals(spec, views).values()) == [{f"MAX({name})": i}]
