"""OpenTelemetry's SDK for JavaScript, unmodified, sends spans as protobuf and as JSON."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import folder_with
from tests.shepherd.harness import KEY, shepherd
from tests.system.counts import show
from tests.system.harness import System, running
from tests.system.load import Target
from tests.system.stored import count_stored

VERSION, SDK = "0.301.0", "3.1.0"
SCRIPT = Path(__file__).with_name("otel_send.js")
ENCODINGS = ("proto", "json")
FINISH_S = 120.0  # generous: what waits is sent again until it is stored


@pytest.fixture(scope="module")
def client_folder() -> Path:
    """A folder whose node_modules holds the pinned SDK."""
    packages = [
        "@opentelemetry/api@1.10.0",
        f"@opentelemetry/sdk-trace@{SDK}",
        f"@opentelemetry/resources@{SDK}",
        f"@opentelemetry/exporter-trace-otlp-proto@{VERSION}",
        f"@opentelemetry/exporter-trace-otlp-http@{VERSION}",
    ]
    return folder_with(f"otel-js-{VERSION}", *packages)


class Sender:
    """A program that records spans until it is told to finish."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def finish(self) -> dict[str, int]:
        """End its input and wait until it has exported everything. How it went."""
        out, err = await asyncio.wait_for(self._process.communicate(b""), FINISH_S)
        assert self._process.returncode == 0, err.decode()
        found: dict[str, int] = json.loads(out)
        return found


@contextlib.asynccontextmanager
async def sending(
    folder: Path, url: str, key: str, encoding: str, least: int
) -> AsyncIterator[Sender]:
    """A running sender; it is killed if it was not finished."""
    process = await asyncio.create_subprocess_exec(
        *("node", str(SCRIPT), str(folder), f"{url}/v1/traces", key, encoding, str(least)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Sender(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_every_span_is_stored_once_and_the_same_in_both_encodings(
    tmp_path: Path, client_folder: Path
) -> None:
    stored: dict[str, dict[int, dict[str, Any]]] = {}
    async with shepherd(tmp_path) as server:
        for encoding in ENCODINGS:
            async with sending(client_folder, server.url, KEY, encoding, 300) as sender:
                sent = await sender.finish()
            assert sent["exported"] == sent["recorded"]
            fields: list[Any] = [event.data for event in await server.events(f"js-{encoding}")]
            stored[encoding] = {span["seq"]: span for span in fields}
            assert len(fields) == len(stored[encoding]) == sent["recorded"]
    for n in range(1, 301):
        as_protobuf, as_json = stored["proto"][n], stored["json"][n]
        for span in (as_protobuf, as_json):
            assert (span["half"], span["even"], span["text"]) == (n / 2, n % 2 == 0, f"é {n}")
            assert len(span["trace.trace_id"]) == 32
            assert len(span["trace.span_id"]) == 16
            assert span["library.name"] == "numbered"
            assert span["span.kind"] == "client"
        assert as_protobuf.keys() == as_json.keys()
        assert [*map(type, as_protobuf.values())] == [*map(type, as_json.values())]


@pytest.mark.scenario
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_spans_sent_through_restarts_are_stored_once_each(
    tmp_path: Path, client_folder: Path, encoding: str
) -> None:
    with running(tmp_path) as system:
        async with sending(client_folder, system.url, system.key, encoding, 1_000) as sender:
            for _ in range(3):
                await asyncio.sleep(1.0)  # some requests between two kills
                await asyncio.to_thread(_kill_shepherd, system)
            await asyncio.to_thread(_restart, system)
            await asyncio.sleep(1.0)
            system.kill_everything()
            await asyncio.to_thread(system.start)
            await asyncio.sleep(1.0)
            sent = await sender.finish()
        assert sent["exported"] == sent["recorded"]
        receipt = system.send("after", [{"data": {"a": 1}}])
        await asyncio.to_thread(
            system.ask, "after", {"calculations": [{"op": "COUNT"}]}, after=receipt
        )
        target = Target(system.url, system.key, f"js-{encoding}")
        stored = await count_stored(target, sent["recorded"])
        missing = sent["recorded"] - len(stored)
        twice = sum(count > 1 for count in stored.values())
        show(
            f"OpenTelemetry's SDK for JavaScript, {encoding}: {sent['recorded']} spans, "
            f"{sent['retried']} requests repeated by it, {sent['again']} batches that it gave up "
            f"handed over again; {missing} missing, {twice} stored twice"
        )
        assert (missing, twice) == (0, 0)
        assert sent["retried"], "no request was interrupted"


def _kill_shepherd(system: System) -> None:
    killed = system.kill_role("shepherd")
    system.wait_role_ready("shepherd", not_pid=killed)


def _restart(system: System) -> None:
    assert system.stop() == 0
    system.start()
