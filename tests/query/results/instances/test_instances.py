"""A question over instances answers as plain Python does, however events lie over shares."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.process.versions import OWN
from query.cancellation import cancellable
from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpanDataset
from query.plan.plan import CalculatedField, InstancesWanted, Plan
from query.plan.planner import QueryRequest, build_request
from query.plan.read.spec import read_spec
from query.plan.spec import Calculation, QuerySpec
from query.results.instances.answer import (
    InstanceAnswer,
    answer_over_instances,
    instances_plan,
    notes_on_instances,
)
from query.share.compute.answer import decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.compute.errors import ShareCancelled
from query.share.compute.too_heavy import ShareTooHeavy
from query.share.view.view import DatasetView
from tests.query.results.instances.oracle import instances
from tests.query.share import oracle
from tests.query.share.databases import databases
from tests.query.share.rows import DATASET, Json, Row, block, view
from tests.query.share.test_share_against_oracle import ALLOWED, SPAN_S, assert_same, split

MERGING = databases()
PER = "trace.trace_id"
CALCULATIONS = (
    Calculation("COUNT"),
    Calculation("P95", "extent_ms"),
    Calculation("SUM", "spans"),
    Calculation("MAX", "errors"),
    Calculation("MIN", "start"),
    Calculation("MAX", "end"),
    Calculation("COUNT_DISTINCT", PER),
    Calculation("COUNT_DISTINCT", "last_step"),
    Calculation("AVG", "x"),
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        PER: st.sampled_from(["a", "b", "c", 5, 5.0, 0.5, True, Json("[1]")]),
        "name": st.sampled_from(["start", "wait", "end"]),
        "duration_ms": st.sampled_from([0, 1.5, 1_000, 2_000_000]),
        "error": st.booleans(),
        "meta.annotation_type": st.sampled_from(["span_start", "span_event"]),
        "x": st.sampled_from([1, 2.5, True, "text", Json("[2]")]),
        "dc": st.sampled_from(["north", "south"]),
    },
)
SPECS = st.builds(
    QuerySpec,
    st.just(CALCULATIONS),
    filters=st.sampled_from(
        [(), (Filter("x", FilterOp.EXISTS),), (Filter("name", FilterOp.NE, ("wait",)),)]
    ),
    breakdowns=st.sampled_from([(), ("dc",), ("x", "last_step"), (PER,), ("spans",)]),
    start_s=st.just(0),
    end_s=st.just(SPAN_S),
    granularity_s=st.sampled_from([7, 1_000]),
    per=st.just(PER),
    per_filters=st.sampled_from(
        [(), (Filter("last_step", FilterOp.EQ, ("wait",)),), (Filter("spans", FilterOp.GT, (1,)),)]
    ),
)


def request_of(spec: QuerySpec, **more: Any) -> QueryRequest:
    more = {"disable_series": True, "limit": 10_000, "datasets": (SpanDataset(DATASET),)} | more
    return build_request(spec, DATASET, 10**18, **more)


def answer(
    spec: QuerySpec,
    views: Sequence[DatasetView],
    change: Any = None,
    *,
    margin_ns: int = 0,
    **more: Any,
) -> InstanceAnswer:
    asked = request_of(spec, **more)
    plan: Plan = instances_plan(asked, margin_ns, at_least={}, wait_ms=0, log="")
    plan = change(plan) if change else plan
    views = [replace(one, dataset=DATASET) for one in views]
    answers = [Computation(plan, [one], ALLOWED).run() for one in views]
    sent = [encode_answer(of_version(one, OWN.plan, 0)) for one in answers]
    states = [decode_answer(data).states for data in sent]
    return answer_over_instances(asked, plan, states, MERGING)


def totals(spec: QuerySpec, views: Sequence[DatasetView]) -> dict[Any, dict[str, Any]]:
    found = answer(spec, views).totals
    rows = found.data["results"]
    return {
        tuple((type(v).__name__, v) for v in group): {
            c.label: row["data"][c.label] for c in spec.calculations
        }
        for group, row in zip(found.top, rows, strict=True)
    }


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=st.lists(EVENTS, max_size=25),
    spec=SPECS,
    cuts=st.lists(st.integers(0, 25), max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_any_split_of_events_answers_as_plain_python(
    events: list[dict[str, Any]], spec: QuerySpec, cuts: list[int], order: Any, tmp_path: Path
) -> None:
    rows = [Row(at * 10**9 + at, data) for at, data in enumerate(events)]
    expected = oracle.answer(
        replace(spec, filters=spec.per_filters, per=None), instances(spec, rows)
    )
    order.shuffle(rows)
    assert_same(totals(spec, split(rows, cuts, tmp_path)), expected)


def test_of_events_at_one_time_the_same_are_the_last_and_first_however_they_are_split(
    tmp_path: Path,
) -> None:
    rows = [Row(5, {PER: "a", "name": f"n{at}", "x": at % 3 or f"t{at}"}) for at in range(20)]
    spec = QuerySpec((Calculation("COUNT"),), breakdowns=("last_step", "x"), per=PER,
                     start_s=0, end_s=9)  # fmt: skip
    whole = totals(spec, [view(blocks=[block(rows)])])
    assert len(whole) == 1
    for cuts in ([3], [10, 15], [1, 2, 3]):
        assert totals(spec, split(rows, cuts, tmp_path)) == whole
        assert totals(spec, split(rows[::-1], cuts, tmp_path)) == whole


def test_errors_and_steps_are_those_of_stored_fields_whatever_is_calculated() -> None:
    rows = [Row(at, {PER: "a", "name": f"n{at}", "error": True}) for at in range(2)]
    fields = (CalculatedField("error", "false"), CalculatedField("name", '"x"'))
    spec = QuerySpec(
        (Calculation("SUM", "errors"),),
        breakdowns=("last_step", "error", "name"),
        per=PER,
        start_s=0,
        end_s=9,
        calculated=fields,
    )
    found = answer(spec, [view(blocks=[block(rows)])]).totals
    assert found.top == [("n1", False, "x")]
    assert found.data["results"][0]["data"]["SUM(errors)"] == 2


def test_series_of_instances_are_by_their_starts() -> None:
    rows = [Row(at * 10**9, {PER: "ab"[at % 2], "x": at}) for at in range(10)]
    spec = QuerySpec((Calculation("COUNT"),), per=PER, start_s=0, end_s=10, granularity_s=1)
    found = answer(spec, [view(blocks=[block(rows)])], disable_series=False, limit=None)
    series = found.totals.data["series"].json
    assert [bytes(series).count(b'"COUNT":%d' % n) for n in (0, 1, 2)] == [8, 2, 0]


def test_an_answer_without_series_has_the_member_whatever_was_calculated() -> None:
    rows = [Row(at * 10**9, {PER: f"{at}"}) for at in range(4)]
    for calculation in (Calculation("COUNT"), Calculation("RATE_SUM", "start")):
        spec = QuerySpec((calculation,), per=PER, start_s=0, end_s=9)
        data = answer(spec, [view(blocks=[block(rows)])]).totals.data
        assert data["series"].count == 0


def test_sampled_traces_stand_for_as_many_as_were_sent() -> None:
    """Of 3,000 traces one in ten is kept whole; of some of these one span is kept surely."""
    sent, kept = list[Row](), list[Row]()
    for number in range(3_000):
        data = {PER: f"{number}", "dc": "north" if number % 3 else "south"}
        whole = [Row(number + at, data | {"duration_ms": at}) for at in range(4)]
        sent += whole
        if number % 100 == 7:
            kept += [
                replace(row, rate=rate) for row, rate in zip(whole, (10, 1, 10, 10), strict=True)
            ]
        elif number % 10 == 7:
            kept += [replace(row, rate=10) for row in whole]
    spec = QuerySpec(
        (Calculation("COUNT"), Calculation("AVG", "spans"), Calculation("P50", "extent_ms")),
        per=PER, breakdowns=("dc",), start_s=0, end_s=9,
    )  # fmt: skip
    truth = totals(spec, [view(blocks=[block(sent)])])
    found = totals(spec, [view(blocks=[block(kept)])])
    for group, values in truth.items():
        assert found[group]["AVG(spans)"] == values["AVG(spans)"] == 4
        assert found[group]["P50(extent_ms)"] == values["P50(extent_ms)"]
        assert found[group]["COUNT"] == pytest.approx(values["COUNT"], rel=0.1)


def test_instances_partly_outside_of_the_range_are_marked_and_counted(tmp_path: Path) -> None:
    """Events of any value lie at these seconds; the range is 100 to 200, its margin 25 seconds."""
    times = {"inside": [110, 190], "before": [80, 120], "after": [150, 210], 5: [99, 101],
             "long before": [10, 150], "beside": [90, 220], 5.5: [130]}  # fmt: skip
    rows = [Row(second * 10**9, {PER: key, "n": 1}) for key, some in times.items()
            for second in some]  # fmt: skip
    rows += [Row(90 * 10**9, {PER: "inside"})]  # does not match WHERE
    spec = QuerySpec((Calculation("COUNT"),), (Filter("n", FilterOp.EXISTS),),
                     breakdowns=(PER, "partial"), per=PER, start_s=100, end_s=200)  # fmt: skip
    for views in ([view(blocks=[block(rows)])], split(rows, [3, 5, 9], tmp_path)):
        found = answer(spec, views, margin_ns=10**18)
        groups = dict(found.totals.top)
        assert groups == {"inside": False, "before": True, "after": True, 5: True,
                          "long before": False, 5.5: False}  # fmt: skip
        assert (found.instances, found.partial) == (6, 3)
        assert "3 of 6 instances" in notes_on_instances(spec, found, {})[-1]
        assert answer(spec, views).partial == 0


def test_more_instances_than_one_question_may_gather_are_refused_with_the_limit() -> None:
    rows = [Row(at, {PER: f"{at}"}) for at in range(20)]
    views = [view(0, blocks=[block(rows[:10])]), view(1, blocks=[block(rows[10:])])]
    spec = QuerySpec((Calculation("COUNT"),), per=PER, start_s=0, end_s=9)

    def bounded(plan: Plan, **bounds: int) -> Plan:
        wanted = plan.instances
        assert isinstance(wanted, InstancesWanted)
        kept = {"field": wanted.field, "rows_max": 100, "bytes_max": 10**6} | bounds
        return type(plan)(
            **{name: getattr(plan, name) for name in plan.__struct_fields__}
            | {"instances": InstancesWanted(**kept)}
        )

    for rows_max in (9, 15):
        with pytest.raises(ShareTooHeavy, match=f"{rows_max} instances"):
            answer(spec, views, lambda plan, most=rows_max: bounded(plan, rows_max=most))
    with pytest.raises(ShareTooHeavy, match="MiB"):
        answer(spec, views, lambda plan: bounded(plan, bytes_max=10))


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"per": 5}, "per"),
        ({"per": "extent_ms"}, "per"),
        ({"per": "t", "havings": [{"column": "x", "op": "=="}]}, "havings[0].op"),
        ({"per": "t", "havings": [{"op": "search", "value": "x"}]}, "havings[0]"),
        (
            {"havings": [{"column": "last_step", "op": "=", "value": "x"}]},
            "havings[0].column",
        ),
    ],
)
def test_what_cannot_be_asked_of_instances_is_refused_at_its_member(
    body: dict[str, Any], at: str
) -> None:
    with pytest.raises(SpecError) as refused:
        read_spec(body)
    assert refused.value.field == at


def test_havings_on_columns_are_conditions_and_those_on_calculations_stay() -> None:
    spec = read_spec(
        {
            "per": PER,
            "calculations": [{"op": "COUNT"}],
            "havings": [
                {"column": "last_step", "op": "=", "value": "wait"},
                {"calculate_op": "COUNT", "op": ">", "value": 5},
            ],
        }
    )
    assert spec.per_filters == (Filter("last_step", FilterOp.EQ, ("wait",)),)
    assert len(spec.havings) == 1


def test_a_question_that_nobody_waits_for_computes_no_further_over_its_instances() -> None:
    rows = [Row(at, {PER: f"{at}"}) for at in range(20)]
    asked = request_of(QuerySpec((Calculation("COUNT"),), per=PER, start_s=0, end_s=9))
    plan = instances_plan(asked, 0, at_least={}, wait_ms=0, log="")
    one = replace(view(blocks=[block(rows)]), dataset=DATASET)
    states = [Computation(plan, [one], ALLOWED).run().states]
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(ShareCancelled), cancellable(cancelled):
        answer_over_instances(asked, plan, states, MERGING)
