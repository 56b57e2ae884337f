"""Totals that are made of the series of all groups are those that would be computed alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.model.times.written import rfc3339_s
from query.plan.planner import QueryRequest, build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.merge.merge import merge
from query.results.rows.results import RowMaker, groups_of, series_parts
from query.results.totals.series import (
    EncodedRows,
    GroupCounts,
    merge_at_once,
    merge_series,
    no_series,
    series_wanted,
    with_steps,
)
from query.results.totals.totals import merge_totals
from tests.query.harness import TIMES, query_harness
from tests.query.results.merge.test_merge import SPECS, VALUES, states_of
from tests.query.results.series_rows import series_rows
from tests.query.share.rows import Row

ROWS = st.lists(
    st.builds(
        Row,
        st.integers(0, 8).map(lambda s: s * 10**9),
        st.dictionaries(st.sampled_from(["x", "g", "h"]), st.sampled_from(VALUES)),
        st.sampled_from([1, 2, 1000]),
    ),
    max_size=20,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, spec=SPECS, limit=st.integers(1, 6), pairs=st.sampled_from([3, 16_384]))
def test_totals_and_series_at_once_are_those_computed_apart(
    rows: list[Row], spec: QuerySpec, limit: int, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUANTILE_EXACT_PAIRS_MAX", pairs)
    asked = request(spec, limit)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    parts = [rows[::2], rows[1::2]]
    stepped = with_steps(asked, plan)
    at_once = merge_at_once(asked, stepped, [states_of(stepped, part) for part in parts])
    apart = merge_totals(asked, plan, [states_of(plan, part) for part in parts])
    if at_once is None:
        assert pairs == 3
        return
    assert at_once.top == apart.top
    assert at_once.groups == apart.groups
    series = {"series": no_series(asked)} if not apart.top else {}
    for wanted in series_wanted(asked, plan, apart, {0: 10**6}):
        states = [states_of(wanted.plan, part) for part in parts]
        series[wanted.member] = merge_series(asked, wanted, states)
    if not spec.breakdowns:
        series["total_by_aggregate_series"] = series["series"]
    assert encoded(at_once.data) == encoded(apart.data | series)


def encoded(data: dict[str, Any]) -> bytes:
    members = {n: m.json if isinstance(m, EncodedRows) else m for n, m in data.items()}
    counts = {n: m.count for n, m in data.items() if isinstance(m, EncodedRows)}
    for name, count in counts.items():
        assert len(msgspec.json.decode(members[name])) == count
    return msgspec.json.encode([members, counts])


def request(spec: QuerySpec, limit: int) -> QueryRequest:
    given = replace(spec, granularity_s=2, limit=limit)
    return build_request(given, "d", 10**18, with_total=True, with_other=True)


def test_series_are_asked_for_at_once_where_few_cells_are_expected() -> None:
    counts = GroupCounts()
    spec = QuerySpec((), breakdowns=("g",), start_s=0, end_s=1_000, granularity_s=1)
    grouped = build_request(spec, "d", 10**18)
    alone = build_request(QuerySpec((), start_s=0, end_s=1_000, granularity_s=1), "d", 10**18)
    assert counts.few_cells(alone)
    assert not counts.few_cells(grouped)
    counts.record(grouped, limits.SERIES_AT_ONCE_CELLS_MAX // 1_001)
    assert counts.few_cells(grouped)
    counts.record(grouped, limits.SERIES_AT_ONCE_CELLS_MAX // 1_001 + 1)
    assert not counts.few_cells(grouped)


def test_only_some_numbers_of_groups_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GROUP_COUNTS_MAX", 2)
    counts, asked = GroupCounts(), []
    for name in "abc":
        spec = QuerySpec((), breakdowns=(name,), start_s=0, end_s=10)
        asked.append(build_request(spec, "d", 10**18))
        counts.record(asked[-1], 1)
    assert [counts.few_cells(one) for one in asked] == [False, True, True]


async def test_a_question_asked_again_takes_one_share_of_an_indexer(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a",)) as running:
        seen = running.indexers["a"].versions
        answers: list[Any] = []
        for shares in (2, 1):  # at first the number of groups is not known
            seen.clear()
            answer = await running.ask({**TIMES, "breakdowns": ["none"]})
            assert len(seen) == shares
            answers.append(answer["data"])
        assert answers[0] == answers[1]
        assert answers[0]["series"]
        seen.clear()
        await running.ask({**TIMES})
        assert len(seen) == 1


def test_a_listed_group_that_the_series_lack_is_not_taken_for_the_missing_field() -> None:
    spec = QuerySpec((Calculation("COUNT"),), breakdowns=("g",), start_s=0, end_s=9)
    asked = request(spec, 6)
    plan = with_steps(asked, totals_plan(asked, at_least={}, wait_ms=0))
    merged = merge(plan, [states_of(plan, [Row(0, {"g": 1}), Row(0, {}), Row(0, {"g": 2})])])
    rows = series_rows(asked, plan, merged, [("5",), (None,)])
    assert [row["data"] for row in rows] == [{"g": None, "COUNT": 1}]


ODD_KEYS: list[Any] = ["", "a", 'quote " and \\', "ü\0\n", ",", 5, -(2**63), 0.5, 1e20, True, False]


def test_rows_of_series_are_the_json_of_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a field named as a calculation, whose value is shown then, and in several parts."""
    monkeypatch.setattr("query.results.rows.results._ROWS_AT_ONCE", 3)
    rows = [
        Row(second * 10**9, {"g": key, "COUNT": key, "x": value})
        for at, key in enumerate(ODD_KEYS)
        for second, value in ((at % 7, 0.1), (2, 1e22), (2, at))
    ]
    names = ("COUNT", "SUM", "P50", "MAX", "AVG")
    asked = request(
        QuerySpec(
            tuple(Calculation(op, None if op == "COUNT" else "x") for op in names),
            breakdowns=("g", "COUNT"),
            start_s=0,
            end_s=9,
        ),
        100,
    )
    plan = with_steps(asked, totals_plan(asked, at_least={}, wait_ms=0))
    merged = merge(plan, [states_of(plan, rows)])
    groups = groups_of(plan, merged, np.arange(merged.cells))
    groups = list(dict.fromkeys(groups))
    shown = RowMaker(asked.spec, plan, merged).rows(np.arange(merged.cells))
    steps = merged.keys.column("b").to_pylist()
    every = groups_of(plan, merged, np.arange(merged.cells))
    ordered = sorted(range(merged.cells), key=lambda cell: (steps[cell], groups.index(every[cell])))
    expected = [
        {"time": rfc3339_s(steps[cell] * asked.step_ns), "data": shown[cell]} for cell in ordered
    ]
    parts = list(series_parts(asked, plan, merged, groups))
    assert len(parts) > 2
    assert b",".join(part.json for part in parts) == msgspec.json.encode(expected)[1:-1]
