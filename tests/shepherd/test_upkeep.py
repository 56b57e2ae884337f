"""Background work of the shepherd: its faults stop the role, after the role has drained."""

import asyncio

import pytest

from shepherd.upkeep import Upkeep
from tests.waiting import PATIENCE_S


async def fail() -> None:
    raise ValueError("a fault")


async def count(turns: list[int]) -> None:
    while True:
        turns.append(len(turns))
        await asyncio.sleep(0)


async def test_required_work_that_fails_ends_the_wait_and_others_go_on_until_drained() -> None:
    upkeep, turns = Upkeep(), list[int]()
    async with upkeep:
        upkeep.require(count(turns))
        upkeep.require(fail())
        async with asyncio.timeout(PATIENCE_S):
            await upkeep.wait_for_stop(asyncio.Event())
        at_failure = len(turns)
        await asyncio.sleep(0.01)  # the role drains
        assert len(turns) > at_failure
    ended = len(turns)
    await asyncio.sleep(0.01)
    assert len(turns) == ended
    with pytest.raises(ValueError, match="a fault"):
        upkeep.raise_failure()


async def test_optional_work_that_fails_is_logged_and_the_role_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    upkeep, stop = Upkeep(), asyncio.Event()
    async with upkeep:
        upkeep.add(fail())
        await asyncio.sleep(0)
        waiting = asyncio.create_task(upkeep.wait_for_stop(stop))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        stop.set()
        await waiting
        await upkeep.end_optional()
    upkeep.raise_failure()
    assert "a fault" in caplog.text


async def test_what_the_role_raises_is_raised_as_it_is_and_ends_the_work() -> None:
    turns = list[int]()

    async def serve() -> None:
        async with Upkeep() as upkeep:
            upkeep.require(count(turns))
            await asyncio.sleep(0.01)
            raise OSError("no port")

    with pytest.raises(OSError, match="no port"):
        await serve()
    ended = len(turns)
    await asyncio.sleep(0.01)
    assert len(turns) == ended
