"""An OpenTelemetry Collector, unmodified, exports what it is sent: nothing is missing or twice."""

import asyncio
import collections
import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from common.errors import LogUnavailable
from shepherd.config import ShepherdConfig
from tests.clients.collector.build import NotBuilt, build
from tests.clients.collector.numbered import DATASETS, ITEMS, Numbered, request_of
from tests.clients.collector.process import SIGNALS, Collector, free_port, started
from tests.clients.npm import missing
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.shepherd.otlp.grpc.calls import grpc_address
from tests.system.counts import show
from tests.system.harness import System, running
from tests.system.load import Target
from tests.system.stored import count_stored
from tests.waiting import eventually

pytestmark = pytest.mark.scenario

HTTP, HTTP_JSON, GRPC = "otlphttp", "otlphttp, JSON", "otlp"
WAYS = [HTTP, HTTP_JSON, GRPC]
RETRIED = "Will retry the request after interval"


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return build()
    except NotBuilt as error:
        missing(str(error))


def exporter(way: str, url: str, grpc: str, key: str) -> dict[str, Any]:
    """As the documentation says; sent again soon, so that a test does not wait."""
    settings: dict[str, Any] = {
        "headers": {"x-honeycomb-team": key},
        "sending_queue": {"storage": "file_storage"},
        "retry_on_failure": {
            "max_elapsed_time": 0,
            "initial_interval": "100ms",
            "max_interval": "1s",
        },
    }
    if way == GRPC:
        return {"otlp": settings | {"endpoint": grpc, "tls": {"insecure": True}}}
    encoding = "json" if way == HTTP_JSON else "proto"
    return {"otlphttp": settings | {"endpoint": url, "encoding": encoding}}


