"""`POST /bw/1/traces` of a running query role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from common.process.versions import OWN
from tests.query.harness import BASE_S, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Row


def span(at: int, trace: str, name: str, parent: int = 0, **more: Any) -> Row:
    data: dict[str, Any] = {
        "trace.trace_id": trace * 32,
        "trace.span_id": f"{at:016x}",
        "name": name,
        "service.name": "front",
        "duration_ms": 1.5,
        **more,
    }
    if parent:
        data["trace.parent_id"] = f"{parent:016x}"
    return Row(BASE_S * 10**9 + at * 10**6, data)


ROWS = [
    span(1, "a", "checkout"),
    span(2, "a", "charge", parent=1, error=True),
    span(3, "b", "checkout"),
    span(4, "b", "charge", parent=3),
    span(5, "c", "login", duration_ms=250.0),
    *(Row(BASE_S * 10**9, {"no": "trace"}) for _ in range(60)),
    span(6, "b", "charge", parent=3, **{"service.name": "cards"}),
]


@asynccontextmanager
async def harness(tmp_path: Path) -> AsyncIterator[QueryHarness]:
    async with query_harness(tmp_path, rows=ROWS) as running:
        running.indexers["a"].announce(OWN)
        yield running


def ids(answer: Any) -> list[str]:
    return [one["trace_id"][0] for one in answer["traces"]]


async def test_a_text_with_conditions_on_several_spans_finds_its_traces(tmp_path: Path) -> None:
    range_ = f"SINCE {BASE_S} UNTIL {BASE_S + 60}"
    async with harness(tmp_path) as running:
        for text, found in [
            ("WHERE root.name = checkout AND none.error = true", ["b"]),
            ("WHERE root.name = checkout AND any.error = true", ["a"]),
            ('WHERE any.name = "charge" AND any2.service.name = cards', ["b"]),
            ("WHERE child.name = charge", ["b", "a"]),
            ("WHERE error = true AND parent.name = checkout", ["a"]),
            ("WHERE error = true AND parent.name = charge", []),
            ("", ["c", "b", "a"]),
            ("LIMIT 1", ["c"]),
        ]:
            status, answer = await running.post("/bw/1/traces", {"query": f"{text} {range_}"})
            assert status == 200, answer
            assert ids(answer) == found, text
            assert answer["coverage"]["complete"]


async def test_a_trace_is_shown_by_its_root_and_what_its_spans_come_to(tmp_path: Path) -> None:
    filters = [{"column": "root.name", "op": "=", "value": "checkout"}]
    body = {**TIMES, "filters": filters, "order": "spans", "limit": 1, "datasets": ["shop"]}
    async with harness(tmp_path) as running:
        status, answer = await running.post("/bw/1/traces", body)
    assert status == 200, answer
    assert answer["traces"] == [
        {
            "trace_id": "b" * 32,
            "start": "2023-11-14T22:13:20.003000000Z",
            "duration_ms": 4.5,
            "root": {
                "name": "checkout",
                "service": "front",
                "start": "2023-11-14T22:13:20.003000000Z",
                "duration_ms": 1.5,
                "error": False,
            },
            "spans": 3,
            "errors": 0,
            "services": ["cards", "front"],
        }
    ]
    assert answer["found"] == 2
    assert answer["margin_s"] == 3_600
    assert answer["start"] == "2023-11-14T22:13:20.000000000Z"


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        ({"query": "WHERE root.a = 1 OR b = 2"}, "filters", "joined by AND, not by OR"),
        ({"query": "COUNT GROUP BY name"}, "query", "by WHERE and a time range alone"),
        ({"query": "FROM shop WHERE a = 1"}, "query", "use the member `datasets`"),
        ({"query": "WHERE ="}, "query", "expected"),
        ({"query": "", "filters": []}, "filters", "stands in the text"),
        ({"order": "odd"}, "order", "newest, slowest, spans"),
        ({"limit": 0}, "limit", "between 1 and 1000"),
        ({"datasets": []}, "datasets", "leave it out for all"),
        ({"breakdowns": ["a"]}, "breakdowns", "is not a part of a search"),
    ],
)
async def test_what_cannot_be_searched_is_refused_by_name(
    tmp_path: Path, body: dict[str, Any], field: str, why: str
) -> None:
    async with harness(tmp_path) as running:
        status, fault = await running.post("/bw/1/traces", body)
    assert status == 422
    [detail] = fault["type_detail"]
    assert detail["field"] == field
    assert why in detail["description"]


async def test_the_key_and_the_datasets_are_checked(tmp_path: Path) -> None:
    async with harness(tmp_path) as running:
        assert (await running.post("/bw/1/traces", {}, key="INGEST"))[0] == 403
        assert (await running.post("/bw/1/traces", {"datasets": ["nothing"]}))[0] == 404
        assert (await running.post("/bw/1/traces", {}))[0] == 200
