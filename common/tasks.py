"""Background tasks of a role: periodic upkeep, and tasks that end with a block."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

_logger = logging.getLogger(__name__)
Sleep = Callable[[float], Awaitable[object]]
Item = TypeVar("Item")


class Retry(NamedTuple):
    """Errors that do not end periodic work: each is logged, and the work is done again in time."""

    errors: tuple[type[Exception], ...]
    log: Callable[[Exception], object]


async def run_every(
    seconds: float,
    work: Callable[[], Awaitable[object] | None],
    *,
    at_once: bool = False,
    retry: Retry | None = None,
    stop: asyncio.Event | None = None,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Do `work`, a function or a coroutine function, again and again, `seconds` after it ended.

    at_once: the first time now, instead of after the first wait.
    retry: errors after which it goes on. Raises every other error of `work`, so that a fault of
    ours ends the task that runs this.
    stop: returns once this is set, from a wait at once; without it, runs until cancelled.
    """
    if not at_once:
        await _pause(seconds, stop, sleep)
    while stop is None or not stop.is_set():
        try:
            doing = work()
            if doing is not None:
                await doing
        except Exception as error:
            if retry is None or not isinstance(error, retry.errors):
                raise
            retry.log(error)
        await _pause(seconds, stop, sleep)


async def sleep_in_step(seconds: float) -> None:
    """Sleep about so long, until the loop's time is a multiple of it; see `until_step_s`.

    Tasks that rest in this way wake together: however many there are, a process that has nothing
    to do wakes once in that time.
    """
    await asyncio.sleep(until_step_s(asyncio.get_running_loop().time(), seconds))


def until_step_s(now_s: float, seconds: float) -> float:
    """Seconds until a multiple of `seconds`: half of it at least, so that none comes twice."""
    return (math.floor(now_s / seconds + 0.5) + 1) * seconds - now_s


async def _pause(seconds: float, stop: asyncio.Event | None, sleep: Sleep) -> None:
    if stop is None:
        await sleep(seconds)
        return
    waits = [asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


@asynccontextmanager
async def running(*tasks: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run these beside the block. At its end they are cancelled, and have ended when it returns.

    The first of them that fails cancels the block, and its error is raised from here. Errors that
    others raise while they end are logged.
    """
    try:
        async with asyncio.TaskGroup() as group:
            begun = [group.create_task(task) for task in tasks]
            try:
                yield
            finally:
                for task in begun:
                    task.cancel()
    except BaseExceptionGroup as errors:
        first, *others = errors.exceptions
        for error in others:
            _logger.error("background work failed", exc_info=error)
        raise first from None


async def run_together(*tasks: Coroutine[Any, Any, object]) -> None:
    """Run these until all have ended or this is cancelled.

    A failure is logged, and the others continue: for work that a role can miss for a while.
    """
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_log_failure(task))


async def _log_failure(task: Coroutine[Any, Any, object]) -> None:
    try:
        await task
    except Exception as error:  # a fault of ours: it must not end what runs beside it
        _logger.error("background work failed", exc_info=error)


async def cancel_and_wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks that their owner needs no longer, and return once they have ended.

    Their errors are dropped: the owner has taken the results and errors that it needs.
    """
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def for_each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[object]], at_once: int
) -> None:
    """Do the work of every item, of so many at once.

    The first error is raised once the work that runs beside it was cancelled and has ended; what
    has not begun then is left.
    """
    left = iter(items)

    async def go_on() -> None:
        for item in left:
            await work(item)

    tasks = [asyncio.create_task(go_on()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        await cancel_and_wait(tasks)
