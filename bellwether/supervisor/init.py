"""What `bellwether init` makes: topic, bucket, database, root, and the first team and key.

Each step may find its work done: running it again changes nothing and says so. Settings that would
break an invariant are refused before anything is made.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bellwether.backends import open_metadata
from bellwether.config.checks import refused
from bellwether.config.secrets import key_file, read_key
from bellwether.config.sections import (
    BackendsConfig,
    LocksKind,
    LogKind,
    MetadataKind,
    NodeConfig,
    ObjectsKind,
    UpConfig,
)
from bellwether.config.settings import Settings
from bellwether.supervisor.first_start import FirstStartError, prepare
from common.clock import Clock
from common.errors import BellwetherError
from common.locks.zookeeper.config import ZookeeperConfig
from common.log.kafka.config import KafkaConfig
from common.metadata import Metadata
from common.metadata.mysql.config import MysqlConfig
from common.model.names import dataset_slug
from common.objects.s3.config import S3Config
from ops.doctor import cluster
from ops.doctor.machine import Finding, Verdict


class CannotInit(Exception):
    """Something cannot be made or must not be. The message states the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is right now. `made`: it was not before."""

    what: str
    made: bool


async def run_init(settings: Settings, clock: Clock, rng: random.Random) -> AsyncIterator[Step]:
    """Make what is missing, step by step. Raises CannotInit."""
    chosen = settings.section(BackendsConfig)
    problem = refused(settings.sections)
    if problem:
        raise CannotInit(problem)
    try:
        if chosen.log is LogKind.KAFKA:
            yield await _topic(settings.section(KafkaConfig))
        if chosen.objects is ObjectsKind.S3:
            yield await asyncio.to_thread(_bucket, settings.section(S3Config), clock, rng)
        if chosen.metadata is MetadataKind.MYSQL:
            yield await asyncio.to_thread(_database, settings.section(MysqlConfig))
        if chosen.locks is LocksKind.ZOOKEEPER:
            yield await asyncio.to_thread(_root, settings.section(ZookeeperConfig), clock)
        yield await asyncio.to_thread(_first_key, settings, clock)
    except (BellwetherError, FirstStartError, OSError) as error:
        raise CannotInit(str(error)) from error


async def _topic(config: KafkaConfig) -> Step:
    from common.log.kafka.topic import check_topic, create_topic

    made = await create_topic(config)
    problems = [problem for problem in await check_topic(config) if not problem.transient]
    if problems:
        raise CannotInit("\n".join(f"{p.what}\n  {p.remedy}" for p in problems))
    if made:
        text = f"topic {config.topic} with {config.partitions} partitions"
        return Step(f"{text}, {config.replication} copies each", True)
    return Step(f"topic {config.topic}", False)


def _bucket(config: S3Config, clock: Clock, rng: random.Random) -> Step:
    from common.objects.s3.create import create_bucket

    made = create_bucket(config)
    _require(cluster.check_s3(config, clock, rng))
    return Step(f"bucket {config.bucket}", made)


def _database(config: MysqlConfig) -> Step:
    from common.metadata.mysql.create import create_database

    found = create_database(config)
    steps = f", schema brought up to date ({found.steps} steps)" if found.steps else ""
    return Step(f"database {config.database}{steps}", found.database or found.steps > 0)


def _root(config: ZookeeperConfig, clock: Clock) -> Step:
    from common.locks.zookeeper.create import create_root

    return Step(f"ZooKeeper root {config.root}", create_root(config, clock).made)


def _first_key(settings: Settings, clock: Clock) -> Step:
    """Team, environment and key; on another machine of the cluster only what is missing."""
    data, names = settings.section(NodeConfig).data, settings.section(UpConfig)
    data.mkdir(parents=True, exist_ok=True)
    metadata = open_metadata(settings)
    try:
        if not names.key and not read_key(data) and _has_keys(metadata, names):
            return Step(
                "keys: there are some, made elsewhere (`bellwether keys create` makes more)", False
            )
        prepared = prepare(data, names, metadata, clock.now_ns())
    finally:
        metadata.close()
    place = f"team {names.team}, environment {names.environment}"
    return Step(f"{place}, key in {key_file(data)}", prepared.new_key is not None)


def _has_keys(metadata: Metadata, names: UpConfig) -> bool:
    wanted = dataset_slug(names.team), dataset_slug(names.environment)
    return any(
        not key.revoked_ns
        for team, environment in metadata.list_environments()
        if (team.slug, environment.slug) == wanted
        for key in metadata.list_keys(environment.id)
    )


def _require(findings: list[Finding]) -> None:
    bad = [f"{f.check}: {f.text}\n  {f.remedy}" for f in findings if f.verdict is Verdict.FAIL]
    if bad:
        raise CannotInit("\n".join(bad))
