"""Tails: a share for everybody, and an error that says why instead of a 200 with nothing."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from common import limits
from common.errors import BellwetherError, TooManyRequests, Unavailable
from query.config import QueryLimits
from query.tail.lines import TailLines
from tests.query.harness import QueryHarness, query_harness
from tests.waiting import PATIENCE_S, eventually

PATH = "/bw/1/tail/shop"


async def follow(running: QueryHarness, stack: AsyncExitStack, key: str) -> aiohttp.ClientResponse:
    """A tail that stays open until the stack is left."""
    headers = {"X-Honeycomb-Team": key}
    return await stack.enter_async_context(running.http.get(running.url + PATH, headers=headers))


async def test_tails_of_one_key_leave_places_for_another_environment(tmp_path: Path) -> None:
    async with query_harness(tmp_path, bounds=QueryLimits(tails_max=8)) as running:
        async with AsyncExitStack() as stack:
            opened = [await follow(running, stack, "K") for _ in range(12)]
            assert [answer.status for answer in opened] == [200] * 3 + [429] * 9  # a third
            assert opened[-1].headers["Retry-After"] == str(limits.TAIL_RETRY_S)
            other = await follow(running, stack, "OTHER")
            assert (other.status, await other.content.readline()) == (200, b"{}\n")
        async with AsyncExitStack() as stack:

            async def has_place() -> bool:  # it is seen after a moment that the readers left
                return (await follow(running, stack, "K")).status == 200

            await eventually(has_place)


@pytest.mark.parametrize(
    ("refusal", "status"), [(TooManyRequests("its own share"), 429), (Unavailable("all used"), 503)]
)
async def test_a_tail_that_one_of_several_indexers_refuses_is_refused_and_says_why(
    tmp_path: Path, refusal: BellwetherError, status: int
) -> None:
    async with query_harness(tmp_path, ("a", "b")) as running:
        one, other = running.indexers["a"], running.indexers["b"]
        await asyncio.to_thread(one.claims[1].release)  # so that both are followed
        other.tail_refusal = refusal
        answered, answer = await running.get(PATH)
        assert answered == status
        assert str(refusal) in answer["error"]
        assert "ix-b" in answer["error"]


async def test_a_tail_of_an_indexer_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    async with query_harness(tmp_path, bounds=QueryLimits(tail_open_s=0.2)) as running:
        running.indexers["a"].delay_s = 1_000
        status, answer = await running.get(PATH)
        assert (status, "does not answer" in answer["error"]) == (503, True)


async def test_a_tail_that_would_lack_a_partition_is_refused(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        await asyncio.to_thread(running.indexers["a"].claims[1].release)
        status, answer = await running.get(PATH)
        assert (status, "partitions [1]" in answer["error"]) == (503, True)


@pytest.mark.parametrize("after", ["soon", "--5", "1.5", "\u00b2", "9" * 5_000])
async def test_a_time_that_is_no_number_is_refused(tmp_path: Path, after: str) -> None:
    async with query_harness(tmp_path) as running:
        status, answer = await running.get(f"{PATH}?after_ns={after}")
        assert (status, "after_ns" in answer["error"]) == (400, True)


async def test_lines_for_a_slow_reader_are_bounded_by_bytes() -> None:
    lines = TailLines(bytes_max=1_000)

    async def put(count: int) -> None:
        for _ in range(count):
            await lines.put(bytes(300))

    putting = asyncio.create_task(put(5))
    await asyncio.sleep(0.05)
    assert not putting.done()
    assert len(await lines.take()) == 900
    await putting
    assert len(await lines.take()) == 600
    await asyncio.wait_for(lines.put(bytes(5_000)), PATIENCE_S)  # larger than all, but alone
    await lines.end()
    assert [len(await lines.take()), await lines.take()] == [5_000, b""]
