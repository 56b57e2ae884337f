"""Client commands find a cluster's shepherd through its locks, from any terminal."""

import socket
from pathlib import Path

import msgspec
import pytest

from bellwether.client import ClientError
from bellwether.client.cluster import cluster_url
from common.clock import SystemClock
from common.locks.zookeeper.config import ZookeeperConfig
from common.locks.zookeeper.locks import ZookeeperLocks
from common.process.members import Member, encode_member
from compose.cluster.cluster import Cluster
from compose.servers.zookeeper import Zookeeper


def shepherd(name: str, url: str) -> Member:
    return Member("shepherd", name, "http://127.0.0.1:1", "a", 1, 1, "0", public_url=url)


def test_shepherd_that_takes_connections_is_found(
    servers: Cluster, zookeeper_server: Zookeeper, tmp_path: Path
) -> None:
    root = "/found-by-clients"
    environ = {**servers.environment(), "BELLWETHER_ZOOKEEPER_ROOT": root}
    with pytest.raises(ClientError, match="no shepherd"):
        cluster_url(environ, tmp_path)
    locks = ZookeeperLocks(
        ZookeeperConfig(servers=zookeeper_server.servers, root=root), SystemClock()
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        gone = shepherd("gone", "http://127.0.0.1:1")
        for member in (gone, msgspec.structs.replace(gone, instance="here", public_url=url)):
            assert locks.acquire(f"roles/shepherd/{member.instance}", encode_member(member))
        assert cluster_url(environ, tmp_path) == url
    locks.close()


def test_without_a_cluster_nothing_is_asked(tmp_path: Path) -> None:
    assert cluster_url({}, tmp_path) is None
    environ = {
        "BELLWETHER_BACKENDS_LOCKS": "zookeeper",
        "BELLWETHER_ZOOKEEPER_SERVERS": "127.0.0.1:1",
    }
    with pytest.raises(ClientError, match="--url"):
        cluster_url(environ, tmp_path)
