"""Stored results are bounded; the environment with the most loses its oldest; unpolled ones end."""

import asyncio

from common import limits
from common.clock import ManualClock
from query.api.results.memory import ResultStore, StoredResult
from query.config import STANDARD_LIMITS, ResultLimits
from query.http.problems import QueryEnded


class Kept:
    """Results of some environments, by name; a manual clock."""

    def __init__(self, bounds: ResultLimits = STANDARD_LIMITS.results) -> None:
        self.clock = ManualClock()
        self.results = ResultStore(self.clock, 100, bounds)

    def add(self, name: str, env: str, key: str = "a", body: bytes | None = b"{}") -> StoredResult:
        now_ns, polled_ns = self.clock.now_ns(), self.clock.monotonic_ns()
        one = StoredResult(name, env, key, "d", b"{}", now_ns, polled_ns, body)
        self.results.add(one)
        return one

    def has(self, name: str, env: str) -> bool:
        return self.results.find(name, env, "d") is not None


def test_a_thousand_results_of_one_environment_push_out_none_of_another() -> None:
    kept = Kept(ResultLimits(count_max=10))
    kept.add("mine", "bank")
    for number in range(50):
        kept.add(f"r{number}", "shop")
    assert kept.has("mine", "bank")
    assert [n for n in range(50) if kept.has(f"r{n}", "shop")] == list(range(41, 50))


def test_within_an_environment_the_key_that_has_most_gives_up_its_oldest() -> None:
    kept = Kept(ResultLimits(count_max=5))
    kept.add("colleague", "shop", "b")
    for number in range(10):
        kept.add(f"r{number}", "shop", "a")
    assert kept.has("colleague", "shop")
    assert not kept.has("r5", "shop")
    assert kept.has("r6", "shop")


def test_large_results_push_out_those_of_who_holds_most_bytes() -> None:
    kept = Kept(ResultLimits(bytes_max=50_000))
    for number in range(5):
        kept.add(f"small{number}", "bank")
    for number in range(4):
        large = kept.add(f"large{number}", "shop", body=None)
        large.body = bytes(20_000)  # it is finished only now
        kept.results.trim(large)
    assert all(kept.has(f"small{n}", "bank") for n in range(5))
    assert [n for n in range(4) if kept.has(f"large{n}", "shop")] == [2, 3]


def test_the_newest_result_stays_however_large() -> None:
    kept = Kept(ResultLimits(bytes_max=50_000))
    kept.add("small", "bank")
    kept.add("large", "shop", body=bytes(60_000))
    assert kept.has("large", "shop")


def test_results_are_kept_for_their_time() -> None:
    kept = Kept()
    kept.add("old", "bank")
    kept.clock.advance_ms(60_000)
    kept.add("later", "bank")
    kept.clock.advance_ms(60_000)
    assert not kept.has("old", "bank")
    assert kept.has("later", "bank")


async def test_a_query_that_nobody_asks_for_is_ended_and_one_that_is_polled_is_not() -> None:
    kept = Kept()
    polled, abandoned, done = (kept.add(name, "shop", body=None) for name in "pad")
    done.body = b"{}"
    for result in (polled, abandoned):
        result.task = asyncio.create_task(asyncio.sleep(3600))
    for _ in range(3):
        kept.clock.advance_ms(limits.QUERY_UNPOLLED_S * 500)
        assert kept.has("p", "shop")
        kept.results.end_abandoned()
    await asyncio.sleep(0)
    assert abandoned.task is not None
    assert abandoned.task.cancelled()
    assert isinstance(abandoned.error, QueryEnded)
    assert polled.task is not None
    assert not polled.task.cancelled()
    assert kept.has("d", "shop")  # what has finished is kept
    await kept.results.close()
