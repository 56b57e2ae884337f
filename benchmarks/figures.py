"""Figures of one machine, end to end, with real processes: `python -m benchmarks.figures`.

Ready time, acknowledgement latency, time to visible, throughput with CPU and memory per role, and
bytes per event. It prints what it measured and where; nothing is asserted.
"""

import argparse
import asyncio
import platform
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import duckdb
import numpy as np
import orjson
import pyarrow as pa

from benchmarks.processes import Usage, folder_bytes, machine, usage
from tests.generate import wide_event
from tests.system.harness import System, running

DATASET = "figures"
SEED = 7
BATCH_EVENTS = 100
VISIBLE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Client:
    """A session towards one system under measurement."""

    session: aiohttp.ClientSession
    url: str

    async def send(self, body: bytes, kind: str) -> str:
        """POST a body to `events` or `batch`; returns its receipt."""
        async with self.session.post(f"{self.url}/1/{kind}/{DATASET}", data=body) as answer:
            answer.raise_for_status()
            await answer.read()
            return answer.headers["X-Bellwether-Receipt"]

    async def count(self, column: str, value: int) -> int:
        """COUNT of events whose column has the value, over all time, not waiting for anything."""
        query = {
            "calculations": [{"op": "COUNT"}],
            "filters": [{"column": column, "op": "=", "value": value}],
            "start_time": 1,
            "end_time": 4_000_000_000,
        }
        body = {"query": query, "disable_series": True, "wait_s": 10, "coverage": "accept"}
        url = f"{self.url}/1/query_results/{DATASET}"
        async with self.session.post(url, json=body) as answer:
            answer.raise_for_status()
            rows = (await answer.json())["data"]["results"]
            return int(rows[0]["data"]["COUNT"]) if rows else 0


def make_batches(count: int, events: int) -> list[bytes]:
    """Bodies of wide events without a time (they happen when they arrive)."""
    dice = random.Random(SEED)
    return [
        orjson.dumps(
            [{"data": wide_event(dice, f"{dice.getrandbits(128):032x}")} for _ in range(events)]
        )
        for _ in range(count)
    ]


def percentiles(samples_s: list[float]) -> str:
    """p50 and p99 in ms, and how many samples they rest on."""
    p50, p99 = np.percentile(np.array(samples_s) * 1e3, [50, 99])
    return f"p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   ({len(samples_s)} samples)"


async def measure_ack(client: Client, clients: int, events: int, requests: int) -> list[float]:
    """Seconds from sending to acknowledged, of `requests` requests by concurrent clients."""
    kind = "batch" if events > 1 else "events"
    bodies = make_batches(16, events)
    if events == 1:
        bodies = [orjson.dumps(orjson.loads(body)[0]["data"]) for body in bodies]
    samples_s: list[float] = []

    async def one_client(share: int) -> None:
        for number in range(share):
            began_s = time.perf_counter()
            await client.send(bodies[number % len(bodies)], kind)
            samples_s.append(time.perf_counter() - began_s)

    await asyncio.gather(*(one_client(requests // clients) for _ in range(clients)))
    return samples_s


async def measure_visible(client: Client, rounds: int) -> list[float]:
    """Seconds from an acknowledgement until a query that waits for nothing shows the event."""
    samples_s = []
    for number in range(rounds):
        marker = 1_000_000 + number
        await client.send(orjson.dumps({"visible.marker": marker}), "events")
        acked_s = time.perf_counter()
        while not await client.count("visible.marker", marker):
            if time.perf_counter() - acked_s > VISIBLE_TIMEOUT_S:
                break
            await asyncio.sleep(0.005)
        samples_s.append(time.perf_counter() - acked_s)
    return samples_s


async def measure_throughput(client: Client, batches: list[bytes], clients: int) -> float:
    """Seconds to have every batch acknowledged."""
    todo = iter(batches)
    began_s = time.perf_counter()

    async def one_client() -> None:
        for body in todo:
            await client.send(body, "batch")

    await asyncio.gather(*(one_client() for _ in range(clients)))
    return time.perf_counter() - began_s


async def wait_indexed(client: Client) -> None:
    """Cut every partition and wait until the segments are published."""
    async with client.session.post(f"{client.url}/bw/1/cut", params={"wait": "1"}) as answer:
        answer.raise_for_status()
        await answer.read()


def print_usage(title: str, before: dict[str, Usage], after: dict[str, Usage], events: int) -> None:
    """CPU-seconds per million events and resident memory, per role."""
    print(title)
    for role, now in after.items():
        cpu_s = now.cpu_s - before[role].cpu_s
        print(
            f"  {role:12} {cpu_s / events * 1e6:8.1f} CPU-s per million events"
            f"   RSS {before[role].rss_bytes / 2**20:6.0f} MiB before,"
            f" {now.rss_bytes / 2**20:6.0f} MiB after"
        )


async def measure(system: System, events: int) -> None:
    """Everything, one after the other, against one running system."""
    headers = {"X-Honeycomb-Team": system.key, "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        client = Client(session, system.url)
        pids = {
            f"{role}-{number}": pid
            for role, group in system.pids().items()
            for number, pid in enumerate(group)
        }
        idle = {role: usage(pid) for role, pid in pids.items()}
        for role, now in idle.items():
            print(f"idle {role:12} RSS {now.rss_bytes / 2**20:6.0f} MiB")
        await measure_ack(client, 1, 1, 20)
        for clients in (1, 16):
            for size in (1, BATCH_EVENTS):
                samples_s = await measure_ack(client, clients, size, 320)
                name = f"ack, {clients:2} client(s), {size:3} event(s)"
                print(f"{name:32} {percentiles(samples_s)}")
        print(f"{'ack to visible':32} {percentiles(await measure_visible(client, 100))}")
        batches = make_batches(events // BATCH_EVENTS, BATCH_EVENTS)
        log_before, objects_before = (
            folder_bytes(system.data / "log"),
            folder_bytes(system.data / "objects"),
        )
        before = {role: usage(pid) for role, pid in pids.items()}
        began_s = time.perf_counter()
        acked_s = await measure_throughput(client, batches, 8)
        await wait_indexed(client)
        sealed_s = time.perf_counter() - began_s
        after = {role: usage(pid) for role, pid in pids.items()}
        body_bytes = sum(map(len, batches))
        print(f"{events} wide events of {body_bytes / events:.0f} bytes, batches of {BATCH_EVENTS}")
        print(f"  HTTP to acknowledged   {events / acked_s:10.0f} events/s")
        print(f"  HTTP to sealed         {events / sealed_s:10.0f} events/s")
        print_usage("under that load", before, after, events)
        log_bytes = folder_bytes(system.data / "log") - log_before
        object_bytes = folder_bytes(system.data / "objects") - objects_before
        print(f"log      {log_bytes / events:8.1f} bytes per event")
        print(f"segments {object_bytes / events:8.1f} bytes per event")


def main() -> None:
    """Start a system in a temporary folder, measure it, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--twins", action="store_true", help="run both indexers of a pair")
    options = parser.parse_args()
    print(machine())
    print(
        f"Python {platform.python_version()}, duckdb {duckdb.__version__}, "
        f"pyarrow {pa.__version__}, seed {SEED}"
    )
    with tempfile.TemporaryDirectory(prefix="bellwether-figures-") as folder:
        arguments = ["--no-telemetry", *(["--twins"] if options.twins else [])]
        began_s = time.perf_counter()
        with running(Path(folder), *arguments) as system:
            print(f"ready in {time.perf_counter() - began_s:.2f} s")
            asyncio.run(measure(system, options.events))


if __name__ == "__main__":
    main()
