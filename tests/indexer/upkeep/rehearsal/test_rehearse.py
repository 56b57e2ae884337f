"""A rehearsal tells what a new indexer would get, and leaves no trace (I3, I5)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from common.errors import Conflict
from common.locks.files import FileLocks
from common.objects import ObjectStore
from common.process.members import Member, claim_name, encode_member
from common.process.role import RoleContext
from compose.cluster.cluster import Cluster
from compose.servers.s3 import S3
from indexer.partition.partition import Partition
from indexer.shred.reference import ReferenceShredder
from indexer.upkeep.rehearsal import content
from indexer.upkeep.rehearsal.content import PATH, ContentRequest
from indexer.upkeep.rehearsal.content_route import ContentEndpoint
from indexer.upkeep.rehearsal.pair import NotComparable, Pairs
from indexer.upkeep.rehearsal.rehearse import (
    DIFFERENT,
    NOT_COMPARED,
    NOT_FINISHED,
    SAME,
    Rehearsal,
    RehearsalReport,
)
from segment.parquet.selected import SelectedEncoders
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.retention import ToExpire
from tests.conformance import cluster as conformance
from tests.indexer.harness import QUICK, append, open_context, published, reached, running, until
from tests.indexer.packs import packed as packs
from tests.indexer.partition.test_partition import CUT
from tests.indexer.upkeep.compaction.compacting import compacting, compactor_of, cuts

Wrap = Callable[[ObjectStore], ObjectStore]


def member(url: str, zone: str = "a") -> Member:
    return Member(f"indexer-{zone}", f"indexer-{zone}", url, zone, 1, 1, "test")


@asynccontextmanager
async def served(partition: Partition) -> AsyncIterator[Member]:
    """The partition's content over HTTP, as its indexer answers."""
    shared = partition.shared
    app = web.Application()
    endpoint = ContentEndpoint({0: partition}, shared.cache, shared.context.clock)
    app.router.add_post(PATH, endpoint.handle)
    async with TestServer(app) as server:
        yield member(str(server.make_url("")).rstrip("/"), shared.context.zone)


async def rehearsed(context: RoleContext, *holders: Member, time_s: float = 60) -> RehearsalReport:
    """A rehearsal over the same backends, in a folder of its own."""
    folder = context.folder.parent.parent / "rehearsal"
    folder.mkdir(exist_ok=True)
    own = replace(context, instance="rehearsal", zone="rehearsal", folder=folder)
    async with Pairs(context.backends.locks, "token") as pairs:
        made = Rehearsal(own, QUICK, ReferenceShredder(), SelectedEncoders(), 0, pairs, time_s)
        return await made.run(holders)


async def fill(partition: Partition) -> None:
    """Two cuts, and rows after them."""
    log = partition.shared.context.backends.log
    for some in ([1, 2], [3]):
        await append(log, some)
        await log.append(0, CUT)
    await append(log, [4, 5])
    await until(partition, published(4))
    await until(partition, reached(5))


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def check_same_without_trace(folder: Path, wrap: Wrap = lambda objects: objects) -> None:
    async with open_context(folder, wrap=wrap) as context, running(context) as partition:
        await fill(partition)
        before, end = files_of(folder / "objects"), (await context.backends.log.bounds(0)).end
        names = [info.key for info in context.backends.objects.list("")]
        async with served(partition) as holder:
            report = await rehearsed(context, holder, holder)
        assert (report.verdict, report.reasons) == (SAME, ())
        assert (report.segments, report.events, report.compared_rows) == (2, 2, 5)
        assert report.segment_bytes > 0
        assert (report.first_offset, report.end_offset) == (4, 5)
        assert files_of(folder / "objects") == before
        assert [info.key for info in context.backends.objects.list("")] == names
        assert (await context.backends.log.bounds(0)).end == end
        assert not list(context.backends.locks.holders(""))


async def test_content_is_the_same_and_nothing_is_written(tmp_path: Path) -> None:
    await check_same_without_trace(tmp_path)


