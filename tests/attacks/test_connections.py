"""Connections that only take: silent ones, half a head, half a body, floods (I14)."""

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.victim import Victim, make_key
from tests.system.harness import System, running

pytestmark = pytest.mark.scenario
FILES = 256  # open files of each role: as few as some systems give
SOCKETS = 500
SECONDS = 8.0


@pytest.fixture
def small(tmp_path: Path) -> Iterator[System]:
    """An `up` whose processes may open few files. This process may open as many as it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with running(tmp_path, open_files=FILES) as system:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * SOCKETS), hard))
        try:
            yield system
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def hold(url: str, sent: Callable[[], bytes], over: threading.Event, *, rounds: int = 3) -> None:
    """Open many connections that send this, again and again until the time is over."""
    host, port = url.removeprefix("http://").split(":")
    for _ in range(rounds):
        open_ones = []
        for _ in range(SOCKETS):
            with contextlib.suppress(OSError):
                one = socket.create_connection((host, int(port)), timeout=5)
                open_ones.append(one)
                one.settimeout(0.2)
                one.sendall(sent())
        over.wait(SECONDS / rounds)
        for one in open_ones:
            one.close()
        if over.is_set():
            return


def post(key: str, length: int) -> bytes:
    head = f"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {key}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n[".encode()


@pytest.mark.parametrize(
    "kind",
    ["silent", "half a head", "no key, half a body", "half a body", "idle after a good answer"],
)
def test_sockets_that_only_take_harm_nobody(small: System, kind: str) -> None:
    key = make_key(small.data, "attacker", ingest=True)
    good = f"GET /1/auth HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {key}\r\n\r\n".encode()
    query = b"POST /1/query_results/d HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{"
    sent = {
        "silent": b"",
        "half a head": good[:40],
        "no key, half a body": query,
        "half a body": post(key, 5_000_000),
        "idle after a good answer": good,
    }[kind]
    victim = Victim.of(small)
    report = victim.compare(
        f"{SOCKETS} sockets, {kind}", lambda over: hold(small.url, lambda: sent, over), SECONDS
    )
    report.assert_unharmed()


def test_silent_sockets_at_internal_ports_harm_nobody(small: System) -> None:
    urls = [m.url for role in ("shepherd", "indexer", "query") for m in small.members(role)]

    def attack(over: threading.Event) -> None:
        threads = [
            threading.Thread(target=hold, args=(url, bytes, over), kwargs={"rounds": 2})
            for url in urls
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    report = Victim.of(small).compare("silent sockets at internal ports", attack, SECONDS)
    report.assert_unharmed()


def test_pipelined_floods_of_one_key_harm_nobody(small: System) -> None:
    key = make_key(small.data, "attacker", ingest=True)
    body = b'[{"data":{"a":1}}]'
    head = f"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {key}\r\n"
    one = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    host, port = small.url.removeprefix("http://").split(":")

    def attack(over: threading.Event) -> None:
        open_ones = [socket.create_connection((host, int(port))) for _ in range(20)]
        for conn in open_ones:
            conn.setblocking(False)
        sent = 0
        while not over.is_set() and sent < 20_000_000:  # nobody reads the answers
            for conn in open_ones:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    sent += conn.send(one * 200)
            time.sleep(0.01)
        for conn in open_ones:
            conn.close()

    Victim.of(small).compare("pipelined floods", attack, SECONDS).assert_unharmed()
