"""What was published is proved whole; whatever breaks it is found and named (I2, I4)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common.log import Log
from common.objects import ObjectStore
from common.record import Marker, marker_record
from snapshot.verify import VerifyReport, verify
from tests.indexer.house import append, open_context, published, running, until

CUT = marker_record(Marker(hour=None, reason="test"))
Damage = Callable[[Path], None]


async def fill(folder: Path) -> None:
    async with open_context(folder) as context, running(context) as partition:
        log = context.backends.log
        for numbers in ([1, 2], [3], [4]):
            await append(log, numbers)
            await log.append(0, CUT)
        await append(log, [5])
        await until(partition, published(6))


async def check(objects: ObjectStore, log: Log, **more: object) -> VerifyReport:
    return await verify(objects, log, [0], **more)  # type: ignore[arg-type]  # passed on


def newest(folder: Path, pattern: str) -> Path:
    path = sorted(p for p in (folder / "objects").glob(pattern) if p.is_file())[-1]
    path.chmod(0o644)
    return path


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


async def test_whole_store_is_clean_and_counted(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with open_context(tmp_path) as context:
        report = await check(context.backends.objects, context.backends.log)
    assert report.clean
    assert (report.manifests, report.segments, report.rows, report.batches) == (3, 3, 4, 3)


@pytest.mark.parametrize(
    ("pattern", "damage", "said"),
    [
        ("manifests/*/*", flip, "manifest"),
        ("manifests/*/*", lambda p: p.write_bytes(p.read_bytes()[:40]), "manifest"),
        ("segments/*/*", flip, "damaged"),
        ("segments/*/*", lambda p: p.write_bytes(b""), "damaged"),
        ("segments/*/*", Path.unlink, "missing"),
        ("epochs/*/*", flip, "epoch"),
    ],
)
async def test_damage_is_found_and_named(
    tmp_path: Path, pattern: str, damage: Damage, said: str
) -> None:
    await fill(tmp_path)
    damage(newest(tmp_path, pattern))
    async with open_context(tmp_path) as context:
        report = await check(context.backends.objects, context.backends.log)
    assert not report.clean
    assert said in report.problems[0].what
    assert report.problems[0].remedy


async def test_segment_objects_are_repaired_from_an_indexers_cache(tmp_path: Path) -> None:
    await fill(tmp_path)
    flip(newest(tmp_path, "segments/*/*"))
    async with open_context(tmp_path) as context:
        objects = context.backends.objects
        copies = [context.folder / "none-here", context.folder / "segments"]
        report = await check(objects, context.backends.log, copies=copies)
        assert report.clean
        assert report.repaired == 1
        assert (await check(objects, context.backends.log)).clean


async def test_lost_log_is_found(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / "log").rename(tmp_path / "lost")
    async with open_context(tmp_path) as context:
        report = await check(context.backends.objects, context.backends.log)
    assert "log does not continue" in report.problems[0].what
