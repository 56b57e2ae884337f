"""The log's topic: creates it, adds partitions, checks the settings that the log depends on.

I1 needs replicas and acks, I3 and the watermark need the broker's append time, I5 needs records
that are kept for their retention time and removed only by time.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from common import limits
from common.errors import Conflict, LogUnavailable
from common.log.kafka.broker import Broker, NoResponse, NotSent
from common.log.kafka.cluster import Cluster
from common.log.kafka.config import KafkaConfig
from common.log.kafka.connect import Connector
from common.log.kafka.wire.aiokafka_parts import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DescribeConfigsRequest,
    Request,
)
from common.log.kafka.wire.error_codes import Code, describe
from common.log.kafka.wire.protocol import NO_TOPIC

_TOPIC, _BROKER = 2, 4  # resource types
_ADMIN_TIMEOUT_MS = 15_000
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition that breaks a promise of the log, and its remedy.

    transient: no setting is wrong; the condition ends when brokers come back.
    """

    what: str
    remedy: str
    transient: bool = False


def topic_settings(config: KafkaConfig) -> dict[str, str]:
    """The settings of the topic, by Kafka's names."""
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(limits.KAFKA_BATCH_BYTES_MAX),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(config.min_insync),
        "retention.bytes": "-1",
        "retention.ms": str(config.retention_hours * 3_600_000),
        "unclean.leader.election.enable": "false",
    }


async def create_topic(config: KafkaConfig) -> bool:
    """Create the topic if it does not exist; returns whether it did. Raises LogUnavailable."""
    async with _admin(config) as admin:
        if admin.cluster.view.topic_id != NO_TOPIC:
            return False
        settings = list(topic_settings(config).items())
        wanted: Any = (config.topic, config.partitions, config.replication, [], settings)
        response = await admin.call(CreateTopicsRequest([wanted], _ADMIN_TIMEOUT_MS, False))
        [(_, code, message)] = response.topic_errors
        if code not in (Code.NONE, Code.TOPIC_ALREADY_EXISTS):
            raise LogUnavailable(
                f"topic {config.topic} cannot be made: {message or describe(code)}"
            )
        await admin.wait_for_leaders(config.partitions if code == Code.NONE else 1)
        return bool(code == Code.NONE)


async def grow_topic(config: KafkaConfig, partitions: int) -> int:
    """Grow to `partitions`; returns the partition count. Raises LogUnavailable, Conflict."""
    async with _admin(config) as admin:
        have = admin.partitions()
        if partitions < have:
            raise Conflict(f"topic {config.topic} has {have} partitions; it cannot shrink")
        if partitions > have:
            wanted: Any = (config.topic, (partitions, None))
            request = CreatePartitionsRequest([wanted], _ADMIN_TIMEOUT_MS, False)
            [(_, code, message)] = (await admin.call(request)).topic_errors
            if code:
                raise LogUnavailable(
                    f"topic {config.topic} cannot grow: {message or describe(code)}"
                )
            await admin.wait_for_leaders(partitions)
        return admin.partitions()


async def check_topic(config: KafkaConfig, unresponsive: Collection[str] = ()) -> list[Problem]:
    """All problems of the topic and the brokers. Raises LogUnavailable.

    unresponsive: ids of brokers that do not answer now; they are not asked.
    """
    async with _admin(config, unresponsive) as admin:
        if admin.cluster.view.topic_id == NO_TOPIC:
            return [Problem(f"there is no topic {config.topic}", "run `bellwether init`")]
        found = topic_problems(config, await admin.settings(_TOPIC, config.topic))
        for broker in admin.brokers():
            found += broker_problems(broker.name, await admin.settings(_BROKER, broker.name))
        view = admin.cluster.view
        return [
            *found,
            *replica_problems(config, view.replicas),
            *sync_problems(config, view.replicas, view.in_sync),
        ]


def topic_problems(config: KafkaConfig, have: Mapping[str, str]) -> list[Problem]:
    """Problems of the topic's settings."""
    why = {
        "cleanup.policy": "compaction would take records away",
        "max.message.bytes": "larger records would be refused",
        "message.timestamp.type": "the append time must be the broker's",
        "min.insync.replicas": "fewer copies could be lost with one machine",
        "retention.bytes": "records would go before their time",
        "retention.ms": "records would go before indexers have read them",
        "unclean.leader.election.enable": "acknowledged records could be lost",
    }
    at_least = {"max.message.bytes", "min.insync.replicas"}
    found = []
    for name, wanted in topic_settings(config).items():
        value = have.get(name, "")
        if name in at_least:
            ok = value.isdigit() and int(value) >= int(wanted)
        elif name == "retention.ms":
            ok = value == "-1" or (value.isdigit() and int(value) >= int(wanted))
        else:
            ok = value == wanted
        if not ok:
            found.append(
                Problem(
                    f"topic {config.topic} has {name}={value or '(not told)'}: {why[name]}",
                    f"kafka-configs.sh --alter --entity-type topics --entity-name {config.topic} "
                    f"--add-config {name}={wanted}",
                )
            )
    return found


