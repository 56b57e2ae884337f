"""OTLP over HTTP, against a real shepherd."""

import asyncio
import gzip
import math
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from common import limits
from common.errors import LogFull, LogUnavailable
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import Shepherd, shepherd
from tests.shepherd.http.test_connection import connect, post
from tests.shepherd.otlp.messages import of_service, request, span
from tests.waiting import eventually

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "identity": lambda body: body,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
}
CLASSIC = "0123456789abcdef0123456789abcdef"
NAMED = limits.OTLP_NAMED_ITEMS_MIN


def as_json(body: bytes) -> str:
    return str(json_format.MessageToJson(ExportTraceServiceRequest.FromString(body)))


def status_of(answer: bytes) -> tuple[int, str]:
    """Code and message of a google.rpc.Status."""
    assert answer[0] == 0x08
    assert answer[2] == 0x12
    length = answer[3]
    text = answer[4:]
    if length >= 128:
        length, text = length - 128 + 128 * answer[4], answer[5:]
    assert len(text) == length
    return answer[1], text.decode()


async def stored_once(server: Shepherd, dataset: str) -> list[Any]:
    """A dataset's events as an indexer takes them: of each batch id the first record."""
    events = await server.events(dataset)
    first = {event.record.batch: event.record for event in reversed(events)}
    return [event.data for event in events if first[event.record.batch] is event.record]


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces/"])
async def test_spans_are_stored_in_the_dataset_of_their_service(
    tmp_path: Path, config: ShepherdConfig, encoding: str, path: str
) -> None:
    body = request(of_service(span(), span(), service="web"), of_service(span(), service="api"))
    async with shepherd(tmp_path, config) as server:
        status, answer, headers = await server.post(
            path, ENCODED[encoding](body), {**PROTOBUF, "Content-Encoding": encoding}
        )
        assert (status, answer) == (200, b"")
        assert headers["Content-Type"] == "application/x-protobuf"
        assert headers["X-Bellwether-Receipt"].count(",") == 1
        assert len(await server.events("web")) == 2
        assert len(await server.events("api")) == 1


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("application/protobuf", "application/protobuf"),
        ("Application/X-Protobuf; a=b", "application/x-protobuf"),
    ],
)
async def test_the_answer_is_of_the_requests_type(tmp_path: Path, sent: str, answered: str) -> None:
    async with shepherd(tmp_path) as server:
        headers = {"Content-Type": sent}
        found = await server.post("/v1/traces", request(of_service(span())), headers)
        assert (found[0], found[2]["Content-Type"]) == (200, answered)
        found = await server.post("/v1/traces", b"\x0a", headers)
        assert (found[0], found[2]["Content-Type"]) == (400, answered)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
async def test_json_is_answered_as_json(tmp_path: Path, kind: str) -> None:
    text = as_json(request(of_service(span())))
    async with shepherd(tmp_path) as server:
        found = await server.post("/v1/traces", text, {"Content-Type": kind})
        assert found[:2] == (200, {})
        (event,) = await server.events("web")
        assert isinstance(event.data, dict)
        assert event.data["trace.trace_id"] == "0102030405060708090a0b0c0d0e0f10"


async def test_a_body_in_chunks(tmp_path: Path, config: ShepherdConfig) -> None:
    body = request(of_service(*[span()] * 100))

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 1000):
            yield body[at : at + 1000]

    async with (
        shepherd(tmp_path, config) as server,
        server.http.post(f"{server.url}/v1/traces", data=pieces(), headers=PROTOBUF) as reply,
    ):
        assert reply.status == 200
        assert len(await server.events("web")) == 100


