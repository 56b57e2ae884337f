"""Connections that carry requests for events, cut and mixed in every way, against real sockets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from common import limits
from common.process.http.service import Timing
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.waiting import PATIENCE_S

BATCH = b'[{"data":{"a":1}}]'
AUTH = f"GET /1/auth HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {KEY}\r\n\r\n".encode()


@pytest.fixture
async def server(tmp_path: Path, config: ShepherdConfig) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path, config) as running:
        yield running


def post(
    body: bytes = BATCH,
    path: str = "/1/batch/d",
    key: str = KEY,
    headers: str = "",
    length: int | None = None,
) -> bytes:
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {key}\r\n{headers}"
    return f"{head}Content-Length: {size}\r\n\r\n".encode() + body


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        lines = head.lower().split(b"\r\n")
        (length,) = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
        return int(head.split()[1]), await self.reader.readexactly(length)

    async def ends(self) -> bool:
        """Whether the server closes it without a further byte."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE_S) == b""


async def connect(server: Shepherd) -> Client:
    host, port = server.url.removeprefix("http://").split(":")
    return Client(*await asyncio.open_connection(host, int(port)))


async def test_request_cut_at_any_byte_is_the_same_request(server: Shepherd) -> None:
    request = post()
    client = await connect(server)
    for at in range(1, len(request)):
        client.writer.write(request[:at])
        await asyncio.sleep(0)
        client.writer.write(request[at:])
        assert await client.answer() == (200, b'[{"status":202}]')
    client.writer.close()
    assert len(await server.events("d")) == len(request) - 1


async def test_pipelined_requests_are_answered_in_order(server: Shepherd) -> None:
    client = await connect(server)
    bad = post(b"[")
    client.writer.write((post() + bad + post(b'{"a":1}', "/1/events/d")) * 3)
    statuses = [(await client.answer())[0] for _ in range(9)]
    assert statuses == [200, 400, 200] * 3
    client.writer.close()
    assert len(await server.events("d")) == 6


async def test_flood_of_pipelined_requests_is_answered_wholly(server: Shepherd) -> None:
    client = await connect(server)
    padded = post(b'{"a":1}', "/1/events/d", headers=f"X-Pad: {'a' * 7_000}\r\n")
    client.writer.write(padded * 100)  # far more than is read ahead
    for _ in range(100):
        assert (await client.answer())[0] == 200
    client.writer.close()
    assert len(await server.events("d")) == 100


async def test_connection_may_turn_to_anything_else_and_back(server: Shepherd) -> None:
    client = await connect(server)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BATCH), BATCH)
    length, chunked = f"Content-Length: {len(chunks)}".encode(), b"Transfer-Encoding: chunked"
    chunked = post(chunks).replace(length, chunked)
    for request in (post(), AUTH, post(), chunked, post()):
        client.writer.write(request)
        assert (await client.answer())[0] == 200
    client.writer.write(post() + AUTH + post())
    assert [(await client.answer())[0] for _ in range(3)] == [200] * 3
    client.writer.close()
    assert len(await server.events("d")) == 6


async def test_refused_before_its_body_came_the_connection_goes_on_behind_it(
    server: Shepherd,
) -> None:
    client = await connect(server)
    body = b"x" * 1_000_000
    client.writer.write(post(body, key="unknown")[:-900_000])
    assert (await client.answer())[0] == 401
    client.writer.write(body[-900_000:] + post())
    assert await client.answer() == (200, b'[{"status":202}]')
    client.writer.close()


@pytest.mark.parametrize(
    ("path", "headers", "length"),
    [
        ("/1/batch/d", "", limits.BATCH_BODY_BYTES_MAX + 1),
        ("/1/events/d", "", limits.EVENT_BODY_BYTES_MAX + 1),
        ("/1/batch/d", "Content-Encoding: zstd\r\n", 5_006_025),
        ("/1/events/d", "Content-Encoding: gzip\r\n", 1_002_025),
    ],
)
async def test_body_that_can_never_fit_its_route_is_refused_at_its_head(
    server: Shepherd, path: str, headers: str, length: int
) -> None:
    client = await connect(server)
    client.writer.write(post(b"x", path, headers=headers, length=length))
    status, body = await client.answer()
    assert (status, b"too large" in body) == (400, True)
    client.writer.close()


async def test_full_process_refuses_a_body_before_it_is_read(
    tmp_path: Path, config: ShepherdConfig
) -> None:
    async with shepherd(tmp_path, replace(config, in_flight_bytes_max=1_000)) as server:
        client = await connect(server)
        client.writer.write(post(b"x", length=2_000))
        assert (await client.answer())[0] == 503
        client.writer.write(b"x" * 1_999 + post())
        assert (await client.answer())[0] == 200
        client.writer.close()


async def test_body_that_never_comes_is_answered_and_its_connection_closed(
    tmp_path: Path, config: ShepherdConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", 0.2)
    async with shepherd(tmp_path, config, timing=Timing(skip_s=0.2)) as server:
        client = await connect(server)
        client.writer.write(post(b"[", length=100))
        status, body = await client.answer()
        assert (status, b"did not arrive in time" in body) == (400, True)
        assert await client.ends()


async def test_idle_connection_is_closed_after_the_keep_alive_time(
    tmp_path: Path, config: ShepherdConfig
) -> None:
    async with shepherd(tmp_path, config, timing=Timing(keep_alive_s=0.2)) as server:
        client = await connect(server)
        client.writer.write(post())
        assert (await client.answer())[0] == 200
        assert await client.ends()


async def test_next_head_that_does_not_come_whole_closes_the_connection(
    tmp_path: Path, config: ShepherdConfig
) -> None:
    timing = Timing(head_s=0.3, sweep_s=0.05)
    async with shepherd(tmp_path, config, timing=timing) as server:
        client = await connect(server)
        client.writer.write(post())
        assert (await client.answer())[0] == 200
        client.writer.write(post()[:12])
        assert await client.ends()


async def test_client_that_hangs_up_is_forgotten(server: Shepherd) -> None:
    for request in (post(), post(b"[", length=9), post()[:30], b""):
        client = await connect(server)
        client.writer.write(request)
        await client.writer.drain()
        client.writer.transport.abort()
    client = await connect(server)
    client.writer.write(post())
    assert (await client.answer())[0] == 200
    client.writer.close()


async def test_large_body_comes_in_many_pieces(server: Shepherd) -> None:
    body = b"[" + b",".join([b'{"data":{"a":"' + b"x" * 1_000 + b'"}}'] * 4_000) + b"]"
    client = await connect(server)
    client.writer.write(post(body) + post())
    status, answer = await client.answer()
    assert (status, answer.count(b"202")) == (200, 4_000)
    assert (await client.answer())[0] == 200
    client.writer.close()


async def test_fault_of_ours_is_a_500_and_the_connection_goes_on(
    server: Shepherd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = await connect(server)
    with monkeypatch.context() as patch:
        patch.setattr("shepherd.honeycomb.ingest.dataset_name", lambda _: 1 / 0)
        client.writer.write(post())
        status, body = await client.answer()
    assert (status, body) == (500, b'{"error": "internal error; please report it"}')
    assert "a request failed" in caplog.text
    client.writer.write(post())
    assert (await client.answer())[0] == 200
    client.writer.close()
