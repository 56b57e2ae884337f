"""ZooKeeper's own failures: sessions that end, members that go, links that are cut (I8)."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import SystemClock
from common.errors import Unavailable
from common.locks.zookeeper import names
from common.locks.zookeeper.config import ZookeeperConfig
from common.locks.zookeeper.locks import ZookeeperLocks
from compose.cluster.cluster import Cluster
from compose.servers.zookeeper import Zookeeper
from tests.conformance import cluster as conformance
from tests.conformance.processes import next_line, started

_LONG_S = 60.0


@pytest.fixture
def config(
    servers: Cluster, zookeeper_server: Zookeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ZookeeperConfig:
    monkeypatch.setenv(conformance.VARIABLE, json.dumps(servers.environment()))
    found = conformance.settings().section(ZookeeperConfig)
    return replace(found, root=f"/{conformance.namespace(tmp_path)}", session_ms=1_500)


@pytest.fixture
def locks(config: ZookeeperConfig) -> Iterator[ZookeeperLocks]:
    """A client that connects through the proxies."""
    found = ZookeeperLocks(config, SystemClock())
    yield found
    found.close()


@pytest.fixture
def others(config: ZookeeperConfig, zookeeper_server: Zookeeper) -> Iterator[ZookeeperLocks]:
    """A client that no proxy can cut off, and whose session outlasts a busy machine's pauses."""
    direct = ",".join(f"127.0.0.1:{member.port}" for member in zookeeper_server.members)
    lasting = replace(config, servers=direct, session_ms=20_000)
    found = ZookeeperLocks(lasting, SystemClock())
    yield found
    found.close()


def until(test: Callable[[], object]) -> None:
    """Wait until the condition holds; Unavailable counts as not yet."""
    deadline_s = time.monotonic() + _LONG_S
    while time.monotonic() < deadline_s:
        try:
            if test():
                return
        except Unavailable:
            pass
        time.sleep(0.05)
    raise AssertionError("it never came true")


def test_holder_that_was_cut_off_is_replaced_and_knows_it(
    servers: Cluster, locks: ZookeeperLocks, others: ZookeeperLocks
) -> None:
    claim = locks.acquire("claims/a/00001", b"first")
    assert claim is not None
    assert others.acquire("claims/a/00001", b"second") is None
    links = [servers.proxy[f"zookeeper-{number}"] for number in (1, 2, 3)]
    try:
        for link in links:
            link.refuse()
        until(lambda: others.holders("claims/") == {})
        assert not claim.held()
        for call in (
            lambda: locks.acquire("other", b""),
            lambda: locks.holders(""),
            lambda: claim.update(b"x"),
            claim.release,
        ):
            with pytest.raises(Unavailable):
                call()
        second = others.acquire("claims/a/00001", b"second")
        assert second is not None
        assert second.fence > claim.fence
    finally:
        for link in links:
            link.heal()
    until(lambda: locks.holders("claims/") == {"claims/a/00001": b"second"})
    assert not claim.held()
    assert locks.acquire("claims/a/00001", b"again") is None
    assert second.held()
    second.release()
    third = locks.acquire("claims/a/00001", b"again")
    assert third is not None
    assert third.held()


def test_frozen_process_that_lost_its_session_knows_it_when_it_goes_on(
    others: ZookeeperLocks, config: ZookeeperConfig, tmp_path: Path
) -> None:
    with started(["watch_claim", "zookeeper", str(tmp_path), "roles/x/1"]) as [process]:
        word, fence = next_line(process)
        assert word == "held"
        process.send_signal(signal.SIGSTOP)
        until(lambda: others.holders("roles/") == {})
        claim = others.acquire("roles/x/1", b"mine")
        assert claim is not None
        assert claim.fence > int(fence)
        process.send_signal(signal.SIGCONT)
        assert process.stdout
        said = [line.split()[0] for line in process.stdout.read().splitlines()]
        assert said[-1] == "lost"
        assert claim.held()


def test_leader_that_dies_costs_no_claim(
    zookeeper_server: Zookeeper, config: ZookeeperConfig
) -> None:
    locks = ZookeeperLocks(replace(config, session_ms=20_000), SystemClock())
    claim = locks.acquire("claims/a/00001", b"x")
    assert claim is not None
    leader = zookeeper_server.leader()
    assert leader is not None
    leader.kill()
    try:
        until(claim.held)
        until(lambda: locks.holders("claims/") == {"claims/a/00001": b"x"})
        claim.update(b"y")
        assert locks.holders("claims/") == {"claims/a/00001": b"y"}
    finally:
        leader.start()
        leader.wait_ready()
        locks.close()


def test_claim_that_could_not_be_released_is_given_up_when_it_can_be(
    servers: Cluster, config: ZookeeperConfig, others: ZookeeperLocks
) -> None:
    locks = ZookeeperLocks(replace(config, session_ms=20_000), SystemClock())
    claim = locks.acquire("kept", b"x")
    assert claim is not None
    links = [servers.proxy[f"zookeeper-{number}"] for number in (1, 2, 3)]
    try:
        for link in links:
            link.refuse()
        until(lambda: not claim.held())
        with pytest.raises(Unavailable):
            claim.release()
    finally:
        for link in links:
            link.heal()
    assert others.holders("") == {"kept": b"x"}  # its session lives
    until(lambda: locks.holders("") == {})
    assert others.acquire("kept", b"y")
    locks.close()


def test_node_that_was_deleted_by_hand_is_no_longer_held(
    locks: ZookeeperLocks, others: ZookeeperLocks
) -> None:
    claim = locks.acquire("up", b"x")
    assert claim is not None
    node = names.leaf(locks.config, "up")
    others.session.call(lambda client: client.delete_async(node))
    with pytest.raises(Unavailable):
        claim.update(b"y")
    assert not claim.held(ask=True)
    claim.release()
    assert locks.acquire("up", b"z")


def test_nodes_of_a_user_are_closed_to_others_and_the_password_is_never_told(
    config: ZookeeperConfig, locks: ZookeeperLocks
) -> None:
    root = f"{config.root}-of-a-user"
    owner = replace(config, root=root, username="bellwether", password="open-sesame")
    assert "open-sesame" not in repr(owner)
    mine = ZookeeperLocks(owner, SystemClock())
    assert mine.acquire("up", b"x")
    wrong = ZookeeperLocks(replace(owner, password="shut-sesame"), SystemClock())
    for call in (lambda: wrong.holders(""), lambda: wrong.acquire("down", b"")):
        with pytest.raises(Unavailable, match="username and password") as caught:
            call()
        assert "sesame" not in str(caught.value)
    wrong.close()
    mine.close()


def test_looks_read_only_what_changed(locks: ZookeeperLocks, others: ZookeeperLocks) -> None:
    claims = [others.acquire(f"claims/a/{n:05d}", b"x") for n in range(5)]
    assert len(locks.holders("claims/")) == 5
    sent = 0
    call_all = locks.session.call_all

    def counted(sends: list[Callable[[object], object]]) -> list[object]:
        nonlocal sent
        sent += len(sends)
        return call_all(sends)

    locks.session.call_all = counted  # type: ignore[method-assign]  # counts requests
    assert len(locks.holders("claims/")) == 5
    assert sent == 1  # the sync alone
    assert claims[0] is not None
    claims[0].update(b"y")
    assert locks.holders("claims/")["claims/a/00000"] == b"y"
    assert sent == 3
