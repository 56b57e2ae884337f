"""Both indexers of a pair destroyed with their disks: nothing acknowledged is lost (I5, I6)."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.system.counts import show
from tests.system.harness import running
from tests.system.test_survive import assert_all_stored, cut, loaded

pytestmark = pytest.mark.system


async def test_both_indexers_destroyed_with_their_disks_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--twins") as system:
        async with loaded(system, 31) as load:
            await asyncio.sleep(1.5)
            await cut(system)
            await asyncio.sleep(0.5)
            for zone in ("a", "b"):
                system.kill_role("indexer", zone)
                shutil.rmtree(system.data / "roles" / f"indexer-{zone}")
            await asyncio.sleep(1)
            await asyncio.to_thread(system.wait_role_ready, "indexer")
            await asyncio.sleep(0.5)
        await assert_all_stored("both indexers and their disks destroyed", system, load.outcome)
        status = json.loads(system.run("status", "--json").stdout)
        for told in status["indexers"]:
            assert told["status"]["warming"]["failed"] == 0
            assert all(p["replay"]["done"] for p in told["status"]["partitions"].values())
        rehearsed = system.run("bootstrap", "--rehearse", "0", "--json", "--data", str(system.data))
        assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
        report = json.loads(rehearsed.stdout)
        assert (report["verdict"], len(report["compared_with"])) == ("same", 2)
        assert report["compared_rows"] > 0
        assert not (system.data / "rehearsal").exists()
        wanted = ("rows", "bellwether", 'WHERE name = "rehearsal" LAST 1h', "--json")
        system.wait_until(lambda: bool(system.run(*wanted).stdout), "the event about it")
        assert json.loads(system.run(*wanted).stdout)["data"]["verdict"] == "same"
        left = system.run("unnamed", "--json", "--data", str(system.data))
        assert left.returncode == 0, left.stderr
        found = json.loads(left.stdout)
        assert found["unreadable"] == []  # every folder of the store is known, after kills too
        assert not any(one["removable"] for one in found["objects"])
        plan = system.run("bootstrap", "--plan", "--json", "--data", str(system.data))
        assert plan.returncode == 0, plan.stderr
        total = json.loads(plan.stdout)["total"]
        assert total["segments"] > 0
        show(f"bootstrap --plan: {total}")
