"""Traces as Zipkin has them: what was sent comes back, OTLP's spans too, and what has no place."""

from pathlib import Path
from typing import Any

import pytest

from tests.query.share.rows import Row
from tests.query.zipkin.stored import BASE_US, fields, get, rows_of, zipkin_harness

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT: dict[str, Any] = {
    "traceId": TRACE,
    "id": "00000000000000a1",
    "name": "get",
    "kind": "CLIENT",
    "timestamp": BASE_US,
    "duration": 500,
    "localEndpoint": {"serviceName": "web", "ipv4": "10.0.0.1", "port": 80},
    "remoteEndpoint": {"serviceName": "users", "ipv6": "2001:db8::1"},
    "annotations": [
        {"timestamp": BASE_US + 5, "value": "sent"},
        {"timestamp": BASE_US + 9, "value": '{"checked":{"items":3,"sizes":"[1]\\n"}}'},
    ],
    "tags": {
        "http.method": "GET",
        "http.status_code": "200",
        "flag": "true",
        "id": "x",
        "v": "1.10",
    },
    "debug": True,
}
SERVER: dict[str, Any] = {
    "traceId": TRACE,
    "id": "00000000000000a1",
    "name": "get",
    "kind": "SERVER",
    "timestamp": BASE_US + 20,
    "duration": 400,
    "localEndpoint": {"serviceName": "users"},
    "tags": {"error": "no such user"},
    "shared": True,
}
LOCAL: dict[str, Any] = {
    "traceId": TRACE,
    "id": "00000000000000a2",
    "parentId": "00000000000000a1",
    "name": "read",
    "timestamp": BASE_US + 30,
    "duration": 1,
    "localEndpoint": {"serviceName": "users"},
}
OTHER: dict[str, Any] = {**LOCAL, "traceId": "00000000000000ff", "id": "00000000000000b1"}
OTLP_ID = "0102030405060708090a0b0c0d0e0f10"
OTLP = [
    Row(
        BASE_US * 1_000 + 7,
        fields(
            {
                "trace.trace_id": OTLP_ID,
                "trace.span_id": "00000000000000c1",
                "name": "work",
                "service.name": "shop",
                "type": "internal",
                "span.kind": "internal",
                "duration_ms": 0.0,
                "status_code": 2,
                "status_message": "boom",
                "error": True,
                "span.num_links": 1,
                "span.num_events": 1,
                "meta.signal_type": "trace",
                "telemetry.sdk.name": "opentelemetry",
                "n": 7,
                "ratio": 0.5,
                "list": "[1,2]\n",
            }
        ),
    ),
    Row(
        BASE_US * 1_000 + 2_000,
        fields(
            {
                "trace.trace_id": OTLP_ID,
                "trace.parent_id": "00000000000000c1",
                "name": "retry",
                "parent_name": "work",
                "service.name": "shop",
                "telemetry.sdk.name": "opentelemetry",
                "meta.annotation_type": "span_event",
                "meta.signal_type": "trace",
                "meta.time_since_span_start_ms": 0.002,
                "error": True,
                "attempt": 2,
            }
        ),
    ),
    Row(
        BASE_US * 1_000 + 7,
        fields(
            {
                "trace.trace_id": OTLP_ID,
                "trace.parent_id": "00000000000000c1",
                "trace.link.trace_id": TRACE,
                "trace.link.span_id": "00000000000000a1",
                "parent_name": "work",
                "meta.annotation_type": "link",
                "meta.signal_type": "trace",
            }
        ),
    ),
    Row(
        BASE_US * 1_000 + 9_000,
        fields(
            {
                "trace.trace_id": OTLP_ID,
                "trace.parent_id": "00000000000000c1",
                "body": "out of stock",
                "severity": "warn",
                "meta.annotation_type": "span_event",
                "meta.signal_type": "log",
            }
        ),
    ),
    Row(
        BASE_US * 1_000 + 9_000,
        fields({"trace.trace_id": OTLP_ID, "trace.parent_id": "00000000000000dd", "msg": "lost"}),
    ),
]
OK_ID = "00000000000000e1"
OK_SPAN = Row(
    BASE_US * 1_000,
    fields(
        {
            "trace.trace_id": OK_ID,
            "trace.span_id": "E1",
            "name": "fine",
            "error": False,
            "status_code": 1,
            "duration_ms": 1.5,
            "network.peer.address": "db.internal",
        }
    ),
)
HTTP_ID = "00000000000000e2"
HTTP_EVENT = Row(
    BASE_US * 1_000,
    fields(
        {"traceId": HTTP_ID, "id": "e2", "serviceName": "old", "status_code": 404, "durationMs": 2}
    ),
)
ROWS = [*rows_of([CLIENT, SERVER, LOCAL, OTHER]), *OTLP, OK_SPAN, HTTP_EVENT]


