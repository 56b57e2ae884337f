"""A comparison is what the two questions answer when they are asked one after the other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from query.plan.parts.conditions import GroupKey
from query.plan.planner import QueryRequest, build_request, totals_plan
from query.plan.read.spec import read_spec
from query.plan.spec import Calculation, QuerySpec
from query.results.answer import Answer
from query.results.compare.ask import compared
from query.results.totals.totals import Totals, merge_totals
from tests.query.harness import BASE_S, query_harness
from tests.query.results.merge.test_merge import VALUES, states_of
from tests.query.share.rows import Row

DAY_S = 86_400
ROWS = st.lists(
    st.builds(
        Row,
        st.integers(0, 19).map(lambda s: s * 10**9),
        st.dictionaries(st.sampled_from(["x", "g", "h"]), st.sampled_from(VALUES)),
        st.sampled_from([1, 2]),
    ),
    max_size=20,
)


def by_hand(rows: list[Row]) -> Callable[[QueryRequest], Any]:
    """Answers a question over these rows."""

    async def run(query: QueryRequest) -> tuple[Answer, Totals]:
        within = [row for row in rows if query.start_ns <= row.time_ns < query.end_ns]
        plan = totals_plan(query, at_least={}, wait_ms=0)
        totals = merge_totals(query, plan, [states_of(plan, part) for part in split(within)])
        return Answer(totals.data, {}, [], {}, totals.groups), totals

    return run


def split(rows: list[Row]) -> list[list[Row]]:
    return [rows[::2], rows[1::2]]


def keyed(spec: QuerySpec, rows: list[dict[str, Any]]) -> dict[GroupKey, dict[str, Any]]:
    return {tuple(map(repr, (r["data"][b] for b in spec.breakdowns))): r["data"] for r in rows}


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, breakdowns=st.sampled_from([(), ("g",), ("g", "h")]), limit=st.integers(1, 4))
async def test_a_comparison_is_the_two_questions_asked_by_hand(
    rows: list[Row], breakdowns: tuple[str, ...], limit: int
) -> None:
    calculations = (Calculation("COUNT"), Calculation("SUM", "x"))
    spec = QuerySpec(calculations, breakdowns=breakdowns, start_s=10, end_s=20, compare_s=10)
    run = by_hand(rows)

    async def whole(start_s: int) -> dict[GroupKey, dict[str, Any]]:
        alone = replace(spec, compare_s=None, start_s=start_s, end_s=start_s + 10)
        answer, _ = await run(build_request(alone, "d", 0, limit=1_000, disable_series=True))
        return keyed(spec, answer.data["results"])

    now, before = await whole(10), await whole(0)
    query = build_request(spec, "d", 0, limit=limit, disable_series=True)
    answer = await compared(run, query, 10)
    assert answer.compared is not None
    listed = keyed(spec, answer.data["results"])
    beside = keyed(spec, answer.compared.answer.data["results"])
    assert listed == {group: now[group] for group in list(now)[:limit]}
    same = [group for group in listed if group in before]
    gone = [group for group in before if group not in now][:limit]
    assert list(beside) == same + gone
    assert beside == {group: before[group] for group in same + gone}
    told = [tuple(map(repr, group.values())) for group in answer.compared.only_now]
    assert told == [group for group in listed if group not in before]
    told = [tuple(map(repr, group.values())) for group in answer.compared.only_before]
    assert told == gone


def days(service: str, today: int, before: int) -> list[Row]:
    """Events of a service today and a day before."""
    return [
        Row((start_s + i) * 10**9, {"service": service, "ms": float(i)})
        for start_s, count in ((BASE_S, today), (BASE_S - DAY_S, before))
        for i in range(count)
    ]


async def test_the_earlier_series_and_results_stand_beside_the_present_ones(
    tmp_path: Path,
) -> None:
    rows = [*days("a", 30, 20), *days("b", 10, 0), *days("c", 0, 40)]
    async with query_harness(tmp_path, rows=rows) as there:
        spec = {
            "breakdowns": ["service"],
            "start_time": BASE_S,
            "end_time": BASE_S + 100,
            "granularity": 10,
            "compare_time_offset_seconds": DAY_S,
        }
        for _ in range(2):  # the second time its series are asked for at once
            answer = await there.ask(spec, disable_total_by_aggregate=False)
            counts = [row["data"] for row in answer["data"]["results"]]
            assert counts == [{"service": "a", "COUNT": 30}, {"service": "b", "COUNT": 10}]
            beside = answer["compare"]
            assert beside["offset_s"] == DAY_S
            assert beside["range"] == {
                "start_time": BASE_S - DAY_S, "end_time": BASE_S + 100 - DAY_S, "granularity": 10,
            }  # fmt: skip
            assert [row["data"] for row in beside["data"]["results"]] == [
                {"service": "a", "COUNT": 20}, {"service": "c", "COUNT": 40},
            ]  # fmt: skip
            assert beside["only_now"] == [{"service": "b"}]
            assert beside["only_before"] == [{"service": "c"}]
            assert beside["data"]["series"] == [
                {"time": "2023-11-13T22:13:20Z", "data": {"service": "a", "COUNT": 10}},
                {"time": "2023-11-13T22:13:30Z", "data": {"service": "a", "COUNT": 10}},
            ]
            assert beside["data"]["total_by_aggregate"] == {"COUNT": 60}
            assert beside["coverage"]["complete"] is True
            assert beside["groups"]["total"] == 2
            assert beside["notes"] == []
        alone = await there.ask({**spec, "compare_time_offset_seconds": None})
        assert "compare" not in alone


async def test_any_offset_is_compared_and_a_note_tells_where_steps_differ(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=days("a", 40, 0)) as there:
        spec = {
            "start_time": BASE_S + 15,
            "end_time": BASE_S + 40,
            "granularity": 10,
            "compare_time_offset_seconds": 13,
        }
        beside = (await there.ask(spec))["compare"]
        assert beside["data"]["results"] == [{"data": {"COUNT": 25}}]
        assert sum(row["data"]["COUNT"] for row in beside["data"]["series"]) == 25
        assert beside["notes"] == [
            "13 s earlier is no multiple of the step of 10 s: the steps of the earlier range are "
            "not the same parts of it, but up to 3 s apart"
        ]


@pytest.mark.parametrize("wrong", [-1, 1.5, "1d", True, 10**12])
async def test_an_offset_is_a_positive_number_of_seconds(tmp_path: Path, wrong: object) -> None:
    async with query_harness(tmp_path) as there:
        spec = {"compare_time_offset_seconds": wrong}
        status, refused = await there.post("/1/queries/shop", spec)
        assert (status, refused["type_detail"][0]["field"]) == (422, "compare_time_offset_seconds")


@given(st.integers(1, 10**7), st.integers(1, 3 * 10**9))
def test_the_step_of_a_comparison_divides_its_offset_where_one_can(
    length: int, offset: int
) -> None:
    spec = read_spec({"time_range": length, "compare_time_offset_seconds": offset})
    step_s = build_request(spec, "d", 10**18).step_ns // 10**9
    usual_s = build_request(replace(spec, compare_s=None), "d", 10**18).step_ns // 10**9
    assert offset % step_s == 0 or step_s == usual_s
    assert length <= step_s * 1_000
    if offset % 86_400 == 0 and usual_s <= 43_200:
        assert step_s == usual_s
