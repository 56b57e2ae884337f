"""Calls between services: by parents, by shared spans, and by what a client names."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from query.zipkin.dependencies import CallSpan, dependencies
from query.zipkin.request import TimeRange
from query.zipkin.windows import newest_windows
from tests.query.zipkin.stored import BASE_US, get, rows_of, zipkin_harness


def pairs(*spans: CallSpan) -> dict[str, tuple[int, int]]:
    return {
        f"{one['parent']}>{one['child']}": (one["callCount"], one["errorCount"])
        for one in dependencies(spans)
    }


def test_a_span_below_one_of_another_service_is_a_call() -> None:
    assert pairs(
        CallSpan("t", "1", "", "web", False),
        CallSpan("t", "2", "1", "web", False),
        CallSpan("t", "3", "2", "users", True),
        CallSpan("t", "4", "2", "users", False),
        CallSpan("t", "5", "4", "db", False),
        CallSpan("other", "6", "2", "users", False),  # its parent is in another trace
        CallSpan("t", "7", "missing", "users", False),
        CallSpan("t", "8", "8", "users", False),
    ) == {"web>users": (2, 1), "users>db": (1, 0)}


def test_halves_of_a_shared_span() -> None:
    client = CallSpan("t", "1", "", "web", False, "client", "users")
    server = CallSpan("t", "1", "", "users", False, "server", "", True)
    below_server = CallSpan("t", "2", "1", "users", False)
    below_client = CallSpan("t", "3", "1", "web", False)
    third = CallSpan("t", "4", "1", "db", True)  # below the server's half
    expected = {"web>users": (1, 0), "users>db": (1, 1)}
    spans = [client, server, below_server, below_client, third]
    assert pairs(*spans) == pairs(*reversed(spans)) == expected


def test_a_client_names_a_service_that_sends_no_spans() -> None:
    assert pairs(
        CallSpan("t", "1", "", "web", True, "client", "bank"),
        CallSpan("t", "2", "", "web", False, "client", "web"),
        CallSpan("t", "3", "", "web", False, "", "cache"),
        CallSpan("t", "4", "", "web", False, "producer", "queue"),
    ) == {"web>bank": (1, 1), "web>queue": (1, 0)}


def test_windows_are_the_whole_range_once_newest_first() -> None:
    day = TimeRange(5, 5 + 86_400 * 10**9)
    windows = list(newest_windows(day))
    assert windows[0] == (day.end_ns - 60 * 10**9, day.end_ns)
    assert windows[-1][0] == day.start_ns
    assert all(a[0] == b[1] for a, b in pairwise(windows))
    assert len(windows) <= 8
    assert list(newest_windows(TimeRange(5, 5))) == []


async def test_over_http(tmp_path: Path) -> None:
    span: dict[str, Any] = {"traceId": "1", "timestamp": BASE_US, "duration": 9}
    rows = rows_of(
        [
            {**span, "id": "1", "kind": "CLIENT", "localEndpoint": {"serviceName": "web"}},
            {**span, "id": "1", "kind": "SERVER", "localEndpoint": {"serviceName": "users"},
             "shared": True, "tags": {"error": ""},
             "annotations": [{"timestamp": BASE_US, "value": "x"}]},
            {**span, "id": "2", "parentId": "1", "timestamp": BASE_US - 300 * 10**6,
             "localEndpoint": {"serviceName": "db"}},
        ]
    )  # fmt: skip
    end_ms = BASE_US // 1_000
    async with zipkin_harness(tmp_path, rows) as server:
        path = f"/api/v2/dependencies?endTs={end_ms}"
        status, found, headers = await get(server, path)
        assert (status, headers["X-Bellwether-Complete"]) == (200, "true")
        assert found == [
            {"parent": "users", "child": "db", "callCount": 1, "errorCount": 0},
            {"parent": "web", "child": "users", "callCount": 1, "errorCount": 1},
        ]
        _, found, _ = await get(server, f"{path}&lookback=1000")
        assert [one["child"] for one in found] == ["users"]
        for wrong in ("", "?endTs=x", f"?endTs={end_ms}&lookback=-1"):
            assert (await get(server, f"/api/v2/dependencies{wrong}"))[0] == 422
