"""Every process is restarted under load: no request is lost, no answer is incomplete."""

import asyncio

import pytest

from compose.cluster.cluster import Cluster
from tests.cluster.harness import Scenario, ask_count, in_thread, scenario

pytestmark = pytest.mark.scenario

RESTART_S = 900.0


async def ask_until(done: asyncio.Event, running: Scenario) -> list[str]:
    """Ask again and again; what was wrong with the answers."""
    wrong: list[str] = []
    asked = 0
    while not done.is_set():
        found = await ask_count(running)
        asked += 1
        if not found.complete:
            wrong.append(f"answer {asked} was incomplete")
        await asyncio.sleep(0.5)
    running.note(f"{asked} queries meanwhile, {len(wrong)} of them incomplete")
    return wrong


async def test_rolling_restart_of_everything_is_not_noticed(cluster: Cluster) -> None:
    starts = {role.name: role.starts for role in cluster.roles}
    async with scenario(cluster, "rolling restart of everything") as running:
        await running.steady()
        running.fault()
        done = asyncio.Event()
        asking = asyncio.create_task(ask_until(done, running))
        restart = await in_thread(
            cluster.run, "rolling-restart", "--watch-s", "2", "--fresh", timeout_s=RESTART_S
        )
        done.set()
        wrong = await asking
        assert restart.returncode == 0, restart.stdout + restart.stderr
        assert wrong == []
        again = {role.name: role.starts for role in cluster.roles}
        assert all(again[name] > before for name, before in starts.items()), again
    assert not running.load.outcome.unknown, "no request may be left without an answer"
