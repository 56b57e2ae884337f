"""OTLP/JSON over HTTP, against a real shepherd: the same events as protobuf gives."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from common.scan.work_budget import Work
from shepherd.config import ShepherdConfig
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.transcode import to_protobuf
from tests.kernel_cache import KERNEL_CACHE
from tests.shepherd.harness import TOKEN, Shepherd, shepherd
from tests.shepherd.otlp.json.same import RECORDED

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


async def stored(server: Shepherd, dataset: str) -> list[tuple[int, int, Any]]:
    """The dataset's events in the log, in an order of their own."""
    events = [(event.time_ns, event.rate, event.data) for event in await server.events(dataset)]
    return sorted(events, key=repr)


async def both(server: Shepherd, signal: Signal) -> tuple[list[Any], list[Any]]:
    """What is stored of the recorded request as JSON, and of the same one as protobuf."""
    headers = {"X-Honeycomb-Dataset": "as-json"}
    text = RECORDED[signal].encode()
    metrics = signal is Signal.METRICS  # go where the header says; a gauge's value is null
    refused = {"rejectedDataPoints": "1", "errorMessage": "gauge: has no value"}
    expected = {"partialSuccess": refused} if metrics else {}
    assert (await server.post(f"/v1/{signal}", text, JSON | headers))[:2] == (200, expected)
    other = text.replace(b'"shop"', b'"shop2"')
    headers = {"X-Honeycomb-Dataset": "as-protobuf"}
    message = to_protobuf(signal, other, Work())
    assert (await server.post(f"/v1/{signal}", message, PROTOBUF | headers))[0] == 200
    as_json = await stored(server, "as-json" if metrics else "shop")
    as_protobuf = await stored(server, "as-protobuf" if metrics else "shop2")
    for events, service in ((as_json, "shop"), (as_protobuf, "shop2")):
        for _, _, data in events:
            assert data.pop("service.name") == service
    return as_json, as_protobuf


@pytest.mark.parametrize("signal", list(Signal))
async def test_json_and_protobuf_of_the_same_items_are_the_same_events(
    tmp_path: Path, signal: Signal
) -> None:
    async with shepherd(tmp_path) as server:
        as_json, as_protobuf = await both(server, signal)
    assert as_json
    assert sorted(as_json, key=repr) == sorted(as_protobuf, key=repr)


async def test_what_the_javascript_sdk_writes_is_stored_as_it_was_meant(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        spans, _ = await both(server, Signal.TRACES)
        both_signals, _ = await both(server, Signal.LOGS)  # of one service: in one dataset
        metrics, _ = await both(server, Signal.METRICS)
    (span,) = [data for _, _, data in spans if data.get("name") == "POST /cart"]
    assert span["trace.trace_id"] == "5b8efff798038103d269b633813fc60c"
    assert span["trace.parent_id"] == "eee19b7ec3c1b173"
    (record,) = [data for _, _, data in both_signals if data["meta.signal_type"] == "log"]
    for data in (span, record):
        assert data["beyond 64 bits"] == 1e21
        assert data["from 2 to the 63"] == 2.0**63
        assert data["half a pair"] == "a\ufffdb"
        assert data["bytes"] == '"AP8+Pw=="\n'
        assert data["mixed"] == '["a",1,0.25,true,null]\n'
        assert data["map.b.c"] == "d"
        assert "not a number" not in data
        assert "nothing" not in data
    assert record["severity"] == "error"
    assert record["body.message"] == "out of stock"
    values: dict[str, Any] = {}
    for _, _, data in metrics:
        values |= data
    assert values["sum"] in (3.0, 0.5)
    assert (values["histogram.count"], values["histogram.sum"]) == (3, 12.5)
    assert values["exponential.max"] == 9.0
    assert "gauge" not in values  # it was not a number


async def test_the_compiled_transcoder_serves_once_it_is_there_and_gives_the_same(
    tmp_path: Path,
) -> None:
    config = ShepherdConfig(port=0, kernel_cache=str(KERNEL_CACHE))
    text = RECORDED["traces"].encode()
    async with shepherd(tmp_path, config) as server:
        assert (await server.post("/v1/traces", text, JSON))[0] == 200
        by_reference = await stored(server, "shop")
        async with asyncio.timeout(600):
            while await active(server) != "kernel":  # noqa: ASYNC110 - another process compiles
                await asyncio.sleep(0.05)
        again = text.replace(b'"shop"', b'"shop2"')
        assert (await server.post("/v1/traces", again, JSON))[0] == 200
        by_kernel = await stored(server, "shop2")
    for event in (*by_reference, *by_kernel):
        del event[2]["service.name"]
    assert by_kernel == by_reference


async def active(server: Shepherd) -> str:
    headers = {"X-Bellwether-Internal-Token": TOKEN}
    async with server.http.get(f"{server.internal}/internal/placement", headers=headers) as reply:
        return str((await reply.json())["otlp_transcoder"])


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json"]
)
async def test_the_content_type_may_have_a_charset(tmp_path: Path, content_type: str) -> None:
    async with shepherd(tmp_path) as server:
        body = RECORDED["traces"].encode()
        status, answer, headers = await server.post(
            "/v1/traces/", body, {"Content-Type": content_type}
        )
        assert (status, answer) == (200, {})
        assert headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"\x0a\x00", b'{"resourceSpans":', b'{"resourceSpans":[7]}']
)
async def test_what_is_no_request_is_refused_in_json_and_nothing_is_stored(
    tmp_path: Path, body: bytes
) -> None:
    async with shepherd(tmp_path) as server:
        status, answer, headers = await server.post("/v1/traces", body, JSON)
        assert status == 400
        assert headers["Content-Type"].startswith("application/json")
        assert "message" in answer
        assert not await server.records()
        good = await server.post("/v1/traces", RECORDED["traces"].encode(), JSON)
        assert good[0] == 200
