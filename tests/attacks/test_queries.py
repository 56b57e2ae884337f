"""One key against the queries of everybody else: a victim of another environment is measured.

Real processes. What is asserted are counts (no request of the victim fails, its result and its
tail are there); waiting times are printed beside the undisturbed ones.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.attacks.victim import Victim, make_key
from tests.system import counts
from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]
HEAVY = {
    "calculations": [
        {"op": "COUNT_DISTINCT", "column": "user"},
        {"op": "P99", "column": "ms"},
        {"op": "SUM", "column": "ms"},
    ],
    "breakdowns": ["user", "path"],
    "granularity": 60,
}
SENT = 30  # batches of 4,000 events
PATH = "/1/query_results/attack"


class Attacker:
    """A key of another environment than the victim's, with events to ask heavy queries of."""

    def __init__(self, system: System) -> None:
        self.url = system.url
        self.key = make_key(system.data, "attacker")

    def session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self.url,
            headers={"X-Honeycomb-Team": self.key},
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def prepare(self) -> None:
        async with self.session() as http:
            for batch in range(SENT):
                events = [
                    {"data": {"user": f"u{(batch * 4_000 + n) % 50_000}", "path": f"/{n % 7}",
                              "ms": n * 0.37}}
                    for n in range(4_000)
                ]  # fmt: skip
                async with http.post("/1/batch/attack", json=events) as answer:
                    assert answer.status == 200

    async def start(self, http: aiohttp.ClientSession, spec: dict[str, object]) -> int:
        """An asynchronous query that nobody will ask for."""
        async with http.post(PATH, json={"query": spec}) as answer:
            return answer.status

    async def connect(self, head: str, stack: AsyncExitStack) -> asyncio.StreamReader:
        """A raw connection that sends this much and no more."""
        at = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1024)
        stack.callback(writer.close)
        writer.write(head.encode())
        return reader


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("queries")) as started:
        yield started


@pytest.fixture(scope="module")
def attacker(system: System) -> Attacker:
    one = Attacker(system)
    asyncio.run(one.prepare())
    return one


def until(
    over: threading.Event, attack: Callable[[], Awaitable[object]], pause_s: float = 0.5
) -> None:
    """The attack again and again, until it should end; each turn is bounded."""

    async def turns() -> None:
        while not over.is_set():
            await attack()
            await asyncio.sleep(pause_s)

    asyncio.run(turns())


def test_heavy_queries_that_nobody_fetches(system: System, attacker: Attacker) -> None:
    statuses: Counter[int] = Counter()

    async def attack() -> None:
        async with attacker.session() as http:
            started = [attacker.start(http, HEAVY) for _ in range(76)]
            statuses.update(await asyncio.gather(*started))

    report = Victim.of(system).compare("76 heavy queries", lambda over: until(over, attack))
    counts.show(f"76 heavy queries: answered {dict(statuses)}")
    assert set(statuses) == {201, 429}
    report.assert_unharmed()


def test_a_thousand_trivial_queries(system: System, attacker: Attacker) -> None:
    victim = Victim.of(system)
    headers = {"X-Honeycomb-Team": victim.key}
    path = f"{system.url}/1/query_results/{victim.dataset}"

    async def mine() -> str:
        async with aiohttp.ClientSession(headers=headers) as http:
            body = {"query": {"calculations": [{"op": "COUNT"}]}, "wait_s": 20}
            async with http.post(path, json=body) as answer:
                assert answer.status == 201
                return str((await answer.json())["id"])

    async def still_there(result: str) -> int:
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(f"{path}/{result}") as answer,
        ):
            return answer.status

    async def attack() -> None:
        async with attacker.session() as http:
            for _ in range(20):
                spec = {"calculations": [{"op": "COUNT"}]}
                await asyncio.gather(*(attacker.start(http, spec) for _ in range(40)))

    result = asyncio.run(mine())
    report = victim.compare("trivial queries", lambda over: until(over, attack, 0.0))
    report.assert_unharmed()
    assert asyncio.run(still_there(result)) == 200


@pytest.mark.parametrize("known", [False, True], ids=["no key", "a key"])
def test_half_sent_posts(system: System, attacker: Attacker, known: bool) -> None:
    key = f"X-Honeycomb-Team: {attacker.key}\r\n" if known else ""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{key}Content-Length: 900\r\n\r\n{{"

    async def attack() -> None:
        async with AsyncExitStack() as stack:
            with suppress(OSError):
                for _ in range(520):
                    await attacker.connect(head, stack)
            await asyncio.sleep(2)

    name = f"520 half-sent posts with {'a' if known else 'no'} key"
    Victim.of(system).compare(name, lambda over: until(over, attack)).assert_unharmed()


def test_answers_that_are_not_read(system: System, attacker: Attacker) -> None:
    spec = {**HEAVY, "limit": 1_000}
    body = json.dumps({"query": spec, "wait_s": 30})
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {attacker.key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )

    async def attack() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(60):
                await attacker.connect(head, stack)
            await asyncio.sleep(4)

    Victim.of(system).compare(
        "60 answers not read", lambda over: until(over, attack)
    ).assert_unharmed()


def test_tails_of_one_key_leave_the_victim_its_own(system: System, attacker: Attacker) -> None:
    victim = Victim.of(system)
    seen: list[bytes] = []
    statuses: Counter[int] = Counter()

    async def attack_and_follow(over: threading.Event) -> None:
        tail = f"GET /bw/1/tail/attack HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {attacker.key}\r\n"
        headers = {"X-Honeycomb-Team": victim.key}
        async with AsyncExitStack() as stack:
            for _ in range(80):
                reader = await attacker.connect(f"{tail}\r\n", stack)
                statuses[int((await reader.readline()).split()[1])] += 1
            http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
            asked = http.get(f"{system.url}/bw/1/tail/{victim.dataset}")
            answer = await stack.enter_async_context(asked)
            assert answer.status == 200
            while not over.is_set():
                with suppress(TimeoutError):
                    seen.append(await asyncio.wait_for(answer.content.readline(), 0.2))

    report = victim.compare("80 tails", lambda over: asyncio.run(attack_and_follow(over)))
    counts.show(f"80 tails: answered {dict(statuses)}; the victim's own showed {len(seen)} events")
    report.assert_unharmed()
    assert set(statuses) == {200, 429}
    assert len(seen) > 10