def broker_problems(name: str, have: Mapping[str, str]) -> list[Problem]:
    """Problems of a broker's settings."""
    if have.get("auto.create.topics.enable", "false") == "false":
        return []
    what = f"broker {name} creates topics that are only asked for: a deleted log would come back"
    return [Problem(what, "set auto.create.topics.enable=false in the broker's server.properties")]


def replica_problems(config: KafkaConfig, replicas: tuple[int, ...]) -> list[Problem]:
    """Partitions with fewer replicas than configured."""
    few = [str(p) for p, copies in enumerate(replicas) if copies < config.replication]
    if not few:
        return []
    what = f"partitions {', '.join(few)} have fewer than {config.replication} copies"
    return [Problem(what, "add brokers, then kafka-reassign-partitions.sh with more replicas")]


def sync_problems(
    config: KafkaConfig, replicas: tuple[int, ...], in_sync: tuple[tuple[int, ...], ...]
) -> list[Problem]:
    """Partitions with replicas out of sync: a broker is down, or is catching up."""
    counts = {p: len(in_sync[p]) for p, copies in enumerate(replicas) if len(in_sync[p]) < copies}
    if not counts:
        return []
    what = f"{len(counts)} partitions lack a copy that is in sync: a broker is down or catching up"
    closed = [str(p) for p, count in counts.items() if count < config.min_insync]
    if closed:
        what += f"; partitions {', '.join(closed)} have too few to acknowledge anything"
    here = sorted({node for brokers in in_sync for node in brokers})
    remedy = f"in sync somewhere are brokers {', '.join(map(str, here))}: start those that are not"
    return [Problem(what, remedy, transient=True)]


class _Admin:
    """Admin requests, which any broker answers or forwards."""

    def __init__(
        self, cluster: Cluster, timeout_s: float, unresponsive: Collection[str] = ()
    ) -> None:
        self.cluster = cluster
        self._unresponsive = unresponsive
        self._timeout_s = timeout_s

    def partitions(self) -> int:
        return len(self.cluster.view.leaders)

    def brokers(self) -> list[Broker]:
        """The brokers that are not known to be unresponsive."""
        return [one for one in self.cluster.brokers() if one.name not in self._unresponsive]

    async def call(self, request: Request[Any], broker: Broker | None = None) -> Any:
        """Send to `broker`, or to each in turn until one answers. Raises LogUnavailable."""
        known = [broker] if broker else sorted(self.brokers(), key=lambda b: b.down)
        problem = "no broker is known"
        for one in known:
            try:
                return await one.call(request, _ADMIN_TIMEOUT_MS / 1000 + self._timeout_s)
            except NotSent as error:
                problem = str(error)
            except NoResponse as error:
                raise LogUnavailable(f"{error}: look again before repeating it") from error
        raise LogUnavailable(problem)

    async def settings(self, kind: int, name: str) -> dict[str, str]:
        """The settings of a topic or broker. Raises LogUnavailable."""
        brokers = {broker.name: broker for broker in self.cluster.brokers()}
        response = await self.call(
            DescribeConfigsRequest([(kind, name, None)]), brokers.get(name) if kind == 4 else None
        )
        [(code, message, _, _, entries)] = response.resources
        if code:
            raise LogUnavailable(f"settings of {name}: {message or describe(code)}")
        return {entry[0]: entry[1] or "" for entry in entries}

    async def wait_for_leaders(self, partitions: int) -> None:
        """Wait until `partitions` exist and have leaders. Raises LogUnavailable."""
        try:
            async with asyncio.timeout(_ADMIN_TIMEOUT_MS / 1000):
                while self.partitions() < partitions or not all(
                    self.cluster.leader(p) for p in range(self.partitions())
                ):
                    await asyncio.sleep(_POLL_S)
                    await self.cluster.refresh()
        except TimeoutError as error:
            raise LogUnavailable("the topic's new partitions have no leaders yet") from error


@asynccontextmanager
async def _admin(config: KafkaConfig, unresponsive: Collection[str] = ()) -> AsyncIterator[_Admin]:
    connector = await asyncio.to_thread(Connector, config)
    cluster = Cluster(config, connector, random.Random())
    try:
        await cluster.refresh()
        yield _Admin(cluster, config.timeout_ms / 1000, unresponsive)
    finally:
        await cluster.close()
