"""Claims in a real ensemble: even, gentle, and frozen while it is away (I6, I8)."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.process.members import list_partition_holders
from compose.cluster.cluster import Cluster
from compose.servers.zookeeper import Zookeeper
from tests.conformance import cluster
from tests.indexer.claims.test_claims import Holder


@pytest.fixture
def ensemble(
    servers: Cluster, zookeeper_server: Zookeeper, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Zookeeper]:
    """The session's ensemble; whatever a test stopped runs again afterwards."""
    monkeypatch.setenv(cluster.VARIABLE, json.dumps(servers.environment()))
    yield zookeeper_server
    for member in zookeeper_server.members:
        member.resume()


async def test_claims_are_even_and_stay_while_the_whole_ensemble_is_away(
    tmp_path: Path, ensemble: Zookeeper
) -> None:
    holders = [
        Holder(tmp_path, f"in {zone}", zone, 6, cluster.zookeeper_locks(tmp_path), 60_000)
        for zone in "abc"
    ]
    try:
        async with asyncio.timeout(60):
            while sorted(len(holder.claims.held()) for holder in holders) != [4, 4, 4]:
                for holder in holders:
                    await holder.refresh()
                await asyncio.sleep(0.05)
        seen = list_partition_holders(holders[0].locks)
        assert all(len({m.zone for m in members}) == 2 for members in seen.values())
        before = [(holder.claims.held(), list(holder.log)) for holder in holders]
        for member in ensemble.members:
            member.pause()
        async with asyncio.timeout(60):  # several sessions long
            for _ in range(3):
                await asyncio.gather(*(holder.refresh() for holder in holders))
                await asyncio.sleep(1.0)
        assert [(h.claims.held(), h.log) for h in holders] == before
        for member in ensemble.members:
            member.resume()
        async with asyncio.timeout(60):
            while True:
                await asyncio.gather(*(holder.refresh() for holder in holders))
                last_plan = holders[0].claims.last
                assert last_plan is not None
                held = [len(holders) for holders in last_plan.view.claims.values()]
                if held == [2] * 6 and [(h.claims.held(), h.log) for h in holders] == before:
                    break
                await asyncio.sleep(0.2)
    finally:
        for member in ensemble.members:
            member.resume()
        for holder in holders:
            await holder.claims.release_all()
            await asyncio.to_thread(holder.locks.close)
