"""The cluster's implementations against real servers, each test in a namespace of its own.

Worker processes make them too, so the servers' settings travel in an environment variable.
"""

import hashlib
import json
import os
import random
from dataclasses import replace
from pathlib import Path

from bellwether.config.settings import Settings, load
from common.clock import SystemClock
from common.locks.zookeeper.config import ZookeeperConfig
from common.locks.zookeeper.locks import ZookeeperLocks
from common.metadata.mysql.config import MysqlConfig
from common.metadata.mysql.pool import connect
from common.metadata.mysql.store import MysqlMetadata
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects

_SESSION_MS = 1_500  # so that a test need not wait long for a killed holder
VARIABLE = "BELLWETHER_TEST_SERVERS"


def settings() -> Settings:
    """The settings that reach the servers."""
    return load({}, json.loads(os.environ[VARIABLE]), Path("/"))


def namespace(place: Path) -> str:
    """A name for a test's folder: the same in every process, different for every folder."""
    return "t" + hashlib.sha256(str(place).encode()).hexdigest()[:16]


def mysql_config(place: Path) -> MysqlConfig:
    """A database of the test's own."""
    config = settings().section(MysqlConfig)
    return replace(config, database=f"{config.database}_{namespace(place)}")


def mysql_metadata(place: Path) -> MysqlMetadata:
    config = mysql_config(place)
    create_empty(config)
    return MysqlMetadata(config)


def create_empty(config: MysqlConfig) -> None:
    """The database without tables: opening migrates it."""
    server = connect(config, None)
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{config.database}`")
    server.close()


def zookeeper_locks(place: Path) -> ZookeeperLocks:
    config = settings().section(ZookeeperConfig)
    return ZookeeperLocks(
        replace(config, root=f"/{namespace(place)}", session_ms=_SESSION_MS), SystemClock()
    )


def s3_objects(place: Path) -> S3Objects:
    config = replace(settings().section(S3Config), prefix=namespace(place))
    return S3Objects(config, SystemClock(), random.Random())
