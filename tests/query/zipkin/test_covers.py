"""Answers tell what they cover, and are bounded."""

import json
from pathlib import Path

import pytest

from common import limits
from tests.query.zipkin.stored import BASE_US, get, zipkin_harness
from tests.query.zipkin.test_traces import OTLP_ID, ROWS, TRACE

RANGE = f"endTs={BASE_US // 1_000 + 1}"
PATHS = (
    f"services?{RANGE}",
    f"spans?serviceName=web&{RANGE}",
    f"traces?{RANGE}",
    f"trace/{TRACE}",
    f"traceMany?traceIds={TRACE}",
    f"dependencies?{RANGE}",
)


async def test_what_is_missing_is_told(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        server.indexers["a"].refuse = True
        for path in PATHS:
            mark = "&" if "?" in path else "?"
            status, found, headers = await get(server, f"/api/v2/{path}{mark}coverage=accept")
            assert (status, found, headers["X-Bellwether-Complete"]) == (200, [], "false"), path
            status, error, _ = await get(server, f"/api/v2/{path}{mark}coverage=require")
            assert status == 503, (path, error)
        assert (await get(server, f"/api/v2/{PATHS[0]}&coverage=all"))[0] == 422


async def test_lists_and_traces_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ZIPKIN_NAMES_MAX", 2)
    monkeypatch.setattr(limits, "ZIPKIN_SPANS_MAX", 2)
    monkeypatch.setattr(limits, "ZIPKIN_CALLS_MAX", 1)
    async with zipkin_harness(tmp_path, ROWS) as server:
        _, names, headers = await get(server, f"/api/v2/services?{RANGE}")
        assert len(names) == 2
        assert json.loads(headers["X-Bellwether-Notes"]) == ["only the first 2 names are here"]
        _, spans, headers = await get(server, f"/api/v2/trace/{OTLP_ID}")
        assert len(spans) == 1
        assert json.loads(headers["X-Bellwether-Notes"]) == ["only the first 2 events are here"]
        _, _, headers = await get(server, f"/api/v2/dependencies?{RANGE}")
        (note,) = json.loads(headers["X-Bellwether-Notes"])
        assert note.endswith("of the range: that is enough")
