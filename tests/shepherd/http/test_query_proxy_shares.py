"""What is handed to query roles: the key first, then the body, then a slot; a share for everybody.

Sizes are harmless: each limit is made small, and the promise is about who is answered.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from common import limits
from common.process.auth import KEY_HEADER
from common.process.http.service import Timing
from common.process.members import Member, encode_member
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.waiting import PATIENCE_S

ATTACKER, COLLEAGUE, VICTIM = KEY, "colleague0colleague0co", "victim0victim0victim0v"
ROUTES = (
    "POST /1/query_results/x",
    "GET /1/query_results/x/1",
    "POST /1/queries/x",
    "GET /1/columns/x",
    "POST /1/datasets",
    "DELETE /1/datasets/x",
    "POST /bw/1/cut",
    "GET /bw/1/tail/x",
    "PUT /no/such/route",
    "GET /internal/share",
)


class QueryRole:
    """Answers at once, except tails, which stay, and `/large`, which is without end."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = 0
        self.changed = asyncio.Condition()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if not request.path.startswith(("/bw/1/tail", "/large")):
            return web.json_response({"body": len(await request.read())})
        await self._count(1)
        try:
            response = web.StreamResponse()
            await response.prepare(request)
            while request.path == "/large":
                await response.write(bytes(1 << 18))
            await asyncio.sleep(3600)
        finally:
            await asyncio.shield(self._count(-1))
        return response

    async def _count(self, more: int) -> None:
        async with self.changed:
            self.open += more
            self.changed.notify_all()

    async def until_open(self, count: int) -> None:
        async with self.changed, asyncio.timeout(PATIENCE_S):
            await self.changed.wait_for(lambda: self.open == count)


@asynccontextmanager
async def running(
    folder: Path, requests_max: int = 512, timing: Timing | None = None
) -> AsyncIterator[tuple[Shepherd, QueryRole]]:
    """A shepherd with a query role behind it, and keys of two environments."""
    config = ShepherdConfig(port=0, proxied_requests_max=requests_max)
    async with shepherd(folder, config, timing=timing) as server:
        server.add_key(COLLEAGUE)
        server.add_key(VICTIM, environment="Other")
        role = QueryRole()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", role.answer)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        member = Member("query", "q1", f"http://{host}:{port}", "a", 1, 1, "0")
        claim = server.backends.locks.acquire("roles/query/q1", encode_member(member))
        assert claim is not None
        yield server, role
        claim.release()
        await runner.cleanup()


async def ask(server: Shepherd, key: str, path: str = "/1/datasets", body: bytes = b"") -> int:
    """The status of one request on a connection of its own."""
    async with (
        ClientSession(headers={KEY_HEADER: key}) as http,
        http.request("POST" if body else "GET", server.url + path, data=body or None) as reply,
    ):
        await reply.read()
        return reply.status


async def connect(
    server: Shepherd, head: str, key: str, stack: AsyncExitStack
) -> asyncio.StreamReader:
    """The reader of `open_raw`."""
    reader, _ = await open_raw(server, head, key, stack)
    return reader


