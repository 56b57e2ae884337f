"""Minutes of random kills, clock leaps and flipped bytes: what is missing is named, and nothing is
counted twice (I1, I2, I7, I13).

`BELLWETHER_TEST_RANDOM_S` and `BELLWETHER_TEST_RANDOM_SEED` choose how long and which run.
"""

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.system import flips
from tests.system.counts import show
from tests.system.faketime import DAY_S, HOUR_S, WrongClock
from tests.system.harness import System
from tests.system.load import Load, Outcome, Target, Verdict, judge

pytestmark = [pytest.mark.system, pytest.mark.scenario]

SECONDS = float(os.environ.get("BELLWETHER_TEST_RANDOM_S", "300"))
SEED = int(os.environ.get("BELLWETHER_TEST_RANDOM_SEED", "11"))
LEAPS_S = (-20 * 365 * DAY_S, -70 * DAY_S, -3 * HOUR_S, 3 * HOUR_S, 70 * DAY_S, 20 * 365 * DAY_S)
SENDERS = 4
PER_LIFE = 1_000_000  # numbers of one load; each life of the system gets a load of its own
PAGE = 5_000
_ASKED_MAX = 60
_METADATA_SHARE = 0.3  # of the stops
SETTINGS = {
    "BELLWETHER_INDEXER_DAMAGE_WAIT_S": "2",  # how long a cut waits for a mend
    "BELLWETHER_INDEXER_HEARTBEAT_MS": "500",
    "BELLWETHER_INDEXER_FORMATS_WAIT_S": "0",
    "BELLWETHER_INDEXER_COMPACTION_DELAY_S": "1",
    "BELLWETHER_INDEXER_COMPACTION_PERCENT": "100",
    "BELLWETHER_INDEXER_HOUSEKEEPING_S": "1",
}
CUTS_IN_A_ROW = 6  # few segments are put together otherwise, as none of these lives is long


@dataclass
class Run:
    """One installation that is treated badly, and what was done to it."""

    system: System
    clock: WrongClock
    chance: random.Random
    outcome: Outcome = field(default_factory=Outcome)
    done: Counter[str] = field(default_factory=Counter)
    highest: list[int] = field(default_factory=list)

    def target(self) -> Target:
        return Target(self.system.url, self.system.key, "random")


async def test_minutes_of_random_harm_leave_nothing_missing_unnamed(tmp_path: Path) -> None:
    clock = WrongClock(tmp_path / "faketime")
    system = System(tmp_path, ("--twins", "--no-telemetry"), SETTINGS | clock.environ)
    run = Run(system, clock, random.Random(SEED))
    end_s = asyncio.get_running_loop().time() + SECONDS
    try:
        await asyncio.to_thread(system.start)
        while asyncio.get_running_loop().time() < end_s:
            await _life(run, min(end_s, asyncio.get_running_loop().time() + 40))
        await asyncio.to_thread(system.wait_ready)
        await _settle(run)
        verdict, coverage = await _read_back(run)
        _assert_all_named(run, verdict, coverage)
        code = await asyncio.to_thread(system.stop)
        told = "NOT known that everything acknowledged is stored" in system.output
        # what is damaged may still be missing; 1 if the log itself is damaged when it stops
        assert code in ((0, 1) if told else (0,)), system.tails()
    finally:
        if system.process is not None:
            await asyncio.to_thread(system.kill_everything)
        system.wait_gone()


async def _life(run: Run, until_s: float) -> None:
    """One load, harm while it runs, then everything is killed, harmed at rest, and started."""
    load = Load(run.target(), SENDERS, run.chance.randrange(2**31), pause_max_s=0.05)
    load.count_from(len(run.highest) * PER_LIFE + 1)
    task = asyncio.create_task(load.run())
    now_s = asyncio.get_running_loop().time
    while now_s() < until_s:
        await asyncio.sleep(run.chance.uniform(0.5, 2.0))
        what = run.chance.choices(("kill", "leap", "flip", "cut"), (4, 2, 3, 2))[0]
        await _HARM[what](run)
    await asyncio.to_thread(run.system.kill_everything)
    load.abandon()
    await asyncio.wait_for(task, 120)
    run.done["everything killed"] += 1
    sent = load.outcome.acknowledged | load.outcome.refused | load.outcome.unknown
    run.highest.append(max(sent, default=len(run.highest) * PER_LIFE + 1))
    run.outcome.add(load.outcome)
    for _ in range(run.chance.randint(0, 2)):
        kind = run.chance.choice(sorted(flips.STOPPED))
        if flips.STOPPED[kind](run.system.data, run.chance):
            run.done[f"flip of a {kind} at rest"] += 1
    if run.chance.random() < _METADATA_SHARE:
        await asyncio.to_thread(_damage_metadata, run)
    run.clock.set(0)
    await asyncio.to_thread(run.system.start)


