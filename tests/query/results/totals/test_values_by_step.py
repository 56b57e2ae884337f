"""Open spans and rates answer as plain Python, for any split of the rows, totals first or not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.model.times.api import parse_time
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Plan
from query.plan.planner import QueryRequest, build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.totals.series import (
    SERIES,
    TOTAL_SERIES,
    merge_at_once,
    merge_series,
    no_series,
    series_wanted,
    with_steps,
)
from query.results.totals.totals import Totals, merge_totals
from query.share.compute.too_heavy import ShareTooHeavy
from tests.query.results import step_oracle
from tests.query.share import oracle
from tests.query.share.rows import Row, block, view
from tests.query.share.test_share_against_oracle import shares, split

SPAN_S = 100
SPANS = Calculation("CONCURRENCY")
NAMED = Calculation("CONCURRENCY", None, "named", (Filter("name", FilterOp.EXISTS),))
RATES = (
    Calculation("RATE_SUM", "x"),
    Calculation("RATE_MAX", "x"),
    Calculation("RATE_AVG", "x", "named", (Filter("name", FilterOp.EQ, ("a",)),)),
)
DURATIONS: list[Any] = [0, 1, 62.5, 437.5, 1_000, 1_001.5, 7_000, 30_000.25, 4e6, 1e300, -1, "5",
                        True]  # fmt: skip
TIMES_MS = st.one_of(
    st.integers(0, SPAN_S * 1_000 - 1), st.integers(-3_700_000, SPAN_S * 1_000 - 1),
    st.sampled_from([0, 437, 438, 7_000, 14_000, 99_999, -3_600_000, -3_600_001]),
)  # fmt: skip
ROWS = st.lists(
    st.builds(
        lambda ms, data, rate: Row(ms * 10**6, data, rate),
        TIMES_MS,
        st.fixed_dictionaries(
            {},
            optional={
                "duration_ms": st.sampled_from(DURATIONS),
                "durationMs": st.sampled_from(DURATIONS),
                "name": st.sampled_from(["a", "b", 5, 5.0]),
                "meta.annotation_type": st.sampled_from(["", "span_event"]),
                "x": st.sampled_from([0, 1, 2.5, 7, 100, -3, "text", 2**53 + 1]),
            },
        ),
        st.sampled_from([1, 1, 5]),
    ),
    max_size=25,
)
CUTS = st.lists(st.integers(0, 25), max_size=4)
CHECKED = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def asked_of(spec: QuerySpec) -> QueryRequest:
    return build_request(spec, "d", 10**18, limit=100, with_total=True, with_other=True)


def both_ways(asked: QueryRequest, views: Sequence[Any]) -> list[dict[str, Any]]:
    """The data of answers: with totals and series at once, and one after the other."""
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    steps = with_steps(asked, plan)
    at_once = merge_at_once(asked, steps, shares(steps, views))
    assert at_once is not None
    return [decoded(at_once.data), decoded(apart(asked, plan, views).data)]


def apart(asked: QueryRequest, plan: Plan, views: Sequence[Any]) -> Totals:
    totals = merge_totals(asked, plan, shares(plan, views))
    for wanted in series_wanted(asked, plan, totals, {}):
        totals.data[wanted.member] = merge_series(asked, wanted, shares(wanted.plan, views))
    if not asked.spec.breakdowns:  # as the runner does
        totals.data[TOTAL_SERIES] = totals.data[SERIES]
    totals.data.setdefault(SERIES, no_series(asked))
    return totals


def decoded(data: dict[str, Any]) -> dict[str, Any]:
    return {
        member: json.loads(bytes(held.json)) if hasattr(held, "json") else held
        for member, held in data.items()
    }


def by_step(asked: QueryRequest, rows: Sequence[Any], label: str) -> dict[int, Any]:
    """A series of one group, without zeros and missing values."""
    first = asked.start_ns // asked.step_ns
    times = sorted({row["time"] for row in rows})
    assert len(times) == len(rows)
    found = {}
    for row in rows:
        seconds = step_seconds(row["time"])
        found[seconds * 10**9 // asked.step_ns - first] = row["data"][label]
    return {step: value for step, value in found.items() if value}


def step_seconds(time: str) -> int:
    return parse_time(time) // 10**9


def groups(spec: QuerySpec, rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        key = [oracle.key(row.data[b]) if b in row.data else None for b in spec.breakdowns]
        found.setdefault(json.dumps(key), []).append(row)
    return found


def group_key(spec: QuerySpec, data: dict[str, Any]) -> str:
    return json.dumps([data[b] for b in spec.breakdowns])


@CHECKED
@given(rows=ROWS, cuts=CUTS, breakdowns=st.sampled_from([(), ("name",)]),
       step_s=st.sampled_from([1, 7, 100]), unweighted=st.booleans())  # fmt: skip
def test_open_spans_are_counted_as_plain_python_counts_them(
    rows: list[Row],
    cuts: list[int],
    breakdowns: tuple[str, ...],
    step_s: int,
    unweighted: bool,
    tmp_path: Path,
) -> None:
    spec = QuerySpec((SPANS, NAMED, Calculation("COUNT")), breakdowns=breakdowns, start_s=0,
                     end_s=SPAN_S, granularity_s=step_s, unweighted=unweighted)  # fmt: skip
    asked = asked_of(spec)
    for data in both_ways(asked, split(rows, cuts, tmp_path)):
        named = [row for row in rows if "name" in row.data]
        for label, some in (("CONCURRENCY", rows), ("named", named)):
            whole = step_oracle.concurrency(asked, some)
            assert by_step(asked, data["total_by_aggregate_series"], label) == whole
            assert data["total_by_aggregate"][label] == max(whole.values(), default=0)
            listed = {group_key(spec, row["data"]): row["data"] for row in data["results"]}
            for key, held in groups(spec, some).items():
                expected = step_oracle.concurrency(asked, held)
                found = [r for r in data["series"] if group_key(spec, r["data"]) == key]
                assert by_step(asked, found, label) == expected
                if expected:
                    assert listed[key][label] == max(expected.values())
                elif key in listed:
                    assert listed[key][label] == 0


@CHECKED
@given(rows=ROWS, cuts=CUTS, breakdowns=st.sampled_from([(), ("name",)]),
       step_s=st.sampled_from([1, 7, 50]))  # fmt: skip
def test_rates_are_those_of_plain_python(
    rows: list[Row], cuts: list[int], breakdowns: tuple[str, ...], step_s: int, tmp_path: Path
) -> None:
    spec = QuerySpec(RATES, breakdowns=breakdowns, start_s=0, end_s=SPAN_S, granularity_s=step_s)
    asked = asked_of(spec)
    data = both_ways(asked, split(rows, cuts, tmp_path))[0]
    rows = [row for row in rows if 0 <= row.time_ns < asked.end_ns]
    for rate in RATES:
        whole = step_oracle.rates(asked, rate, rows)
        series = by_step(asked, data["total_by_aggregate_series"], rate.label)
        assert_near(series, {step: value for step, value in whole.items() if value})
        total = data["total_by_aggregate"][rate.label]
        assert oracle.same(total, step_oracle.rate(asked, rate, rows))
        listed = {group_key(spec, row["data"]): row["data"] for row in data["results"]}
        for key, held in groups(spec, rows).items():
            expected = step_oracle.rates(asked, rate, held)
            found = [row for row in data["series"] if group_key(spec, row["data"]) == key]
            series = by_step(asked, found, rate.label)
            assert_near(series, {step: value for step, value in expected.items() if value})
            assert oracle.same(listed[key][rate.label], step_oracle.rate(asked, rate, held))


def assert_near(mine: dict[int, Any], other: dict[int, Any]) -> None:
    assert mine.keys() == other.keys()
    assert all(oracle.same(value, other[step]) for step, value in mine.items())


def test_steps_in_which_spans_are_open_are_bounded_though_their_events_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = QuerySpec((SPANS,), breakdowns=("name",), start_s=0, end_s=SPAN_S, granularity_s=1)
    asked = asked_of(spec)
    steps = with_steps(asked, totals_plan(asked, at_least={}, wait_ms=0))
    rows = [Row(0, {"duration_ms": 1e9, "name": f"{at}"}) for at in range(20)]
    states = shares(steps, [view(blocks=[block(rows)])])
    monkeypatch.setattr(limits, "SHARE_ROWS_MAX", 20 * SPAN_S)
    assert merge_at_once(asked, steps, states) is not None
    monkeypatch.setattr(limits, "SHARE_ROWS_MAX", 20 * SPAN_S - 1)
    with pytest.raises(ShareTooHeavy):
        merge_at_once(asked, steps, states)
