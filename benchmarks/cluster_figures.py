"""Figures of a whole cluster on one machine: `python -m benchmarks.cluster_figures`.

Three zones with real Kafka, ZooKeeper, MariaDB and S3 servers and every role, all as processes of
this machine: idle CPU and memory of each, acknowledgement latency by body size, time to visible,
and throughput through HTTP into both twins' sealed segments with CPU-seconds per role. Another
topology (`--partitions`, `--shepherds`) shows how throughput grows. Nothing is asserted.
"""

import argparse
import itertools
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from benchmarks.harness.machine import describe_machine, one_line
from benchmarks.harness.processes import Usage, usage
from benchmarks.serving.client import percentiles_ms, request, send_all
from benchmarks.serving.events import is_accepted
from benchmarks.serving.shepherd_client import ShepherdClient
from compose.cluster.cluster import Cluster
from compose.topology import Topology
from tests.generate import wide_event
from tests.kernel_cache import KERNEL_CACHE

BODY_EVENTS = (1, 10, 100, 1_000)
IDLE_S = 10.0
CLIENTS = 8
SEED = 7


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


def bodies_of(batches: int, events: int) -> list[bytes]:
    """Bodies of wide events without a time: they happen when they arrive."""
    dice = random.Random(SEED)
    return [
        orjson.dumps(
            [{"data": wide_event(dice, f"{dice.getrandbits(128):032x}")} for _ in range(events)]
        )
        for _ in range(batches)
    ]


def measure(cluster: Cluster, events: int) -> None:
    """Everything, one after the other, against one running cluster."""
    before = take(cluster)
    time.sleep(IDLE_S)
    for name, (count, cpu_s, rss_mib) in take(cluster).items():
        spent = (cpu_s - before[name][1]) / IDLE_S / count
        print(f"idle {count} x {name:10} {spent:7.1%} of a core each, RSS {rss_mib:5.0f} MiB each")
    headers = {"X-Honeycomb-Team": cluster.key, "Content-Type": "application/json"}
    path = "/1/batch/figures"
    urls = [urlsplit(role.public_url) for role in cluster.roles.of("shepherd")]
    addresses = [(url.hostname or "", url.port or 80) for url in urls]
    shepherd = ShepherdClient(addresses[0], cluster.key)
    for size in BODY_EVENTS:
        requests = [request(path, headers, body) for body in bodies_of(16, size)]
        for together in (1, 16):
            count = 160 if size < BODY_EVENTS[-1] else 48
            some = itertools.islice(itertools.cycle(requests), count)
            sent = send_all(addresses[:1], some, together, is_accepted)
            text = figures_text(sent.figures(count * size))
            print(f"{together:2} client(s), {size:4} event(s): {text}")
    print(figures_text(percentiles_ms("ack to visible", shepherd.visible_waits_s(100))))
    requests = [request(path, headers, body) for body in bodies_of(events // 100, 100)]
    shepherd.cut()
    before = take(cluster)
    began_s = time.perf_counter()
    sent = send_all(addresses, requests, CLIENTS, is_accepted)
    shepherd.cut()
    sealed_s = time.perf_counter() - began_s
    print(f"{events} wide events of {sum(map(len, requests)) / events:.0f} bytes in bodies of 100")
    print(f"  HTTP to acknowledged            {events / sent.took_s:9.0f} events/s")
    print(f"  HTTP to both twins' sealed cuts {events / sealed_s:9.0f} events/s")
    for name, (count, cpu_s, rss_mib) in take(cluster).items():
        spent = (cpu_s - before[name][1]) / events * 1e6
        print(
            f"  {count} x {name:10} {spent:7.1f} CPU-s per million events together,"
            f" RSS {rss_mib:5.0f} MiB each"
        )


def figures_text(figures: Mapping[str, float]) -> str:
    """One line."""
    return ", ".join(f"{name} {value:.1f}" for name, value in figures.items())


def main() -> None:
    """Start a cluster in a temporary folder, measure it, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--shepherds", type=int, default=3)
    options = parser.parse_args()
    print(one_line(describe_machine()))
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
            measure(cluster, options.events)
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
