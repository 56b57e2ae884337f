"""A shepherd before real Kafka brokers whose links break: nobody fails, nothing counts twice.

(I1, I2; design, section 6.)
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.log_counts import counted_events
from common.process.web import INTERNAL_TOKEN_HEADER
from compose.servers.kafka import Kafka
from compose.servers.proxy import Link, Proxy
from shepherd.config import ShepherdConfig
from tests.conformance import kafka as kafka_logs
from tests.shepherd.harness import TOKEN, Shepherd, shepherd

PARTITIONS = 12
RATE_PER_S = 40
AVOIDED_ROUNDS_MAX = 30


@dataclass(slots=True)
class Load:
    """Uniquely numbered events at a steady rate; every fourth batch is named by its client."""

    server: Shepherd
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    acked: set[int] = field(default_factory=set)
    _next: int = 0

    async def run(self, seconds: float) -> None:
        """Send, and wait for every answer."""
        loop, tasks = asyncio.get_running_loop(), []
        began_s = loop.time()
        for n in range(int(seconds * RATE_PER_S)):
            tasks.append(asyncio.create_task(self._send()))
            await asyncio.sleep(max(0.0, began_s + (n + 1) / RATE_PER_S - loop.time()))
        await asyncio.gather(*tasks)

    async def _send(self) -> None:
        first, self._next = self._next, self._next + 5
        numbers = range(first, first + 5)
        named = {"X-Bellwether-Batch-Id": f"batch-{first}"} if first % 4 == 0 else None
        events = [{"data": {"n": n, "pad": "x" * 200}} for n in numbers]
        status, body, _ = await self.server.post("/1/batch/load", events, named)
        self.statuses[status] += 1
        if status != 200:
            self.refusals[str(body)] += 1
        if status == 200:
            self.acked |= {
                n for n, item in zip(numbers, body, strict=True) if item["status"] == 202
            }


@pytest.fixture
async def server(
    tmp_path: Path, kafka_server: Kafka, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shepherd]:
    monkeypatch.setenv(kafka_logs.SERVERS, kafka_server.servers)
    log = kafka_logs.make(tmp_path, PARTITIONS)
    # a busy test machine must not fail what is slow; how slow is what benchmarks measure
    config = ShepherdConfig(port=0, ack_timeout_s=40.0)
    async with shepherd(tmp_path, config, log=log) as running:
        yield running


async def avoided(server: Shepherd) -> list[str]:
    """Brokers that the shepherd says it avoids."""
    url = f"{server.internal}/internal/placement"
    async with server.http.get(url, headers={INTERNAL_TOKEN_HEADER: TOKEN}) as reply:
        brokers = (await reply.json())["brokers"]
    return [b["broker"] for b in brokers if b["state"] == "avoided" and b["reason"]]


@pytest.mark.parametrize("fault", ["black hole", "late"])
async def test_broken_link_to_one_broker_fails_no_request_and_doubles_nothing(
    server: Shepherd, proxy_server: Proxy, fault: str
) -> None:
    link: Link = proxy_server["kafka-2"]
    load = Load(server)
    await load.run(1.5)
    try:
        if fault == "black hole":
            await asyncio.to_thread(link.black_hole)
        else:
            await asyncio.to_thread(link.late, 4_000)
        await load.run(3)
        for _ in range(AVOIDED_ROUNDS_MAX):
            if "2" in await avoided(server):
                break
            await load.run(1)
        else:
            pytest.fail("the broker behind the broken link was not left")
    finally:
        await asyncio.to_thread(link.heal)
    await load.run(2)
    assert set(load.statuses) == {200}, load.refusals
    await asyncio.sleep(4)  # what was on its way when the link healed has landed
    found = await counted_events(server.backends.log)
    assert {n for n in load.acked if found[n] != 1} == set()
    assert max(found.values()) == 1