async def test_likewise_from_an_object_store_in_s3(
    tmp_path: Path, servers: Cluster, s3_server: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(conformance.VARIABLE, json.dumps(servers.environment()))
    objects = conformance.s3_objects(tmp_path)
    await check_same_without_trace(tmp_path, lambda _: objects)


async def test_content_names_the_retention_that_it_is_of(tmp_path: Path) -> None:
    """Documents are read before they are applied; until then the content is that of before."""
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        assert partition.view is not None
        view, first = partition.view, partition.view.all_segments()[:1]
        request = ContentRequest(
            partition=0,
            log=view.epoch.log,
            epoch_number=view.epoch.number,
            first=4,
            end=5,
            wait_ms=1_000,
        )
        async with served(partition) as holder, Pairs(context.backends.locks, "") as pairs:
            before = await pairs.content(holder, request)
            wanted = ToExpire(first, (), Cutoffs())
            expire = partition.retention.book.expire
            assert await asyncio.to_thread(expire, wanted, 1, "test") is not None
            assert await pairs.content(holder, request) == before
            partition.retention.apply()
            after = await pairs.content(holder, request)
        assert (before.retention, after.retention) == (0, 1)
        assert after.published != before.published


async def test_a_cut_that_is_reached_is_compared_before_any_indexer_has_published_it(
    tmp_path: Path,
) -> None:
    """The replay passes a cut; the store of the rehearsal refuses to publish it."""
    slow = replace(QUICK, publish_delay_ms=3_600_000)
    async with open_context(tmp_path) as context, running(context, config=slow) as partition:
        await append(context.backends.log, [1, 2])
        await context.backends.log.append(0, CUT)
        await append(context.backends.log, [3])
        await until(partition, reached(3))
        async with served(partition) as holder:
            report = await rehearsed(context, holder)
    assert (report.verdict, report.compared_rows) == (SAME, 3)


async def test_packs_and_what_was_put_together_are_compared_by_their_segments(
    tmp_path: Path,
) -> None:
    async with packs.filled(tmp_path / "packs") as (context, partition, _):
        async with served(partition) as holder:
            report = await rehearsed(context, holder)
        assert (report.verdict, report.segments, report.compared_rows) == (SAME, 8, 8)
    async with open_context(tmp_path / "compacted") as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2], [3], [4])
        assert await compactor_of(partition).step(0) == 1
        await append(context.backends.log, [5])
        async with served(partition) as holder:
            report = await rehearsed(context, holder)
        assert (report.verdict, report.segments, report.compared_rows) == (SAME, 1, 5)


