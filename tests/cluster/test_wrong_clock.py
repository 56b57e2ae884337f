"""A role whose clock is an hour off changes no event, no segment and no answer (I3).

Append times are the brokers'; an event's own time is the client's, or the shepherd's when the
client gave none.
"""

import os
from pathlib import Path

import aiohttp
import pytest

from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role
from tests.cluster.harness import ask_count, in_thread, scenario
from tests.system.load import Target

pytestmark = pytest.mark.scenario

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOUR_S = 3_600


async def restart(cluster: Cluster, role: Role, **extra: str) -> None:
    """Start the role again with other variables in its environment."""
    await in_thread(role.stop)
    role.extra.pop("PYTHONPATH", None)
    role.extra.update(extra)
    await in_thread(cluster.roles.start, [role])
    await in_thread(cluster.roles.wait_ready, [role])


@pytest.mark.parametrize("offset_s", [-HOUR_S, HOUR_S], ids=["behind", "ahead"])
async def test_indexer_an_hour_off_makes_the_same_segments(cluster: Cluster, offset_s: int) -> None:
    role = cluster.roles["indexer", "c"]
    path = os.pathsep.join([str(HERE / "wrong_clock"), str(ROOT)])
    async with scenario(cluster, f"clock of an indexer {offset_s:+d} s") as running:
        await running.steady()
        running.fault()
        try:
            await restart(cluster, role, PYTHONPATH=path, TEST_CLOCK_OFFSET_S=str(offset_s))
            await running.steady(10)
            assert (await ask_count(running)).complete
        finally:
            await restart(cluster, role)


async def test_indexer_70_days_ahead_expires_nothing_and_says_that_clocks_differ(
    cluster: Cluster,
) -> None:
    role = cluster.roles["indexer", "c"]
    path = os.pathsep.join([str(HERE / "wrong_clock"), str(ROOT)])
    quick = {"BELLWETHER_INDEXER_HOUSEKEEPING_S": "1"}
    async with scenario(cluster, "clock of an indexer 70 days ahead") as running:
        await running.steady()
        running.fault()
        try:
            offset_s = str(70 * 24 * HOUR_S)
            await restart(cluster, role, PYTHONPATH=path, TEST_CLOCK_OFFSET_S=offset_s, **quick)
            await running.steady(10)
            text = await raised(running.target, "clock_disagrees")
            for name in ("the object store", "the database", "broker"):
                assert name in text
            assert text.count(" behind") == text.count(" is ")
            assert (await ask_count(running)).complete
        finally:
            await restart(cluster, role, **quick)
        await running.steady(5)


async def raised(target: Target, alarm: str) -> str:
    """What the status says of an alarm, of whichever partition."""
    async with aiohttp.ClientSession() as http:
        url, headers = f"{target.url}/bw/1/status", {"X-Honeycomb-Team": target.key}
        async with http.get(url, headers=headers) as answer:
            document = await answer.json()
    found = [
        one["alarms"][alarm]
        for indexer in document["indexers"]
        for one in indexer.get("status", {"partitions": {}})["partitions"].values()
        if alarm in one["alarms"]
    ]
    assert found, document
    return str(found[0])
