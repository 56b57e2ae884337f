"""A whole cluster under load, for scenarios: break it, mend it, then account for every event.

    async with scenario(cluster, "broker killed") as running:
        await running.steady()
        running.fault()
        await to_thread(cluster.kafka.brokers[0].kill)
        await running.steady(10)

Leaving the block mends what is still broken, stops the load and checks: every acknowledged event
is in the query results exactly once (I2), both twins made the same segments (I3), and `verify`
finds nothing.
"""

import asyncio
import contextlib
import itertools
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import aiohttp

from compose.cluster.cluster import Cluster
from compose.processes.process import StartFailed
from compose.servers.kafka_health import wait_whole
from compose.topology import TOPIC, Topology
from tests.cluster.figures import measure
from tests.kernel_cache import KERNEL_CACHE
from tests.system.counts import show
from tests.system.load import Load, Target, judge
from tests.system.stored import ALL_TIME, count_stored

TOPOLOGY = Topology(shepherds=2, queries=2, partitions=6)
SENDERS = 8
PAUSE_MAX_S = 0.25  # moderate: a fault must not be mistaken for a busy machine
USUAL_S = 6.0  # of load before a fault, to compare with
MEND_S = 300.0
CUT_S = 300.0
_DIVERGED = re.compile(r"^bellwether_divergence_total(?:\{.*\})? ([0-9.e+]+)$", re.MULTILINE)
_seeds = itertools.count(1)
_SHORT = aiohttp.ClientTimeout(total=15)
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Scenario:
    """One scenario while it runs."""

    name: str
    cluster: Cluster
    target: Target
    load: Load
    began_s: float
    fault_s: float = 0.0
    ended_s: float = 0.0
    notes: list[str] = field(default_factory=list)

    async def steady(self, seconds: float = USUAL_S) -> None:
        """Let the load go on."""
        await asyncio.sleep(seconds)

    def fault(self) -> None:
        """From now on the figures count as after the fault."""
        self.fault_s = time.monotonic()

    def note(self, text: str) -> None:
        """A figure to print with the others."""
        self.notes.append(text)


@asynccontextmanager
async def scenario(
    cluster: Cluster, name: str, *, senders: int = SENDERS, pause_max_s: float = PAUSE_MAX_S
) -> AsyncIterator[Scenario]:
    """Load on a dataset of the scenario's own; see the module's text."""
    urls = [role.public_url for role in cluster.roles.of("shepherd")]
    seed = next(_seeds)
    dataset = f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{seed}"
    target = Target(urls[0], cluster.key, dataset, tuple(urls[1:]))
    load = Load(target, senders, seed, pause_max_s=pause_max_s)
    task = asyncio.create_task(load.run())
    running = Scenario(name, cluster, target, load, time.monotonic())
    try:
        yield running
        running.ended_s = time.monotonic()
        await mend(cluster)
    finally:
        load.stop()
        await asyncio.wait_for(task, MEND_S)
    await assert_counted_once(running)


