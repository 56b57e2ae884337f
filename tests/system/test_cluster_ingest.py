"""Accepting data needs only the log (I8): MySQL and ZooKeeper frozen, killed and back, for real."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role
from tests.servers import need

pytestmark = pytest.mark.system
_TIMEOUT_S = 20.0


def ask(role: Role, path: str, key: str, body: object = None) -> tuple[int, str]:
    """Status and body; an answer that takes too long fails the test."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-Honeycomb-Team": key, "Content-Type": "application/json"}
    request = urllib.request.Request(role.public_url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def sent(role: Role, key: str, dataset: str, numbers: range) -> int:
    """How many single-event batches were accepted."""
    told = [ask(role, f"/1/batch/{dataset}", key, [{"data": {"n": n}}]) for n in numbers]
    return sum(status == 200 and json.loads(body)[0]["status"] == 202 for status, body in told)


@contextmanager
def frozen(servers: Cluster) -> Iterator[None]:
    """MySQL and every member of ZooKeeper stand still: connections stay, nothing answers."""
    stopped = [servers.mariadb, *servers.zookeeper.members]
    for server in stopped:
        server.pause()
    try:
        yield
    finally:
        for server in stopped:
            server.resume()


@pytest.fixture
def cluster(servers: Cluster) -> Iterator[Cluster]:
    for server in ("zookeeper", "mariadb", "s3", "kafka"):
        need(servers, server)
    servers.init()
    yield servers
    for role in servers.roles.of("shepherd"):
        role.stop()
        role.wipe()


def test_warm_shepherd_accepts_without_metadata_and_locks_and_a_cold_one_says_503(
    cluster: Cluster,
) -> None:
    warm, cold = cluster.roles["shepherd", "a"], cluster.roles["shepherd", "b"]
    key, unknown = cluster.key, "a-key-that-nobody-knows"
    cluster.roles.start([warm])
    cluster.roles.wait_ready([warm])
    assert sent(warm, key, "known", range(20)) == 20
    assert ask(warm, "/1/batch/known", unknown, [{"data": {}}])[0] == 401
    with frozen(cluster):
        assert sent(warm, key, "known", range(60)) == 60
        assert sent(warm, key, "new-meanwhile", range(20)) == 20
        assert ask(warm, "/1/batch/known", f"{unknown}-either", [{"data": {}}])[0] == 503
        assert ask(warm, "/1/datasets", key)[0] == 503  # nobody knows a query role
        assert warm.why_not_ready() is None
        cluster.roles.start([cold])
        for _ in range(3):
            refusals = {ask_when_up(cold, k) for k in (key, unknown)}
            assert refusals == {503}
        assert "no key is known yet" in (cold.why_not_ready() or "")
        warm.stop(stay_down=False)  # its caches are on its disk
        cluster.roles.start([warm])
        cluster.roles.wait_ready([warm])
        assert sent(warm, key, "known", range(20)) == 20
    cluster.roles.wait_ready([cold])
    assert sent(cold, key, "known", range(5)) == 5
    assert ask(cold, "/1/batch/known", unknown, [{"data": {}}])[0] == 401


def ask_when_up(role: Role, key: str) -> int:
    """The status of an ingest request, as soon as the role listens."""
    while True:
        try:
            return ask(role, "/1/batch/known", key, [{"data": {}}])[0]
        except OSError:
            if not role.process.alive:
                raise
