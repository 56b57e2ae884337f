"""Columns of a series say what its rows say, value by value, and each form becomes the other."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from query.plan.planner import totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.merge.merge import merge
from query.results.rows.results import groups_of, series_columns
from query.results.series_forms.convert import converted
from query.results.totals.series import with_steps
from tests.query.api.test_every_calculation import newest
from tests.query.harness import BASE_S, TIMES, query_harness
from tests.query.results.merge.test_merge import SPECS
from tests.query.results.series_rows import series_rows
from tests.query.results.totals.test_series import ODD_KEYS, ROWS, request, states_of
from tests.query.share.rows import Row

BEYOND_DOUBLES = 2**53 + 1


def both_forms(spec: QuerySpec, rows: list[Row]) -> tuple[list[dict[str, Any]], bytes]:
    """(rows of a series, its columns as JSON)."""
    asked = request(spec, 100)
    plan = with_steps(asked, totals_plan(asked, at_least={}, wait_ms=0))
    merged = merge(plan, [states_of(plan, rows)])
    groups = list(dict.fromkeys(groups_of(plan, merged, np.arange(merged.cells))))
    if not spec.breakdowns:
        groups = [()]
    columns = series_columns(asked, plan, merged, groups)
    shown = series_rows(asked, plan, merged, groups)
    assert columns.rows == len(shown)
    return shown, columns.json


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, spec=SPECS, at_once=st.sampled_from([1, 4_096]))
def test_columns_have_the_values_of_the_rows(
    rows: list[Row], spec: QuerySpec, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("query.results.series_forms.columns._VALUES_AT_ONCE", at_once)
    shown, columns = both_forms(spec, rows)
    as_rows = converted(columns, spec.breakdowns, "rows")
    assert as_rows == msgspec.json.encode(shown)
    again = converted(as_rows, spec.breakdowns, "columns")
    assert converted(again, spec.breakdowns, "rows") == as_rows


def test_odd_groups_stay_apart_and_keep_their_digits() -> None:
    rows = [
        Row(second * 10**9, {"g": key, "x": BEYOND_DOUBLES})
        for at, key in enumerate(ODD_KEYS)
        for second in (at % 7, 2)
    ]
    spec = QuerySpec((Calculation("MAX", "x"),), breakdowns=("g",), start_s=0, end_s=9)
    shown, columns = both_forms(spec, rows)
    found = msgspec.json.decode(columns)
    assert len(found["groups"]) == len(ODD_KEYS)
    assert {value for one in found["groups"] for value in one["values"]["MAX(x)"]} == {
        BEYOND_DOUBLES
    }
    assert converted(columns, ("g",), "rows") == msgspec.json.encode(shown)


def test_a_group_with_every_step_does_not_list_them() -> None:
    rows = [Row(second * 10**9, {"g": 1}) for second in (0, 2, 4)] + [Row(2 * 10**9, {"g": 2})]
    spec = QuerySpec((Calculation("COUNT"),), breakdowns=("g",), start_s=0, end_s=9)
    assert msgspec.json.decode(both_forms(spec, rows)[1]) == {
        "times": [0, 2, 4],
        "groups": [
            {"data": {"g": 1}, "values": {"COUNT": [1, 1, 1]}},
            {"data": {"g": 2}, "values": {"COUNT": [1]}, "steps": [1]},
        ],
    }


async def test_an_answer_is_read_in_either_form_whichever_was_asked_for(tmp_path: Path) -> None:
    async with newest(tmp_path) as running:
        spec = {
            "calculations": [{"op": "COUNT"}, {"op": "HEATMAP", "column": "ms"}],
            "breakdowns": ["service"],
            "granularity": 10,
            "compare_time_offset_seconds": 1_800,
            **TIMES,
        }
        wanted = {"disable_total_by_aggregate": False}
        rows = await running.ask(spec, **wanted)
        columns = await running.ask(spec, **wanted, series_form="columns")
        assert columns["data"]["series"]["times"] == [BASE_S + 10 * at for at in range(10)]
        assert len(rows["data"]["series"]) == 20
        for answer in (rows, columns):
            path = f"/1/query_results/shop/{answer['id']}"
            for query, expected in (
                ("", rows),
                ("?series_form=rows", rows),
                ("?series_form=columns", columns),
            ):
                status, read = await running.get(path + query)
                assert status == 200
                assert read["data"] == expected["data"]
                assert read["compare"]["data"] == expected["compare"]["data"]
        status, problem = await running.get(f"/1/query_results/shop/{rows['id']}?series_form=wide")
        assert status == 422
        assert problem["type_detail"][0]["field"] == "series_form"
        status, _ = await running.post(
            "/1/query_results/shop", {"query": spec, "series_form": ["columns"]}
        )
        assert status == 422


async def test_without_events_a_series_in_columns_is_empty_and_no_list(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        spec = {
            "breakdowns": ["service"],
            "filters": [{"column": "service", "op": "=", "value": "none"}],
            **TIMES,
        }
        for more in ({}, {"disable_series": True}):
            answer = await running.ask(spec, series_form="columns", **more)
            assert answer["data"]["series"] == {"times": [], "groups": []}


async def test_the_graph_of_an_answer_is_the_same_in_both_forms(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        spec = {"breakdowns": ["service"], "granularity": 10, **TIMES}
        images = []
        for form in ("rows", "columns"):
            answer = await running.ask(spec, series_form=form)
            url = f"{running.url}/1/query_results/shop/{answer['id']}/graph.svg"
            async with running.http.get(url, headers={"X-Honeycomb-Team": "K"}) as response:
                images.append(await response.text())
        assert images[0] == images[1]
        assert images[0].count("<polyline") == 2
