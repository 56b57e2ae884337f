"""`GET /bw/1/traces/{id}` of a running query role, over indexers that answer shares."""

from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.process.versions import OWN
from tests.query.harness import BASE_S, QueryHarness, query_harness
from tests.query.share.rows import Row
from tests.waiting import eventually

TRACE = "00000000000000aa00000000000000bb"
ROWS = [
    Row((BASE_S + n) * 10**9, {
        "trace.trace_id": TRACE, "trace.span_id": f"{n + 1:x}", "name": f"step {n}",
        "duration_ms": 500.0, **({"trace.parent_id": "1"} if n else {}),
    })
    for n in range(100)
]  # fmt: skip


async def answer_to(running: QueryHarness, path: str, status: int = 200, key: str = "K") -> Any:
    found, answer = await running.get(f"/bw/1/traces/{path}", key)
    assert found == status, answer
    return answer


async def ready(running: QueryHarness) -> None:
    """The indexers say what they understand; the role has seen it."""
    for indexer in running.indexers.values():
        indexer.announce(OWN)

    async def complete() -> bool:
        status, answer = await running.get(f"/bw/1/traces/{TRACE}")
        return bool(status == 200 and answer["coverage"]["complete"])

    await eventually(complete)


async def test_a_trace_needs_a_key_with_the_right_to_query(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        await ready(running)
        answer = await answer_to(running, TRACE)
        assert (answer["spans"], answer["roots"], answer["lines_in_all"]) == (100, 1, 100)
        assert [line["depth"] for line in answer["lines"]] == [0, *[1] * 99]
        await answer_to(running, TRACE, 403, "NOQUERY")
        await answer_to(running, TRACE, 403, "INGEST")
        await answer_to(running, TRACE, 401, "nobody")


async def test_a_trace_that_is_not_there_is_404_only_if_everything_was_asked(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        await ready(running)
        refused = await answer_to(running, "cc", 404)
        assert "no event has the trace id cc" in refused["detail"]
        running.indexers["a"].views.held.pop(1)
        answer = await answer_to(running, "cc")
        assert answer["lines"] == []
        assert answer["next"] is None
        assert answer["coverage"]["complete"] is False
        assert any("no event of this trace" in note for note in answer["notes"])
        part = await answer_to(running, TRACE)
        assert part["coverage"]["complete"] is False
        assert 0 < part["spans"] < 100
        await answer_to(running, f"{TRACE}?coverage=require", 503)


async def test_pages_hold_while_partitions_answer_in_any_order(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        await ready(running)
        names, cursor = list[str](), ""
        while True:
            answer = await answer_to(running, f"{TRACE}?limit=30{cursor}")
            names += [line["name"] for line in answer["lines"]]
            if answer["next"] is None:
                break
            cursor = f"&cursor={answer['next']}"
        assert names == [f"step {n}" for n in range(100)]
        running.indexers["a"].views.held.pop(0)
        ended = await answer_to(running, f"{TRACE}?limit=30{cursor}", 410)
        assert "begin again" in ended["error"]


async def test_a_trace_with_too_long_texts_is_shown_without_them_and_one_too_large_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Row(row.time_ns, {**row.data, "message": f"{n}" * 1_000}) for n, row in enumerate(ROWS)]
    async with query_harness(tmp_path, rows=rows) as running:
        await ready(running)
        whole = await answer_to(running, TRACE)
        assert whole["lines"][7]["message"] == "7" * 1_000
        monkeypatch.setattr(limits, "SPANS_BYTES_MAX", 100_000)
        answer = await answer_to(running, TRACE)
        assert answer["spans"] == 100
        assert not any("message" in line for line in answer["lines"])
        assert any("texts of its log lines" in note for note in answer["notes"])
        monkeypatch.setattr(limits, "SPANS_BYTES_MAX", 1_000)
        refused = await answer_to(running, TRACE, 422)
        assert "name fewer fields" in refused["detail"]
        monkeypatch.undo()
        monkeypatch.setattr("query.traces.one.route.EVENTS_MAX", 99)
        assert "more than 99 events" in (await answer_to(running, TRACE, 422))["detail"]
