"""Threads that decode bodies: shared between environments, bounded, given up by who is gone (I14).

What is counted are bodies, never time.
"""

import asyncio
import threading
from collections.abc import Callable

import pytest

from common import limits
from common.errors import TooManyRequests, Unavailable
from common.metadata import Access, ApiKey, Environment, KeyKind, Team
from common.scan.work_budget import Work
from shepherd.admission.decode_pool import DecodePool


def key(environment: str, name: str = "k") -> ApiKey:
    team = Team("t", "t", "t")
    return ApiKey(
        id=f"{environment}-{name}", hash="", kind=KeyKind.INGEST, name=name, team=team,
        environment=Environment(environment, "t", environment, environment), access=Access(),
    )  # fmt: skip


class Bodies:
    """Decoding in the hands of the test: each body goes on when it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._gate = threading.Semaphore(0)

    def decode(self, name: str) -> Callable[[Work], str]:
        def run(_: Work) -> str:
            self.begun.append(name)
            assert self._gate.acquire(timeout=30)
            return name

        return run

    def let_go(self, bodies: int = 1) -> None:
        for _ in range(bodies):
            self._gate.release()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for happens in a thread
            await asyncio.sleep(0.001)


async def test_a_newcomer_waits_for_the_end_of_one_body_at_most() -> None:
    pool, bodies = DecodePool(threads=2, kept=0), Bodies()
    flood = [
        asyncio.create_task(pool.run(key("flood", f"{n % 5}"), 10, bodies.decode("flood")))
        for n in range(100)
    ]
    await until(lambda: len(bodies.begun) == 2)  # all that is idle
    victims = [asyncio.create_task(pool.run(key(name), 10, bodies.decode(name))) for name in "ab"]
    await asyncio.sleep(0)
    bodies.let_go(2)
    await until(lambda: len(bodies.begun) == 4)
    assert sorted(bodies.begun[2:]) == ["a", "b"]
    bodies.let_go(100)
    assert await asyncio.gather(*victims) == ["a", "b"]
    assert await asyncio.gather(*flood) == ["flood"] * 100
    pool.close()


async def test_a_newcomer_starts_at_once_beside_an_environment_that_uses_all_it_may() -> None:
    pool, bodies = DecodePool(threads=2, kept=2), Bodies()
    flood = [
        asyncio.create_task(pool.run(key("flood"), 10, bodies.decode("flood"))) for _ in range(20)
    ]
    await until(lambda: len(bodies.begun) == 2)
    victims = [asyncio.create_task(pool.run(key(name), 10, bodies.decode(name))) for name in "ab"]
    await until(lambda: len(bodies.begun) == 4)
    assert sorted(bodies.begun) == ["a", "b", "flood", "flood"]
    bodies.let_go(22)
    await asyncio.gather(*victims, *flood)
    pool.close()


async def test_what_waits_is_bounded_per_environment_in_number_and_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "DECODES_WAITING_ENV_MAX", 5)
    monkeypatch.setattr(limits, "DECODE_WAITING_ENV_BYTES_MAX", 1_000)
    pool, bodies = DecodePool(threads=1, kept=0), Bodies()
    taken = [asyncio.create_task(pool.run(key("a"), 10, bodies.decode("a"))) for _ in range(6)]
    await until(lambda: len(bodies.begun) == 1)
    with pytest.raises(TooManyRequests) as refused:
        await pool.run(key("a"), 10, bodies.decode("a"))
    assert refused.value.retry_after_s
    with pytest.raises(TooManyRequests):
        await pool.run(key("a"), 951, bodies.decode("a"))
    other = asyncio.create_task(pool.run(key("b"), 951, bodies.decode("b")))
    bodies.let_go(7)
    assert await other == "b"
    await asyncio.gather(*taken)
    assert await pool.run(key("a"), 5_000, lambda _: "alone") == "alone"  # nothing waits: any
    pool.close()


async def test_a_body_that_waits_too_long_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "DECODE_WAIT_S", 0.02)
    pool, bodies = DecodePool(threads=1, kept=0), Bodies()
    first = asyncio.create_task(pool.run(key("a"), 10, bodies.decode("a")))
    await until(lambda: len(bodies.begun) == 1)
    with pytest.raises(Unavailable) as refused:
        await pool.run(key("b"), 10, bodies.decode("b"))
    assert refused.value.retry_after_s
    bodies.let_go()
    assert await first == "a"  # what has begun is not measured
    pool.close()


async def test_queued_work_whose_client_is_gone_never_begins() -> None:
    pool, bodies = DecodePool(threads=1, kept=0), Bodies()
    first = asyncio.create_task(pool.run(key("a"), 10, bodies.decode("first")))
    await until(lambda: len(bodies.begun) == 1)
    gone = [asyncio.create_task(pool.run(key("a"), 10, bodies.decode("x"))) for _ in range(9)]
    last = asyncio.create_task(pool.run(key("b"), 10, bodies.decode("last")))
    await asyncio.sleep(0)
    for one in gone:
        one.cancel()
    bodies.let_go(2)
    assert await asyncio.gather(first, last) == ["first", "last"]
    assert bodies.begun == ["first", "last"]
    pool.close()


async def test_running_work_whose_client_is_gone_ends_at_its_next_look() -> None:
    pool = DecodePool(threads=1, kept=0)
    begun, ended = threading.Event(), []

    def decode(work: Work) -> None:
        begun.set()
        try:
            for _ in range(10**9):
                work.spend(0)
        finally:
            ended.append(True)

    gone = asyncio.create_task(pool.run(key("a"), 10, decode))
    await until(begun.is_set)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert ended == [True]
    assert await pool.run(key("a"), 10, lambda _: "free") == "free"
    pool.close()
