"""`up --small`: all roles in one process, and nothing acknowledged is lost by it (I1, I2, I13)."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.system.counts import show
from tests.system.harness import System, running
from tests.system.load import Load, Target, judge
from tests.system.stored import count_stored

pytestmark = pytest.mark.system
ROLES = ("shepherd", "indexer", "query")
KILLS = 3
SENDERS = 4


def the_process(system: System) -> int:
    """The one process that every role is announced from."""
    pids = {pid for role in ROLES for pid in system.pids()[role]}
    assert len(pids) == 1, pids
    return pids.pop()


async def test_a_killed_process_of_all_roles_loses_nothing_and_comes_back(tmp_path: Path) -> None:
    with running(tmp_path, "--small") as system:
        target = Target(system.url, system.key, "small")
        load = Load(target, SENDERS, 7)
        sending = asyncio.create_task(load.run())
        killed = set()
        for _ in range(KILLS):
            await asyncio.sleep(0.7)
            pid = system.kill_role("shepherd")
            killed.add(pid)
            for role in ROLES:
                await asyncio.to_thread(system.wait_role_ready, role, not_pid=pid)
        await asyncio.sleep(0.5)
        load.stop()
        await asyncio.wait_for(sending, 120)
        outcome = load.outcome
        highest = max(outcome.acknowledged | outcome.refused | outcome.unknown)
        verdict = judge(outcome, await count_stored(target, highest, outcome.receipt()))
        show(f"small: {outcome.counts()}; stored {verdict.stored}")
        assert len(killed) == KILLS
        assert the_process(system) not in killed
        assert outcome.acknowledged
        assert verdict.clean, verdict
    assert "everything acknowledged is stored" in system.output


def test_all_roles_run_in_one_process_and_say_in_its_log_which_they_are(tmp_path: Path) -> None:
    with running(tmp_path, "--small") as system:
        the_process(system)
        receipt = system.send("hello", [{"data": {"a": number}} for number in range(50)])
        counted = system.ask("hello", {"calculations": [{"op": "COUNT"}]}, after=receipt)
        assert counted["data"]["results"][0]["data"]["COUNT"] == 50
        cut = system.run("cut")
        assert cut.returncode == 0, cut.stdout + cut.stderr
        told = system.run("status", "--json")
        assert told.returncode == 0, told.stdout + told.stderr
        assert {r["role"] for r in json.loads(told.stdout)["roles"]} >= set(ROLES)
    lines = (system.data / "logs" / "all-roles.log").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    starts = {e["role"] for e in entries if e["message"] == "role starts"}
    stops = [e["role"] for e in entries if e["message"] == "role stopped"]
    assert starts == set(ROLES)
    assert stops == ["shepherd", "query", "indexer"]


@pytest.mark.scenario
def test_data_written_by_separate_roles_is_served_by_one_process_and_back(tmp_path: Path) -> None:
    system = System(tmp_path)
    total = 0
    try:
        for arguments in ((), ("--small",), ()):
            system.arguments = arguments
            system.start()
            receipt = system.send("both", [{"data": {"a": 1}}] * 20)
            total += 20
            counted = system.ask("both", {"calculations": [{"op": "COUNT"}]}, after=receipt)
            assert counted["data"]["results"][0]["data"]["COUNT"] == total
            assert system.stop() == 0
    finally:
        system.kill_everything() if system.process is not None else system.wait_gone()
