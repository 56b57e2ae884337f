"""`bellwether tail` against a real HTTP server that ends streams as a restart does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web

from bellwether.answers.rows.waiting import Waiting
from bellwether.client import ClientError, Target
from bellwether.client.session import connect
from bellwether.commands.ask.tail import follow

Handler = Callable[[int, web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _serving(answer: Handler) -> AsyncIterator[str]:
    count = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal count
        count += 1
        return await answer(count, request)

    app = web.Application()
    app.router.add_get("/tail", handle)
    app.router.add_post("/tail", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_tail_outlives_an_ended_a_broken_and_a_refused_stream_and_says_so() -> None:
    async def answer(number: int, request: web.Request) -> web.StreamResponse:
        if number == 2:
            return web.json_response({"error": "no indexer"}, status=503)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"n":%d}\n' % number)
        if number == 3:  # cut off half way through an event
            await response.write(b'{"n":')
            assert request.transport is not None
            request.transport.abort()
        return response

    notices: list[str] = []
    got: list[bytes] = []
    async with (
        _serving(answer) as url,
        connect(Target(url, "key"), None) as client,
        aclosing(follow(client, "/tail", notices.append, 0.01)) as lines,
    ):
        async for line in lines:
            got.append(line)
            if len(got) == 3:
                break
    assert got == [b'{"n":1}\n', b'{"n":3}\n', b'{"n":4}\n']
    assert [n.split(";")[0] for n in notices] == ["the stream ended", "following again"] * 2


async def test_events_that_are_indexed_again_after_a_restart_are_shown_once() -> None:
    async def answer(number: int, request: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"n":1}\n{"n":1}\n' + b"".join(
            b'{"n":%d}\n' % n for n in range(2, number + 2)))  # fmt: skip

    got: list[bytes] = []
    async with (
        _serving(answer) as url,
        connect(Target(url, "key"), None) as client,
        aclosing(follow(client, "/tail", lambda text: None, 0.01)) as lines,
    ):
        async for line in lines:
            got.append(line)
            if len(got) == 5:
                break
    assert got == [b'{"n":1}\n', b'{"n":1}\n', b'{"n":2}\n', b'{"n":3}\n', b'{"n":4}\n']


@pytest.mark.parametrize("status", [401, 403, 503])
async def test_a_first_request_that_is_refused_ends_the_tail(status: int) -> None:
    async def answer(number: int, request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "no"}, status=status)

    async with _serving(answer) as url, connect(Target(url, "key"), None) as client:
        with pytest.raises(ClientError, match=str(status)):
            async for _ in follow(client, "/tail", lambda text: None, 0.01):
                pass


async def _answer_rows(request: web.Request) -> web.Response:
    """An environment whose dataset has one old event, with status 200."""
    body = await request.json()
    rows = [{"time": "2015-05-17T10:00:00Z", "samplerate": 1, "data": {}}]
    return web.json_response({"rows": [] if body.get("filters") else rows})


async def _told(choice: dict[str, object], *, seen: bool = False) -> list[str]:
    app = web.Application()
    app.router.add_post("/bw/1/rows", _answer_rows)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told: list[str] = []
    watch = Waiting("web", "WHERE status  >= 500", choice, told.append)
    watch.begin()
    watch.seen = seen
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with connect(Target(url, "key"), None) as client:
            await watch.report(client, quiet_s=0.0)
    finally:
        await runner.cleanup()
    return told


async def test_tail_tells_what_it_waits_for_and_where_the_newest_event_is() -> None:
    some: dict[str, object] = {"filters": [{"column": "status", "op": ">=", "value": 500}]}
    first, later = await _told(some)
    assert first == "waiting for events of web WHERE status >= 500; Ctrl-C stops"
    assert later.startswith("nothing has matched yet; the newest event of web is of 2015-05-17")
    assert "that matches" not in later
    assert (await _told({}))[1].startswith("nothing has come yet; ")
    assert await _told({}, seen=True) == ["waiting for events of web; Ctrl-C stops"]


async def test_conditions_are_asked_for_again_with_each_stream() -> None:
    asked: list[object] = []

    async def answer(number: int, request: web.Request) -> web.StreamResponse:
        asked.append((request.method, await request.json()))
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"n":%d}\n' % number)
        return response

    choice = {"fields": ["n"]}
    async with (
        _serving(answer) as url,
        connect(Target(url, "key"), None) as client,
        aclosing(follow(client, "/tail", lambda _: None, 0.01, choice)) as lines,
    ):
        assert [await anext(lines), await anext(lines)] == [b'{"n":1}\n', b'{"n":2}\n']
    assert asked == [("POST", choice)] * 2
