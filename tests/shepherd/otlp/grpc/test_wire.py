"""Hand-made HTTP/2 on the gRPC port: what no client library sends (I11)."""

import asyncio
import random
import struct
from pathlib import Path

import pytest
import zstandard

from tests.shepherd.harness import KEY
from tests.shepherd.otlp.grpc.calls import TRACES, Client, client, spans
from tests.waiting import PATIENCE_S

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
MESSAGE = spans([1]).SerializeToString()


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name: str, value: str) -> bytes:
    """A literal without indexing, without Huffman: RFC 7541, 6.2.2."""
    raw, text = name.encode(), value.encode()
    assert max(len(raw), len(text)) < 127
    return b"\x00" + bytes([len(raw)]) + raw + bytes([len(text)]) + text


def head(content_type: str = "application/grpc", **more: str) -> bytes:
    """The headers of an export of traces with the key."""
    fields = {
        ":method": "POST", ":scheme": "http", ":path": TRACES, ":authority": "x",
        "content-type": content_type, "te": "trailers", "x-honeycomb-team": KEY,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }  # fmt: skip
    return b"".join(header(name, value) for name, value in fields.items())


def message(content: bytes, *, compressed: bool = False) -> bytes:
    """A message with its prefix."""
    return struct.pack(">BI", compressed, len(content)) + content


def call(content: bytes, headers: bytes, stream: int = 1) -> bytes:
    """A whole call on a new connection."""
    return (
        PREFACE + frame(SETTINGS, 0, 0)
        + frame(HEADERS, END_HEADERS, stream, headers)
        + frame(DATA, END_STREAM, stream, content)
    )  # fmt: skip


async def answered(it: Client, sent: bytes, *, ends: bool = False) -> bytes:
    """What comes back until the stream or the connection ends."""
    host, port = it.address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    if ends:
        writer.write_eof()
    got = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                size = int.from_bytes(await reader.readexactly(3))
                kind, flags, stream = struct.unpack(">BBI", await reader.readexactly(6))
                payload = await reader.readexactly(size)
                if kind == SETTINGS and not flags & 1 and not ends:
                    writer.write(frame(SETTINGS, 1, 0))
                if stream or kind == GOAWAY:
                    got += payload
                if kind in (RST_STREAM, GOAWAY) or (stream and flags & END_STREAM):
                    return got
    except (asyncio.IncompleteReadError, ConnectionError):
        return got
    finally:
        writer.close()


async def still_serves(it: Client, count: int) -> None:
    """The next client is served, and nothing else has been stored."""
    await it.call(spans([100 + count]).SerializeToString())
    assert len(await it.numbers()) == count


async def test_whole_call_by_hand(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        assert b"grpc-status\x010" in await answered(it, call(message(MESSAGE), head()))
        await still_serves(it, 2)


@pytest.mark.parametrize("name", ["zstd", "snappy"])
async def test_compression_that_the_library_does_not_know_is_refused_by_it(
    tmp_path: Path, name: str
) -> None:
    async with client(tmp_path) as it:
        sent = call(message(zstandard.compress(MESSAGE), compressed=True), head(grpc_encoding=name))
        assert b"grpc-status\x0213" in await answered(it, sent)
        await still_serves(it, 1)


async def test_content_type_is_not_looked_at_by_the_library(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        for kind in ("application/json", "text/plain"):
            assert b"grpc-status\x010" in await answered(it, call(message(MESSAGE), head(kind)))
        await still_serves(it, 3)


async def test_calls_without_one_whole_message(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        for content in (b"", message(MESSAGE)[:-5], message(MESSAGE)[:3]):
            assert b"grpc-status\x013" in await answered(it, call(content, head()))
        endless = struct.pack(">BI", 0, 2**32 - 1) + b"abc"
        assert b"grpc-status\x018" in await answered(it, call(endless, head()))
        await still_serves(it, 1)


async def test_broken_frames_harm_nobody_else(tmp_path: Path) -> None:
    rng = random.Random(3)
    whole = call(message(MESSAGE), head())
    begin = PREFACE + frame(SETTINGS, 0, 0)
    async with client(tmp_path) as it:
        for sent in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            rng.randbytes(1_000),
            PREFACE + rng.randbytes(1_000),
            begin + frame(DATA, 0, 1, b"x" * 100),
            begin + frame(HEADERS, END_HEADERS, 1, rng.randbytes(90)),
            begin + b"".join(frame(SETTINGS, 0, 0) for _ in range(2_000)),
            *(whole[:end] for end in range(0, len(whole) - 20, 7)),
        ):
            assert b"grpc-status\x010" not in await answered(it, sent, ends=True)
        await still_serves(it, 1)