async def test_an_indexer_with_other_rows_is_named(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        view = partition.view
        assert view is not None
        partition.views.serve(replace(view, live=view.live.without_dataset(*fewer(partition))))
        async with served(partition) as holder:
            report = await rehearsed(context, holder)
    assert report.verdict == DIFFERENT
    (text,) = report.reasons
    assert text.startswith("indexer-a has other rows that no manifest covered")


def fewer(partition: Partition) -> tuple[str, int]:
    """All live rows of its dataset."""
    assert partition.view is not None
    (dataset,) = partition.view.live.datasets
    return dataset, partition.view.live.end_offset


async def test_a_damaged_segment_and_a_lost_one_are_no_success(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        one = next((tmp_path / "objects").glob("[ps]*/*/*"))
        one.write_bytes(one.read_bytes()[::-1])
        async with served(partition) as holder:
            report = await rehearsed(context, holder)
    assert report.verdict == NOT_FINISHED
    assert "damaged or missing: see `bellwether verify`" in report.reasons[0]


async def test_a_log_that_was_recreated_ends_it_without_an_epoch(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
    for path in (tmp_path / "log").rglob("*"):
        if path.is_file():
            path.unlink()
    before = files_of(tmp_path / "objects")
    async with open_context(tmp_path) as context:
        report = await rehearsed(context, member("http://127.0.0.1:9"))
    assert report.verdict == NOT_FINISHED
    assert "would open an epoch" in report.reasons[0]
    assert files_of(tmp_path / "objects") == before


async def test_an_indexer_of_another_version_or_without_an_answer_is_not_compared(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        async with served(partition) as holder:
            gone = await rehearsed(context, holder, member("http://127.0.0.1:9", "b"))
        async with TestServer(web.Application()) as older:
            url = str(older.make_url("")).rstrip("/")
            old = await rehearsed(context, member(url))
    assert (gone.verdict, old.verdict) == (NOT_COMPARED, NOT_COMPARED)
    assert "indexer-b" in gone.reasons[0]
    assert "a version without rehearsals" in old.reasons[0]


async def test_too_many_rows_without_a_manifest_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content.limits, "REHEARSED_ROWS_MAX", 1)
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        async with served(partition) as holder:
            report = await rehearsed(context, holder)
    assert report.verdict == NOT_COMPARED
    assert "too many to compare" in report.reasons[0]


async def test_time_is_bounded(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        async with served(partition) as holder:
            report = await rehearsed(context, holder, time_s=0)
    assert report.verdict == NOT_FINISHED
    assert "of 5 is reached" in report.reasons[0]


def asked(held: Partition, **changes: object) -> ContentRequest:
    view = held.view
    assert view is not None
    usual = ContentRequest(
        partition=0, log=view.epoch.log, epoch_number=view.epoch.number, first=4, end=5, wait_ms=1
    )
    return msgspec.structs.replace(usual, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"partition": 1}, "partition 1 is not held here"),
        ({"end": 6}, "offset 6 is not reached"),
        ({"log": "another"}, "epoch 1 of log"),
        ({"epoch_number": 2}, "epoch 1 of log"),
        ({"version": 99}, "the request is of version 99"),
    ],
)
async def test_an_indexer_refuses_what_it_cannot_answer(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        async with served(partition) as holder, Pairs(context.backends.locks, "token") as pairs:
            with pytest.raises(NotComparable, match=reason):
                await pairs.content(holder, asked(partition, **changes))
            found = await pairs.content(holder, asked(partition))
    assert [one.rows for one in found.recent.values()] == [2]


async def test_an_indexer_answers_one_rehearsal_at_a_time(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await fill(partition)
        later = asked(partition, end=6, wait_ms=60_000)
        async with served(partition) as holder, Pairs(context.backends.locks, "token") as pairs:
            both = {asyncio.create_task(pairs.content(holder, later)) for _ in range(2)}
            (refused,), (waits,) = await asyncio.wait(
                both, timeout=60, return_when=asyncio.FIRST_COMPLETED
            )
            assert "another rehearsal is being answered" in str(refused.exception())
            await append(context.backends.log, [6])
            assert (await waits).end_offset >= 6


# --- the pair -------------------------------------------------------------------------------------
WELL = {"ready": True, "stopped_reason": None, "divergences": [], "paused": False}


@asynccontextmanager
async def holding(
    folder: Path, states: dict[str, dict[str, object]], *, ready: bool = True
) -> AsyncIterator[Pairs]:
    """Indexers by zone that claim partition 0 and answer with these states."""
    locks = FileLocks(folder / "locks")
    servers = []
    try:
        for zone, state in states.items():
            app = web.Application()

            async def status(_: web.Request, state: dict[str, object] = state) -> web.Response:
                return web.json_response({"partitions": {"0": state}})

            app.router.add_get("/internal/status", status)
            servers.append(server := TestServer(app))
            await server.start_server()
            url = str(server.make_url("")).rstrip("/")
            claimed = msgspec.structs.replace(member(url, zone), ready=ready)
            assert locks.acquire(claim_name(zone, 0), encode_member(claimed)) is not None
        async with Pairs(locks, "token") as pairs:
            yield pairs
    finally:
        await asyncio.gather(*(server.close() for server in servers))
        locks.close()


async def test_a_healthy_pair_is_both_its_indexers(tmp_path: Path) -> None:
    async with holding(tmp_path, {"a": WELL, "b": WELL}) as pairs:
        assert [one.zone for one in await pairs.healthy(1, 0)] == ["a", "b"]
        with pytest.raises(Conflict, match="partition 1 has 0 indexers"):
            await pairs.healthy(2, 0)  # another partition needs what the rehearsal would take


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({"a": WELL}, "has 1 indexers"),
        ({"a": WELL, "b": WELL | {"ready": False}}, "being resumed"),
        ({"a": WELL | {"stopped_reason": "a future record"}, "b": WELL}, "indexing has stopped"),
        ({"a": WELL, "b": WELL | {"divergences": [{}]}}, "disagree"),
        ({"a": WELL, "b": WELL | {"paused": True}}, "no memory or disk left"),
    ],
)
async def test_a_pair_that_is_not_well_refuses_it(
    tmp_path: Path, states: dict[str, dict[str, object]], reason: str
) -> None:
    async with holding(tmp_path, states) as pairs:
        with pytest.raises(Conflict, match=reason):
            await pairs.healthy(1, 0)


async def test_a_pair_that_catches_up_refuses_it(tmp_path: Path) -> None:
    async with holding(tmp_path, {"a": WELL, "b": WELL}, ready=False) as pairs:
        with pytest.raises(Conflict, match="has 0 indexers in different zones"):
            await pairs.healthy(1, 0)
