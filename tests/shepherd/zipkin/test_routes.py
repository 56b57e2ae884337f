"""Zipkin's routes over real HTTP: statuses, encodings, keys, datasets, what is counted."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from aiohttp import ClientSession

from common import limits
from common.errors import LogFull
from common.metadata import Access, KeyKind
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import shepherd
from tests.shepherd.zipkin import proto_spans
from tests.waiting import eventually

PATH = "/api/v2/spans"
SPAN: dict[str, Any] = {
    "traceId": "1",
    "id": "2",
    "name": "n",
    "timestamp": 1_795_248_341_123_456,
    "localEndpoint": {"serviceName": "web"},
}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_spans_are_stored_by_service_and_answered_without_a_body(
    tmp_path: Path, config: ShepherdConfig, path: str
) -> None:
    spans = [SPAN, {**SPAN, "localEndpoint": {"serviceName": "Users"}}, {**SPAN, "id": "3"}]
    async with shepherd(tmp_path, config) as server:
        status, answer, headers = await server.post(path, spans, JSON)
        assert (status, answer) == (202, b"")
        assert headers["X-Bellwether-Receipt"].count(",") == 1
        assert headers["Content-Length"] == "0"
        web, users = await server.events("web"), await server.events("users")
    assert [event.data["trace.span_id"] for event in web] == ["0" * 15 + "2", "0" * 15 + "3"]  # type: ignore[index]
    assert len(users) == 1
    assert web[0].time_ns == 1_795_248_341_123_456_000


async def test_content_encodings(tmp_path: Path) -> None:
    encoders: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "GZIP": gzip.compress,
        "zstd": zstandard.compress,
        "deflate": zlib.compress,
        "identity": bytes,
    }
    async with shepherd(tmp_path) as server:
        for number, (encoding, encode) in enumerate(encoders.items()):
            body = encode(orjson.dumps([{**SPAN, "id": str(number + 1)}]))
            status, _, _ = await server.post(PATH, body, {**JSON, "Content-Encoding": encoding})
            assert status == 202
        assert len(await server.events("web")) == len(encoders)


ONE = orjson.dumps([SPAN])
REFUSALS: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"", {}, 400, "should not be empty"),
    (b"[{]", {}, 400, "malformed"),
    (orjson.dumps(SPAN), {}, 400, "JSON array"),
    (b"[{},7]", {}, 400, "nothing of the request could be stored: the span has no ids"),
    (ONE, {"Content-Encoding": "gzip"}, 400, "gzip encoding is damaged"),
    (ONE, {"Content-Encoding": "br"}, 415, "unsupported content encoding"),
    (ONE, {"Content-Type": "application/x-thrift"}, 415, "application/json"),
    (ONE, {"Content-Type": "text/html"}, 415, "unsupported content type"),
    (b"[%b]" % (b" " * (20 * 2**20)), {}, 400, "too large"),
]


async def test_clear_refusals(tmp_path: Path, config: ShepherdConfig) -> None:
    async with shepherd(tmp_path, config) as server:
        for body, headers, status, error in REFUSALS:
            found, answer, _ = await server.post(PATH, body, {**JSON, **headers})
            assert (found, error in answer["error"]) == (status, True), answer
        assert await server.records() == []


async def test_protobuf_and_version_1(tmp_path: Path, config: ShepherdConfig) -> None:
    body = proto_spans.body(proto_spans.span({"id": b"\x01" * 8, "name": "n"}))
    async with shepherd(tmp_path, config) as server:
        for kind in ("application/x-protobuf", "application/protobuf; charset=x"):
            status, answer, _ = await server.post(PATH, body, {"Content-Type": kind})
            assert (status, answer) == (202, b"")
        note = {"value": "cs", "timestamp": 5, "endpoint": {"serviceName": "old"}}
        old = [{"traceId": "1", "id": "2", "annotations": [note]}]
        assert (await server.post("/api/v1/spans/", old, JSON))[0] == 202
        proto = {"Content-Type": "application/x-protobuf"}
        assert (await server.post("/api/v1/spans", body, proto))[0] == 415
        assert (await server.post(PATH, b"\x0a\x05a", proto))[0] == 400
        assert len(await server.events("old")) == 1
        assert len(await server.events("unknown_service")) == 2


async def test_a_body_that_is_repeated_is_stored_once(tmp_path: Path) -> None:
    many = [{**SPAN, "id": f"{n + 1:x}"} for n in range(limits.OTLP_NAMED_ITEMS_MIN - 1)]
    spans = [*many, {**SPAN, "localEndpoint": {"serviceName": "users"}}]
    async with shepherd(tmp_path) as server:
        for body in (orjson.dumps(spans), gzip.compress(orjson.dumps(spans))):
            encoding = {"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else {}
            assert (await server.post(PATH, body, {**JSON, **encoding}))[0] == 202
        await server.post(PATH, orjson.dumps([*spans, {**SPAN, "id": "ff"}]), JSON)
        named = {"X-Bellwether-Batch-Id": "mine"}
        await server.post(PATH, orjson.dumps(spans), {**JSON, **named})
        for dataset in ("web", "users"):
            batches = [event.record.batch for event in await server.events(dataset)]
            # the body that is repeated, the longer one, and the one with an id of its client's
            assert len(set(batches)) == 3
        small = orjson.dumps(many)
        for _ in range(2):
            await server.post("/api/v1/spans", small, JSON)
        batches = [event.record.batch for event in await server.events("unknown_service")]
        assert len(set(batches)) == 2  # gathered with others: at least once


async def test_a_repetition_is_asked_for_where_a_part_was_not_stored(tmp_path: Path) -> None:
    spans = [SPAN, {**SPAN, "localEndpoint": {"serviceName": "users"}}]
    async with shepherd(tmp_path, ShepherdConfig(port=0, ack_timeout_s=0.5)) as server:
        failing = server.dataset("users")
        server.log.hits = lambda record: record.dataset == failing
        server.log.fault = LogFull("full")
        status, _, headers = await server.post(PATH, spans, JSON)
        assert (status, "Retry-After" in headers) == (503, True)
        server.log.fault = None
        assert (await server.post(PATH, spans, JSON))[0] == 202
        assert len(await server.events("users")) == 1


async def test_packed_exceptions_have_a_signature(tmp_path: Path) -> None:
    stack = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nKeyError: 1'
    fields = {"exception.type": "KeyError", "exception.stacktrace": stack}
    note = {"timestamp": 5, "value": orjson.dumps({"exception": fields}).decode()}
    async with shepherd(tmp_path) as server:
        await server.post(PATH, [{**SPAN, "annotations": [note]}], JSON)
        stored: list[Any] = [event.data for event in await server.events("web")]
    signatures = {event["exception.signature"] for event in stored}
    assert (len(stored), len(signatures)) == (2, 1)


async def test_no_spans_is_how_clients_ask_whether_they_may_send(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        status, answer, headers = await server.post(PATH, b"[]", JSON)
        assert (status, answer) == (202, b"")
        assert "X-Bellwether-Receipt" not in headers
        assert await server.records() == []
        async with ClientSession() as http:
            async with http.post(f"{server.url}{PATH}", data=b"[]", headers=JSON) as reply:
                assert reply.status == 401
            query = f"{server.url}{PATH}?X-Honeycomb-Team=x"
            async with http.post(query, data=b"[]", headers=JSON) as reply:
                assert reply.status == 401


async def test_keys_without_the_right_are_refused(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        server.add_key("reads-only-reads-only-1", access=Access(events=False, queries=True))
        headers = {**JSON, "X-Honeycomb-Team": "reads-only-reads-only-1"}
        status, answer, _ = await server.post(PATH, [SPAN], headers)
        assert (status, answer["error"]) == (403, "this API key may not send events")
        server.add_key("makes-none-makes-none-1", access=Access(create_datasets=False))
        headers = {**JSON, "X-Honeycomb-Team": "makes-none-makes-none-1"}
        status, _, _ = await server.post(PATH, [SPAN], headers)
        assert status == 404


async def test_the_header_names_the_dataset_for_classic_keys_alone(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        named = {**JSON, "X-Honeycomb-Dataset": "from-header"}
        await server.post(PATH, [SPAN], named)
        assert len(await server.events("web")) == 1
        classic = "0123456789abcdef" * 2
        server.add_key(classic, KeyKind.CONFIGURATION)
        await server.post(PATH, [SPAN], {**named, "X-Honeycomb-Team": classic})
        assert len(await server.events("from-header")) == 1
        await server.post(PATH, [SPAN], {**JSON, "X-Honeycomb-Team": classic})
        assert len(await server.events("web")) == 2


class Emitted:
    """Telemetry that is only kept."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def emit(self, name: str, **fields: object) -> None:
        self.events.append({"name": name, **fields})

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["name"] == name]


