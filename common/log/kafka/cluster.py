"""Cached metadata of the cluster: its brokers, the topic's id, and each partition's leader.

Refreshed every few seconds, and at once on request. Brokers are asked one after the other with
hedging, so a hanging broker does not delay the response of the others. Leaders are adopted in
order of leader epoch only, so a partitioned broker with old metadata cannot replace newer leaders.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common import limits, metrics
from common.errors import LogUnavailable
from common.log.kafka.broker import Broker, NoResponse, NotSent
from common.log.kafka.config import KafkaConfig
from common.log.kafka.connect import Connector
from common.log.kafka.wire.error_codes import Code, describe
from common.log.kafka.wire.protocol import NO_TOPIC, GetMetadata

NO_LEADER = -1


@dataclass(frozen=True, slots=True)
class View:
    """The metadata of one refresh. Tuples have one item per partition.

    topic_id: 16 bytes; NO_TOPIC if the topic does not exist.
    leaders: (broker id or NO_LEADER, leader epoch).
    replicas: how many replicas the partition is configured to have.
    in_sync: ids of its in-sync replicas.
    """

    topic_id: bytes = NO_TOPIC
    leaders: tuple[tuple[int, int], ...] = ()
    replicas: tuple[int, ...] = ()
    in_sync: tuple[tuple[int, ...], ...] = ()


class Cluster:
    """Use it from one event loop. `random` decides which broker is asked first."""

    def __init__(self, config: KafkaConfig, connector: Connector, random: random.Random) -> None:
        self._topic = config.topic
        self._timeout_s = config.timeout_ms / 1000
        self._connector = connector
        self._random = random
        self._bootstrap = [self._broker(f"{h}:{p}", (h, p)) for h, p in config.addresses()]
        self._brokers: dict[int, Broker] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.view = View()
        self._refresh_requested = asyncio.Event()
        self._change = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change of leaders or brokers."""
        self._listeners.append(listener)

    async def open(self) -> None:
        """Fetch the metadata and keep it refreshed. Raises LogUnavailable."""
        await self.refresh()
        self._task = asyncio.get_running_loop().create_task(self._keep_refreshed())

    def leader_id(self, partition: int) -> int:
        """Id of a partition's leader, or NO_LEADER."""
        leaders = self.view.leaders
        return leaders[partition][0] if partition < len(leaders) else NO_LEADER

    def leader(self, partition: int) -> Broker | None:
        """A partition's leader, if known."""
        return self._brokers.get(self.leader_id(partition))

    def broker_to_read(self, partition: int) -> Broker | None:
        """The leader; while it is down, another in-sync broker if one is up."""
        leader = self.leader(partition)
        if leader is None or not leader.down or partition >= len(self.view.in_sync):
            return leader
        others = (self._brokers.get(node) for node in self.view.in_sync[partition])
        return next((broker for broker in others if broker and not broker.down), leader)

    def in_sync_brokers(self, partition: int) -> list[Broker]:
        """The known in-sync brokers of a partition."""
        if partition >= len(self.view.in_sync):
            return []
        found = (self._brokers.get(node) for node in self.view.in_sync[partition])
        return [broker for broker in found if broker is not None]

    def brokers(self) -> list[Broker]:
        """All known brokers of the cluster."""
        return list(self._brokers.values())

    def request_refresh(self) -> None:
        """Refresh soon, because a response contradicted the cached metadata."""
        self._refresh_requested.set()

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait for the next change, at most `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._change.wait()
        except TimeoutError:
            return

    async def refresh(self) -> View:
        """Fetch the metadata now. Raises LogUnavailable if no broker answers.

        That the topic is gone or has another id is adopted only if a second response agrees: a
        broker that has just restarted may not have current metadata yet.
        """
        response = await self._fetch_metadata()
        if self.view.topic_id not in (NO_TOPIC, response.topics[0][2]):
            await asyncio.sleep(limits.KAFKA_METADATA_PAUSE_S)
            first, response = response, await self._fetch_metadata()
            if response.topics[0][2] != first.topics[0][2]:
                self._refresh_requested.set()
                return self.view
        self._adopt(response)
        return self.view

    async def close(self) -> None:
        """Stop refreshing and close all connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        everyone = [*self._bootstrap, *self._brokers.values()]
        await asyncio.gather(*(b.close() for b in everyone), *self._closing)

    def _broker(self, name: str, address: tuple[str, int]) -> Broker:
        return Broker(name, address, self._connector, self._timeout_s, self._notify)

    def _notify(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        self._refresh_requested.set()
        for listener in self._listeners:
            listener()

    async def _keep_refreshed(self) -> None:
        while True:
            try:
                async with asyncio.timeout(limits.KAFKA_METADATA_FRESH_S):
                    await self._refresh_requested.wait()
            except TimeoutError:
                pass
            self._refresh_requested.clear()
            try:
                await self.refresh()
            except LogUnavailable:  # every broker is down; `Broker` has counted it
                self._refresh_requested.set()
            except Exception as error:  # noqa: BLE001 - outermost loop: refreshing must go on
                metrics.log_broker_failures_total.labels("any", type(error).__name__).inc()
            await asyncio.sleep(limits.KAFKA_METADATA_PAUSE_S)

    async def _fetch_metadata(self) -> Any:
        known = list(self._brokers.values())
        self._random.shuffle(known)
        order = sorted(known, key=lambda broker: broker.down) + self._bootstrap
        requests: set[asyncio.Task[Any]] = set()
        problems: list[str] = []
        try:
            while order or requests:
                if order:
                    call = order.pop(0).call(GetMetadata(self._topic))
                    requests.add(asyncio.create_task(call))
                wait_s = limits.KAFKA_METADATA_HEDGE_S if order else None
                done, requests = await asyncio.wait(
                    requests, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    problem = task.exception()
                    if problem is None:
                        return task.result()
                    if not isinstance(problem, NotSent | NoResponse):
                        raise problem
                    problems.append(str(problem))
        finally:
            for task in requests:
                task.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
        raise LogUnavailable(f"no broker answers: {'; '.join(problems)}")

    def _adopt(self, response: Any) -> None:
        addresses = {node: (host, port) for node, host, port, *_ in response.brokers}
        brokers_changed = self._adopt_brokers(addresses)
        [topic] = response.topics
        error, _, topic_id, _, partitions = topic[:5]
        if error == Code.UNKNOWN_TOPIC_OR_PARTITION:
            view = View()
        elif error:
            raise LogUnavailable(f"topic {self._topic}: {describe(error)}")
        else:
            leaders = {p: (leader, epoch) for _, p, leader, epoch, *_ in partitions}
            found = tuple(leaders.get(p, (NO_LEADER, -1)) for p in range(len(leaders)))
            copies = {p: (len(meant), tuple(isr)) for _, p, _, _, meant, isr, *_ in partitions}
            replicas = [copies.get(p, (0, ())) for p in range(len(copies))]
            counts, in_sync = tuple(n for n, _ in replicas), tuple(isr for _, isr in replicas)
            view = View(topic_id, self._newest_leaders(topic_id, found), counts, in_sync)
        if brokers_changed or view != self.view:
            self.view = view
            self._notify()
            self._refresh_requested.clear()

    def _adopt_brokers(self, addresses: dict[int, tuple[str, int]]) -> bool:
        # A broker that is only missing from the response keeps its connections: it may return soon.
        readdressed = [
            node
            for node, broker in self._brokers.items()
            if node in addresses and addresses[node] != broker.address
        ]
        for node in readdressed:
            closing = asyncio.create_task(self._brokers.pop(node).close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        new = [node for node in addresses if node not in self._brokers]
        for node in new:
            self._brokers[node] = self._broker(str(node), addresses[node])
        for broker in self._brokers.values():
            broker.connect_in_background()
        return bool(readdressed or new)

    def _newest_leaders(
        self, topic_id: bytes, found: tuple[tuple[int, int], ...]
    ) -> tuple[tuple[int, int], ...]:
        if topic_id != self.view.topic_id:
            return found
        known = self.view.leaders
        merged = [
            known[p] if p < len(known) and known[p][1] > leader[1] else leader
            for p, leader in enumerate(found)
        ]
        return tuple(merged) + known[len(found) :]
