"""A cluster goes from an earlier build to this one and back, under load, and nobody notices.

Both builds run side by side for a while: each partition is held by an indexer of either, and a
query role of either is asked all the time. `BELLWETHER_TEST_UPGRADE_PAUSE_S` makes that longer.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from common import limits
from common.clock import SystemClock
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects
from common.process.versions import OWN
from common.process.web import INTERNAL_TOKEN_HEADER
from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role
from compose.install import InstallFailed
from compose.topology import DATABASE, SERVERS, KafkaTuning, Topology
from snapshot.compaction.documents import CompactionDocument
from snapshot.documents.checksummed import decode_checksummed
from tests.cluster.builds import ROOT, Builds, old_build
from tests.cluster.harness import CUT_S, Scenario, in_thread, scenario
from tests.cluster.upgrade_asking import ASK_TIMEOUT, SENDERS, Json, Told, ask, asked_meanwhile
from tests.old_build.make_data import SPEC_KINDS, SPEC_WEB, events_of_kinds, events_of_web
from tests.old_build.recorded import assert_same, rows
from tests.servers import refuse
from tests.system.stored import ALL_TIME

pytestmark = pytest.mark.scenario

# Only roles change here: servers have long to answer each other where the machine has other work.
TOPOLOGY = Topology(
    zones=("a", "b"), zookeepers=1, shepherds=2, queries=2, partitions=4,
    kafka=KafkaTuning(session_ms=30_000, heartbeat_ms=2_000, replica_lag_ms=30_000),
)  # fmt: skip
PAUSE_S = float(os.environ.get("BELLWETHER_TEST_UPGRADE_PAUSE_S", "20"))
RESTART_S = 1_200.0
OPEN_S = 900.0
TINY_CUTS = limits.COMPACTED_FAN_IN + 8
TINY_BATCHES = 12  # per cut, over all partitions: most have one
AT_ONCE = {
    "BELLWETHER_INDEXER_FORMATS_WAIT_S": "0",
    "BELLWETHER_INDEXER_COMPACTION_DELAY_S": "0",
    "BELLWETHER_INDEXER_HOUSEKEEPING_S": "1",
}
OLD_SCHEMA_STEPS = 5  # of the earlier build's database
RIGHT_S = 600.0  # keys are read again once a minute
NOT_YET_S = 86_400  # no document of a newer version is written meanwhile


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The earlier build."""
    return old_build(tmp_path)


@pytest.fixture
def cluster(tmp_path: Path, old: Path) -> Iterator[Cluster]:
    """A cluster of its own: its roles are the earlier build's at first."""
    made = Cluster(tmp_path / "cluster", parts=SERVERS, topology=TOPOLOGY)
    made.roles.settings["BELLWETHER_NODE_TELEMETRY"] = "false"
    made.roles.settings["PYTHONPATH"] = str(old)
    Builds(made, old).use_old(made.roles)
    try:
        made.start_all()
        made.roles.settings["PYTHONPATH"] = str(ROOT)  # of commands
        yield made
    except InstallFailed as error:
        refuse(f"the cluster's scenario was not run: {error}")
    finally:
        made.stop()


async def fill(cluster: Cluster) -> list[Json]:
    """Datasets that do not change, and what the earlier build answers about them."""
    now_s = int(time.time())
    url, key = cluster.roles.of("shepherd")[0].public_url, {"X-Honeycomb-Team": cluster.key}
    fixed = []
    async with aiohttp.ClientSession(headers=key, timeout=ASK_TIMEOUT) as http:
        receipt = ""
        for dataset, events in (("kinds", events_of_kinds(now_s)), ("web", events_of_web(now_s))):
            for at in range(0, len(events), 100):
                part = await stored(http, f"{url}/1/batch/{dataset}", events[at : at + 100])
                receipt += ("," if receipt else "") + part
            await cut_all(cluster)
        for dataset, specs in (("kinds", SPEC_KINDS), ("web", SPEC_WEB)):
            for spec in specs:
                whole = {**spec, **ALL_TIME}
                results = await ask(http, url, dataset, whole, after=receipt)
                fixed.append({"dataset": dataset, "spec": whole, "results": results})
    assert all(one["results"] for one in fixed)
    return fixed


async def stored(http: aiohttp.ClientSession, url: str, events: list[Json]) -> str:
    """The receipt of a batch; sent again when it was not stored, as brokers have just started."""
    async with asyncio.timeout(OPEN_S):
        while True:
            async with http.post(url, json=events) as sent:
                text = await sent.text()
                if sent.status == 200:
                    return sent.headers["X-Bellwether-Receipt"]
            assert sent.status == 503, text
            assert "was not stored" in text, text
            await asyncio.sleep(1)


