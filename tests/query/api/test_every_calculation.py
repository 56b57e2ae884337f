"""Calculations over HTTP that are more than one number, and those with filters of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.process.versions import OWN
from tests.query.harness import BASE_S, ROWS, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Row

HEAT = {"op": "HEATMAP", "column": "ms"}
SLOW = {"column": "ms", "op": ">=", "value": 25}


@asynccontextmanager
async def newest(folder: Path, rows: list[Row] = ROWS) -> AsyncIterator[QueryHarness]:
    """A query role and an indexer that knows all that it asks for."""
    async with query_harness(folder, rows=rows) as there:
        there.indexers["a"].announce(OWN)
        yield there


def counted(bins: list[dict[str, Any]]) -> int:
    return sum(one["count"] for one in bins)


async def test_a_heatmap_has_the_same_bins_in_every_step_group_and_total(tmp_path: Path) -> None:
    async with newest(tmp_path) as there:
        spec = {
            "calculations": [{"op": "COUNT"}, HEAT],
            "breakdowns": ["service"],
            "granularity": 10,
            **TIMES,
        }
        bounds: list[Any] = []
        for _ in range(2):  # the second time its series are asked for at once
            answer = await there.ask(
                spec, disable_total_by_aggregate=False, disable_other_by_aggregate=False
            )
            data = answer["data"]
            total = data["total_by_aggregate"]["HEATMAP(ms)"]
            rows = [one["data"] for one in (*data["results"], *data["series"])]
            rows += [one["data"] for one in data["total_by_aggregate_series"]]
            assert all(counted(row["HEATMAP(ms)"]) == row["COUNT"] for row in rows)
            assert counted(total) == 100
            assert data["other_by_aggregate"]["HEATMAP(ms)"] == []
            known = [(one["low"], one["high"]) for one in total]
            assert known[0] == (0, 0)
            assert all(low < high for low, high in known[1:])
            assert 20 < len(known) <= 50
            used = {(one["low"], one["high"]) for row in rows for one in row["HEATMAP(ms)"]}
            assert used == set(known)
            bounds.append(known)
        assert bounds[0] == bounds[1]


async def test_a_step_without_events_has_an_empty_heatmap(tmp_path: Path) -> None:
    rows = [Row(BASE_S * 10**9, {"ms": -4}), Row((BASE_S + 50) * 10**9, {"ms": "text"})]
    async with newest(tmp_path, rows) as there:
        answer = await there.ask({"calculations": [HEAT], "granularity": 50, **TIMES})
        series = [row["data"]["HEATMAP(ms)"] for row in answer["data"]["series"]]
        [only] = series[0]
        assert (only["high"], only["count"]) == (-4, 1)
        assert only["low"] == pytest.approx(-4 * 2 ** (1 / 64))
        assert series[1] == []
        assert any("HEATMAP(ms) reads the numbers of `ms`" in note for note in answer["notes"])


async def test_calculations_have_filters_of_their_own(tmp_path: Path) -> None:
    async with newest(tmp_path) as there:
        none = {"column": "nowhere", "op": "exists"}
        slow = {"filters": [none, SLOW], "filter_combination": "OR"}
        spec = {
            "calculations": [
                {"op": "COUNT"},
                {"op": "COUNT", "name": "slow", **slow},
                {"op": "MIN", "column": "ms", "name": "least", **slow},
                {"op": "P50", "column": "ms", "name": "middle", **slow},
                {"op": "COUNT_DISTINCT", "column": "ms", "name": "kinds", **slow},
                {**HEAT, "name": "heat", **slow},
                {"op": "COUNT", "name": "never", "filters": [none]},
            ],
            "breakdowns": ["service"],
            "orders": [{"column": "slow"}, {"column": "service"}],
            **TIMES,
        }
        answer = await there.ask(spec, disable_total_by_aggregate=False)
        rows = [row["data"] for row in answer["data"]["results"]]
        for row, least in zip(rows, (25, 25.5), strict=True):
            assert (row["COUNT"], row["slow"], row["least"]) == (50, 25, least)
            assert (row["kinds"], counted(row["heat"]), row["never"]) == (25, 25, 0)
            assert row["middle"] == least + 12
        assert answer["data"]["total_by_aggregate"]["slow"] == 50
        assert answer["groups"]["all"] == {"COUNT": 100, "slow": 50, "never": 0}
        assert any("`nowhere`" in note for note in answer["notes"])


async def test_usage_mode_counts_each_event_once(tmp_path: Path) -> None:
    rows = [Row((BASE_S + i) * 10**9, {"ms": i}, rate=10) for i in range(4)]
    calculations = [{"op": op, "column": "ms"} for op in ("SUM", "AVG", "P50", "HEATMAP")]
    spec = {"calculations": [{"op": "COUNT"}, *calculations], **TIMES}
    async with newest(tmp_path, rows) as there:
        weighted, plain = [
            (await there.ask({**spec, "usage_mode": mode}))["data"]["results"][0]["data"]
            for mode in (False, True)
        ]
        assert (weighted["COUNT"], plain["COUNT"]) == (40, 4)
        assert (weighted["SUM(ms)"], plain["SUM(ms)"]) == (60, 6)
        assert weighted["AVG(ms)"] == plain["AVG(ms)"] == 1.5
        assert counted(weighted["HEATMAP(ms)"]) == 10 * counted(plain["HEATMAP(ms)"])


async def test_spans_count_as_open_until_they_end_by_the_definitions_of_the_dataset(
    tmp_path: Path,
) -> None:
    long = Row((BASE_S - 600) * 10**9, {"durationMs": 630_000.0, "name": "long"})
    short = [Row((BASE_S + at) * 10**9, {"duration_ms": 5_000, "name": "short"}) for at in (10, 12)]
    async with newest(tmp_path, [long, *short]) as there:
        spec = {"calculations": [{"op": "CONCURRENCY"}], "granularity": 10, **TIMES}
        for disabled in (False, True):
            answer = await there.ask(spec, disable_series=disabled)
            assert answer["data"]["results"] == [{"data": {"CONCURRENCY": 3}}]
        answer = await there.ask(spec)
        series = [row["data"]["CONCURRENCY"] for row in answer["data"]["series"]]
        assert series == [1, 3, 1, 1, 0, 0, 0, 0, 0, 0]
        assert any("CONCURRENCY" in note for note in answer["notes"])
        grouped = {**spec, "breakdowns": ["name"], "havings": [
            {"calculate_op": "CONCURRENCY", "op": "<", "value": 2}]}  # fmt: skip
        answer = await there.ask(grouped)
        assert answer["data"]["results"] == [{"data": {"name": "long", "CONCURRENCY": 1}}]


async def test_a_rate_is_the_change_per_second_and_begins_anew_after_a_fall(tmp_path: Path) -> None:
    rows = [Row((BASE_S + 10 * at) * 10**9, {"bytes": value, "host": "a"})
            for at, value in enumerate([100, 130, 150, 20, 40])]  # fmt: skip
    rows.append(Row((BASE_S + 70) * 10**9, {"bytes": 100, "host": "a"}))
    async with newest(tmp_path, rows) as there:
        spec = {"calculations": [{"op": "RATE_MAX", "column": "bytes"}], "granularity": 10, **TIMES}
        answer = await there.ask(spec)
        series = [row["data"]["RATE_MAX(bytes)"] for row in answer["data"]["series"]]
        assert series == [None, 3, 2, 2, 2, None, None, 2, None, None]
        whole = (30 + 20 + 20 + 20 + 60) / 70
        grouped = {**spec, "breakdowns": ["host"]}
        for asked, disabled in ((spec, False), (spec, True), (grouped, True)):
            answer = await there.ask(
                asked, disable_series=disabled, disable_total_by_aggregate=False
            )
            [row] = answer["data"]["results"]
            assert row["data"]["RATE_MAX(bytes)"] == pytest.approx(whole)
            assert answer["data"]["total_by_aggregate"]["RATE_MAX(bytes)"] == pytest.approx(whole)
            assert bool(answer["data"]["series"]) is not disabled


async def test_more_bins_than_an_answer_shows_are_refused_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with newest(tmp_path) as there:
        for breakdowns in ([], ["service"]):
            spec = {"calculations": [HEAT], "breakdowns": breakdowns, "granularity": 1, **TIMES}
            body = {"query": spec, "wait_s": 20}
            monkeypatch.setattr(limits, "HEATMAP_SHOWN_BINS_MAX", 100)
            assert (await there.post("/1/query_results/shop", body))[0] == 201
            monkeypatch.setattr(limits, "HEATMAP_SHOWN_BINS_MAX", 99)
            status, fault = await there.post("/1/query_results/shop", body)
            assert (status, "longer steps" in fault["detail"]) == (422, True)