async def test_what_is_refused_is_counted_and_neighbours_are_stored(tmp_path: Path) -> None:
    told = Emitted()
    async with shepherd(tmp_path, telemetry=told) as server:
        body = b'[%b,{},7,{"name":"x","tags":{"a":NaN}}]' % orjson.dumps(SPAN)
        status, answer, headers = await server.post(PATH, body, JSON)
        assert (status, answer, headers["X-Bellwether-Refused"]) == (202, b"", "2")
        assert len(await server.events("web")) == 1
        assert len(await server.events("unknown_service")) == 1
        await eventually(lambda: len(told.named("refused_events")) == 2)
        await eventually(lambda: told.named("mended_events") and told.named("requests"))
    refused = told.named("refused_events")
    assert {(event["dataset"], event["rule"], event["events"]) for event in refused} == {
        ("unknown_service", "data_empty", 1),
        ("unknown_service", "not_an_object", 1),
    }
    (mended,) = told.named("mended_events")
    assert (mended["rule"], mended["field"]) == ("not_finite", "tags.a")
    (request,) = told.named("requests")
    counted = [request[name] for name in ("route", "dataset", "status", "requests", "events")]
    assert counted == [PATH, "(zipkin)", 202, 1, 4]


async def test_503_when_the_log_takes_nothing(tmp_path: Path) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, ack_timeout_s=0.5)) as server:
        server.log.fault = LogFull("full")
        status, _, headers = await server.post(PATH, [SPAN], JSON)
        assert status == 503
        assert int(headers["Retry-After"]) > 0


async def test_other_methods(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        for path in (PATH, f"{PATH}/", "/api/v1/spans"):
            async with server.http.put(f"{server.url}{path}") as reply:
                assert (reply.status, reply.headers["Allow"]) == (405, "POST")
        async with server.http.get(f"{server.url}{PATH}/?serviceName=web") as reply:
            assert reply.status == 503  # a question for a query role, of which there is none
            assert "no query role" in await reply.text()
        async with server.http.get(f"{server.url}/api/v1/spans") as reply:
            assert reply.status == 405


async def test_large_bodies_are_decoded_in_a_thread(tmp_path: Path) -> None:
    spans = [{**SPAN, "id": f"{n:x}", "tags": {"n": str(n)}} for n in range(2_000)]
    async with shepherd(tmp_path) as server:
        status, _, _ = await server.post(PATH, spans, JSON)
        assert status == 202
        stored = await server.events("web")
    assert {event.data["n"] for event in stored} == set(range(2_000))  # type: ignore[index]
