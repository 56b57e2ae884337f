"""Documents, logs and disks that are lost in part: made again, or a recorded gap (I2, I4, I5)."""

import contextlib
import errno
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.objects import ObjectInfo, ObjectStore
from snapshot.bootstrap.bootstrap import read_history
from snapshot.documents.carried_state import CarriedState
from snapshot.documents.chain import Chain
from snapshot.verify.verify import verify
from tests.indexer.harness import append, open_context, published, reached, running, until
from tests.indexer.partition.test_partition import CUT, Beheaded, numbers


async def four_cuts(folder: Path) -> list[str]:
    """Four cuts of one row each by zone a; returns the keys of their manifests."""
    async with open_context(folder) as context, running(context) as partition:
        log = context.backends.log
        for n in range(1, 5):
            await append(log, [n])
            await log.append(0, CUT)
        await until(partition, published(8))
        return partition.chain.manifest_keys()


@pytest.mark.parametrize("zone", ["a", "c"])  # with local copies, and a new machine without
@pytest.mark.parametrize("which", [0, 1, 3])
async def test_missing_manifest_is_put_again_or_made_again_from_the_log(
    tmp_path: Path, zone: str, which: int
) -> None:
    keys = await four_cuts(tmp_path)
    (tmp_path / "objects" / keys[which]).unlink()
    async with open_context(tmp_path, zone) as context, running(context) as partition:
        await until(partition, published(8))
        assert await numbers(partition) == [1, 2, 3, 4]
        assert partition.view is not None
        assert partition.view.gaps == ()
        assert partition.chain.manifest_keys() == keys
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert report.clean, report.problems


@pytest.mark.parametrize("which", [0, 1])
async def test_missing_manifest_that_the_log_cannot_replace_is_a_recorded_gap(
    tmp_path: Path, which: int
) -> None:
    keys = await four_cuts(tmp_path)
    (tmp_path / "objects" / keys[which]).unlink()
    async with open_context(tmp_path, "c") as context:
        object.__setattr__(context.backends, "log", Beheaded(context.backends.log, 6))
        async with running(context) as partition:
            await until(partition, reached(8))
            assert partition.view is not None
            gaps = [(gap.first, gap.end) for gap in partition.view.gaps]
            assert gaps == [(2 * which, 2 * which + 2)]


@pytest.mark.parametrize("zone", ["a", "c"])
async def test_missing_epoch_document_does_not_index_the_log_again(
    tmp_path: Path, zone: str
) -> None:
    await four_cuts(tmp_path)
    (epoch,) = (tmp_path / "objects" / "epochs" / "00000").iterdir()
    epoch.unlink()
    async with open_context(tmp_path, zone) as context:
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert ["epoch" in problem.what for problem in report.problems] == [True]
        async with running(context) as partition:
            await until(partition, reached(8))
            assert partition.view is not None
            assert partition.view.epoch.number == 1
            assert await numbers(partition) == [1, 2, 3, 4]


async def test_log_that_comes_back_is_not_indexed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await four_cuts(tmp_path)
    (tmp_path / "log").rename(tmp_path / "unmounted")
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [5])
        await context.backends.log.append(0, CUT)
        await until(partition, published(2))
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "unmounted").rename(tmp_path / "log")
    # Nor may it rest on the window of batch ids, which reaches back two hours only.
    monkeypatch.setattr("snapshot.bootstrap.bootstrap.carried_state_from", lambda _: CarriedState())
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [6])
        await until(partition, reached(9))
        assert await numbers(partition) == [1, 2, 3, 4, 5, 6]


async def test_damaged_last_record_in_the_log_does_not_open_another_epoch(tmp_path: Path) -> None:
    await four_cuts(tmp_path)
    (file,) = (tmp_path / "log").glob("p00000/*.db")
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE records SET append_ns = append_ns + 1 WHERE offset = 7")
        database.commit()
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [5])
        await until(partition, reached(9))
        assert partition.view is not None
        assert partition.view.epoch.number == 1
        assert partition.view.gaps == ()
        assert await numbers(partition) == [1, 2, 3, 4, 5]


async def test_cut_is_published_though_the_indexers_disk_was_wiped_under_it(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [1])
        await until(partition, reached(1))
        shutil.rmtree(context.folder)
        await context.backends.log.append(0, CUT)
        await until(partition, published(2))
        assert await numbers(partition) == [1]


class _MissesOne:
    """An object store whose first listing of manifests runs while two of them are put."""

    def __init__(self, objects: ObjectStore, missed: str) -> None:
        self._objects = objects
        self._missed = missed

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        for info in self._objects.list(prefix, after):
            if info.key == self._missed:
                self._missed = ""
                continue
            yield info


async def test_listing_while_the_twin_publishes_is_no_gap(tmp_path: Path) -> None:
    keys = await four_cuts(tmp_path)
    async with open_context(tmp_path, "c") as context:
        objects = _MissesOne(context.backends.objects, keys[1])
        history = read_history(Chain(objects, 0, None), 8)  # type: ignore[arg-type]  # passed on
        assert list(history.keys) == keys
        assert history.lost == ()
        objects = _MissesOne(context.backends.objects, keys[1])
        report = await verify(objects, context.backends.log, [0])  # type: ignore[arg-type]  # same
        assert report.clean, report.problems


class _PublishedMeanwhile(Beheaded):
    """A log that drops what a manifest covers that is put after the walk over the chain."""

    def __init__(self, log: object, start: int, manifest: Path, data: bytes) -> None:
        super().__init__(log, start)
        self._manifest, self._data = manifest, data

    async def bounds(self, partition: int) -> object:
        self._manifest.write_bytes(self._data)
        return await super().bounds(partition)


async def test_verify_under_an_indexer_that_publishes_and_drops_is_no_false_alarm(
    tmp_path: Path,
) -> None:
    newest = tmp_path / "objects" / (await four_cuts(tmp_path))[-1]
    data = newest.read_bytes()
    newest.unlink()
    async with open_context(tmp_path) as context:
        log = _PublishedMeanwhile(context.backends.log, 8, newest, data)
        report = await verify(context.backends.objects, log, [0])  # type: ignore[arg-type]  # a log
        assert report.clean, report.problems
        newest.unlink()
        gone = Beheaded(context.backends.log, 8)
        report = await verify(context.backends.objects, gone, [0])  # type: ignore[arg-type]  # a log
        assert ["neither" in problem.what for problem in report.problems] == [True]


async def test_full_disk_keeps_nobody_from_resuming_and_serving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await four_cuts(tmp_path)

    def full(_target: Path, _data: bytes, *, durable: bool) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("snapshot.documents.chain.atomic_files.replace", full)
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [5])
        await until(partition, reached(9))
        assert await numbers(partition) == [1, 2, 3, 4, 5]
