"""Connections to a role's port: floods, slow ones, silent ones, none left; real sockets."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from common.metrics import connections_refused_total
from common.process.http.acceptor import Acceptor
from common.process.http.connection_limits import Capacity, ConnectionLimits
from common.process.http.service import Service, Timing, now_s
from common.process.http.serving import aiohttp_ends, listen
from tests.waiting import PATIENCE_S, eventually

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Application:
    """A small application, and how many of its requests run at once."""

    def __init__(self, port: int, limits: ConnectionLimits, running: Acceptor) -> None:
        self.port = port
        self.acceptor = running
        self.limits = limits
        self.running = 0
        self.most = 0
        self.waiting = 0
        self.go_on = asyncio.Event()

    async def connect(self, sent: bytes = b"") -> "Client":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        return Client(reader, writer)

    async def has_open(self, count: int) -> None:
        """Wait until so many connections are open."""
        await eventually(lambda: len(self.limits) == count)


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def status(self) -> int:
        """Status of the next answer; 0: it is closed instead."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await self.reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                (length,) = [int(x[15:]) for x in lines if x.startswith(b"content-length:")]
                await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        return int(head.split()[1])


@contextlib.asynccontextmanager
async def serving(
    together: int = 100, per_address: int = 100, timing: Timing | None = None
) -> AsyncIterator[Application]:
    limits = ConnectionLimits(Capacity(together, per_address), now_s)

    async def answer(request: web.Request) -> web.Response:
        served.running += 1
        served.most = max(served.most, served.running)
        await request.read()
        await asyncio.sleep(0)
        served.running -= 1
        return web.Response(text="a")

    async def wait(request: web.Request) -> web.Response:
        served.waiting += 1
        await served.go_on.wait()
        return web.Response(text="a")

    async def much(_: web.Request) -> web.Response:
        return web.Response(body=bytes(20_000_000))

    app = web.Application()
    app.router.add_route("*", "/a", answer)
    app.router.add_get("/wait", wait)
    app.router.add_get("/much", much)
    app.router.add_get("/healthz", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    service = Service(aiohttp_ends(runner), timing=timing or Timing())
    running = await listen(
        runner, "test", "127.0.0.1", 0, connection_limits=limits, service=service
    )
    served = Application(runner.addresses[0][1], limits, running)
    try:
        yield served
    finally:
        await runner.cleanup()


async def test_silent_sockets_never_cost_a_kept_connection_or_a_new_one() -> None:
    async with serving(together=16) as served:
        kept = await served.connect(GET)
        assert await kept.status() == 200
        for turn in range(6):
            silent = [await served.connect(b"GET /a HT"[:turn]) for _ in range(20)]
            await asyncio.sleep(0.01)
            kept.writer.write(GET)
            fresh = await served.connect(GET)
            assert (await kept.status(), await fresh.status()) == (200, 200)
            assert len(served.limits) <= 16
            for one in (*silent, fresh):
                one.writer.close()
        assert served.limits.closed >= 20
        kept.writer.close()


async def test_flood_of_connections_leaves_no_more_open_than_there_is_room_for() -> None:
    async with serving(together=16) as served:
        many = [socket.socket() for _ in range(200)]
        for one in many:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", served.port))
        await eventually(lambda: served.limits.closed + len(served.limits) == len(many))
        await asyncio.sleep(0.1)  # what is closed has left its transport
        still_open = 0
        for one in many:
            try:
                still_open += one.recv(10) != b""
            except BlockingIOError:
                still_open += 1
            except ConnectionError:
                continue
            finally:
                one.close()
        assert (still_open, served.limits.closed) == (16, 184)


async def test_answers_that_anybody_gets_do_not_protect_a_connection() -> None:
    async with serving(together=8) as served:
        kept = await served.connect(GET)
        assert await kept.status() == 200
        for _ in range(30):
            one = await served.connect(HEALTH)
            assert await one.status() == 200
        kept.writer.write(GET)
        assert await kept.status() == 200


async def test_connections_that_are_being_answered_are_not_closed_and_the_next_is_refused() -> None:
    async with serving(together=8) as served:
        busy = [await served.connect(GET.replace(b"/a", b"/wait")) for _ in range(8)]
        await eventually(lambda: served.waiting == 8)
        before = connections_refused_total.labels("test", "all")._value.get()
        refused = await served.connect()
        assert await refused.status() == 503
        assert connections_refused_total.labels("test", "all")._value.get() == before + 1
        served.go_on.set()
        assert [await one.status() for one in busy] == [200] * 8

        async def has_room() -> bool:  # that none was idle is remembered for a moment
            return await (await served.connect(GET)).status() == 200

        await eventually(has_room)


async def test_pipelined_flood_runs_one_request_at_a_time_and_is_answered_wholly() -> None:
    async with serving() as served:
        client = await served.connect()
        chunked = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.writer.write((GET + chunked + b"1\r\na\r\n0\r\n\r\n") * 1_000)
        assert {await client.status() for _ in range(2_000)} == {200}
        assert served.most == 1


async def test_slow_heads_and_idle_connections_are_closed_first_or_later() -> None:
    timing = Timing(head_s=0.2, keep_alive_s=0.2, sweep_s=0.05)
    async with serving(timing=timing) as served:
        clients = [
            await served.connect(),
            await served.connect(GET[:9]),
            await served.connect(GET),
            await served.connect(GET + GET[:9]),
            await served.connect(b"\r\n"),
        ]
        for client in clients:
            async with asyncio.timeout(PATIENCE_S):
                got = await client.reader.read()
            assert got.count(b"200 OK") <= 1
            client.writer.close()
        assert len(served.limits) == 0


async def test_trickled_head_is_closed_though_bytes_keep_coming() -> None:
    async with serving(timing=Timing(head_s=1.0, sweep_s=0.05)) as served:
        client = await served.connect(GET)
        assert await client.status() == 200
        for at in range(len(GET) - 1):  # longer than the time for a head
            with contextlib.suppress(ConnectionError):
                client.writer.write(GET[at : at + 1])
                await client.writer.drain()
            if client.reader.at_eof():
                break
            await asyncio.sleep(0.1)
        assert await client.status() == 0


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_accept_without_descriptors_waits_gives_some_back_and_goes_on(number: int) -> None:
    async with serving() as served:
        idle = [await served.connect() for _ in range(20)]
        kept = await served.connect(GET)
        assert await kept.status() == 200
        calls = 0

        class Listening:
            """A listening socket that fails a few times."""

            def __init__(self, real: socket.socket) -> None:
                self.real = real

            def fileno(self) -> int:
                return self.real.fileno()

            def accept(self) -> Any:
                nonlocal calls
                calls += 1
                if calls <= 3:
                    raise OSError(number, "no more")
                return self.real.accept()

        running = served.acceptor
        (real,) = running.sockets
        loop = asyncio.get_running_loop()
        loop.remove_reader(real)
        listening = Listening(real)
        loop.add_reader(real, running._accept, listening)
        fresh = await served.connect(GET)
        assert await fresh.status() == 200
        assert calls <= 12  # it did not spin
        assert served.limits.refused["descriptors"] == 3
        assert served.limits.closed == 20
        kept.writer.write(GET)
        assert await kept.status() == 200
        for one in (*idle, kept, fresh):
            one.writer.close()


async def test_half_closed_client_is_a_hang_up_where_a_hang_up_must_end_the_work() -> None:
    async with serving() as served:
        client = await served.connect(GET.replace(b"/a", b"/wait"))
        await eventually(lambda: served.waiting == 1)
        client.writer.write_eof()
        assert await client.status() == 0


async def test_bodies_that_stop_and_answers_that_nobody_reads_end_the_connection() -> None:
    timing = Timing(body_s=0.2, stall_s=2.0, refused_s=0.1, sweep_s=0.05)
    async with serving(timing=timing) as served:
        stopped = await served.connect(
            b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"
        )
        assert await stopped.status() == 0
        with socket.create_connection(("127.0.0.1", served.port)) as deaf:
            deaf.sendall(GET.replace(b"/a", b"/much"))
            await served.has_open(1)
            await served.has_open(0)
        reading = await served.connect(GET.replace(b"/a", b"/much"))
        assert await reading.status() == 200
