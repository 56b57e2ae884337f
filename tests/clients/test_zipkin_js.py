"""Zipkin's JavaScript client, unmodified, sends both versions of its JSON to a real shepherd."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import folder_with
from tests.shepherd.harness import KEY, Shepherd, shepherd

pytestmark = pytest.mark.slow

VERSION = "0.22.0"
SCRIPT = Path(__file__).with_name("zipkin_send.js")
CALLS = 40


@pytest.fixture(scope="module")
def client_folder() -> Path:
    """A folder whose node_modules holds the pinned client."""
    packages = (f"zipkin@{VERSION}", f"zipkin-transport-http@{VERSION}")
    return folder_with(f"zipkin-js-{VERSION}", *packages)


async def fields(server: Shepherd, dataset: str) -> list[dict[str, Any]]:
    """The fields of a dataset's events."""
    found: list[Any] = [event.data for event in await server.events(dataset)]
    return found


@pytest.mark.parametrize("version", ["1", "2"])
async def test_every_span_is_stored_once_with_what_was_recorded(
    tmp_path: Path, client_folder: Path, version: str
) -> None:
    async with shepherd(tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(SCRIPT),
            str(client_folder),
            f"{server.url}/api/v{version}/spans",
            KEY,
            version,
            str(CALLS),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        web, users = [await fields(server, name) for name in ("web", "users")]
    sent = [event for event in web if "meta.annotation_type" in event]
    spans = [event for event in web if "meta.annotation_type" not in event]
    clients = {span["n"]: span for span in spans if span.get("span.kind") == "client"}
    locals_ = {span["n"]: span for span in spans if "span.kind" not in span}
    servers = {span["n"]: span for span in users}
    assert [len(one) for one in (sent, clients, locals_, servers, users)] == [CALLS] * 5
    for n in range(CALLS):
        client, server_span = clients[n], servers[n]
        assert client["peer.service"] == "users"
        assert client["network.peer.address"] == "10.0.0.2"
        assert client["name"] == server_span["name"] == "get"
        for name in ("trace.trace_id", "trace.span_id"):
            assert client[name] == server_span[name]
        assert len(client["trace.trace_id"]) == 32
        assert server_span["span.kind"] == "server"
        assert (client.get("shared"), server_span.get("shared")) == (None, True)
        assert client["duration_ms"] > 0
        assert server_span.get("error") == (True if n % 2 else None)
        assert server_span.get("status_message") == ("no such user" if n % 2 else None)
