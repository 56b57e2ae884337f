"""Segments of a damaged or missing pack are put again, from whatever has their bytes (I4)."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from common.errors import ObjectMissing
from common.process.members import claim_name, encode_member
from common.process.role import RoleContext
from common.process.web import require_internal_token
from indexer.partition.partition import Partition
from indexer.state.view import PartitionView
from indexer.upkeep.repair.object_repair import ObjectRepair
from indexer.upkeep.repair.object_walk import ObjectWalk
from indexer.upkeep.repair.rebuild import SegmentRebuilder
from indexer.upkeep.repair.twin_segments import SegmentEndpoint
from snapshot.documents.manifest import SegmentEntry
from snapshot.verify.verify import verify
from tests.indexer.harness import QUICK, repair_of
from tests.indexer.packs.packed import expected, filled, numbers_of

Damage = Callable[[Path, SegmentEntry], None]
Expired = Callable[[int], frozenset[str]]


def flip(path: Path, entry: SegmentEntry) -> None:
    data = bytearray(path.read_bytes())
    data[entry.pack_offset + entry.size_bytes // 2] ^= 4
    path.unlink()
    path.write_bytes(data)


def cut_off(path: Path, entry: SegmentEntry) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: entry.pack_offset + 7])


def remove(path: Path, _: SegmentEntry) -> None:
    path.unlink()


DAMAGES: list[Damage] = [flip, cut_off, remove]


async def is_clean(context: RoleContext) -> bool:
    return (await verify(context.backends.objects, context.backends.log, [0])).clean


def stored(folder: Path, entry: SegmentEntry) -> Path:
    return folder / "objects" / entry.location.key


def walk_of(
    context: RoleContext, partition: Partition, repair: ObjectRepair, expired: Expired
) -> ObjectWalk:
    objects, scratch = context.backends.objects, context.folder / "mending"
    return ObjectWalk({0: partition}, objects, repair, expired, QUICK, scratch, context.clock)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_pack_in_a_cache_mends_it(tmp_path: Path, damage: Damage) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        whole = stored(tmp_path, entries[1]).read_bytes()
        damage(stored(tmp_path, entries[1]), entries[1])
        assert not await is_clean(context)
        repair = repair_of(partition, [context.folder / "segments"])
        assert await repair.repair(0, entries[1]) == "cache"
        assert stored(tmp_path, entries[1]).read_bytes() == whole
        assert await repair.repair(0, entries[2]) == ""
        assert await is_clean(context)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_the_log_mends_it_where_no_copy_is_whole(tmp_path: Path, damage: Damage) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        whole = stored(tmp_path, entries[1]).read_bytes()
        damage(stored(tmp_path, entries[1]), entries[1])
        assert await repair_of(partition).repair(0, entries[1]) == "log"
        assert stored(tmp_path, entries[1]).read_bytes() == whole
        assert await is_clean(context)


async def test_segments_are_listed_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    listed = PartitionView.stored

    def watched(view: PartitionView) -> list[SegmentEntry]:
        threads.append(threading.get_ident())
        return listed(view)

    monkeypatch.setattr(PartitionView, "stored", watched)
    async with filled(tmp_path) as (context, partition, _):
        await walk_of(context, partition, repair_of(partition), lambda _: frozenset()).walk(0)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_what_the_other_indexer_mended_meanwhile_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filled(tmp_path) as (_, partition, entries):
        whole = stored(tmp_path, entries[1]).read_bytes()
        flip(stored(tmp_path, entries[1]), entries[1])

        async def other_first(self: SegmentRebuilder, number: int, entry: SegmentEntry) -> bool:
            stored(tmp_path, entry).write_bytes(whole)
            raise ObjectMissing("what it would have been made of")

        monkeypatch.setattr(SegmentRebuilder, "rebuild", other_first)
        repair = repair_of(partition)
        await repair.try_repair(0, entries[1])
        assert repair.describe(0) == {}


async def test_what_could_not_be_mended_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        flip(stored(tmp_path, entries[1]), entries[1])
        repair, gone = repair_of(partition), set[str]()
        walk = walk_of(context, partition, repair, lambda _: frozenset(gone))

        async def nothing(self: SegmentRebuilder, number: int, entry: SegmentEntry) -> bool:
            return False

        with monkeypatch.context() as while_the_log_is_away:
            while_the_log_is_away.setattr(SegmentRebuilder, "rebuild", nothing)
            await repair.try_repair(0, entries[1])
            await walk.try_again()
            assert repair.describe(0).keys() == {entries[1].object}
            gone.add(entries[1].object)
            await walk.try_again()
            assert repair.describe(0) == {}  # nobody is served it any more
            gone.clear()
            await repair.try_repair(0, entries[1])
            assert repair.describe(0)
        await walk.try_again()
        assert repair.describe(0) == {}
        assert await is_clean(context)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_twin_mends_it_from_its_pack_or_from_one_segment(
    tmp_path: Path, damage: Damage
) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        entry, cache = entries[1], partition.shared.cache
        app = web.Application(middlewares=[require_internal_token(context.internal_token)])
        app.router.add_get("/internal/segment/{hash}", SegmentEndpoint(cache).handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        twin = msgspec.structs.replace(context.member(runner.addresses[0][1]), instance="twin")
        assert context.backends.locks.acquire(claim_name("b", 0), encode_member(twin))
        whole = stored(tmp_path, entry).read_bytes()
        damage(stored(tmp_path, entry), entry)
        repair = repair_of(partition)  # there is no other copy on this machine
        assert await repair.repair(0, entry) == "twin"
        assert stored(tmp_path, entry).read_bytes() == whole
        cache.ensure(entry.location)
        cache.forget(entry.pack)
        flip(stored(tmp_path, entry), entry)
        assert await repair.repair(0, entry) == "twin"  # of the segment's own file
        assert stored(tmp_path, entry).read_bytes() == whole
        assert await is_clean(context)
        await runner.cleanup()


async def test_what_is_left_of_a_pack_is_served_and_comes_back_piece_by_piece(
    tmp_path: Path,
) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        first, second = entries[0], entries[1]
        cache = partition.shared.cache
        for entry in (first, second):
            cache.ensure(entry.location)
        cache.forget(first.pack)
        stored(tmp_path, first).unlink()
        repair = repair_of(partition, [context.folder / "segments"])
        rebuild = repair._rebuilder.rebuild
        assert await repair.repair(0, second) == "cache"  # and the first one with it
        assert await repair.repair(0, first) == ""
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert {entry.object for _, entry in report.broken} == {e.object for e in entries[2:4]}
        assert await rebuild(0, entries[2])  # all that is still damaged, from the log
        assert await is_clean(context)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_walk_finds_every_damaged_segment_of_a_pack(tmp_path: Path, damage: Damage) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        damage(stored(tmp_path, entries[1]), entries[1])
        damage(stored(tmp_path, entries[6]), entries[6])
        repair = repair_of(partition, [context.folder / "segments"])
        walk = walk_of(context, partition, repair, lambda _: frozenset())
        await walk.walk(0)
        assert not repair.unrepaired
        assert await is_clean(context)
        assert numbers_of(partition) == expected(0, 10)


async def test_verify_repairs_a_pack_from_copies_and_names_ranges_that_overlap(
    tmp_path: Path,
) -> None:
    async with filled(tmp_path) as (context, _, entries):
        objects, log = context.backends.objects, context.backends.log
        remove(stored(tmp_path, entries[0]), entries[0])
        report = await verify(objects, log, [0], copies=[context.folder / "segments"])
        assert report.clean, report.problems
        assert report.repaired >= 1
        assert await is_clean(context)


async def test_a_damaged_pack_in_the_cache_is_not_served(tmp_path: Path) -> None:
    async with filled(tmp_path) as (context, partition, entries):
        pack = partition.shared.cache.object_path(entries[1].location)
        flip(pack, entries[1])
        assert numbers_of(partition) == expected(0, 10)  # fetched from the store
        assert await is_clean(context)
