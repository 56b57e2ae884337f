"""OpenTelemetry's SDK for JavaScript announces spans, and is killed before one ends.

It is installed by npm, once, into a cache folder outside the repository.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import folder_with
from tests.shepherd.harness import KEY, shepherd

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = Path(__file__).with_name("worker.js")
SDK, EXPORTER = "3.1.1", "0.301.1"


@pytest.fixture(scope="module")
def client_folder() -> Path:
    """A folder whose node_modules holds the pinned SDK."""
    packages = (
        f"@opentelemetry/sdk-trace@{SDK}",
        f"@opentelemetry/exporter-trace-otlp-proto@{EXPORTER}",
        "@opentelemetry/api@1.10.0",
    )
    return folder_with(f"opentelemetry-js-{SDK}-{EXPORTER}", *packages)


async def test_a_killed_span_is_announced_and_a_finished_one_arrives_too(
    tmp_path: Path, client_folder: Path
) -> None:
    async with shepherd(tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            "node", str(SCRIPT), server.url, KEY,
            str(ROOT / "examples" / "announce" / "announce.js"),
            env={**os.environ, "NODE_PATH": str(client_folder / "node_modules")},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == -9, err.decode()
        stored: list[Any] = [event.data for event in await server.events("unknown_service")]
    seen = [(data["name"], data.get("meta.annotation_type")) for data in stored]
    by_name = {(data["name"], data.get("meta.annotation_type")): data for data in stored}
    assert len(by_name) == len(stored) == 4, seen
    start, done = by_name["done", "span_start"], by_name["done", None]
    for name in ("trace.trace_id", "trace.span_id", "n"):
        assert start[name] == done[name]
    assert start["duration_ms"] == 0
    assert ("too short to announce", None) in by_name
    killed = by_name["killed", "span_start"]
    assert killed["n"] == 2
    assert "later" not in killed, "an announcement has what the span had at its start"
