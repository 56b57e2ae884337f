"""Everything is restarted under load while one thing after the other breaks, all of it at once.

Each fault comes, stays for some seconds and goes before the next one. The operator gives the same
command again whenever it has stopped by itself. What was answered as complete must be: each answer
covers what was acknowledged before it was asked for (I7).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import pytest

from compose.cluster.cluster import Cluster
from compose.servers.proxy import Link
from tests.cluster.harness import Scenario, ask_count, cut_without_wait, in_thread, scenario
from tests.cluster.operators import Restart, starts
from tests.common.objects.faulty_proxy import ProxyFaults, faulty_proxy

pytestmark = pytest.mark.scenario

FAULT_S = 5.0
BETWEEN_S = 2.0
Step = Callable[[], Awaitable[object] | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What breaks, and how it is mended."""

    name: str
    break_it: Step
    mend_it: Step


@dataclass(slots=True)
class Answers:
    """Queries that were asked meanwhile."""

    asked: int = 0
    incomplete: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    async def ask(self, running: Scenario) -> None:
        """One query, which must cover what has been acknowledged so far, or say otherwise."""
        outcome = running.load.outcome
        known, receipt = len(outcome.acknowledged), outcome.receipt()
        self.asked += 1
        try:
            found = await ask_count(running, after=receipt)
        except (AssertionError, aiohttp.ClientError, TimeoutError) as error:
            self.failed.append(f"{type(error).__name__}: {error}"[:200])
            return
        self.slowest_s = max(self.slowest_s, found.took_s)
        if not found.complete:
            self.incomplete += 1
        elif found.count < known:
            self.wrong.append(f"{found.count} events told as all, {known} were acknowledged")

    def told(self) -> str:
        return (
            f"{self.asked} queries meanwhile, {self.incomplete} said that they were incomplete, "
            f"{len(self.failed)} failed; the slowest took {self.slowest_s:.1f} s"
        )


def all_faults(cluster: Cluster, proxy_port: int) -> list[Fault]:
    """One of every kind, in an order that mixes what they hit."""
    link, roles = cluster.proxy, cluster.roles
    broker, member = cluster.kafka.brokers[0], cluster.zookeeper.members[0]
    database = cluster.mariadb

    def threaded(work: Callable[[], object]) -> Step:
        return lambda: in_thread(work)

    def start_broker() -> None:
        broker.start()
        broker.wait_ready()

    def freeze_ensemble() -> None:
        for one in cluster.zookeeper.members:
            one.pause()

    def thaw_ensemble() -> None:
        for one in cluster.zookeeper.members:
            one.resume()

    return [
        Fault("link to a broker cut", link["kafka-2"].black_hole, link["kafka-2"].heal),
        Fault("object store lies", lambda: link["s3"].divert(proxy_port), link["s3"].heal),
        Fault("shepherd killed", threaded(roles["shepherd", "a"].kill), _nothing),
        Fault("MariaDB frozen", database.pause, database.resume),
        Fault("member of ZooKeeper killed", threaded(member.kill), threaded(member.start)),
        Fault("indexer killed", threaded(roles["indexer", "b"].kill), _nothing),
        Fault("S3 frozen", cluster.s3.pause, cluster.s3.resume),
        Fault("broker killed", threaded(broker.kill), threaded(start_broker)),
        Fault("MariaDB killed", threaded(database.kill), threaded(database.start)),
        Fault("link to an indexer cut", link["indexer-a"].black_hole, link["indexer-a"].heal),
        Fault("answers of a broker lost", _one_way(link["kafka-3"]), link["kafka-3"].heal),
        Fault("ZooKeeper frozen", freeze_ensemble, thaw_ensemble),
        Fault("link to S3 slow", lambda: link["s3"].latency(1_500), link["s3"].heal),
        Fault("query role killed", threaded(roles["query", "b"].kill), _nothing),
    ]


async def test_rolling_restart_while_everything_breaks_loses_nothing(cluster: Cluster) -> None:
    before = starts(cluster)
    proxy_faults = ProxyFaults(
        late_s=3.0, often={"fail_before": 0.25, "fail_after": 0.25, "late": 0.25}
    )
    with faulty_proxy(f"http://127.0.0.1:{cluster.s3.own_port}", proxy_faults) as url:
        faults = all_faults(cluster, urlsplit(url).port or 0)
        async with scenario(cluster, "rolling restart while everything breaks") as running:
            await running.steady()
            running.fault()
            answers = Answers()
            restart = Restart(cluster, ("--watch-s", "1"))
            async with asked_meanwhile(running, answers):
                work = asyncio.create_task(restart.until_done())
                for fault in faults:
                    await _do(fault.break_it)
                    await cut_without_wait(cluster)
                    await running.steady(FAULT_S)
                    await _do(fault.mend_it)
                    await running.steady(BETWEEN_S)
                during = sum(starts(cluster).values()) - sum(before.values())
                await work
            again = starts(cluster)
            running.note(f"{len(faults)} faults: {', '.join(fault.name for fault in faults)}")
            running.note(restart.told())
            running.note(f"{during} starts of roles while faults came and went")
            running.note(answers.told())
            assert all(again[name] > before[name] for name in before), again
            assert answers.wrong == []
            assert answers.asked > len(faults)
            assert running.load.outcome.acks[-1].at_s > running.fault_s + FAULT_S * len(faults)


@asynccontextmanager
async def asked_meanwhile(running: Scenario, answers: Answers) -> AsyncIterator[None]:
    """Queries go on, one after the other."""
    done = asyncio.Event()

    async def go_on() -> None:
        while not done.is_set():
            await answers.ask(running)
            await asyncio.sleep(0.5)

    asking = asyncio.create_task(go_on())
    try:
        yield
    finally:
        done.set()
        await asking


def _nothing() -> None:
    """What was killed is started again by its supervisor."""


def _one_way(link: Link) -> Step:
    return lambda: link.black_hole(requests=False)


async def _do(step: Step) -> None:
    waiting = step()
    if waiting is not None:
        await waiting