async def restart(running: Scenario, zone: str, text: str) -> None:
    """Restart a zone, whose roles come back as the build that they shall run."""
    begin_s = time.monotonic()
    done = await in_thread(
        running.cluster.run, "rolling-restart", "--zone", zone, "--watch-s", "2", "--fresh",
        "--max-ack-p99-ms", "60000", "--max-ack-times", "1000", "--max-lag", "1000000",
        timeout_s=RESTART_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    running.note(f"{text}: {time.monotonic() - begin_s:.0f} s")


async def cut_all(cluster: Cluster) -> None:
    """Cut every partition at both twins, so that they compare what they made.

    By the route of the indexers: keys of the earlier build have no right to cut in this one, and
    the earlier build cannot read a key that has it. Raises AssertionError.
    """
    headers = {INTERNAL_TOKEN_HEADER: cluster.internal_token}
    until_s = time.monotonic() + CUT_S
    async with aiohttp.ClientSession(headers=headers, timeout=ASK_TIMEOUT) as http:
        while True:
            found = [await cut_one(http, role) for role in cluster.roles.of("indexer")]
            lacking = [why for some in found for why in some]
            if not lacking:
                return
            assert time.monotonic() < until_s, lacking
            await asyncio.sleep(1)


async def cut_one(http: aiohttp.ClientSession, role: Role) -> list[str]:
    """Cut the partitions of one indexer; which it lacks, and which are not published."""
    async with http.post(f"{role.url}/internal/cut", params={"wait": "1"}) as answer:
        assert answer.status == 200, await answer.text()
        about = (await answer.json())["partitions"]
    if len(about) < TOPOLOGY.partitions:
        return [f"{role.name} holds {sorted(about)}"]
    return [f"{role.name}, {n}: {one}" for n, one in about.items() if not one["published"]]


async def allow_cuts(cluster: Cluster) -> None:
    """Give the key the right to operate, now that no role of the earlier build has to read it."""
    listed = await in_thread(cluster.run, "keys", "list")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    [line] = [line for line in listed.stdout.splitlines() if " valid" in line]
    given = await in_thread(cluster.run, "keys", "set-rights", line.split()[0], "--operate")
    assert given.returncode == 0, given.stdout + given.stderr
    async with (
        asyncio.timeout(RIGHT_S),
        aiohttp.ClientSession(headers={"X-Honeycomb-Team": cluster.key}) as http,
    ):
        for role in cluster.roles.of("query"):
            status = 403
            while status == 403:
                await asyncio.sleep(1)
                async with http.get(f"{role.url}/bw/1/status") as answer:
                    status = answer.status


def set_metadata_back(cluster: Cluster) -> None:
    """As docs/operating.md says: the earlier build refuses a database of a newer one."""
    with cluster.mariadb.connect(DATABASE) as db, db.cursor() as cursor:
        cursor.execute(f"DELETE FROM schema_steps WHERE step > {OLD_SCHEMA_STEPS}")


async def status_of(cluster: Cluster, role: Role) -> Json:
    """The status of an indexer."""
    headers = {INTERNAL_TOKEN_HEADER: cluster.internal_token}
    async with (
        aiohttp.ClientSession(headers=headers, timeout=ASK_TIMEOUT) as http,
        http.get(f"{role.url}/internal/status") as answer,
    ):
        found: Json = await answer.json()
        return found


async def compact(running: Scenario) -> None:
    """Wait until newer documents are written, and make so many segments that some become one."""
    cluster = running.cluster
    for role in cluster.roles.of("indexer"):

        async def opened(role: Role = role) -> bool:
            found = (await status_of(cluster, role))["formats"]["documents"]
            return bool(found == OWN.documents)

        await soon(opened)
    url, key = cluster.roles.of("shepherd")[0].public_url, {"X-Honeycomb-Team": cluster.key}
    objects = await in_thread(store_of, cluster)
    async with aiohttp.ClientSession(headers=key, timeout=ASK_TIMEOUT) as http:
        for _ in range(TINY_CUTS):
            for dataset in (*["tiny"] * TINY_BATCHES, "other"):
                async with http.post(f"{url}/1/batch/{dataset}", json=[{"data": {"n": 1}}]) as sent:
                    assert sent.status == 200, await sent.text()
            await cut_all(cluster)
    await soon(lambda: in_thread(has_compacted_tiny, objects))
    await cut_all(cluster)  # manifests after it: an earlier program stops at them
    packs = await in_thread(lambda: list(objects.list("packs/")))
    done = await in_thread(lambda: list(objects.list("compactions/")))
    running.note(f"{len(packs)} packs and {len(done)} compaction documents were written")
    assert packs


def has_compacted_tiny(objects: S3Objects) -> bool:
    """Whether segments of the dataset of few rows were put together."""
    documents = [
        decode_checksummed(objects.get(info.key), CompactionDocument, info.key)
        for info in objects.list("compactions/")
    ]
    return any(
        all(entry.rows <= TINY_BATCHES for entry in one.inputs)
        for document in documents
        for one in document.compactions
    )


def store_of(cluster: Cluster) -> S3Objects:
    """The cluster's object store."""
    s3 = cluster.s3
    config = S3Config(
        endpoint=s3.endpoint, bucket=s3.bucket, region=s3.region,
        access_key=s3.access_key, secret_key=s3.secret_key,
    )  # fmt: skip
    return S3Objects(config, SystemClock(), random.Random())


async def ask_earlier_readers(running: Scenario, builds: Builds, fixed: list[Json]) -> None:
    """Zone b runs the earlier build over newer documents: nothing that it answers is wrong."""
    cluster = running.cluster
    zone = [role for role in of_zone(cluster, "b") if role.instance.role != "shepherd"]
    [indexer] = [role for role in zone if role.instance.role == "indexer"]
    await in_thread(set_metadata_back, cluster)
    builds.use_old(zone)
    for role in zone:
        await in_thread(role.stop, stay_down=False)
    await soon(lambda: in_thread(lambda: "is newer than" in indexer.process.log_since_start()))
    tiny = {"dataset": "tiny", "spec": {"calculations": [{"op": "COUNT"}], **ALL_TIME}}
    tiny["results"] = [{"data": {"COUNT": TINY_BATCHES * TINY_CUTS}}]
    told = Told()
    async with aiohttp.ClientSession(
        headers={"X-Honeycomb-Team": cluster.key}, timeout=ASK_TIMEOUT
    ) as http:
        for question in [tiny, *fixed] * 2:
            for role in cluster.roles.of("query"):
                try:
                    found = await ask(http, role.url, question["dataset"], question["spec"])
                except (AssertionError, aiohttp.ClientError) as error:
                    told.away += 1  # it says that it cannot answer, or not in full
                    running.note(f"{role.name}: {str(error)[:200]}")
                    continue
                assert_same(rows(found), rows(question["results"]), str(question["spec"])[:300])
                told.asked += 1
    running.note(f"over newer documents: {told.asked} answers, {told.away} incomplete or refused")
    assert told.asked
    builds.use_new(zone, **AT_ONCE)
    for role in zone:
        await in_thread(role.stop, stay_down=False)
    await in_thread(cluster.roles.wait_ready, None, RESTART_S)


async def soon(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait for what comes about within minutes on a busy machine. Raises TimeoutError."""
    async with asyncio.timeout(OPEN_S):
        while True:
            if await condition():
                return
            await asyncio.sleep(1)


def of_zone(cluster: Cluster, zone: str) -> list[Role]:
    return cluster.roles.of(zone=zone)


async def test_an_upgrade_and_the_way_back_are_not_noticed(cluster: Cluster, old: Path) -> None:
    builds = Builds(cluster, old)
    waits = {"BELLWETHER_INDEXER_FORMATS_WAIT_S": str(NOT_YET_S)}
    fixed = await fill(cluster)
    async with scenario(cluster, "upgrade", senders=SENDERS) as running:
        await running.steady()
        running.fault()
        async with asked_meanwhile(running, fixed):
            builds.use_new(of_zone(cluster, "a"), **waits)
            await restart(running, "a", "zone a to the new build")
            await cut_all(cluster)
            await running.steady(PAUSE_S)
            await cut_all(cluster)
            builds.use_new(of_zone(cluster, "b"), **waits)
            await restart(running, "b", "zone b to the new build")
            await cut_all(cluster)
            await running.steady()
            await in_thread(set_metadata_back, cluster)
            builds.use_old(of_zone(cluster, "b"))
            await restart(running, "b", "zone b back to the earlier build")
            await cut_all(cluster)
            await running.steady()
            builds.use_old(of_zone(cluster, "a"))
            await restart(running, "a", "zone a back to the earlier build")
            await cut_all(cluster)
            await running.steady()
            for zone in ("a", "b"):
                builds.use_new(of_zone(cluster, zone), **AT_ONCE)
                await restart(running, zone, f"zone {zone} to the new build for good")
                await cut_all(cluster)
            await running.steady()
        await compact(running)
        await ask_earlier_readers(running, builds, fixed)
        await allow_cuts(cluster)
    assert not running.load.outcome.unknown, "no request may be left without an answer"