async def post(url: str, signal: str, body: bytes) -> None:
    """Send to a Collector, which must take it."""
    headers = {"Content-Type": "application/x-protobuf"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/v1/{signal}", data=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def numbers_of(server: Shepherd, dataset: str) -> list[int]:
    """Of the stored events, sorted."""
    return sorted(one.data["seq"] for one in await server.events(dataset))  # type: ignore[index]  # an object


@pytest.mark.parametrize("way", WAYS)
async def test_items_sent_through_restarts_of_both_are_stored_once_each(
    tmp_path: Path, program: Path, way: str
) -> None:
    with grpc_system(tmp_path) as (system, grpc):
        settings = exporter(way, system.url, grpc, system.key)
        with started(Collector(program, tmp_path / "collector", settings)) as collector:
            done = False
            senders = [Numbered(signal, collector.url) for signal in SIGNALS]
            sending = [asyncio.create_task(one.send(lambda: done)) for one in senders]
            for _ in range(2):
                await asyncio.sleep(1.0)  # some requests between two kills
                await asyncio.to_thread(kill_shepherd, system)
            collector.kill()
            await asyncio.to_thread(collector.start)
            await asyncio.sleep(1.0)
            assert await asyncio.to_thread(system.stop) == 0
            await asyncio.to_thread(system.start)
            await asyncio.sleep(1.0)
            system.kill_everything()
            await asyncio.sleep(1.0)
            collector.kill()
            await asyncio.to_thread(collector.start)
            await asyncio.to_thread(system.start)
            await asyncio.sleep(1.0)
            done = True
            await asyncio.gather(*sending)
            await all_once(system, collector, {one.signal: one.sent for one in senders}, way)


async def test_items_that_it_batches_itself_are_stored_once_each(
    tmp_path: Path, program: Path
) -> None:
    """Its queue is in its memory, as by default, and so it is not killed."""
    batch = {"send_batch_size": ITEMS, "send_batch_max_size": ITEMS, "timeout": "600s"}
    with grpc_system(tmp_path) as (system, grpc):
        settings = exporter(HTTP, system.url, grpc, system.key)
        settings["otlphttp"]["sending_queue"] = {"queue_size": 100_000}
        one = Collector(program, tmp_path / "collector", settings, batch=batch)
        with started(one) as collector:
            done = False
            senders = [Numbered(signal, collector.url) for signal in SIGNALS]
            sending = [asyncio.create_task(one.send(lambda: done)) for one in senders]
            for _ in range(3):
                await asyncio.sleep(1.0)
                await asyncio.to_thread(kill_shepherd, system)
            done = True
            await asyncio.gather(*sending)
            await all_once(system, collector, {one.signal: one.sent for one in senders}, "batched")


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_refused_for_a_while_comes_later(
    tmp_path: Path, program: Path, way: str
) -> None:
    """The log takes nothing for a while, and a key has a rate: the Collector waits, and repeats."""
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        server.add_key("slow", events_per_s=ITEMS)
        grpc = await grpc_address(server)
        settings = exporter(way, server.url, grpc, "slow")
        with started(Collector(program, tmp_path / "collector", settings)) as collector:
            server.log.fault = LogUnavailable("not now")
            for number in range(4):
                first = 1 + number * ITEMS
                await post(
                    collector.url, "traces", request_of("traces", range(first, first + ITEMS))
                )
            await eventually(lambda: RETRIED in collector.said)
            server.log.fault = None
            expected = list(range(1, 4 * ITEMS + 1))
            await eventually(partial(has_numbers, server, DATASETS["traces"], expected))
            collector.stop()
            assert "Dropping data" not in collector.said
            assert "rejected" not in collector.said


def kill_shepherd(system: System) -> None:
    killed = system.kill_role("shepherd")
    system.wait_role_ready("shepherd", not_pid=killed)


@contextlib.contextmanager
def grpc_system(folder: Path) -> Iterator[tuple[System, str]]:
    """A running system, and the address of its gRPC, which stays the same."""
    port = free_port()
    environ = {"BELLWETHER_SHEPHERD_OTLP_GRPC_PORT": str(port)}
    with running(folder / "bellwether", environ=environ) as system:
        yield system, f"127.0.0.1:{port}"


async def all_once(system: System, collector: Collector, sent: Mapping[str, int], how: str) -> None:
    """Wait until as much is stored as was sent, stop the Collector, and look at each number."""

    async def is_all_there() -> bool:
        found = await stored(system, sent)
        return sum(one.total() for one in found.values()) >= sum(sent.values())

    await eventually(is_all_there)
    collector.stop()  # which ends what it is sending
    assert system.run("cut").returncode == 0
    found = await stored(system, sent)
    said = collector.said
    show(
        f"a Collector, {how}: {sent} sent, {said.count(RETRIED)} requests repeated; "
        f"{ {signal: numbers - len(found[signal]) for signal, numbers in sent.items()} } missing, "
        f"{ {signal: found[signal].total() - len(found[signal]) for signal in sent} } twice"
    )
    for signal, highest in sent.items():
        assert found[signal] == collections.Counter(range(1, highest + 1))
    assert "Dropping data" not in said
    assert RETRIED in said, "no request was interrupted"


async def stored(system: System, sent: Mapping[str, int]) -> dict[str, collections.Counter[int]]:
    """Of each signal, how often each number is stored."""
    return {
        signal: await count_stored(Target(system.url, system.key, DATASETS[signal]), highest)
        for signal, highest in sent.items()
    }


async def has_numbers(server: Shepherd, dataset: str, expected: list[int]) -> bool:
    return await numbers_of(server, dataset) == expected


@pytest.mark.parametrize("way", WAYS)
async def test_one_item_that_cannot_be_stored_is_told_and_its_neighbours_are_stored(
    tmp_path: Path, program: Path, way: str
) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        settings = exporter(way, server.url, await grpc_address(server), KEY)
        with started(Collector(program, tmp_path / "collector", settings)) as collector:
            good, bad = (
                request_of("metrics", range(1, ITEMS)),
                request_of("metrics", range(ITEMS, ITEMS + 1), float("nan")),
            )
            await post(collector.url, "metrics", good + bad)  # protobuf: both, in one request
            await eventually(lambda: "Partial success" in collector.said)
            collector.stop()
            assert re.search(r'"dropped_data_points": 1\b', collector.said)
            assert RETRIED not in collector.said
            assert await numbers_of(server, DATASETS["metrics"]) == list(range(1, ITEMS))
