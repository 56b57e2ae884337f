"""A real `up`: spans of Zipkin and OTLP in, traces out as Zipkin's page and Grafana ask."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def spans_now() -> list[dict[str, Any]]:
    """A call from web to users, whose server shares the client's span, and work below it."""
    begun_us = time.time_ns() // 1_000 - 5_000_000
    common = {"traceId": TRACE, "name": "get", "localEndpoint": {"serviceName": "users"}}
    return [
        {**common, "id": "00000000000000a1", "kind": "CLIENT", "timestamp": begun_us,
         "duration": 500, "localEndpoint": {"serviceName": "web"}},
        {**common, "id": "00000000000000a1", "kind": "SERVER", "timestamp": begun_us + 20,
         "duration": 400, "shared": True, "tags": {"error": "no such user"}},
        {**common, "id": "00000000000000a2", "parentId": "00000000000000a1",
         "timestamp": begun_us + 30, "duration": 100},
    ]  # fmt: skip


def otlp_of(span: dict[str, Any]) -> dict[str, Any]:
    """A span of another service, below this one, as OTLP's JSON."""
    begun_ns = span["timestamp"] * 1_000
    sent = {
        "traceId": TRACE,
        "spanId": "00000000000000b1",
        "parentSpanId": span["id"],
        "name": "select",
        "startTimeUnixNano": str(begun_ns),
        "endTimeUnixNano": str(begun_ns + 50_000),
    }
    service = {"key": "service.name", "value": {"stringValue": "db"}}
    scopes = [{"spans": [sent]}]
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": scopes}]}


def get(system: System, path: str, after: str) -> Any:
    answer = system.http("GET", path, headers={"X-Bellwether-After": after})
    assert answer.status == 200, answer.body
    assert answer.headers["X-Bellwether-Complete"] == "true"
    return answer.json()


def test_a_trace_of_both_protocols_is_read_by_zipkins_api(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        spans = spans_now()
        answer = system.http("POST", "/api/v2/spans", spans)
        assert (answer.status, answer.body) == (202, b"")
        other = system.http("POST", "/v1/traces", otlp_of(spans[2]))
        assert other.status == 200, other.body
        receipt = "X-Bellwether-Receipt"
        after = f"{answer.headers[receipt]},{other.headers[receipt]}"
        assert get(system, "/api/v2/services", after) == ["db", "users", "web"]
        assert get(system, "/zipkin/api/v2/spans/?serviceName=db", after) == ["select"]
        trace = get(system, f"/api/v2/trace/{TRACE.upper()}", after)
        assert [one for one in trace if one["localEndpoint"] != {"serviceName": "db"}] == spans
        (child,) = [one for one in trace if one["localEndpoint"] == {"serviceName": "db"}]
        assert (child["parentId"], child["duration"]) == ("00000000000000a2", 50)
        found = get(system, "/api/v2/traces?serviceName=db&limit=1&lookback=3600000", after)
        assert found == [trace]
        calls = get(system, f"/api/v2/dependencies?endTs={time.time_ns() // 10**6}", after)
        assert {(one["parent"], one["child"]): one["errorCount"] for one in calls} == {
            ("web", "users"): 1,
            ("users", "db"): 0,
        }
        shown = system.run("trace", TRACE).stdout
        assert "select  [db]" in shown
        assert "shared id" in shown
