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


async def test_json_and_protobuf_of_the_same_spans_are_the_same_events(tmp_path: Path) -> None:
    text = RECORDED["traces"].encode()
    async with shepherd(tmp_path) as server:
        sent = await server.post("/v1/traces", text, JSON)
        assert sent[:2] == (200, {})
        as_json = await stored(server, "shop")
        message = to_protobuf(Signal.TRACES, text.replace(b'"shop"', b'"shop2"'), Work())
        assert (await server.post("/v1/traces", message, PROTOBUF))[0] == 200
        as_protobuf = await stored(server, "shop2")
    for event in as_protobuf:
        assert event[2].pop("service.name") == "shop2"
    for event in as_json:
        assert event[2].pop("service.name") == "shop"
    assert as_json == as_protobuf
    (span,) = [data for _, _, data in as_json if data.get("name") == "POST /cart"]
    assert span["trace.trace_id"] == "5b8efff798038103d269b633813fc60c"
    assert span["trace.parent_id"] == "eee19b7ec3c1b173"
    assert span["beyond 64 bits"] == 1e21
    assert span["from 2 to the 63"] == 2.0**63
    assert span["half a pair"] == "a\ufffdb"
    assert "not a number" not in span


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
