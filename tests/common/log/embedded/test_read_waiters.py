"""Readers that wait are woken by other processes' appends, and quiet ones seldom look (I11)."""

import asyncio
from pathlib import Path

from common.log.embedded.known_ends import KnownEnds
from common.log.embedded.read_waiters import ReadWaiters

_QUIET_S = 0.025


def next_look_s(waiters: ReadWaiters) -> float:
    """When the timer fires, in the loop's time."""
    assert waiters._timer is not None
    return waiters._timer.when()


async def test_ends_that_wake_nobody_do_not_make_a_process_look_more_often(tmp_path: Path) -> None:
    """Its own heartbeats have woken their readers when the timer sees their ends."""
    here, elsewhere = KnownEnds(tmp_path, 2), KnownEnds(tmp_path, 2)
    waiters, loop = ReadWaiters(here), asyncio.get_running_loop()
    waiting = asyncio.create_task(waiters.wait(0, 0, 3_600))
    await asyncio.sleep(0)
    for end in range(1, 60):
        elsewhere.advance(1, end)
        began_s = loop.time()
        waiters._tick()
    assert next_look_s(waiters) >= began_s + _QUIET_S
    assert not waiting.done()
    elsewhere.advance(0, 1)
    waiters._tick()
    assert next_look_s(waiters) < loop.time() + _QUIET_S
    await waiting
    for ends in (here, elsewhere):
        ends.close()
    waiters.close()
