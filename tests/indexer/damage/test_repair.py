"""A damaged or missing segment object is put again, from whatever still has its bytes (I4)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from common.errors import BellwetherError
from common.model.record import Marker, marker_record
from common.process.members import claim_name, encode_member
from common.process.role import RoleContext
from common.process.web import require_internal_token
from indexer.partition.partition import Partition
from indexer.upkeep.repair.object_walk import ObjectWalk
from indexer.upkeep.repair.twin_segments import SegmentEndpoint
from snapshot.documents.locations import segment_key
from snapshot.documents.manifest import SegmentEntry
from snapshot.verify.verify import verify
from tests.indexer.harness import (
    QUICK,
    append,
    open_context,
    published,
    repair_of,
    running,
    until,
)
from tests.waiting import eventually

CUT = marker_record(Marker(hour=None, reason="test"))
Damage = Callable[[Path], None]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.unlink()
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"")


def longer(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data + b"more")


DAMAGES: list[Damage] = [flip, empty, longer, Path.unlink]


@asynccontextmanager
async def filled(folder: Path) -> AsyncIterator[tuple[RoleContext, Partition, list[SegmentEntry]]]:
    """A partition with two published segments, and what they are."""
    async with open_context(folder) as context, running(context) as partition:
        for numbers in ([1, 2], [3]):
            await append(context.backends.log, numbers)
            await context.backends.log.append(0, CUT)
        await until(partition, published(4))
        assert partition.view is not None
        entries = [e for some in partition.view.segments.values() for e in some]
        yield context, partition, sorted(entries, key=lambda entry: entry.first_offset)


def stored(folder: Path, entry: SegmentEntry) -> Path:
    return folder / "objects" / segment_key(entry.object)


async def is_clean(context: RoleContext) -> bool:
    return (await verify(context.backends.objects, context.backends.log, [0])).clean


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_whole_cache_mends_it(tmp_path: Path, damage: Damage) -> None:
    async with filled(tmp_path) as (context, partition, [entry, _]):
        damage(stored(tmp_path, entry))
        assert not await is_clean(context)
        repair = repair_of(partition, [context.folder / "segments"])
        assert await repair.repair(0, entry) == "cache"
        assert await repair.repair(0, entry) == ""
        assert await is_clean(context)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_log_mends_it_where_no_copy_is_whole(tmp_path: Path, damage: Damage) -> None:
    async with filled(tmp_path) as (context, partition, [entry, _]):
        damage(stored(tmp_path, entry))
        flip(partition.shared.cache.path(entry.object))
        repair = repair_of(partition, [context.folder / "segments"])
        assert await repair.repair(0, entry) == "log"
        assert await is_clean(context)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_twin_mends_it(tmp_path: Path, damage: Damage) -> None:
    async with filled(tmp_path) as (context, partition, [entry, _]):
        app = web.Application(middlewares=[require_internal_token(context.internal_token)])
        endpoint = SegmentEndpoint(partition.shared.cache)
        app.router.add_get("/internal/segment/{hash}", endpoint.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        twin = msgspec.structs.replace(context.member(runner.addresses[0][1]), instance="twin")
        assert context.backends.locks.acquire(claim_name("b", 0), encode_member(twin))
        damage(stored(tmp_path, entry))
        repair = repair_of(partition)  # there is no other copy on this machine
        assert await repair.repair(0, entry) == "twin"
        damage(stored(tmp_path, entry))
        flip(partition.shared.cache.path(entry.object))  # a twin gives nothing that is not whole
        assert await repair.repair(0, entry) == "log"
        assert await is_clean(context)
        await runner.cleanup()


async def test_what_nothing_can_mend_is_said_and_nothing_wrong_is_put(tmp_path: Path) -> None:
    async with filled(tmp_path) as (context, partition, [entry, _]):
        flip(stored(tmp_path, entry))
        flip(partition.shared.cache.path(entry.object))
        damaged = stored(tmp_path, entry).read_bytes()
        repair = repair_of(partition, [context.folder / "segments"])

        async def gone(*_: object) -> bool:
            raise BellwetherError("the log starts at 9")

        repair._rebuilder.rebuild = gone  # type: ignore[method-assign]  # the log was dropped
        await repair.try_repair(0, entry)
        assert repair.describe(0) == {entry.object: "the log starts at 9"}
        assert repair.describe(1) == {}
        assert stored(tmp_path, entry).read_bytes() == damaged


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_restart_finds_and_mends_every_damaged_object(
    tmp_path: Path, damage: Damage
) -> None:
    async with filled(tmp_path) as (_, _, entries):
        pass
    for entry in entries:
        damage(stored(tmp_path, entry))
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, published(4))
        repair = repair_of(partition, [context.folder / "segments"])
        object_walk = ObjectWalk(
            {0: partition},
            context.backends.objects,
            repair,
            lambda _: partition.retention.book.expired_objects,
            QUICK,
            context.folder / "looking",
            context.clock,
        )
        await object_walk.walk(0)
        assert repair.unrepaired == {}
        assert await is_clean(context)


async def test_what_is_met_while_running_is_mended(tmp_path: Path) -> None:
    async with filled(tmp_path) as (context, partition, [entry, _]):
        flip(stored(tmp_path, entry))
        repair = repair_of(partition, [context.folder / "segments"])
        task = asyncio.create_task(repair.run())
        assert repair.ask(0, entry)
        await eventually(lambda: is_clean(context))
        task.cancel()


async def test_what_retention_gave_up_is_not_put_again(tmp_path: Path) -> None:
    async with filled(tmp_path) as (_, partition, [entry, _]):
        stored(tmp_path, entry).unlink()
        repair = repair_of(partition, [partition.shared.context.folder / "segments"])
        repair._expired = lambda _: {entry.object}
        assert await repair.repair(0, entry) == ""
        assert not stored(tmp_path, entry).exists()


async def test_a_cut_is_not_published_over_an_object_that_is_damaged(tmp_path: Path) -> None:
    async with filled(tmp_path / "one") as (_, _, entries):
        pass
    for entry in entries:  # of the same size, where the same cut will be published
        path = tmp_path / "two" / "objects" / segment_key(entry.object)
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(entry.size_bytes))
    (tmp_path / "two").mkdir(exist_ok=True)
    (tmp_path / "one" / "log").rename(tmp_path / "two" / "log")
    async with open_context(tmp_path / "two") as context, running(context) as partition:
        await until(partition, published(4))
        assert await is_clean(context)
