"""Spans that are open: of datasets with definitions of their own, and at the ends of time."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from common.errors import BadRequest
from query.plan.check_plan import check_request
from query.plan.parts.spans import SpanDataset, SpanNames
from query.plan.plan import CalculatedField, Need, Plan, ShareRequest, State
from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.totals.totals import merge_totals
from query.share.compute.computation import Computation
from query.share.view.view import DatasetView
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, view

SPANS = (Calculation("CONCURRENCY"), Calculation("COUNT"))


def answer(
    spec: QuerySpec, views: list[DatasetView], datasets: tuple[SpanDataset, ...] = ()
) -> list[dict[str, Any]]:
    asked = build_request(spec, "d", 10**18, disable_series=True, datasets=datasets)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    states = Computation(plan, views, databases()).run().states
    return [row["data"] for row in merge_totals(asked, plan, [states]).data["results"]]


def test_each_dataset_has_durations_by_its_own_definition() -> None:
    rows = [Row(10**9, {"took": 5_000, "duration_ms": 0, "name": "x"})]
    others = [Row(2 * 10**9, {"took": 0, "duration_ms": 5_000, "name": "x"})]
    names = SpanNames(duration_ms=("took",), annotation=("kind",))
    spec = QuerySpec(SPANS, breakdowns=("name",), start_s=0, end_s=10, granularity_s=1)
    views = [
        replace(view(0, blocks=[block(rows)]), dataset="a"),
        replace(view(0, blocks=[block(others)]), dataset="b"),
    ]
    both = (SpanDataset("a", names), SpanDataset("b"))
    assert answer(spec, views, both) == [{"name": "x", "CONCURRENCY": 2, "COUNT": 2}]
    swapped = (SpanDataset("a"), SpanDataset("b", names))
    assert answer(spec, views, swapped) == [{"name": "x", "CONCURRENCY": 1, "COUNT": 2}]


def test_spans_are_open_for_their_stored_durations_whatever_is_calculated() -> None:
    rows = [Row(at * 10**9, {"duration_ms": 5_000}) for at in (1, 2)]
    spec = QuerySpec(
        (*SPANS, Calculation("MAX", "duration_ms")),
        start_s=0,
        end_s=10,
        granularity_s=1,
        calculated=(CalculatedField("duration_ms", "0"),),
    )
    found = answer(spec, [view(blocks=[block(rows)])])
    assert found == [{"CONCURRENCY": 2, "COUNT": 2, "MAX(duration_ms)": 0}]


@pytest.mark.parametrize("start_s", [-9_223_372_036, 9_223_372_000])
def test_the_range_may_be_at_the_ends_of_time(start_s: int) -> None:
    at = max(start_s * 10**9 + 10**9, -(2**63))
    rows = [Row(at, {"duration_ms": 10.0**9}), Row(at, {"duration_ms": 1e300})]
    spec = QuerySpec(SPANS, start_s=start_s, end_s=start_s + 30)
    assert answer(spec, [view(blocks=[block(rows)])]) == [{"CONCURRENCY": 2, "COUNT": 2}]


def test_a_range_of_all_time_counts_too() -> None:
    rows = [Row(-(2**62), {"duration_ms": 1}), Row(2**62, {"duration_ms": 1e300})]
    spec = QuerySpec(SPANS, start_s=-9_223_372_036, end_s=9_223_372_035)
    assert answer(spec, [view(blocks=[block(rows)])]) == [{"CONCURRENCY": 1, "COUNT": 2}]


def test_no_spans_are_none_open() -> None:
    spec = QuerySpec(SPANS, start_s=0, end_s=30)
    for rows in ([], [Row(1, {"duration_ms": "text"})]):
        counted = {"CONCURRENCY": 0, "COUNT": len(rows)}
        assert answer(spec, [view(blocks=[block(rows)])]) == [counted]
        grouped = replace(spec, breakdowns=("name",))
        assert len(answer(grouped, [view(blocks=[block(rows)])])) == len(rows)


def test_a_plan_says_how_open_spans_are_counted_where_they_are() -> None:
    asked = build_request(QuerySpec(SPANS, start_s=0, end_s=30), "d", 10**18)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    assert plan.open_spans is not None
    faulty: list[Plan] = [
        msgspec.structs.replace(plan, open_spans=None),
        msgspec.structs.replace(plan, needs=(Need(State.COUNT),)),
        msgspec.structs.replace(
            plan, open_spans=msgspec.structs.replace(plan.open_spans, part_ns=0)
        ),
    ]
    check_request(ShareRequest(plan=plan, partitions=(0,)))
    for one in faulty:
        with pytest.raises(BadRequest):
            check_request(ShareRequest(plan=one, partitions=(0,)))