async def test_spans_come_back_as_they_were_sent(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        for prefix in ("/api/v2", "/zipkin/api/v2"):
            for spelled in (TRACE, TRACE.upper()):
                status, spans, headers = await get(server, f"{prefix}/trace/{spelled}")
                assert (status, headers["X-Bellwether-Complete"]) == (200, "true")
                assert "X-Bellwether-Notes" not in headers
                assert spans == [CLIENT, SERVER, LOCAL]


async def test_spans_of_otlp(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        _, spans, headers = await get(server, f"/api/v2/trace/{OTLP_ID}")
        assert spans == [
            {
                "traceId": OTLP_ID,
                "id": "00000000000000c1",
                "name": "work",
                "timestamp": BASE_US,
                "duration": 1,
                "localEndpoint": {"serviceName": "shop"},
                "tags": {
                    "error": "boom",
                    "telemetry.sdk.name": "opentelemetry",
                    "n": "7",
                    "ratio": "0.5",
                    "list": "[1,2]\n",
                    "otlp.link.0": f"{TRACE}|00000000000000a1||{{}}|0",
                },
                "annotations": [
                    {"timestamp": BASE_US + 2, "value": '{"retry":{"attempt":2}}'},
                    {"timestamp": BASE_US + 9, "value": '{"out of stock":{"severity":"warn"}}'},
                ],
            }
        ]
        assert headers["X-Bellwether-Notes"] == (
            '["1 events belong to no span that is here: left out"]'
        )


async def test_a_span_that_has_not_failed_has_no_tag_error(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        _, (span,), _ = await get(server, f"/api/v2/trace/{OK_ID}")
        assert span["tags"] == {"otel.status_code": "OK", "network.peer.address": "db.internal"}
        assert (span["id"], span["duration"]) == (OK_ID, 1_500)
        assert span["localEndpoint"] == {"serviceName": "shop"}  # the dataset, without a service
        _, (span,), _ = await get(server, f"/api/v2/trace/{HTTP_ID}")
        assert span["tags"] == {"status_code": "404"}
        assert (span["duration"], span["localEndpoint"]["serviceName"]) == (2_000, "old")


async def test_many_traces(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        asked = f"/api/v2/traceMany?traceIds={TRACE},ff,{'9' * 32},{TRACE}"
        status, traces, _ = await get(server, asked)
        assert status == 200
        assert {trace[0]["traceId"]: len(trace) for trace in traces} == {
            TRACE: 3,
            "00000000000000ff": 1,
        }
        for wrong in ("/api/v2/traceMany", "/api/v2/traceMany?traceIds=,"):
            status, error, _ = await get(server, wrong)
            assert (status, error["type_detail"][0]["field"]) == (422, "traceIds")
        many = ",".join(f"{n:x}" for n in range(101))
        assert (await get(server, f"/api/v2/traceMany?traceIds={many}"))[0] == 422


async def test_a_trace_that_is_not_there(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        status, error, _ = await get(server, f"/api/v2/trace/{'9' * 32}")
        assert (status, error["error"]) == (404, f"no span has the trace id {'9' * 32}")
        assert (await get(server, f"/api/v2/trace/{'9' * 300}"))[0] == 422


@pytest.mark.parametrize(
    ("key", "status"), [("nobody", 401), ("INGEST", 403), ("NOQUERY", 403), ("OTHER", 200)]
)
async def test_keys(tmp_path: Path, key: str, status: int) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        for path in ("/health", "/zipkin/config.json", "/api/v2/autocompleteKeys"):
            assert (await get(server, path, key))[0] == status


async def test_what_zipkins_page_asks_first(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        _, config, _ = await get(server, "/zipkin/config.json")
        assert (config["searchEnabled"], config["dependency"]) == (True, {"enabled": True})
        assert (await get(server, "/health"))[1]["status"] == "UP"
        assert (await get(server, "/api/v2/autocompleteKeys"))[1] == []
        assert (await get(server, "/api/v2/autocompleteValues?key=x"))[1] == []