async def open_raw(
    server: Shepherd, head: str, key: str, stack: AsyncExitStack
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A raw connection with a request head, and whatever of the body the head names itself."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    stack.callback(writer.close)
    line, _, rest = head.partition("\n")
    named = f"X-Honeycomb-Team: {key}\r\n" if key else ""
    writer.write(f"{line} HTTP/1.1\r\nHost: x\r\n{named}{rest}".encode())
    await writer.drain()
    return reader, writer


async def status_of(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(PATIENCE_S):
        return int((await reader.readline()).split()[1])


@pytest.mark.parametrize("key", ["", "unknown0unknown0unknow"])
async def test_without_a_known_key_every_route_says_401_before_a_body_has_come(
    tmp_path: Path, key: str
) -> None:
    async with running(tmp_path, requests_max=1) as (server, role), AsyncExitStack() as stack:
        half = "\nContent-Length: 50\r\n\r\n{"
        readers = [await connect(server, route + half, key, stack) for route in ROUTES]
        assert {await status_of(reader) for reader in readers} == {401}
        assert role.asked == []
        assert await ask(server, VICTIM) == 200


async def test_half_sent_bodies_take_no_slot_from_anybody(tmp_path: Path) -> None:
    async with running(tmp_path, requests_max=2) as (server, role), AsyncExitStack() as stack:
        half = "POST /1/query_results/x\nContent-Length: 50\r\n\r\n{"
        for _ in range(30):
            await connect(server, half, ATTACKER, stack)
        for path, body in (("/1/query_results/x", b"{}"), ("/1/columns/x", b"")):
            assert await ask(server, VICTIM, path, body) == 200
            assert await ask(server, ATTACKER, path, body) == 200
        assert len(role.asked) == 4


async def test_bodies_that_are_still_coming_are_bounded_by_a_share_of_each_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROXIED_BODIES_MAX", 8)
    monkeypatch.setattr(limits, "BODY_RATE_GRACE_S", 3600.0)  # none ends while this machine is slow
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", 3600.0)
    timing = Timing(body_s=3600.0)
    async with running(tmp_path, timing=timing) as (server, _), AsyncExitStack() as stack:
        half = "POST /1/query_results/x\nContent-Length: 2\r\n\r\n{"
        writers = {}  # by the task that waits for the response
        for _ in range(20):  # which of them are served first is not their order
            reader, writer = await open_raw(server, half, ATTACKER, stack)
            writers[asyncio.create_task(status_of(reader))] = writer
        coming = set(writers)
        while len(coming) > 4:  # half of 8
            refused, coming = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            assert {await task for task in refused} == {429}
        assert len(coming) == 4
        assert await ask(server, VICTIM, "/1/queries/x", b"{}") == 200
        assert await ask(server, COLLEAGUE, "/1/queries/x", b"{}") == 200
        assert await ask(server, ATTACKER, "/1/columns/x") == 200  # has no body to wait for
        for task in coming:
            writers[task].write(b"}")
        assert await asyncio.gather(*coming) == [200] * 4


async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (server, role), AsyncExitStack() as stack:
        head = "POST /1/query_results/x\nContent-Length: 100001\r\n\r\n"
        assert await status_of(await connect(server, head, VICTIM, stack)) == 413
        assert role.asked == []


async def test_long_answers_of_one_key_leave_slots_to_others_and_come_back_when_it_leaves(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, requests_max=12) as (server, role):
        async with AsyncExitStack() as stack:
            tail = "GET /bw/1/tail/x\n\r\n"
            readers = [await connect(server, tail, ATTACKER, stack) for _ in range(20)]
            statuses = [await status_of(reader) for reader in readers]
            assert sorted(set(statuses)) == [200, 429]
            assert statuses.count(200) == 6  # half of all
            assert await ask(server, VICTIM) == 200
            assert await ask(server, COLLEAGUE) == 200
            assert await ask(server, ATTACKER) == 429
        await role.until_open(0)
        assert await ask(server, ATTACKER) == 200


async def test_more_long_answers_than_a_client_pool_holds_keep_nobody_waiting(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (server, role), AsyncExitStack() as stack:
        for _ in range(105):  # an HTTP client's pool holds 100, and queues the others
            await connect(server, "GET /bw/1/tail/x\n\r\n", ATTACKER, stack)
        await role.until_open(105)
        async with asyncio.timeout(PATIENCE_S):
            assert await ask(server, VICTIM) == 200


async def test_a_client_that_does_not_read_its_answer_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_WRITE_TIMEOUT_S", 0.3)
    async with running(tmp_path) as (server, role), AsyncExitStack() as stack:
        await connect(server, "GET /large\n\r\n", ATTACKER, stack)
        await role.until_open(1)
        await role.until_open(0)


async def test_a_refusal_says_whose_share_is_used_up_and_when_to_try_again(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, requests_max=1) as (server, role), AsyncExitStack() as stack:
        await connect(server, "GET /bw/1/tail/x\n\r\n", ATTACKER, stack)
        await role.until_open(1)
        for key, status in ((ATTACKER, 429), (COLLEAGUE, 429), (VICTIM, 503)):
            headers = {KEY_HEADER: key}
            async with server.http.get(f"{server.url}/1/columns/x", headers=headers) as reply:
                assert (reply.status, reply.headers["Retry-After"]) == (status, "1")
                assert "try again" in (await reply.json())["error"]
