"""Segments are skipped by their summaries only where an answer stays the same."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, RowsWanted, State
from query.share.compute.computation import Computation
from query.share.pruning.summary_facts import summary_may_match
from query.share.view.view import SegmentView
from segment.parquet.reference import ReferenceEncoders
from segment.summary.compute import summarize_file
from segment.summary.sizes import VALUE_BYTES_MAX, VALUES_MAX
from segment.summary.summary import SegmentSummary, all_columns, encode_summary
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, segment, view
from tests.query.share.test_share_against_oracle import OPERANDS as PLAIN_OPERANDS
from tests.query.share.test_share_against_oracle import REGEXES, SINGLE_OPS, UNARY
from tests.query.share.test_share_against_oracle import VALUES as PLAIN_VALUES

DATABASES = databases()
LONG = "/api/v1/customers/orders/of/a/long/path"
VALUES: list[Any] = [
    *PLAIN_VALUES, float("nan"), float("inf"), -float("inf"), 1e-300, LONG, LONG + "/1",
    LONG + "/2", LONG * 5, "/api/v2", "\U0010ffff", Json("[1]"), Json("[2]"),
]  # fmt: skip
OPERANDS: list[Any] = [
    *PLAIN_OPERANDS, LONG, LONG[:20], LONG + "/", "/api/", "/zzz", "\U0010ffff", "nan", "inf",
    "-inf", "9223372036854775807", "[1]", "[",
]  # fmt: skip
ROWS = st.builds(
    Row,
    st.integers(0, 99),
    st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(VALUES)),
)


@st.composite
def single_filters(draw: st.DrawFn) -> Filter:
    op = draw(st.sampled_from(SINGLE_OPS))
    most = 0 if op in UNARY else 3 if op in (FilterOp.IN, FilterOp.NOT_IN) else 1
    some = REGEXES if "match" in op.value else OPERANDS
    values = st.lists(st.sampled_from(some), min_size=min(1, most), max_size=most)
    return Filter(draw(st.sampled_from(["x", "y", "none"])), op, tuple(draw(values)))


GROUPS = (FilterOp.ALL_OF, FilterOp.ANY_OF, FilterOp.NONE_OF)
FILTERS = st.recursive(
    single_filters(),
    lambda inside: st.builds(
        lambda op, some: Filter("", op, (), tuple(some)),
        st.sampled_from(GROUPS),
        st.lists(inside, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def summary_of(made: SegmentView) -> SegmentSummary:
    data = summarize_file(made.path, made.object_hash, ReferenceEncoders())
    return SegmentSummary.decode(data, made.object_hash)


def less_known(summary: SegmentSummary) -> SegmentSummary:
    """The summary without lists of values, as a column of many values has it."""
    columns = {
        key: type(one)(
            rows=one.rows, size_bytes=one.size_bytes, distinct=one.distinct, low=one.low,
            high=one.high, has_nan=one.has_nan, prefixes=one.prefixes,
            prefix_bytes=one.prefix_bytes, prefixes_complete=one.prefixes_complete,
        )
        for key, one in all_columns(summary)
    }  # fmt: skip
    data = encode_summary(summary.object_hash, summary.rows, columns, complete=True)
    return SegmentSummary.decode(data, summary.object_hash)


def plan(filters: list[Filter], *, either: bool = False, **more: Any) -> Plan:
    return Plan(
        dataset="d",
        start_ns=0,
        end_ns=100,
        needs=() if "rows" in more else (Need(State.COUNT),),
        filters=tuple(filters),
        any_filter=either,
        **more,
    )


def skipping(asked: Plan, segments: list[SegmentView], *, lists: bool) -> Iterator[SegmentView]:
    """The segments as a lease returns them: a skipped one has no file."""
    for one in segments:
        summary = summary_of(one) if lists else less_known(summary_of(one))
        if summary_may_match(summary, asked.filters, any_filter=asked.any_filter):
            yield one
        else:
            yield replace(one, skipped=True, path=Path("/nowhere"))


def main_of(asked: Plan, segments: list[SegmentView]) -> tuple[Any, list[str]]:
    """(what the share says of itself, but for how much it has read; its rows)."""
    answer = Computation(asked, [view(segments=segments)], DATABASES).run()
    report = msgspec.structs.replace(answer.report, rows=0, size_bytes=0)
    return report, sorted(map(repr, answer.states["main"].to_pylist()))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(st.lists(ROWS, min_size=1, max_size=5), min_size=1, max_size=3),
    filters=st.lists(FILTERS, min_size=1, max_size=2),
    either=st.booleans(),
    lists=st.booleans(),
    rows=st.booleans(),
)
def test_answers_are_the_same_with_and_without_skipped_segments(
    parts: list[list[Row]],
    filters: list[Filter],
    either: bool,
    lists: bool,
    rows: bool,
    tmp_path: Path,
) -> None:
    segments, first = [], 0
    for part in parts:
        segments.append(segment(part, tmp_path, first))
        first += len(part)
    more: dict[str, Any] = {"breakdowns": ("y",)}
    if rows:
        more = {"rows": RowsWanted(limit=50, bytes_max=10**6)}
    asked = plan(filters, either=either, **more)
    pruned = main_of(asked, list(skipping(asked, segments, lists=lists)))
    assert pruned == main_of(asked, segments)


@pytest.mark.parametrize("op", SINGLE_OPS)
def test_no_segment_of_one_value_is_skipped_that_matches(op: FilterOp, tmp_path: Path) -> None:
    events = [{} if value is None else {"x": value} for value in (*VALUES, None)]
    rows = [Row(0, {**event, "id": at}) for at, event in enumerate(events)]
    listed = [summary_of(segment([row, row], tmp_path, at)) for at, row in enumerate(rows)]
    bounds = [less_known(one) for one in listed]
    operands = [None] if op in UNARY else REGEXES if "match" in op.value else OPERANDS
    skipped = 0
    for operand in operands:
        asked = plan([Filter("x", op, () if operand is None else (operand,))], breakdowns=("id",))
        found = Computation(asked, [view(blocks=[block(rows)])], DATABASES).run()
        matching = set(found.states["main"].column("k0_n").to_pylist())
        for at, summary in [*enumerate(listed), *enumerate(bounds)]:
            may = summary_may_match(summary, asked.filters, any_filter=False)
            assert may or at not in matching, (op, operand, events[at])
            skipped += not may
    assert skipped or op in (
        FilterOp.NOT_MATCHES,
        FilterOp.SEARCH,
    )  # what a regular expression finds is not known


def texts(made: Path, *some: str) -> SegmentSummary:
    return summary_of(segment([Row(0, {"x": text}) for text in some], made))


def skips(summary: SegmentSummary, op: FilterOp, *values: Any) -> bool:
    return not summary_may_match(summary, [Filter("x", op, values)], any_filter=False)


def test_all_values_that_are_known_decide(tmp_path: Path) -> None:
    few = texts(tmp_path, "get", "put", "set", "get")
    assert skips(few, FilterOp.EQ, "new")
    assert not skips(few, FilterOp.EQ, "put")
    assert skips(few, FilterOp.IN, "new", "pat")
    assert not skips(few, FilterOp.IN, "new", "put")
    assert skips(few, FilterOp.CONTAINS, "a")
    assert not skips(few, FilterOp.CONTAINS, "u")
    assert skips(few, FilterOp.NOT_ENDS, "t")
    assert not skips(few, FilterOp.NOT_ENDS, "et")
    assert skips(few, FilterOp.NOT_IN, "get", "put", "set")
    assert skips(few, FilterOp.NOT_EXISTS)
    assert skips(few, FilterOp.GT, 5)
    assert not skips(few, FilterOp.MATCHES, "a")


def test_all_prefixes_that_are_known_decide(tmp_path: Path) -> None:
    many = texts(tmp_path, *(f"/api/v{n % 2}/users/{n}" for n in range(2 * VALUES_MAX)))
    assert skips(many, FilterOp.STARTS, "/api/v2")
    assert not skips(many, FilterOp.STARTS, "/api/v1/u")
    assert skips(many, FilterOp.EQ, "/api/v0/groups/1")
    assert not skips(many, FilterOp.EQ, "/api/v0/users/2")
    assert skips(many, FilterOp.STARTS, "/api/v1/groups/and/more")
    assert not skips(many, FilterOp.CONTAINS, "groups")


def test_what_is_cut_decides_nothing_by_its_values(tmp_path: Path) -> None:
    long = "y" * (VALUE_BYTES_MAX + 1)
    some = texts(tmp_path, long, "z")
    assert not skips(some, FilterOp.CONTAINS, long)
    assert not skips(some, FilterOp.EQ, long)
    assert skips(some, FilterOp.EQ, "x")
    spread = texts(tmp_path, *(f"{n:05d}" for n in range(0, 90_000, 1_000)))
    assert not skips(spread, FilterOp.STARTS, "005")
