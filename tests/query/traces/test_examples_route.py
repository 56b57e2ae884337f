"""`POST /bw/1/traces/examples` of a running query role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from common.process.versions import OWN
from tests.query.harness import BASE_S, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Row
from tests.query.traces.test_search_route import span

_MS = [1.0, 5.0, 6.0, 7.0, 900.0]
ROWS = [
    *(span(at, "abcde"[at], "query", duration_ms=ms) for at, ms in enumerate(_MS)),
    span(10, "f", "query", duration_ms=2.0, error=True),
    span(11, "f", "query", duration_ms=0.5, error="false"),
    span(12, "0", "other", duration_ms=5_000.0, status_code=2),
    span(13, "1", "text", duration_ms="long"),
    Row(BASE_S * 10**9, {"duration_ms": 1e6, "name": "query"}),  # in no trace
    *(Row(BASE_S * 10**9, {"size": float(n)}) for n in range(50)),
]


@asynccontextmanager
async def harness(tmp_path: Path) -> AsyncIterator[QueryHarness]:
    async with query_harness(tmp_path, rows=ROWS) as running:
        running.indexers["a"].announce(OWN)
        yield running


async def examples(running: QueryHarness, name: str, **more: Any) -> dict[str, Any]:
    query = {**TIMES, "filters": [{"column": "name", "op": "=", "value": name}]}
    body = {"dataset": "shop", "query": query, **more}
    status, answer = await running.post("/bw/1/traces/examples", body)
    assert status == 200, answer
    return dict(answer)


def trace_of(example: dict[str, Any] | None) -> tuple[str, float | None] | None:
    return None if example is None else (example["trace_id"][0], example["value"])


async def test_the_slowest_the_one_near_the_median_and_a_failed_span_are_found(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as running:
        answer = await examples(running, "query")
    assert trace_of(answer["slowest"]) == ("e", 900.0)
    assert trace_of(answer["typical"]) == ("b", 5.0)
    assert trace_of(answer["failed"]) == ("f", 2.0)
    assert answer["failed"]["span_id"] == f"{10:016x}"
    assert answer["events"] == 7
    assert answer["coverage"]["complete"]


async def test_what_has_no_number_or_is_in_no_trace_is_no_example(tmp_path: Path) -> None:
    async with harness(tmp_path) as running:
        other = await examples(running, "other")
        text = await examples(running, "text")
        none = await examples(running, "nothing has this name")
    # a status of 2 is a failure
    assert trace_of(other["failed"]) == trace_of(other["slowest"]) == ("0", 5_000.0)
    for answer, events in ((text, 1), (none, 0)):
        assert [answer[name] for name in ("slowest", "typical", "failed", "median")] == [None] * 4
        assert answer["events"] == events


async def test_conditions_mean_what_they_do_in_a_query_and_a_column_says_what_is_compared(
    tmp_path: Path,
) -> None:
    query = {
        **TIMES,
        "filter_combination": "OR",
        "filters": [
            {"column": "duration_ms", "op": "=", "value": 1.0},
            {"column": "duration_ms", "op": "=", "value": 7.0},
        ],
        "calculated_fields": [{"name": "less", "expression": "SUB(0, $duration_ms)"}],
        "breakdowns": ["name"],
    }
    body = {"dataset": "shop", "query": query, "column": "less"}
    any_failed = {**TIMES, "filters": [{"column": "any.error", "op": "=", "value": True}]}
    async with harness(tmp_path) as running:
        status, answer = await running.post("/bw/1/traces/examples", body)
        others = await running.post(
            "/bw/1/traces/examples", {"dataset": "shop", "query": any_failed}
        )
    assert status == others[0] == 200, (answer, others)
    assert trace_of(answer["slowest"]) == ("a", -1.0)
    assert answer["events"] == 2
    assert trace_of(others[1]["slowest"]) == ("f", 2.0)
    assert others[1]["events"] == 2


async def test_faults_name_the_member_of_the_query(tmp_path: Path) -> None:
    body = {"dataset": "shop", "query": {"filters": [{"column": "a", "op": "odd"}]}}
    async with harness(tmp_path) as running:
        status, fault = await running.post("/bw/1/traces/examples", body)
        unknown = await running.post("/bw/1/traces/examples", {"dataset": "shop", "odd": 1})
    assert status == unknown[0] == 422
    assert fault["type_detail"][0]["field"].startswith("query.filters[0]")
    assert unknown[1]["type_detail"][0]["field"] == "odd"
