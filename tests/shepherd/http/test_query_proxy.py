"""What is not ingest reaches a query role and comes back as it was (design, section 5)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from common.process.auth import KEY_HEADER
from common.process.members import Member, encode_member
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.waiting import PATIENCE_S


class QueryRole:
    """A stand-in for a query role: what it was asked, and an endless stream to hang up on."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.hung_up = asyncio.Event()

    async def echo(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        body = await request.read()
        return web.Response(status=201, body=body, headers={"Location": "/x", "X-Own": "1"})

    async def endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"line\n")
                await asyncio.sleep(0.01)
        finally:
            self.hung_up.set()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path) as running:
        yield running


@pytest.fixture
async def query(server: Shepherd) -> AsyncIterator[QueryRole]:
    role = QueryRole()
    app = web.Application()
    app.router.add_get("/bw/1/tail/{dataset}", role.endless)
    app.router.add_route("*", "/{tail:.*}", role.echo)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    member = Member("query", "q1", f"http://{host}:{port}", "a", 1, 1, "0")
    claim = server.backends.locks.acquire("roles/query/q1", encode_member(member))
    assert claim is not None
    yield role
    claim.release()
    await runner.cleanup()


async def test_request_and_answer_pass_unchanged_but_for_hop_by_hop_headers(
    server: Shepherd, query: QueryRole
) -> None:
    headers = {"Connection": "x-hop", "X-Hop": "1", "X-Bellwether-Internal-Token": "stolen"}
    url = f"{server.url}/1/query_results/a%20b?x=%26"
    async with server.http.post(url, data=b'{"q":1}', headers=headers) as reply:
        assert reply.status == 201
        assert await reply.read() == b'{"q":1}'
        assert reply.headers["Location"] == "/x"
    (seen,) = query.seen
    assert seen.raw_path == "/1/query_results/a%20b?x=%26"
    assert "X-Hop" not in seen.headers
    assert "X-Bellwether-Internal-Token" not in seen.headers
    assert seen.headers["X-Forwarded-Host"] == server.url.removeprefix("http://")
    assert seen.headers["X-Honeycomb-Team"]


async def test_client_that_hangs_up_cancels_the_request_at_the_query_role(
    server: Shepherd, query: QueryRole
) -> None:
    headers = {KEY_HEADER: KEY}
    async with (
        ClientSession(headers=headers) as http,
        http.get(f"{server.url}/bw/1/tail/x") as reply,
    ):
        assert await reply.content.readline() == b"line\n"
    await asyncio.wait_for(query.hung_up.wait(), PATIENCE_S)


async def test_without_a_query_role_the_answer_is_503_with_retry_after(server: Shepherd) -> None:
    async with server.http.get(f"{server.url}/1/datasets") as reply:
        assert reply.status == 503
        assert reply.headers["Retry-After"] == "2"


async def test_a_browser_loads_the_page_again_by_itself_while_no_query_role_is_there(
    server: Shepherd,
) -> None:
    async with ClientSession() as http:
        browser = {"Accept": "text/html,*/*"}
        async with http.get(f"{server.url}/ui/query/shop", headers=browser) as response:
            assert (response.status, response.content_type) == (503, "text/html")
            assert response.headers["Refresh"] == response.headers["Retry-After"] == "2"
        async with http.get(f"{server.url}/bw/1/openapi.json") as response:
            assert (response.status, response.content_type) == (503, "application/json")
        for path, status in {
            "/ui/": 503,
            "/docs": 503,
            "/ui/session": 401,
            "/1/datasets": 401,
        }.items():
            async with http.head(f"{server.url}{path}") as response:
                assert (path, response.status) == (path, status)


async def test_internal_paths_and_large_bodies_are_not_passed_on(
    server: Shepherd, query: QueryRole
) -> None:
    for path in ("internal/share", "metrics", "%69nternal/share"):
        async with server.http.get(f"{server.url}/{path}") as reply:
            assert reply.status == 404
    async with server.http.post(f"{server.url}/1/queries/x", data=bytes(100_001)) as reply:
        assert (reply.status, reply.content_type) == (413, "application/json")
        told = await reply.json()
    assert told["title"] == "Request body is too large."
    assert "100000 bytes" in told["error"]
    assert told["type"] == f"{server.url}/problems/payload-too-large"
    assert query.seen == []


async def test_the_description_needs_no_key_and_nothing_else_is_open(
    server: Shepherd, query: QueryRole
) -> None:
    async with ClientSession() as http:
        async with http.get(f"{server.url}/bw/1/openapi.json") as response:
            assert response.status == 201
        async with http.get(f"{server.url}/docs/") as response:
            assert response.status == 201
        assert [request.path for request in query.seen] == ["/bw/1/openapi.json", "/docs"]
        for method, path in (
            ("POST", "/bw/1/openapi.json"),
            ("GET", "/bw/1/openapi.json/x"),
            ("GET", "/bw/1/keys"),
        ):
            async with http.request(method, f"{server.url}{path}") as response:
                assert response.status == 401
        async with http.get(
            f"{server.url}/bw/1/openapi.json", headers={KEY_HEADER: "no such key"}
        ) as response:
            assert response.status == 401
    assert len(query.seen) == 2
