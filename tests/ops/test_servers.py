"""Each single server is probed; dead and frozen ones are distinguished and named."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from common.clock import SystemClock
from common.locks.zookeeper.config import ZookeeperConfig
from common.locks.zookeeper.probe_members import probe_members
from common.log.kafka.config import KafkaConfig
from common.log.kafka.probe_brokers import probe_brokers
from common.metadata.mysql.config import MysqlConfig
from common.objects.s3.config import S3Config
from common.probe_result import ServerAnswer, State, ask_bytes
from ops.doctor import servers
from ops.doctor.cluster import check_mysql, check_s3
from ops.doctor.machine import Verdict
from ops.doctor.servers import findings_of, probe_database, probe_store
from tests.waiting import PATIENCE_S

SHORT_S = 0.2
ENOUGH_S = 1.0  # for what answers, beside what does not


def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def frozen() -> Iterator[int]:
    """Like a stopped process: the system accepts its connections, nothing answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


@contextmanager
def answering(data: bytes) -> Iterator[int]:
    """A server that sends these bytes to every client and closes the connection."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_connection_is_no_answer() -> None:
    with frozen() as unresponsive, answering(b"hello") as good, answering(b"") as hangs_up:
        assert ask_bytes("127.0.0.1", unresponsive, SHORT_S)[0] is State.FROZEN
        assert ask_bytes("127.0.0.1", good, PATIENCE_S)[0] is State.GOOD
        assert ask_bytes("127.0.0.1", hangs_up, PATIENCE_S)[0] is State.WRONG
    state, why = ask_bytes("127.0.0.1", closed_port(), PATIENCE_S)
    assert (state, why) == (State.CLOSED, "Connection refused")


def test_each_bad_server_is_a_failure_with_a_remedy_and_the_good_ones_are_named_together() -> None:
    answers = [
        ServerAnswer("broker 1", State.GOOD),
        ServerAnswer("broker 2", State.FROZEN, "no answer within 3 s"),
        ServerAnswer("broker 3", State.CLOSED, "Connection refused"),
        ServerAnswer("broker 4", State.GOOD),
    ]
    found = findings_of("brokers", answers)
    assert [f.verdict for f in found] == [Verdict.FAIL, Verdict.FAIL, Verdict.GOOD]
    assert "broker 2 is frozen: it takes a connection and answers nothing" in found[0].text
    assert "broker 3 takes no connection (Connection refused)" in found[1].text
    assert all(f.remedy for f in found[:2])
    assert found[2].text == "answering: broker 1, broker 4"


async def test_a_frozen_and_a_dead_broker_are_told_apart_in_bounded_time() -> None:
    with frozen() as unresponsive:
        dead = closed_port()
        config = KafkaConfig(servers=f"127.0.0.1:{unresponsive},127.0.0.1:{dead}", timeout_ms=200)
        answers, _ = await probe_brokers(config, ENOUGH_S)
    assert [a.state for a in answers] == [State.FROZEN, State.CLOSED]
    assert answers[0].name == f"broker 127.0.0.1:{unresponsive}"


def test_every_zookeeper_member_is_asked_also_when_the_first_is_dead() -> None:
    with ExitStack() as stack:
        dead, unresponsive = closed_port(), stack.enter_context(frozen())
        alone = stack.enter_context(answering(b"This ZooKeeper instance is not currently"))
        config = ZookeeperConfig(
            servers=f"127.0.0.1:{dead},127.0.0.1:{unresponsive},127.0.0.1:{alone}", session_ms=1_000
        )
        answers = probe_members(config, SystemClock(), ENOUGH_S)
    assert [a.state for a in answers] == [State.CLOSED, State.FROZEN, State.WRONG]
    assert str(dead) in answers[0].name
    assert "no majority" in answers[2].text


def test_a_frozen_object_store_and_database_are_found_before_their_own_long_waits() -> None:
    with frozen() as unresponsive:
        s3 = S3Config(
            endpoint=f"http://127.0.0.1:{unresponsive}", bucket="bellwether", access_key="a",
            secret_key="b",
        )  # fmt: skip
        [store] = probe_store(s3, SHORT_S)
        mysql = MysqlConfig(host="127.0.0.1", port=unresponsive)
        [database] = probe_database(mysql, SHORT_S)
        assert store.state is database.state is State.FROZEN
        [objects] = check_s3(s3, SystemClock(), random.Random(1), SHORT_S)
        [metadata] = check_mysql(mysql, SystemClock(), SHORT_S)
    assert "is frozen" in objects.text
    assert "is frozen" in metadata.text
    assert probe_store(S3Config(bucket="bellwether")) == []  # AWS
    assert probe_database(MysqlConfig(socket="/run/mysqld.sock")) == []


def test_every_address_of_a_host_name_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ("10.0.0.1", "10.0.0.2")
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 3306)) for a in addresses]
    asked: list[str] = []

    def ask(host: str, *rest: object) -> tuple[State, str]:
        asked.append(host)
        return (State.GOOD, "") if host == "10.0.0.2" else (State.CLOSED, "Connection refused")

    monkeypatch.setattr(servers.socket, "getaddrinfo", lambda *a, **k: entries)
    monkeypatch.setattr(servers, "ask_bytes", ask)
    answers = probe_database(MysqlConfig(host="db.example.com"))
    assert asked == list(addresses)
    assert [a.state for a in answers] == [State.CLOSED, State.GOOD]
    assert answers[0].name == "database db.example.com:3306 at 10.0.0.1"