@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/json"])
async def test_a_body_that_comes_too_slowly_may_be_sent_again(
    tmp_path: Path, config: ShepherdConfig, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Exporters drop for good what ends with 400 or 408."""
    monkeypatch.setattr(limits, "BODY_RATE_GRACE_S", 0.1)
    async with shepherd(tmp_path, config) as server:
        client = await connect(server)
        headers = f"Content-Type: {kind}\r\n"
        client.writer.write(post(b"", "/v1/traces", headers=headers, length=1_000))
        answer = await client.reader.readuntil(b"\r\n\r\n")
        client.writer.close()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 1\r\n" in answer.lower()


async def test_a_request_without_items_is_fine(tmp_path: Path, config: ShepherdConfig) -> None:
    async with shepherd(tmp_path, config) as server:
        assert (await server.post("/v1/traces", b"", PROTOBUF))[:2] == (200, b"")
        assert (await server.post("/v1/traces", "{}", JSON))[:2] == (200, {})
        assert await server.records() == []


@pytest.mark.parametrize("kind", ["", "text/plain", "application/grpc", "application/msgpack"])
async def test_other_types_are_refused(tmp_path: Path, config: ShepherdConfig, kind: str) -> None:
    async with shepherd(tmp_path, config) as server:
        status, answer, headers = await server.post(
            "/v1/traces", request(of_service(span())), {"Content-Type": kind}
        )
        assert status == 415
        assert headers["Content-Type"].startswith("text/plain")
        assert answer.decode() == (
            "unsupported content-type, valid types are: "
            "application/json, application/protobuf, application/x-protobuf"
        )


@pytest.mark.parametrize(
    ("body", "encoding", "status", "error"),
    [
        (b"\x0a", "", 400, "failed to parse OTLP request body: "),
        (b"\x0a\x05abc", "", 400, "failed to parse OTLP request body: "),
        (b"GET / HTTP/1.1\r\n", "", 400, "failed to parse OTLP request body: "),
        (b"not gzip", "gzip", 400, "failed to parse OTLP request body: "),
        (gzip.compress(bytes(100))[:-9], "gzip", 400, "failed to parse OTLP request body: "),
        (zstandard.compress(bytes(100))[:-1], "zstd", 400, "failed to parse OTLP request body: "),
        (b"\x78\x9c\x01", "deflate", 400, "failed to parse OTLP request body: "),
        (b"", "br", 415, "unsupported content encoding"),
        (gzip.compress(bytes(limits.OTLP_BODY_BYTES_MAX + 1)), "gzip", 413, "too large"),
    ],
)
async def test_bodies_that_cannot_be_read(
    tmp_path: Path, config: ShepherdConfig, body: bytes, encoding: str, status: int, error: str
) -> None:
    async with shepherd(tmp_path, config) as server:
        headers = {"Content-Encoding": encoding} if encoding else {}
        answered, answer, sent = await server.post("/v1/traces", body, PROTOBUF | headers)
        assert answered == status
        assert sent["Content-Type"] == "application/x-protobuf"
        code, text = status_of(answer)
        assert code == 3
        assert error in text
        answered, told, _ = await server.post("/v1/traces", body or b"x", JSON | headers)
        assert answered == status
        assert told["code"] == 3
        assert error in told["message"]
        assert await server.records() == []


async def test_keys(tmp_path: Path, config: ShepherdConfig) -> None:
    body = request(of_service(span()))
    async with shepherd(tmp_path, config) as server:
        server.add_key(CLASSIC)
        for headers, status, error in (
            ({"X-Honeycomb-Team": ""}, 401, "missing 'x-honeycomb-team' header"),
            ({"X-Honeycomb-Team": "unknown"}, 401, "unknown API key - check your credentials"),
            ({"X-Honeycomb-Team": CLASSIC}, 401, "missing 'x-honeycomb-dataset' header"),
        ):
            found = await server.post("/v1/traces", body, PROTOBUF | headers)
            assert found[0] == status
            assert status_of(found[1]) == (16, error)
        old = {"X-Honeycomb-Team": CLASSIC, "X-Honeycomb-Dataset": " All of it "}
        assert (await server.post("/v1/traces", body, PROTOBUF | old))[0] == 200
        assert (await server.post("/v1/traces", body, PROTOBUF))[0] == 200
        assert len(await server.events("all-of-it")) == 1
        assert len(await server.events("web")) == 1
        async with server.http.get(f"{server.url}/v1/traces") as reply:
            assert (reply.status, reply.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("kind", ["protobuf", "json"])
async def test_what_never_can_be_stored_is_told_by_item(
    tmp_path: Path, config: ShepherdConfig, kind: str
) -> None:
    """Another dataset than the one that there is room for; of two spans there one has an event."""
    body = request(
        of_service(span(), service="web"),
        of_service(span(events=[Span.Event(name="e")]), span(), service="more"),
    )
    async with shepherd(tmp_path, config, datasets_max=1) as server:
        assert (await server.post("/v1/traces", request(of_service(span())), PROTOBUF))[0] == 200
        if kind == "protobuf":
            status, answer, headers = await server.post("/v1/traces", body, PROTOBUF)
            partial = ExportTraceServiceResponse.FromString(answer).partial_success
            rejected, error = partial.rejected_spans, partial.error_message
        else:
            status, told, headers = await server.post("/v1/traces", as_json(body), JSON)
            rejected = int(told["partialSuccess"]["rejectedSpans"])
            error = told["partialSuccess"]["errorMessage"]
        assert (status, rejected) == (200, 2)
        assert error.startswith("this environment has 1 datasets")
        assert headers["X-Bellwether-Receipt"]
        assert len(await server.events("web")) == 2
        only = request(of_service(span(), service="more"))
        status, answer, _ = await server.post("/v1/traces", only, PROTOBUF)
        assert status == 403
        assert status_of(answer)[0] == 7


@pytest.mark.parametrize("fault", [LogUnavailable("no answer"), LogFull("full")], ids=type)
@pytest.mark.parametrize("items", [1, NAMED])
async def test_a_part_that_cannot_be_stored_now_fails_the_whole_request(
    tmp_path: Path, fault: LogUnavailable, items: int
) -> None:
    """`partial_success` would be final: the client repeats only what failed as a whole."""
    body = request(of_service(*[span()] * items, service="web"), of_service(span(), service="api"))
    async with shepherd(tmp_path, ShepherdConfig(port=0, ack_timeout_s=0.5)) as server:
        failing = server.dataset("api")
        server.log.hits = lambda record: record.dataset == failing
        server.log.fault = fault
        status, answer, headers = await server.post("/v1/traces", body, PROTOBUF)
        assert (status, status_of(answer)[0]) == (503, 14)
        assert int(headers["Retry-After"]) >= 1
        assert "X-Bellwether-Receipt" not in headers
        server.log.fault = None
        assert (await server.post("/v1/traces", body, PROTOBUF))[0] == 200
        assert len(await stored_once(server, "api")) == 1
        assert len(await server.events("web")) == 2 * items
        assert len(await stored_once(server, "web")) == (items if items == NAMED else 2)


async def test_the_same_bytes_are_stored_once_however_they_are_encoded(tmp_path: Path) -> None:
    body = request(of_service(*[span()] * (NAMED - 1)), of_service(span(), service="api"))
    async with shepherd(tmp_path) as server:
        for encoding, encode in ENCODED.items():
            headers = {**PROTOBUF, "Content-Encoding": encoding}
            assert (await server.post("/v1/traces", encode(body), headers))[0] == 200
        assert len(await stored_once(server, "web")) == NAMED - 1
        assert len(await stored_once(server, "api")) == 1
        server.add_key("otherkey0otherkey0othe", environment="Other")
        other = {"X-Honeycomb-Team": "otherkey0otherkey0othe"}
        assert (await server.post("/v1/traces", body, PROTOBUF | other))[0] == 200
        assert len({record.batch for _, record in await server.records()}) == 4
        different = request(of_service(*[span(name="other")] * NAMED))
        assert (await server.post("/v1/traces", different, PROTOBUF))[0] == 200
        assert len(await stored_once(server, "web")) == 2 * NAMED - 1


async def test_an_id_of_the_clients_own_goes_first(tmp_path: Path) -> None:
    body = request(of_service(*[span()] * NAMED))
    async with shepherd(tmp_path) as server:
        for name in ("a", "a", "b"):
            headers = {**PROTOBUF, "X-Bellwether-Batch-Id": name}
            assert (await server.post("/v1/traces", body, headers))[0] == 200
        assert len(await stored_once(server, "web")) == 2 * NAMED


async def test_small_requests_are_gathered(tmp_path: Path) -> None:
    body = request(of_service(span()))
    config = ShepherdConfig(port=0, linger_ms=200)
    async with shepherd(tmp_path, config) as server:
        answers = await asyncio.gather(
            *(server.post("/v1/traces", body, PROTOBUF) for _ in range(5))
        )
        assert [status for status, _, _ in answers] == [200] * 5
        assert len(await server.events("web")) == 5
        assert len(await server.records()) < 5


async def test_quotas_and_rights(tmp_path: Path, config: ShepherdConfig) -> None:
    body = request(of_service(span(), span(events=[Span.Event()])))
    async with shepherd(tmp_path, config) as server:
        server.add_key("quotakey0quotakey0quot", events_per_day=6)
        headers = {**PROTOBUF, "X-Honeycomb-Team": "quotakey0quotakey0quot"}
        found = [await server.post("/v1/traces", body, headers) for _ in range(3)]
        assert [status for status, _, _ in found] == [200, 200, 429]
        assert status_of(found[-1][1])[0] == 8
        assert found[-1][2]["Retry-After"]


class Emitted:
    """Telemetry that is only kept."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []

    def emit(self, name: str, **fields: object) -> None:
        self.events.append({"name": name, **fields})

    def named(self, name: str) -> list[dict[str, object]]:
        return [one for one in self.events if one["name"] == name]


async def test_refused_and_mended_items_are_counted_by_dataset(tmp_path: Path) -> None:
    telemetry = Emitted()
    body = request(
        of_service(span({"load": math.nan}), span({"load": 1.0}), service="web"),
        of_service(span(), span(), service="more"),
    )
    async with shepherd(tmp_path, telemetry=telemetry, datasets_max=1) as server:
        first = request(of_service(span(), service="web"))
        assert (await server.post("/v1/traces", first, PROTOBUF))[0] == 200
        assert (await server.post("/v1/traces", body, PROTOBUF))[0] == 200
        assert (await server.post("/v1/traces", b"\x0a", PROTOBUF))[0] == 400
        await eventually(lambda: len(telemetry.named("refused_events")) == 2)
        await eventually(lambda: telemetry.named("mended_events"))
    (mended,) = telemetry.named("mended_events")
    assert [mended[name] for name in ("dataset", "rule", "field", "events")] == [
        "web",
        "not_finite",
        "load",
        1,
    ]
    refused = {
        (one["dataset"], one["rule"], one["events"]) for one in telemetry.named("refused_events")
    }
    assert refused == {("more", "too_many_datasets", 2), ("(otlp)", "malformed_request", 1)}
    counted = telemetry.named("requests")
    assert {one["dataset"] for one in counted} == {"(otlp)"}
    assert {one["route"] for one in counted} == {"/v1/traces"}
    assert sum(int(str(one["events"])) for one in counted) == 5


async def test_stacks_get_the_signature_of_their_exception(tmp_path: Path) -> None:
    stack = 'Traceback (most recent call last):\n  File "a.py", line 3, in run\nKeyError: 1\n'
    sent = span({"exception.stacktrace": stack, "exception.type": "KeyError"})
    async with shepherd(tmp_path) as server:
        assert (await server.post("/v1/traces", request(of_service(sent)), PROTOBUF))[0] == 200
        (event,) = await server.events("web")
        assert isinstance(event.data, dict)
        assert event.data["exception.signature"]
