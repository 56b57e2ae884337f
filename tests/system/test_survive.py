"""Nothing acknowledged is lost or counted twice, whatever is killed, cut off or damaged (I1-I5).

Real processes under load. Each scenario prints its counts and ends with every acknowledged event
in the query results exactly once and with a clean `verify`.
"""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from snapshot.documents.manifest import SegmentEntry, decode_manifest
from tests.system.counts import show
from tests.system.harness import System, running
from tests.system.load import Load, Outcome, Target, judge
from tests.system.stored import count_stored

pytestmark = pytest.mark.system

SENDERS = 6
FAR_PAST = "1970-01-01T00:00:01Z"
FAR_FUTURE = "2200-01-01T00:00:00Z"


def target_of(system: System) -> Target:
    return Target(system.url, system.key, "survive")


async def assert_all_stored(name: str, system: System, outcome: Outcome) -> None:
    """Read everything back and compare; then recompute every digest."""
    target = target_of(system)
    highest = max(outcome.acknowledged | outcome.refused | outcome.unknown)
    stored = await count_stored(target, highest, outcome.receipt())
    verdict = judge(outcome, stored)
    show(
        f"{name}: {outcome.counts()}; stored {verdict.stored}, of the unknown "
        f"{verdict.stored_unknown}; lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, "
        f"ghosts {len(verdict.ghosts)}"
    )
    assert outcome.acknowledged, "the load must have stored something"
    assert outcome.refused, "the load must have been refused something"
    assert verdict.clean, verdict
    report = system.run("verify", "--data", str(system.data))
    assert report.returncode == 0, report.stdout + report.stderr


@asynccontextmanager
async def loaded(system: System, seed: int) -> AsyncIterator[Load]:
    """A load that runs while the body does, then stops and finishes."""
    load = Load(target_of(system), SENDERS, seed)
    task = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        load.stop()
        await asyncio.wait_for(task, 120)


async def cut(system: System, wait: bool = True) -> int:
    """Ask for a cut now; returns the status."""
    headers = {"X-Honeycomb-Team": system.key}
    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"{system.url}/bw/1/cut"
        async with session.post(url, params={"wait": str(int(wait))}) as answer:
            return answer.status


async def test_killing_each_role_again_and_again_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    victims = [("shepherd", None), ("indexer", "a"), ("query", None), ("indexer", "b")]
    with running(tmp_path, "--twins") as system:
        async with loaded(system, 1) as load:
            for role, zone in victims * 2:
                await asyncio.sleep(chance.uniform(0.3, 1.2))
                killed = system.kill_role(role, zone)
                await asyncio.to_thread(system.wait_role_ready, role, not_pid=killed)
            await cut(system)
            await asyncio.sleep(1)
        await assert_all_stored("each role killed", system, load.outcome)


async def test_killing_the_whole_machine_loses_nothing(tmp_path: Path) -> None:
    outcome = Outcome()
    for seed in range(3):
        system = System(tmp_path, ("--twins",))
        await asyncio.to_thread(system.start)
        async with loaded(system, 10 + seed) as load:
            load.count_from(100_000 * seed + 1)
            await asyncio.sleep(2.0 + seed)
            if seed == 1:
                await cut(system)
            await asyncio.to_thread(system.kill_everything)
            load.abandon()
        outcome.add(load.outcome)
    with running(tmp_path, "--twins") as system:
        await assert_all_stored("everything killed", system, outcome)


async def test_killing_up_stops_its_roles_and_loses_nothing(tmp_path: Path) -> None:
    system = System(tmp_path)
    await asyncio.to_thread(system.start)
    async with loaded(system, 20) as load:
        await asyncio.sleep(2.0)
        system.kill_up()
        await asyncio.to_thread(system.wait_gone)
        load.abandon()
    with running(tmp_path) as again:
        await assert_all_stored("up killed", again, load.outcome)


async def test_an_upload_cut_off_half_way_is_never_served_or_counted_twice(
    tmp_path: Path,
) -> None:
    chance = random.Random(2)
    with running(tmp_path) as system:
        async with loaded(system, 2) as load:
            for _ in range(5):
                await asyncio.sleep(0.4)
                asking = asyncio.create_task(cut(system, wait=False))
                await asyncio.sleep(chance.uniform(0.0, 0.25))
                killed = system.kill_role("indexer")
                await asyncio.gather(asking, return_exceptions=True)
                await asyncio.to_thread(system.wait_role_ready, "indexer", not_pid=killed)
        await assert_all_stored("upload cut off", system, load.outcome)


