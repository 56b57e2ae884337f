"""Many connections and calls on the gRPC port: bounded, and others come through (I11, I14)."""

import asyncio
import contextlib
from pathlib import Path

import grpc
import grpc.aio
import pytest

from common import limits
from tests.shepherd.otlp.grpc.calls import TRACES, WITH_KEY, Client, client, spans
from tests.waiting import PATIENCE_S, eventually

MESSAGE = spans([1]).SerializeToString()
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


async def silent(it: Client, count: int, sent: bytes = b"") -> list[asyncio.StreamWriter]:
    """Connections that send this and nothing more."""
    host, port = it.address.rsplit(":", 1)
    opened = []
    for _ in range(count):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        opened.append(writer)
    return opened


@pytest.mark.parametrize("sent", [b"", b"PRI * HTTP/2.0\r\n"])
async def test_connections_that_say_nothing_are_bounded_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(limits, "GRPC_CONNECTIONS_MAX", 8)
    monkeypatch.setattr(limits, "TLS_HANDSHAKE_TIMEOUT_S", 1.0)
    async with client(tmp_path) as it:
        opened = await silent(it, 40, sent)

        async def is_served() -> bool:  # as exporters do, again and again
            return await it.call(MESSAGE).code() is grpc.StatusCode.OK

        assert not await is_served()
        await eventually(is_served)
        assert await it.numbers() == [1]
        for writer in opened:
            writer.close()


async def test_idle_connections_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GRPC_CONNECTIONS_MAX", 1)
    monkeypatch.setattr(limits, "GRPC_IDLE_S", 0.5)
    async with client(tmp_path) as it:
        await it.call(MESSAGE)
        async with grpc.aio.insecure_channel(it.address, OWN_CONNECTION) as another:
            export = another.unary_unary(TRACES)

            async def is_served() -> bool:
                call = export(MESSAGE, metadata=WITH_KEY, timeout=PATIENCE_S)
                return await call.code() is grpc.StatusCode.OK

            await eventually(is_served)


async def test_many_calls_at_once_are_all_answered_or_told_to_come_again(tmp_path: Path) -> None:
    async with client(tmp_path) as it, contextlib.AsyncExitStack() as stack:
        calls = []
        for _ in range(8):
            channel = grpc.aio.insecure_channel(it.address, OWN_CONNECTION)
            await stack.enter_async_context(channel)
            await channel.channel_ready()
            export = channel.unary_unary(TRACES)
            calls += [
                export(MESSAGE, metadata=WITH_KEY, timeout=PATIENCE_S)
                for _ in range(2 * limits.GRPC_STREAMS_MAX)
            ]
        codes = await asyncio.gather(*(call.code() for call in calls))
        taken = codes.count(grpc.StatusCode.OK)
        assert set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
        assert taken >= 8 * limits.GRPC_STREAMS_MAX
        assert len(await it.numbers()) == taken
