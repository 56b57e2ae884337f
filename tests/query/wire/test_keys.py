"""Tables of keys travel behind a plan's JSON, and a body with any other bytes is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pyarrow as pa
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.errors import BadRequest, BellwetherError, TooLarge
from common.process.error_body import busy_response
from common.process.web import error_response
from query.plan.check_plan import check_keys
from query.plan.parts.spans import KeyJoin, Kin, SpanDataset, SpanQuery
from query.plan.plan import Plan, ShareRequest
from query.share.serve.bodies import ShareBodies
from query.wire.keys import decode_body, encode_body, encode_keys

TRACES = pa.table({"trace_id": ["a" * 32, "b" * 16]})
PARENTS = pa.table({"trace_id": ["a" * 32], "id": ["c" * 16]})


def request_with(*joins: KeyJoin) -> ShareRequest:
    spans = SpanQuery(datasets=(SpanDataset("d"),), rows_max=1, bytes_max=1, joins=joins)
    plan = Plan(dataset="", start_ns=0, end_ns=1, needs=(), spans=spans)
    return ShareRequest(plan, (0, 1), version=4)


def test_a_body_with_keys_is_read_as_it_was_written() -> None:
    wanted = request_with(KeyJoin(Kin.TRACE, negated=True), KeyJoin(Kin.PARENT))
    body = encode_body(wanted, encode_keys([TRACES, PARENTS]))
    for data in (body, bytearray(body)):
        read = decode_body(data)
        assert read.request == wanted
        assert read.keys == [TRACES, PARENTS]
    assert decode_body(encode_body(wanted)) == (wanted, [])


@given(st.integers(0, 2_000), st.binary(max_size=3))
def test_a_damaged_body_is_refused_or_has_other_keys(end: int, more: bytes) -> None:
    wanted = request_with(KeyJoin(Kin.TRACE))
    body = encode_body(wanted, encode_keys([TRACES]))
    damaged = body[:end] + more
    try:
        read = decode_body(damaged)
    except BadRequest:
        return
    assert read.request == wanted
    if end < len(body):
        with pytest.raises(BadRequest):
            check_keys(read.request, [table.column_names for table in read.keys])


def test_each_join_has_its_table_and_no_other() -> None:
    wanted = request_with(KeyJoin(Kin.TRACE), KeyJoin(Kin.CHILD))
    check_keys(wanted, [["trace_id"], ["trace_id", "id"]])
    for columns in ([], [["trace_id"]], [["trace_id"], ["trace_id"]], [["id"], ["trace_id", "id"]]):
        with pytest.raises(BadRequest, match="comes with each join"):
            check_keys(wanted, columns)


@asynccontextmanager
async def server(bodies: ShareBodies, release: asyncio.Event) -> AsyncIterator[str]:
    """It answers with the size of each body, once it may."""
    sizes: list[int] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            async with bodies.read(request) as data:
                sizes.append(len(data))
                await release.wait()
                return web.json_response({"size": len(data), "held": len(sizes)})
        except TooLarge as error:
            return error_response(error)
        except BellwetherError as error:
            return busy_response(error)

    app = web.Application(client_max_size=limits.INTERNAL_BODY_BYTES_MAX)
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        release.set()
        await runner.cleanup()


async def test_large_bodies_are_few_at_once_and_small_ones_do_not_wait_for_them() -> None:
    release, large = asyncio.Event(), limits.LARGE_BODY_BYTES + 1
    async with server(ShareBodies(1), release) as url, aiohttp.ClientSession() as http:

        async def post(size: int, env: str) -> tuple[int, dict[str, int]]:
            params = {"env": env, "key": "k"}
            body = bytes(size)
            async with http.post(url, params=params, data=body) as response:
                return response.status, await response.json()

        held = [asyncio.create_task(post(large, env)) for env in ("e", "f")]
        small = asyncio.create_task(post(10, "g"))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(post(large, "g"))
        while not held[0].done():
            await asyncio.sleep(0.05)
            release.set()
        answers = [await one for one in (*held, small, waiting)]
        assert [status for status, _ in answers] == [200] * 4
        assert [answer["size"] for _, answer in answers] == [large, large, 10, large]


async def test_a_body_that_is_too_large_is_refused_unread() -> None:
    async with server(ShareBodies(1), asyncio.Event()) as url:
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        size = limits.SHARE_BODY_BYTES_MAX + 1
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        assert b" 413 " in await reader.readline()
        writer.close()
