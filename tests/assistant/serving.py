"""Spans to ask about, and the real `bellwether mcp`, asked by the SDK's own client."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from tests.query.harness import BASE_S

ROOT = Path(__file__).resolve().parents[2]
MODES = ("legacy", "auto")  # up to 2025-11-25 with `initialize`, and 2026-07-28 without
DAY = "SINCE 2023-11-14 UNTIL 2023-11-16"  # the spans' times
LAST_ID = 2**63 - 1
SPANS = 5  # of each trace
TRACES = 12


def trace_id(number: int) -> str:
    return f"{number + 1:032x}"


def spans() -> list[dict[str, Any]]:
    """A batch."""
    names = ("checkout", "db", "cache", "rpc", "render")
    found: list[dict[str, Any]] = []
    for trace in range(TRACES):
        for span in range(SPANS):
            data: dict[str, Any] = {
                "trace.trace_id": trace_id(trace), "trace.span_id": f"{trace:08x}{span:08x}",
                "name": names[span], "service.name": "web" if span in (0, 4) else names[span],
                "duration_ms": 1.0 + trace, "status": 500 if trace == 3 else 200,
                "error": trace == 3 and span == 1, "build": LAST_ID - trace,
            }  # fmt: skip
            if span:
                data["trace.parent_id"] = f"{trace:08x}{0:08x}"
            found.append({"time": BASE_S + trace * 10 + span, "data": data})
    return found


def text_of(result: CallToolResult) -> str:
    """What a model reads."""
    assert result.content, "a client that shows text alone would show nothing"
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


async def answered(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call, which the client has checked against the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert "coverage" in text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """The text of a call's refusal."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    return text_of(result)


def over_stdio(url: str, key: str = "K") -> StdioServerParameters:
    """A client starts this."""
    environ = {"BELLWETHER_URL": url, "BELLWETHER_KEY": key, "PYTHONPATH": str(ROOT)}
    return StdioServerParameters(
        command=sys.executable, args=["-m", "bellwether", "mcp"], env={**os.environ, **environ}
    )


@asynccontextmanager
async def over_http(url: str, *arguments: str, key: str = "K") -> AsyncIterator[str]:
    """The address of `bellwether mcp --http`."""
    environ = {"BELLWETHER_URL": url, "BELLWETHER_KEY": key, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bellwether", "mcp", "--http", "--port", "0", *arguments,
        env={**os.environ, **environ}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith("http://"), line
        yield line.split()[0]
    finally:
        process.terminate()
        code = await process.wait()
    assert code in (0, -15), code


@asynccontextmanager
async def connected(
    address: str, mode: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """The SDK's client of an address."""
    async with httpx2.AsyncClient(headers=dict(headers or {}), timeout=60) as http:
        transport = streamable_http_client(address, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client