async def in_thread(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run what blocks (starting, killing) while the load goes on."""
    return await asyncio.to_thread(work, *arguments, **options)


async def mend(cluster: Cluster) -> None:
    """Heal every link, resume and start everything, and wait until the cluster is whole."""
    await asyncio.to_thread(_mend_processes, cluster)
    if "proxy" not in cluster.running:
        return  # nothing between the servers was broken: leaders are where they were
    topology = cluster.topology
    await wait_whole(cluster.kafka.servers, TOPIC, topology.brokers, topology.replication, MEND_S)


def _mend_processes(cluster: Cluster) -> None:
    if "proxy" in cluster.running:
        cluster.proxy.heal()
    members, brokers = cluster.zookeeper.members, cluster.kafka.brokers
    for process in [*(m.process for m in members), *(b.process for b in brokers)]:
        process.resume()
    for server in (cluster.mariadb, cluster.s3):
        server.resume()
        if not server.process.alive:
            server.start()
    for role in cluster.roles:
        role.resume()
    down = [part for part in (*members, *brokers) if not part.process.alive]
    for part in down:
        part.start()
    for part in down:
        part.wait_ready()
    cluster.roles.start()
    cluster.roles.wait_ready(seconds=MEND_S)


async def assert_counted_once(running: Scenario) -> None:
    """Account for every event; prints the figures. Raises AssertionError."""
    outcome, cluster = running.load.outcome, running.cluster
    await cut(cluster)
    highest = max(outcome.acknowledged | outcome.refused | outcome.unknown)
    begin_s = time.monotonic()
    stored = await count_stored(running.target, highest, outcome.receipt())
    verdict = judge(outcome, stored)
    show(
        f"{running.name}: {outcome.counts()}; stored {verdict.stored}, of the unknown "
        f"{verdict.stored_unknown}; lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, "
        f"ghosts {len(verdict.ghosts)}; read back in {time.monotonic() - begin_s:.1f} s"
    )
    if running.fault_s:
        acks = outcome.acks
        show("  " + measure(acks, running.began_s, running.fault_s, running.ended_s).line())
    for note in running.notes:
        show(f"  {note}")
    assert outcome.acknowledged, "the load must have stored something"
    assert verdict.clean, verdict
    report = await asyncio.to_thread(cluster.run, "verify")
    assert report.returncode == 0, report.stdout + report.stderr
    diverged = {name: count for name, count in divergences(cluster) if count}
    assert not diverged, f"twins made different segments: {diverged}"


async def cut(cluster: Cluster) -> dict[int, set[str]]:
    """Cut every partition, so that both twins seal, publish and compare all that was stored.

    Returns each partition's holders. Raises AssertionError when one stays unpublished, or a
    partition lacks a holder.
    """
    until_s = time.monotonic() + CUT_S
    while True:
        holders, problems = await _cut_once(cluster)
        problems += [
            f"partition {number} is held by {sorted(holders.get(number, ()))}"
            for number in range(cluster.topology.partitions)
            if len(holders.get(number, ())) < cluster.topology.copies_possible
        ]
        if not problems:
            return holders
        assert time.monotonic() < until_s, problems
        await asyncio.sleep(1)


async def _cut_once(cluster: Cluster) -> tuple[dict[int, set[str]], list[str]]:
    """(who published each partition up to its marker, what was not published and why)."""
    headers = {"X-Honeycomb-Team": cluster.key}
    url = f"{cluster.roles.of('shepherd')[0].public_url}/bw/1/cut"
    timeout = aiohttp.ClientTimeout(total=CUT_S)
    async with (
        aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
        session.post(url, params={"wait": "1"}) as answer,
    ):
        assert answer.status == 200, await answer.text()
        told = await answer.json()
    holders: dict[int, set[str]] = {}
    problems = []
    for one in told["indexers"]:
        name = one["indexer"]
        if "error" in one:
            problems.append(f"{name}: {one['error']}")
            continue
        for number, about in one["answer"]["partitions"].items():
            if about["published"]:
                holders.setdefault(int(number), set()).add(name)
            else:
                problems.append(f"{name}, partition {number}: {about['why']}")
    return holders, problems


async def unpublished_cuts(running: Scenario) -> int:
    """How many cuts wait to be published, at all indexers that answer."""
    headers = {"X-Honeycomb-Team": running.target.key}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=_SHORT) as session,
        session.get(f"{running.target.url}/bw/1/status") as answer,
    ):
        assert answer.status == 200, await answer.text()
        told = await answer.json()
    partitions = [p for one in told["indexers"] for p in one["status"]["partitions"].values()]
    return sum(p["unpublished"]["cuts"] for p in partitions)


async def cut_without_wait(cluster: Cluster) -> None:
    """Ask for a cut, whatever becomes of it: what must publish may be broken."""
    headers = {"X-Honeycomb-Team": cluster.key}
    url = f"{cluster.roles.of('shepherd')[0].public_url}/bw/1/cut"
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with (
            aiohttp.ClientSession(headers=headers, timeout=_SHORT) as session,
            session.post(url, params={"wait": "0"}) as answer,
        ):
            await answer.read()


@dataclass(frozen=True, slots=True)
class Counted:
    """An answer to COUNT: whether it covers everything, and how long it took."""

    complete: bool
    count: float
    took_s: float


async def ask_count(running: Scenario, *, after: str = "") -> Counted:
    """COUNT of the scenario's events now; where nobody listens, the next address is asked.

    after: receipts that a complete answer must cover.
    """
    body = {
        "query": {"calculations": [{"op": "COUNT"}], **ALL_TIME},
        "disable_series": True,
        "wait_s": 30,
        "after": after,
    }
    begin_s = time.monotonic()
    headers = {"X-Honeycomb-Team": running.target.key}
    timeout = aiohttp.ClientTimeout(60)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        for base in (running.target.url, *running.target.others):
            url = f"{base}/1/query_results/{running.target.dataset}"
            try:
                async with session.post(url, json=body) as answer:
                    assert answer.status == 201, await answer.text()
                    result = await answer.json()
                break
            except aiohttp.ClientConnectorError as error:
                running.note(f"{base} did not listen: {error.strerror}")
        else:
            raise AssertionError("no shepherd listens")
    found = sum(row["data"]["COUNT"] for row in result["data"]["results"])
    complete = bool(result["complete"] and result["coverage"]["complete"])
    return Counted(complete, found, time.monotonic() - begin_s)


async def status_of(running: Scenario, *, key: str) -> int:
    """The status of a request to store an event with another key."""
    headers = {"X-Honeycomb-Team": key}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=_SHORT) as session,
        session.post(running.target.batch_url, json=[{"data": {"seq": 0}}]) as answer,
    ):
        return answer.status


def divergences(cluster: Cluster) -> Iterator[tuple[str, float]]:
    """Segments in which each indexer has differed from its twin, by the indexer's name."""
    for role in cluster.roles.of("indexer"):
        with urllib.request.urlopen(f"{role.url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        yield role.name, sum(float(count) for count in _DIVERGED.findall(text))


def start(folder: Path, topology: Topology = TOPOLOGY) -> Cluster:
    """A whole cluster, ready. Raises InstallFailed or StartFailed with logs."""
    cluster = Cluster(folder, topology=topology)
    cluster.roles.settings["BELLWETHER_NODE_TELEMETRY"] = "false"
    cluster.roles.settings["BELLWETHER_INDEXER_KERNEL_CACHE"] = str(KERNEL_CACHE)
    cluster.roles.settings["BELLWETHER_SHEPHERD_KERNEL_CACHE"] = str(KERNEL_CACHE)
    try:
        cluster.start_all()
    except BaseException:
        cluster.stop()
        raise
    return cluster


__all__ = ["Scenario", "StartFailed", "assert_counted_once", "cut", "mend", "scenario", "start"]
