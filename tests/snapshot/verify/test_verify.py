"""What was published is proved whole; whatever breaks it is found and named (I2, I4)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.errors import ObjectsUnavailable
from common.log import Log
from common.model.record import Marker, marker_record
from common.objects import ObjectInfo, ObjectStore
from snapshot.verify.report import VerifyReport
from snapshot.verify.verify import verify
from tests.indexer.harness import append, open_context, published, running, until

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


async def test_every_damaged_thing_is_named_not_only_the_first(tmp_path: Path) -> None:
    await fill(tmp_path)
    damaged = []
    for pattern in ("manifests/*/*", "segments/*/*"):
        for path in sorted(p for p in (tmp_path / "objects").glob(pattern) if p.is_file()):
            path.chmod(0o644)
            flip(path)
            damaged.append(path)
    async with open_context(tmp_path) as context:
        report = await check(context.backends.objects, context.backends.log)
    found = " ".join(problem.what for problem in report.problems)
    manifests = [path.name for path in damaged if "manifests" in str(path)]
    assert len(manifests) == 3
    assert all(name in found for name in manifests)


class Unreadable:
    """A store in which some objects cannot be read, as on a disk with bad sectors."""

    def __init__(self, objects: ObjectStore, *bad: str, down: bool = False) -> None:
        self._objects = objects
        self._bad = bad
        self._down = down

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        if self._down and prefix.startswith("segments/"):
            raise ObjectsUnavailable("no store")
        return self._objects.list(prefix, after)

    def get(self, key: str) -> bytes:
        self._refuse(key)
        return self._objects.get(key)

    def fetch(self, key: str, target: Path) -> int:
        self._refuse(key)
        return self._objects.fetch(key, target)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        self._refuse(key)
        self._objects.fetch_range(key, offset, length, target)

    def _refuse(self, key: str) -> None:
        if any(part in key for part in self._bad):
            raise ObjectsUnavailable(f"objects: {key}: Input/output error")


@pytest.mark.parametrize("kind", ["manifests/", "segments/", "epochs/", "checkpoints/"])
async def test_objects_that_cannot_be_read_are_named_and_passed_over(
    tmp_path: Path, kind: str
) -> None:
    await fill(tmp_path)
    there = [p for p in (tmp_path / "objects" / kind).rglob("*") if p.is_file()]
    async with open_context(tmp_path) as context:
        objects = Unreadable(context.backends.objects, kind)
        report = await check(objects, context.backends.log)  # type: ignore[arg-type]  # a store
    found = [problem for problem in report.problems if "Input/output error" in problem.what]
    assert len(found) == len(there)
    assert report.clean == (not there)


async def test_a_store_that_is_down_is_no_damage(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with open_context(tmp_path) as context:
        objects = Unreadable(context.backends.objects, "segments/", down=True)
        with pytest.raises(ObjectsUnavailable):
            await check(objects, context.backends.log)  # type: ignore[arg-type]  # a store


@pytest.mark.parametrize(
    "key",
    [
        "retention/00000/00000001.json",
        "divergence/00000/x/report.json",
        "metadata/versions/00000001.json",
    ],
)
async def test_documents_that_no_chain_leads_to_are_read_too(tmp_path: Path, key: str) -> None:
    await fill(tmp_path)
    async with open_context(tmp_path) as context:
        context.backends.objects.put_if_absent(key, b'{"sha256":"00","body":{}}\n')
        report = await check(context.backends.objects, context.backends.log)
    assert not report.clean
    assert key in report.problems[0].what


async def test_more_problems_than_are_listed_still_fail(tmp_path: Path) -> None:
    report = VerifyReport()
    for number in range(1_005):
        report.add(0, str(number), "none", warning=number < 1_000)
    assert not report.clean
    assert (len(report.problems), report.unlisted, report.failures) == (1_000, 5, 5)


async def test_rows_of_two_partitions_at_the_same_offsets_are_not_doubled(tmp_path: Path) -> None:
    for partition in (0, 1):
        async with open_context(tmp_path, partitions=2) as context:
            await append(context.backends.log, [1, 2], partition=partition)
            await context.backends.log.append(partition, CUT)
            async with running(context, partition) as held:
                await until(held, published(2))
    async with open_context(tmp_path, partitions=2) as context:
        report = await verify(context.backends.objects, context.backends.log, [0, 1])
    assert report.clean, report.problems
    assert report.rows == 4
