"""A real browser: a page of a named origin sends events and reads every answer, another cannot."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, shepherd

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT_S = 60
Said = list[list[object]]  # of each request: status (0: unreadable), has a receipt, text
SCRIPT = """<!doctype html><title>sender</title><script>
const said = [];
async function send(path, body, headers) {
  try {
    const answer = await fetch(URL_HERE + path, {method: "POST", body, headers});
    const receipt = answer.headers.get("X-Bellwether-Receipt") !== null;
    said.push([answer.status, receipt, await answer.text()]);
  } catch (error) { said.push([0, false, error.name]); }
}
(async () => {
  const json = {"X-Honeycomb-Team": KEY_HERE, "Content-Type": "application/json"};
  const one = JSON.stringify([{data: {a: 1}}]);
  await send("/1/batch/web", one, json);
  await send("/1/events/web", '{"a":1}', {...json, "X-Honeycomb-Event-Time": "1700000000",
    "X-Honeycomb-Samplerate": "4", "X-Honeycomb-Dataset": "web"});
  await send("/1/batch/web", one, {...json, "X-Bellwether-Batch-Id": "b-1"});
  await send("/1/batch/web", "[]", json);
  await send("/1/batch/web", one, {...json, "X-Honeycomb-Team": "wrong"});
  await fetch("/said", {method: "POST", body: JSON.stringify(said)});
})();
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    """A browser's program."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    missing = "no Chromium is installed: pages that send events are not tried in a browser"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@asynccontextmanager
async def serving(listening: socket.socket, url: str) -> AsyncIterator[asyncio.Queue[Said]]:
    """A page that sends to `url`, and what it says of the answers that it could read."""
    said: asyncio.Queue[Said] = asyncio.Queue()

    async def show(_: web.Request) -> web.Response:
        text = SCRIPT.replace("URL_HERE", json.dumps(url)).replace("KEY_HERE", json.dumps(KEY))
        return web.Response(text=text, content_type="text/html")

    async def hear(request: web.Request) -> web.Response:
        said.put_nowait(json.loads(await request.text()))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", show)
    app.router.add_post("/said", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield said
    finally:
        await runner.cleanup()


async def shown(browser: str, folder: Path, page: str) -> asyncio.subprocess.Process:
    """The browser, with this page open."""
    return await asyncio.create_subprocess_exec(
        browser,
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}"),
        page,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def test_a_page_of_a_named_origin_sends_and_reads_answers_and_another_cannot(
    tmp_path: Path, browser: str
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = ShepherdConfig(port=0, cors_origins=(f"http://127.0.0.1:{port}",))
    async with (
        shepherd(tmp_path, config) as server,
        serving(listening, server.url) as said,
    ):
        found = []
        for turn, host in enumerate(("127.0.0.1", "localhost")):  # the same page, another origin
            process = await shown(browser, tmp_path / f"profile{turn}", f"http://{host}:{port}/")
            try:
                found.append(await asyncio.wait_for(said.get(), WAIT_S))
            finally:
                process.kill()
                await process.wait()
        stored = await server.events("web")
    named, other = found
    assert [(status, receipt) for status, receipt, _ in named] == [
        *((200, True), (200, True), (200, True)),
        *((400, False), (401, False)),
    ]
    assert named[0][2] == '[{"status":202}]'
    assert "should not be empty" in str(named[3][2])
    assert other == [[0, False, "TypeError"]] * 5
    assert [event.data for event in stored] == [{"a": 1}] * 3
    assert {(event.time_ns, event.rate) for event in stored} >= {(1_700_000_000 * 10**9, 4)}