async def test_a_full_disk_acknowledges_nothing_it_cannot_keep_and_recovers(
    small_disk: Path,
) -> None:
    with running(small_disk) as system:
        filler = small_disk / "filler"
        async with loaded(system, 3) as load:
            await asyncio.sleep(2)
            await asyncio.to_thread(fill, filler)
            await asyncio.sleep(4)
            refused = load.outcome.statuses["503"]
            filler.unlink()
            await asyncio.sleep(4)
        assert refused, "a full disk must be answered with 503"
        await assert_all_stored("disk full", system, load.outcome)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as out:
        block = bytes(65_536)
        while block:
            try:
                out.write(block)
            except OSError:
                block = block[: len(block) // 2]


async def test_events_dated_1970_and_2200_are_stored_and_keep_to_segments_of_their_own(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as system:
        target = target_of(system)
        outcome = Outcome()
        headers = {"X-Honeycomb-Team": system.key}
        async with aiohttp.ClientSession(headers=headers) as session:
            events = [
                {"data": {"seq": seq}, **({"time": when} if when else {})}
                for seq, when in enumerate([FAR_PAST, FAR_FUTURE, None] * 10, start=1)
            ]
            async with session.post(target.batch_url, json=events) as answer:
                assert {reply["status"] for reply in await answer.json()} == {202}
        outcome.acknowledged.update(range(1, len(events) + 1))
        outcome.refused.add(len(events) + 1)
        assert await cut(system) == 200
        await assert_all_stored("far times", system, outcome)
        segments = list_segments(system.data)
        assert any(segment.far for segment in segments)
        assert any(not segment.far for segment in segments)
        for segment in segments:
            narrow = segment.time_max_ns - segment.time_min_ns < 2 * 86_400 * 10**9
            assert narrow or segment.far, "ordinary events must keep a narrow time range"


def list_segments(data: Path) -> list[SegmentEntry]:
    """Every segment that a manifest names."""
    objects = data / "objects"
    manifests = [
        decode_manifest(path.read_bytes(), path.relative_to(objects).as_posix())
        for path in sorted((objects / "manifests").rglob("*.json"))
    ]
    return [segment for manifest in manifests for segment in manifest.segments]


Damage = Callable[[Path], None]


def truncate(path: Path) -> None:
    """Cut a file in half."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))


# One each of what is damaged, how, and with which disk always runs; the other six are scenarios.
@pytest.mark.parametrize(
    ("what", "damage", "disk"),
    [
        ("segments", flip, "lost"),
        ("manifests", truncate, "kept"),
        *(
            pytest.param(*other, marks=pytest.mark.scenario)
            for other in (
                ("segments", truncate, "kept"),
                ("segments", truncate, "lost"),
                ("segments", flip, "kept"),
                ("manifests", truncate, "lost"),
                ("manifests", flip, "kept"),
                ("manifests", flip, "lost"),
            )
        ),
    ],
)
async def test_a_damaged_file_is_found_and_never_served(
    tmp_path: Path, damage: Damage, what: str, disk: str
) -> None:
    """Objects are damaged while nothing runs, and the indexer's own copies are kept or lost."""
    with running(tmp_path) as system:
        async with loaded(system, 4) as load:
            await asyncio.sleep(1.0)
            await cut(system)
            await asyncio.sleep(1.0)
        await cut(system)
    folder = system.data / "objects" / what
    damaged = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert damaged
    for path in damaged[-2:]:
        damage(path)
    if disk == "lost":
        shutil.rmtree(system.data / "roles")
    found = system.run("verify", "--data", str(system.data))
    assert found.returncode == 1, "verify must report the damage: " + found.stdout
    if what == "segments":  # manifests are made again by the indexer when it starts
        repaired = system.run("verify", "--repair", "--data", str(system.data))
        assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    with running(tmp_path) as again:
        await assert_all_stored(f"{what} {damage.__name__} disk {disk}", again, load.outcome)


@pytest.mark.scenario
@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_restart_mends_damaged_segments_without_a_command(
    tmp_path: Path, damage: Damage, disk: str
) -> None:
    with running(tmp_path) as system:
        for number in range(8):
            receipt = system.send("web", [{"data": {"n": number}}])
        assert system.run("cut").returncode == 0
    segments = [p for p in sorted((system.data / "objects" / "segments").rglob("*")) if p.is_file()]
    assert segments
    for path in segments:
        damage(path)
    if disk == "lost":
        shutil.rmtree(system.data / "roles")
    with running(tmp_path) as again:
        again.wait_until(
            lambda: again.run("verify", "--data", str(again.data)).returncode == 0, "clean objects"
        )
        found = again.ask("web", {"calculations": [{"op": "COUNT"}]}, after=receipt)
        assert [row["data"]["COUNT"] for row in found["data"]["results"]] == [8]
