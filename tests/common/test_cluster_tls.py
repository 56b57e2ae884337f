"""TLS to S3 and ZooKeeper: works with the right authority, and with no other."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import SystemClock
from common.errors import ObjectsUnavailable, Unavailable
from common.locks.zookeeper.config import ZookeeperConfig
from common.locks.zookeeper.locks import ZookeeperLocks
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects
from compose.servers.s3 import S3
from compose.servers.zookeeper import Zookeeper
from tests.common.tls_front import tls_front
from tests.shepherd.http.test_tls import write_certificate


def test_objects_over_tls(s3_server: S3, tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    with tls_front(s3_server.own_port, cert, key) as port:
        config = S3Config(
            endpoint=f"https://127.0.0.1:{port}",
            bucket=s3_server.bucket,
            prefix="over-tls",
            access_key=s3_server.access_key,
            secret_key=s3_server.secret_key,
            ca=str(cert),
        )
        store = S3Objects(config, SystemClock(), random.Random())
        assert store.put_if_absent("a", b"x")
        assert store.get("a") == b"x"
        unknown = replace(config, ca="", budget_ms=500)
        untrusting = S3Objects(unknown, SystemClock(), random.Random())
        with pytest.raises(ObjectsUnavailable, match="certificate"):
            untrusting.get("a")


def test_locks_over_tls(zookeeper_server: Zookeeper, tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    with tls_front(zookeeper_server.members[0].port, cert, key) as port:
        config = ZookeeperConfig(
            servers=f"127.0.0.1:{port}", root="/over-tls", tls=True, ca=str(cert)
        )
        locks = ZookeeperLocks(config, SystemClock())
        assert locks.acquire("up", b"x")
        assert locks.holders("") == {"up": b"x"}
        other = tmp_path / "other"
        other.mkdir()
        untrusting = ZookeeperLocks(
            replace(config, ca=str(write_certificate(other)[0])), SystemClock()
        )
        with pytest.raises(Unavailable):
            untrusting.holders("")
        untrusting.close()
        locks.close()