def _damage_metadata(run: Run) -> None:
    """Flip bytes in the database of keys, and do what the docs say: restore the newest export."""
    data = run.system.data
    flips.metadata(data, run.chance)
    for path in data.glob("metadata.db*"):
        path.rename(path.with_name(f"damaged-{len(run.highest)}-{path.name}"))
    done = run.system.run("metadata", "restore", "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    run.done["metadata damaged and restored"] += 1


async def _kill(run: Run) -> None:
    role, zone = run.chance.choice(
        [("shepherd", None), ("query", None), ("indexer", "a"), ("indexer", "b")]
    )
    if not any(zone in (None, m.zone) for m in run.system.members(role)):
        return  # it is just starting again
    killed = run.system.kill_role(role, zone)
    await asyncio.to_thread(run.system.wait_role_ready, role, not_pid=killed)
    run.done[f"{role} killed"] += 1


async def _leap(run: Run) -> None:
    run.clock.set(run.chance.choice(LEAPS_S))
    await asyncio.sleep(run.chance.uniform(1, 4))
    run.clock.set(0)
    run.done["clock leapt"] += 1


async def _flip(run: Run) -> None:
    kind = run.chance.choice(sorted(flips.RUNNING))
    if await asyncio.to_thread(flips.RUNNING[kind], run.system.data, run.chance):
        run.done[f"flip of a {kind}"] += 1


async def _cut(run: Run) -> None:
    """Small segments of two datasets: they share a pack, and are put together later."""
    headers = {"X-Honeycomb-Team": run.system.key}
    timeout = aiohttp.ClientTimeout(total=20)
    url = run.system.url
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        for number in range(CUTS_IN_A_ROW):
            events = [{"data": {"n": number}}] * 5
            try:
                for _ in range(4):
                    await (await session.post(f"{url}/1/batch/beside", json=events)).read()
                async with session.post(f"{url}/bw/1/cut?wait=0") as answer:
                    run.done["cut" if answer.status == 200 else "cut refused"] += 1
            except (aiohttp.ClientError, TimeoutError):
                run.done["cut refused"] += 1


_HARM = {"kill": _kill, "leap": _leap, "flip": _flip, "cut": _cut}


async def _settle(run: Run) -> None:
    """Give mends and the log's time a moment; they are bounded by settings above."""
    run.clock.set(0)
    await asyncio.sleep(15)
    for kind in ("packs", "compactions"):
        found = (run.system.data / "objects" / kind).rglob("*")
        run.done[f"objects in {kind}/"] = sum(path.is_file() for path in found)


async def _read_back(run: Run) -> tuple[Verdict, list[dict[str, Any]]]:
    """How often each number is stored, and the coverage of the answers that said so."""
    stored: Counter[int] = Counter()
    coverages: list[dict[str, Any]] = []
    headers = {"X-Honeycomb-Team": run.system.key}
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        for life, highest in enumerate(run.highest):
            for low in range(life * PER_LIFE + 1, highest + 1, PAGE):
                body = {
                    "query": {
                        "calculations": [{"op": "COUNT"}],
                        "breakdowns": ["seq"],
                        "filters": [
                            {"column": "seq", "op": ">=", "value": low},
                            {"column": "seq", "op": "<", "value": low + PAGE},
                        ],
                        "start_time": 1,
                        "end_time": 9_000_000_000,
                    },
                    "disable_series": True,
                    "limit": 10_000,
                    "wait_s": 60,
                    "coverage": "accept",
                }
                result = await _ask(session, f"{run.system.url}/1/query_results/random", body)
                coverages.append(result["coverage"])
                for row in result["data"]["results"]:
                    stored[row["data"]["seq"]] += row["data"]["COUNT"]
    return judge(run.outcome, stored), coverages


async def _ask(session: aiohttp.ClientSession, url: str, body: object) -> dict[str, Any]:
    """An answer; one that cannot be had now (503) is asked for again, as clients do."""
    for _ in range(_ASKED_MAX):
        async with session.post(url, json=body) as answer:
            if answer.status == 503:
                await asyncio.sleep(1)
                continue
            assert answer.status == 201, await answer.text()
            result: dict[str, Any] = await answer.json()
        assert result["complete"], result
        return result
    raise AssertionError("no answer but 503")


def _assert_all_named(run: Run, verdict: Verdict, coverages: list[dict[str, Any]]) -> None:
    """What is not counted is named in every answer's coverage; nothing is counted twice."""
    named = [_named(coverage) for coverage in coverages]
    show(
        f"random harm for {SECONDS:.0f} s (seed {SEED}): {dict(sorted(run.done.items()))}; "
        f"{run.outcome.counts()}; stored {verdict.stored}; not counted {len(verdict.lost)}, named "
        f"in coverage {max(named, default=0)}; doubled {len(verdict.doubled)}, ghosts "
        f"{len(verdict.ghosts)}"
    )
    assert run.outcome.acknowledged
    assert run.done["objects in packs/"]
    assert not verdict.doubled
    assert not verdict.ghosts
    if verdict.lost:
        assert not any(coverage["complete"] for coverage in coverages)
        assert len(verdict.lost) <= min(named)


def _named(coverage: dict[str, Any]) -> float:
    """Events that an answer says it lacks, at most; infinite where it cannot know how many."""
    total = 0.0
    for partition in coverage["partitions"]:
        for one in partition.get("damaged", ()):
            total += float("inf") if one["events"] is None else one["events"]
        if partition.get("gaps"):
            total = float("inf")
    return total
