"""A model reads why a call was refused and what to do; no key is in any text."""

import asyncio
import http.client
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from mcp.client.client import Client

from assistant.api import Api
from assistant.server import build
from common import limits
from tests.assistant.serving import DAY, MODES, connected, over_http, refused
from tests.query.harness import query_harness
from tests.waiting import eventually

SECRET = "hcaik_0123456789"


@pytest.mark.parametrize("mode", MODES)
async def test_refusals_name_the_fault_and_what_is_near(tmp_path: Path, mode: str) -> None:
    async with (
        query_harness(tmp_path) as role,
        Api(role.url, "K") as api,
        Client(build(api), mode=mode) as client,
    ):
        cases = (
            ("run_query", {"dataset": "shop", "querry": "COUNT"}, "did you mean query?"),
            ("run_qery", {"dataset": "shop"}, "did you mean run_query?"),
            ("run_query", {"query": "COUNT"}, "dataset: Field required"),
            ("run_query", {"dataset": "shop", "query": "COUNT GROUP status"}, "^^^^"),
            ("run_query", {"dataset": "shop"}, "either `query`"),
            ("run_query", {"dataset": "shap", "query": "COUNT"}, 'did you mean "shop"?'),
            ("run_query", {"dataset": "shop", "query": "SELECT *"}, "list_rows"),
            (
                "run_query",
                {"dataset": "shop", "specification": {"calculations": [{"op": "COUN"}]}},
                "calculations[0].op: 'COUN' is not one of COUNT",
            ),
            ("run_query", {"dataset": "shop", "query": "COUNT", "rows": 0}, "greater than or"),
            ("list_rows", {"dataset": "shop", "conditions": "COUNT GROUP BY a"}, "run_query"),
            (
                "list_rows",
                {"dataset": "shop", "conditions": "FROM other LAST 1h"},
                "leave FROM out",
            ),
            ("get_result", {"dataset": "shop", "result_id": "none"}, "no result of this dataset"),
            ("search_traces", {"conditions": "WHERE root.name ="}, "^"),
            ("compare_traces", {"trace": "ff"}, "either `other`"),
        )
        for tool, arguments, expected in cases:
            assert expected in await refused(client, tool, **arguments), (tool, arguments)
        unknown = await client.call_tool(
            "run_query", {"dataset": "shop", "query": f"COUNT GROUP BY statuz {DAY}"}
        )
        assert not unknown.is_error
        assert unknown.structured_content is not None
        assert "did you mean `status`?" in unknown.structured_content["notes"][0]


async def test_an_address_that_does_not_answer_is_said_without_the_key() -> None:
    async with Api("http://127.0.0.1:1", SECRET) as api, Client(build(api)) as client:
        text = await refused(client, "get_workspace")
    assert "http://127.0.0.1:1 does not answer" in text
    assert SECRET not in text


async def test_calls_beyond_those_that_run_at_once_are_refused_at_once() -> None:
    may_answer = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await may_answer.wait()
        return web.json_response({"rows": [], "next": None})

    app = web.Application()
    app.router.add_post("/bw/1/rows", slow)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with Api(url, SECRET) as api, Client(build(api)) as client:
            call = partial(client.call_tool, "list_rows", {"dataset": "d"})
            running = [asyncio.create_task(call()) for _ in range(limits.AGENT_CALLS_MAX)]
            await eventually(lambda: api.running == limits.AGENT_CALLS_MAX)
            assert "wait for one" in await refused(client, "list_rows", dataset="d")
            may_answer.set()
            assert not any(one.is_error for one in await asyncio.gather(*running))
            assert not (await call()).is_error
    finally:
        await runner.cleanup()


@pytest.mark.system
async def test_without_a_key_of_its_own_the_server_asks_for_one(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as role, over_http(role.url, "--require-key") as address:
        async with connected(address, "auto") as client:
            assert "Authorization: Bearer KEY" in await refused(client, "get_workspace")
        for host, status in (("evil.example", 421), ("localhost", 406), ("agents.internal", 421)):
            assert post(address, host) == status  # 406: the right host, no media type it can send


@pytest.mark.system
async def test_a_name_that_was_allowed_is_answered(tmp_path: Path) -> None:
    async with (
        query_harness(tmp_path) as role,
        over_http(role.url, "--allow-host", "agents.internal") as address,
    ):
        assert post(address, "agents.internal") == 406
        assert post(address, "agents.internal", origin="https://evil.example") == 403


def post(address: str, host: str, origin: str = "") -> int:
    """The status of a request with this Host."""
    parts = urlsplit(address)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Host": host, "Content-Type": "application/json", "Accept": "text/plain"}
    if origin:
        headers["Origin"] = origin
    connection.request("POST", parts.path, b'{"jsonrpc":"2.0","id":1,"method":"ping"}', headers)
    status = connection.getresponse().status
    connection.close()
    return status
