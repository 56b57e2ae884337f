"""Real servers for tests: one set for the whole session, each started when a test first needs it.

A machine that lacks what a server needs skips those tests and says how to get it; in continuous
integration (`CI` is set) that is a failure. All links go through the proxy, so that tests can
break them; whoever breaks one heals it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compose.cluster.cluster import Cluster
from compose.install import InstallFailed
from compose.servers.kafka import Kafka
from compose.servers.mariadb import Mariadb
from compose.servers.proxy import Proxy
from compose.servers.s3 import S3
from compose.servers.zookeeper import Zookeeper

Need = Callable[[str], Cluster]


def need(cluster: Cluster, server: str) -> Cluster:
    """The cluster, with this server running; skips or fails the test where it cannot be had."""
    try:
        cluster.start_server(server)
    except InstallFailed as error:
        refuse(f"not run, for want of a server: {error}")
    return cluster


def refuse(reason: str) -> None:
    """Skip; in continuous integration fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The session's servers; `need(servers, "kafka")` starts one."""
    folder: Path = tmp_path_factory.mktemp("servers")
    cluster = Cluster(folder, parts=())
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def proxy_server(servers: Cluster) -> Proxy:
    return need(servers, "proxy").proxy


@pytest.fixture(scope="session")
def kafka_server(servers: Cluster, proxy_server: Proxy) -> Kafka:
    return need(servers, "kafka").kafka


@pytest.fixture(scope="session")
def zookeeper_server(servers: Cluster, proxy_server: Proxy) -> Zookeeper:
    return need(servers, "zookeeper").zookeeper


@pytest.fixture(scope="session")
def mariadb_server(servers: Cluster, proxy_server: Proxy) -> Mariadb:
    return need(servers, "mariadb").mariadb


@pytest.fixture(scope="session")
def s3_server(servers: Cluster, proxy_server: Proxy) -> S3:
    return need(servers, "s3").s3
