"""Python's Zipkin clients, unmodified: OpenTelemetry's exporter beside its OTLP one, py_zipkin."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.zipkin.encoder import Protocol
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from py_zipkin import Encoding
from py_zipkin.zipkin import zipkin_client_span, zipkin_span

from tests.shepherd.harness import KEY, Shepherd, shepherd

pytestmark = pytest.mark.slow

SERVICE = "shop"


async def fields(server: Shepherd, dataset: str) -> list[dict[str, Any]]:
    found: list[Any] = [event.data for event in await server.events(dataset)]
    return found


def trace_work(exporters: list[Any]) -> None:
    """A span with an event, below it one that fails with an exception."""
    provider = TracerProvider(resource=Resource({"service.name": SERVICE}))
    for exporter in exporters:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("work")
    with tracer.start_as_current_span("order", kind=trace.SpanKind.SERVER) as order:
        order.add_event("checked", {"items": 3, "sizes": [1, 2]})
        order.set_attribute("http.status_code", 200)
        try:
            with tracer.start_as_current_span("pay", kind=trace.SpanKind.CLIENT):
                raise KeyError("card")
        except KeyError:
            pass
    provider.shutdown()


@pytest.mark.parametrize("version", list(Protocol), ids=lambda one: one.name)
async def test_one_trace_sent_both_ways_is_the_same_trace(
    tmp_path: Path, version: Protocol
) -> None:
    async with shepherd(tmp_path) as server:
        session = requests.Session()
        session.headers["X-Honeycomb-Team"] = KEY
        path = f"{server.url}/api/{version.value}/spans"
        # Without a length its version 1 raises a TypeError at the first text.
        zipkin = ZipkinExporter(version, path, session=session, max_tag_value_length=30_000)
        otlp = OTLPSpanExporter(f"{server.url}/v1/traces", headers={"x-honeycomb-team": KEY})
        await asyncio.to_thread(trace_work, [zipkin, otlp])
        stored = await fields(server, SERVICE)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for event in stored:
        by_name.setdefault(event["name"], []).append(event)
    assert {name: len(found) for name, found in by_name.items()} == {
        "order": 2,
        "pay": 2,
        "checked": 2,
        "exception": 2,
    }
    for one, other in by_name.values():
        for name in (
            "trace.trace_id",
            "trace.span_id",
            "trace.parent_id",
            "service.name",
            "meta.annotation_type",
            "meta.signal_type",
            "parent_name",
            "error",
            "span.num_events",
            "http.status_code",
            "exception.type",
            "exception.message",
            "exception.stacktrace",
            "exception.escaped",
            "exception.signature",
            "items",
            "sizes",
        ):
            assert one.get(name) == other.get(name), name
        if version is Protocol.V2:
            assert one.get("span.kind") == other.get("span.kind")
        if "duration_ms" in one:
            assert abs(one["duration_ms"] - other["duration_ms"]) <= 0.001
    one, other = by_name["pay"]
    assert one["status_code"] == other["status_code"] == 2
    assert one["status_message"] == other["status_message"] == "KeyError: 'card'"


@pytest.mark.parametrize("encoding", [Encoding.V1_JSON, Encoding.V2_JSON])
async def test_py_zipkin(tmp_path: Path, encoding: Encoding) -> None:
    async with shepherd(tmp_path) as server:
        answers: list[int] = []

        def send(body: Any) -> None:
            version = 1 if encoding is Encoding.V1_JSON else 2
            headers = {"X-Honeycomb-Team": KEY, "Content-Type": "application/json"}
            path = f"{server.url}/api/v{version}/spans"
            answers.append(requests.post(path, data=body, headers=headers, timeout=30).status_code)

        def work() -> None:
            with zipkin_span(
                service_name=SERVICE,
                span_name="order",
                transport_handler=send,
                encoding=encoding,
                sample_rate=100,
                port=8080,
            ) as span:
                span.update_binary_annotations({"n": "7"})
                span.add_annotation("checked")
                with zipkin_client_span(SERVICE, "pay") as child:
                    child.update_binary_annotations({"error": False})
                    child.add_sa_binary_annotation(port=99, service_name="bank", host="10.0.0.9")

        await asyncio.to_thread(work)
        stored = await fields(server, SERVICE)
    assert answers == [202]
    spans = {event["name"]: event for event in stored}
    assert sorted(spans) == ["checked", "order", "pay"]
    order, pay = spans["order"], spans["pay"]
    assert order["n"] == 7
    assert len(order["trace.trace_id"]) == 16
    assert pay["trace.parent_id"] == order["trace.span_id"]
    assert (pay["span.kind"], pay["peer.service"], pay["network.peer.port"]) == (
        "client",
        "bank",
        99,
    )
    # Whatever the tag says (false in version 1, the text False in version 2), its presence counts.
    assert (pay["error"], pay["status_message"].lower()) == (True, "false")
    assert spans["checked"]["trace.parent_id"] == order["trace.span_id"]
    assert "error" not in order
