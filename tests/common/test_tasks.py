"""Periodic work, and tasks beside a block: when they run, and what an error of theirs does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.tasks import (
    Retry,
    cancel_and_wait,
    for_each,
    run_every,
    run_together,
    running,
    sleep_in_step,
    until_step_s,
)
from tests.waiting import PATIENCE_S


class _Waits:
    """A sleep that takes no time and is cancelled from outside after so many waits."""

    def __init__(self, most: int, log: list[str]) -> None:
        self._left = most
        self._log = log

    async def sleep(self, seconds: float) -> None:
        if not self._left:
            raise asyncio.CancelledError
        self._left -= 1
        self._log.append(f"wait {seconds:g}")


def _run(
    work: Callable[[], Awaitable[object] | None], log: list[str], *, waits: int = 2,
    at_once: bool = False, retry: Retry | None = None,
) -> None:  # fmt: skip
    async def run() -> None:
        sleep = _Waits(waits, log).sleep
        await run_every(5, work, at_once=at_once, retry=retry, sleep=sleep)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_work_is_done_after_each_wait() -> None:
    log: list[str] = []
    _run(lambda: log.append("work"), log)
    assert log == ["wait 5", "work", "wait 5", "work"]


def test_work_can_begin_at_once() -> None:
    log: list[str] = []
    _run(lambda: log.append("work"), log, at_once=True)
    assert log == ["work", "wait 5", "work", "wait 5", "work"]


def test_coroutines_are_awaited() -> None:
    log: list[str] = []

    async def work() -> int:
        await asyncio.sleep(0)
        log.append("work")
        return 1

    _run(work, log, waits=1)
    assert log == ["wait 5", "work"]


def test_an_error_that_is_not_expected_ends_it() -> None:
    async def run() -> None:
        await run_every(5, work, sleep=_Waits(9, []).sleep, retry=Retry((OSError,), print))

    def work() -> None:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        asyncio.run(run())


def test_an_expected_error_is_logged_and_the_work_done_again() -> None:
    log: list[str] = []

    def work() -> None:
        log.append("work")
        raise OSError("disk")

    _run(work, log, retry=Retry((OSError,), lambda error: log.append(f"failed: {error}")))
    assert log == ["wait 5", "work", "failed: disk"] * 2


def test_a_stop_ends_it_while_it_waits() -> None:
    log: list[str] = []

    async def run() -> None:
        stop = asyncio.Event()
        upkeep = run_every(3600, lambda: log.append("work"), at_once=True, stop=stop)
        task = asyncio.create_task(upkeep)
        await asyncio.sleep(0)
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await task
        await run_every(3600, lambda: log.append("never"), at_once=True, stop=stop)

    asyncio.run(run())
    assert log == ["work"]


def test_tasks_beside_a_block_have_ended_when_it_has() -> None:
    log: list[str] = []

    async def beside() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append("ended")

    async def run() -> None:
        async with running(beside(), beside()):
            await asyncio.sleep(0)
            log.append("block")

    asyncio.run(run())
    assert log == ["block", "ended", "ended"]


def test_a_task_that_fails_ends_the_block_with_its_error() -> None:
    log: list[str] = []

    async def fail() -> None:
        raise ValueError("a fault")

    async def run() -> None:
        async with running(fail()):
            try:
                await asyncio.Event().wait()
            finally:
                log.append("cleaned up")

    with pytest.raises(ValueError, match="a fault"):
        asyncio.run(run())
    assert log == ["cleaned up"]


def test_an_error_while_the_others_end_is_logged_and_hides_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise ValueError("first")

    async def fail_at_its_end() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("while it ended")

    async def run() -> None:
        async with running(fail_at_its_end(), fail()):
            await asyncio.sleep(60)

    with pytest.raises(ValueError, match="first"):
        asyncio.run(run())
    assert [str(record.exc_info and record.exc_info[1]) for record in caplog.records] == [
        "while it ended"
    ]


def test_an_error_of_the_block_is_raised_as_it_is() -> None:
    async def run() -> None:
        async with running(asyncio.sleep(3600)):
            raise KeyError("block")

    with pytest.raises(KeyError, match="block"):
        asyncio.run(run())


async def test_what_fails_is_logged_and_the_rest_goes_on_until_it_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps: list[str] = []
    worked = asyncio.Event()

    async def fail() -> None:
        raise ValueError("broken")

    async def work() -> None:
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            steps.append("after the failure")
            worked.set()
            await asyncio.Event().wait()
        finally:
            steps.append("cancelled")

    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(run_together(fail(), work()))
        await worked.wait()
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert steps == ["after the failure", "cancelled"]
    assert "background work failed" in caplog.text
    assert "broken" in caplog.text


async def test_it_ends_with_the_last_of_its_work() -> None:
    await run_together(asyncio.sleep(0), asyncio.sleep(0.001))


async def test_tasks_that_are_cancelled_have_ended_and_their_errors_are_dropped() -> None:
    ended = list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            ended.append("work")

    async def fail() -> None:
        raise OSError("gone")

    tasks = [asyncio.create_task(work()), asyncio.create_task(fail())]
    await asyncio.sleep(0)
    await cancel_and_wait(tasks)
    assert ended == ["work"]


async def test_all_items_are_worked_on_and_never_more_than_so_many_together() -> None:
    began, running_now, most = list[int](), 0, 0

    async def work(item: int) -> None:
        nonlocal running_now, most
        began.append(item)
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(0)
        running_now -= 1

    await for_each(range(10), work, 3)
    assert (began, most) == ([*range(10)], 3)
    await for_each([], work, 3)
    assert len(began) == 10


async def test_after_an_item_that_fails_no_other_begins_and_those_that_run_are_cancelled() -> None:
    began, cancelled = list[int](), list[int]()

    async def work(item: int) -> None:
        began.append(item)
        try:
            await asyncio.sleep(3600 if item else 0)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        raise OSError("busy")

    with pytest.raises(OSError, match="busy"):
        await for_each(range(100), work, 3)
    assert (began, cancelled) == ([0, 1, 2], [1, 2])


@given(st.floats(0, 1e6), st.sampled_from([0.5, 1.0, 2.0]))
def test_steps_of_all_tasks_are_at_the_same_times(now_s: float, seconds: float) -> None:
    wait_s = until_step_s(now_s, seconds)
    assert 0.5 * seconds <= wait_s <= 1.5 * seconds
    step = (now_s + wait_s) / seconds
    assert abs(step - round(step)) < 1e-6


async def test_tasks_that_rest_in_step_sleep_until_one_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Times are given: a machine that is busy wakes them later, but asked for the same time."""
    now_s, until = 7.0, list[float]()

    async def sleep(seconds: float) -> None:
        until.append(now_s + seconds)

    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: now_s)
        patched.setattr(asyncio, "sleep", sleep)
        for _ in range(16):
            await sleep_in_step(0.2)
            now_s += 0.005
    assert until == pytest.approx([7.2] * 16, abs=1e-6)
