"""Figures of a whole cluster on one machine: `python -m benchmarks.cluster_figures`.

Three zones with real Kafka, ZooKeeper, MariaDB and S3 servers and every role, all as processes of
this machine: idle CPU and memory of each, acknowledgement latency by body size, time to visible,
and throughput through HTTP into both twins' sealed segments with CPU-seconds per role. Another
topology (`--partitions`, `--shepherds`) shows how throughput grows. Nothing is asserted.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import aiohttp

from benchmarks.figures import (
    SEED,
    Client,
    make_batches,
    measure_ack,
    measure_visible,
    percentiles,
    wait_indexed,
)
from benchmarks.processes import Usage, machine, usage
from compose.cluster import Cluster
from compose.topology import Topology
from tests.kernel_cache import KERNEL_CACHE

BODY_EVENTS = (1, 10, 100, 1_000)
IDLE_S = 10.0
CLIENTS = 8


def pids(cluster: Cluster) -> dict[str, int]:
    """Every process of the cluster by name."""
    processes = {role.name: role.process for role in cluster.roles}
    processes |= {f"kafka-{b.number}": b.process for b in cluster.kafka.brokers}
    processes |= {
        f"zookeeper-{n}": member.process for n, member in enumerate(cluster.zookeeper.members, 1)
    }
    processes |= {"mariadb": cluster.mariadb.process, "s3": cluster.s3.process}
    return {name: process.pid for name, process in processes.items() if process.pid}


def kind(name: str) -> str:
    """`kafka-2` is a kafka, `shepherd-a` a shepherd."""
    return name.split("-")[0]


def by_kind(found: dict[str, Usage]) -> dict[str, tuple[int, float, float]]:
    """Per kind of process: how many, CPU-seconds of all, mean resident MiB."""
    groups: dict[str, list[Usage]] = defaultdict(list)
    for name, one in found.items():
        groups[kind(name)].append(one)
    return {
        name: (
            len(group),
            sum(one.cpu_s for one in group),
            sum(one.rss_bytes for one in group) / len(group) / 2**20,
        )
        for name, group in groups.items()
    }


def take(cluster: Cluster) -> dict[str, tuple[int, float, float]]:
    """CPU and memory of everything, now."""
    return by_kind({name: usage(pid) for name, pid in pids(cluster).items()})


async def throughput(clients: list[Client], bodies: list[bytes]) -> float:
    """Seconds until every body is acknowledged, sent to the shepherds in turn."""
    todo = iter(bodies)
    began_s = time.perf_counter()

    async def one_client(client: Client) -> None:
        for body in todo:
            await client.send(body, "batch")

    await asyncio.gather(*(one_client(clients[n % len(clients)]) for n in range(CLIENTS)))
    return time.perf_counter() - began_s


async def measure(cluster: Cluster, events: int) -> None:
    """Everything, one after the other, against one running cluster."""
    before = take(cluster)
    await asyncio.sleep(IDLE_S)
    for name, (count, cpu_s, rss_mib) in take(cluster).items():
        spent = (cpu_s - before[name][1]) / IDLE_S / count
        print(f"idle {count} x {name:10} {spent:7.1%} of a core each, RSS {rss_mib:5.0f} MiB each")
    headers = {"X-Honeycomb-Team": cluster.key, "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        clients = [Client(session, role.public_url) for role in cluster.roles.of("shepherd")]
        first = clients[0]
        await measure_ack(first, 1, 1, 50)
        for size in BODY_EVENTS:
            for together in (1, 16):
                requests = 160 if size < BODY_EVENTS[-1] else 48
                samples_s = await measure_ack(first, together, size, requests)
                name = f"ack, {together:2} client(s), {size:4} event(s)"
                print(f"{name:34} {percentiles(samples_s)}")
        print(f"{'ack to visible':34} {percentiles(await measure_visible(first, 100))}")
        bodies = make_batches(events // 100, 100)
        await wait_indexed(first)
        before = take(cluster)
        began_s = time.perf_counter()
        acked_s = await throughput(clients, bodies)
        await wait_indexed(first)
        sealed_s = time.perf_counter() - began_s
        print(
            f"{events} wide events of {sum(map(len, bodies)) / events:.0f} bytes in bodies of 100"
        )
        print(f"  HTTP to acknowledged            {events / acked_s:9.0f} events/s")
        print(f"  HTTP to both twins' sealed cuts {events / sealed_s:9.0f} events/s")
        for name, (count, cpu_s, rss_mib) in take(cluster).items():
            spent = (cpu_s - before[name][1]) / events * 1e6
            print(
                f"  {count} x {name:10} {spent:7.1f} CPU-s per million events together,"
                f" RSS {rss_mib:5.0f} MiB each"
            )


def main() -> None:
    """Start a cluster in a temporary folder, measure it, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--shepherds", type=int, default=3)
    options = parser.parse_args()
    print(machine())
    topology = Topology(shepherds=options.shepherds, partitions=options.partitions)
    print(f"{topology.partitions} partitions, {topology.shepherds} shepherds, seed {SEED}")
    with tempfile.TemporaryDirectory(prefix="bellwether-cluster-figures-") as folder:
        cluster = Cluster(Path(folder), topology=topology, say=lambda text: None)
        cluster.roles.settings |= {
            "BELLWETHER_NODE_TELEMETRY": "false",
            "BELLWETHER_INDEXER_KERNEL_CACHE": str(KERNEL_CACHE),
            "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(KERNEL_CACHE),
        }
        try:
            began_s = time.perf_counter()
            cluster.start_all()
            print(f"servers and roles ready in {time.perf_counter() - began_s:.1f} s")
            asyncio.run(measure(cluster, options.events))
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
