"""Opening the backends that the settings choose: in the data folder, or servers of a cluster.

Nothing of a server is needed to start (I8): clients connect at first use and again when they must,
except for the log, which `run_role` opens. A cluster backend's code is imported only where it is
chosen.
"""

import importlib
import logging
import random
from pathlib import Path
from typing import Any

from bellwether.config.sections import (
    BackendsConfig,
    LocksKind,
    LogConfig,
    LogKind,
    MetadataKind,
    NodeConfig,
    ObjectsKind,
)
from bellwether.config.settings import Settings
from common.clock import Clock
from common.errors import MetadataUnavailable
from common.locks import Locks
from common.locks.files import FileLocks
from common.locks.zookeeper.config import ZookeeperConfig
from common.log import Log
from common.log.embedded.log import EmbeddedLog
from common.log.kafka.config import KafkaConfig
from common.logs import log_event
from common.metadata import Metadata
from common.metadata.mysql.config import MysqlConfig
from common.metadata.sqlite import SqliteMetadata
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from common.objects.s3.config import S3Config
from common.process.machine.reserve import Reserve
from common.process.role import Backends
from common.struct_types import prepare_structs

_LOG = logging.getLogger(__name__)


def open_backends(settings: Settings, clock: Clock) -> Backends:
    """All four, as chosen. Raises Unavailable if the data folder cannot be used. Blocks.

    The log is handed over unopened. Close the locks and the metadata at the end.
    """
    prepare_structs()
    return Backends(
        log=make_log(settings, clock),
        objects=make_objects(settings, clock),
        metadata=open_metadata(settings),
        locks=make_locks(settings, clock),
    )


def make_log(settings: Settings, clock: Clock, *, read_only: bool = False) -> Log:
    """The log, not yet opened.

    read_only: for commands that only read: nothing in the folder of an embedded log changes.
    """
    if settings.section(BackendsConfig).log is LogKind.KAFKA:
        log: Log = _load("common.log.kafka.log", "KafkaLog")(settings.section(KafkaConfig), clock)
        return log
    partitions = settings.section(LogConfig).partitions
    refusal = reserve_of(settings).refusal
    if read_only:
        folder = settings.section(NodeConfig).data / "log"
        return EmbeddedLog(folder, partitions, clock, refusal=refusal, read_only=True)
    return EmbeddedLog(_folder(settings, "log"), partitions, clock, refusal=refusal)


def reserve_of(settings: Settings) -> Reserve:
    """The room that is kept for the roles on the data folder's disk."""
    node = settings.section(NodeConfig)
    return Reserve(node.data / "reserve", node.reserve_mb * 1024 * 1024)


def log_folder(settings: Settings) -> Path | None:
    """Where the embedded log is, if that is the one in use."""
    if settings.section(BackendsConfig).log is LogKind.KAFKA:
        return None
    return settings.section(NodeConfig).data / "log"


def make_objects(settings: Settings, clock: Clock) -> ObjectStore:
    """The object store; one in S3 is reached at first use."""
    if settings.section(BackendsConfig).objects is ObjectsKind.S3:
        from common.objects.s3.store import S3Objects

        return S3Objects(settings.section(S3Config), clock, random.Random())
    return DirectoryObjects(_folder(settings, "objects"))


def object_address(settings: Settings, key: str) -> str:
    """Where other programs find the object of a key: a path, or an `s3://` address."""
    if settings.section(BackendsConfig).objects is ObjectsKind.S3:
        config = settings.section(S3Config)
        return "/".join(part for part in ("s3:/", config.bucket, config.prefix, key) if part)
    return str((settings.section(NodeConfig).data / "objects" / key).resolve())


def open_metadata(settings: Settings) -> Metadata:
    """The metadata, opened; a server that does not answer now is asked again by every call."""
    if settings.section(BackendsConfig).metadata is MetadataKind.MYSQL:
        from common.metadata.mysql.store import MysqlMetadata

        server = MysqlMetadata(settings.section(MysqlConfig))
        try:
            server.open()
        except MetadataUnavailable as error:
            log_event(_LOG, logging.WARNING, "starting without metadata", why=str(error))
        return server
    data = settings.section(NodeConfig).data
    data.mkdir(parents=True, exist_ok=True)
    metadata = SqliteMetadata(data / "metadata.db")
    metadata.open()
    return metadata


def make_locks(settings: Settings, clock: Clock) -> Locks:
    """The locks; ZooKeeper is connected to in the background."""
    if settings.section(BackendsConfig).locks is LocksKind.ZOOKEEPER:
        from common.locks.zookeeper.locks import ZookeeperLocks

        return ZookeeperLocks(settings.section(ZookeeperConfig), clock)
    return FileLocks(_folder(settings, "locks"))


def _load(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _folder(settings: Settings, name: str) -> Path:
    folder = settings.section(NodeConfig).data / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
