"""Clients that end their sending side: answered when their request is whole, else let go."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.waiting import PATIENCE_S


@pytest.fixture
async def server(tmp_path: Path, config: ShepherdConfig) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path, config) as running:
        yield running


async def half_closed(server: Shepherd, request: bytes, pause_s: float = 0.0) -> bytes:
    """What comes back, to the end, when the client sends this and then its end."""
    port = int(server.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.sleep(pause_s)
    writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return answer


def request(body: bytes, path: str = "/1/batch/d", length: int | None = None) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {KEY}\r\n"
    return (
        f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body
    )


@pytest.mark.parametrize("pause_s", [0.0, 0.002])
async def test_whole_request_is_answered_and_then_the_connection_ends(
    server: Shepherd, pause_s: float
) -> None:
    answer = await half_closed(server, request(b'[{"data":{"a":1}}]'), pause_s)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'[{"status":202}]')
    assert len(await server.records()) == 1


async def test_large_whole_request_is_answered(server: Shepherd) -> None:
    body = b"[" + b",".join([b'{"data":{"a":"' + b"x" * 1_000 + b'"}}'] * 2_000) + b"]"
    answer = await half_closed(server, request(body))
    assert answer.count(b'{"status":202}') == 2_000


@pytest.mark.parametrize(
    "cut", [request(b'[{"data":{"a":1}}]', length=100), request(b"")[:-10], b""]
)
async def test_request_that_is_cut_off_is_let_go_and_stores_nothing(
    server: Shepherd, cut: bytes
) -> None:
    assert await half_closed(server, cut, 0.05) == b""
    assert await server.records() == []


async def test_idle_connection_is_closed_when_its_client_ends(server: Shepherd) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(b'[{"data":{"a":1}}]'))
    assert b"200" in await reader.readuntil(b'[{"status":202}]')
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    writer.close()
