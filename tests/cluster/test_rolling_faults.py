"""A rolling restart in the middle of a fault stops by itself or waits, and goes on afterwards."""

import asyncio

import pytest

from bellwether.commands.operate.rolling_restart import EXIT_HELD
from compose.cluster.cluster import Cluster
from tests.cluster.harness import Scenario, ask_count, in_thread, scenario
from tests.cluster.operators import Restart, starts

pytestmark = pytest.mark.scenario

ROLE_S = 120.0


async def until_restarted(running: Scenario, before: dict[str, int], count: int) -> None:
    """Wait until so many roles were started again."""
    async with asyncio.timeout(ROLE_S):
        while True:
            now = starts(running.cluster)
            if sum(now[name] > before[name] for name in now) >= count:
                return
            await asyncio.sleep(0.1)


async def test_rolling_restart_outlives_a_cut_link_and_a_killed_indexer(cluster: Cluster) -> None:
    before = starts(cluster)
    async with scenario(cluster, "rolling restart, a link cut, an indexer killed") as running:
        await running.steady()
        running.fault()
        restart = Restart(cluster)
        work = asyncio.create_task(restart.until_done())
        await until_restarted(running, before, 1)
        cluster.proxy["kafka-1"].black_hole()
        await running.steady(12)
        cluster.proxy["kafka-1"].heal()
        await until_restarted(running, before, 2)
        await in_thread(cluster.roles["indexer", "c"].kill)
        await work
        again = starts(cluster)
        assert all(again[name] > before[name] for name in before), again
        assert (await ask_count(running)).complete
        running.note(restart.told())


async def test_killed_operator_leaves_nothing_half_done_and_another_goes_on(
    cluster: Cluster,
) -> None:
    """SIGKILL in the middle; meanwhile a second operator is told who holds the lock."""
    before = starts(cluster)
    async with scenario(cluster, "rolling restart, its operator killed") as running:
        await running.steady()
        running.fault()
        first = Restart(cluster, ("--watch-s", "1"))
        beginning = asyncio.create_task(first.once())
        await until_restarted(running, before, 1)
        second = Restart(cluster, ("--watch-s", "1", "--state", "second.json"))
        code, told = await second.once()
        assert code == EXIT_HELD, told
        assert "runs one since" in told
        await until_restarted(running, before, 2)
        first.kill()
        code, told = await beginning
        assert code < 0, told
        restarted = {name for name, count in starts(cluster).items() if count > before[name]}
        assert len(restarted) < len(before)
        await first.until_done()
        again = starts(cluster)
        assert {name: again[name] - before[name] for name in before} == dict.fromkeys(before, 1)
        assert not running.load.outcome.unknown, "no request may be left without an answer"
        running.note(f"{len(restarted)} roles before the kill; {first.told()}")
