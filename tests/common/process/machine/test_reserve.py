"""Room that is kept back lets roles start on a full disk, and events cannot use it up."""

import os
from pathlib import Path

import pytest

from common import limits
from common.clock import SystemClock
from common.errors import LogFull
from common.log import Bounds
from common.log.embedded.log import EmbeddedLog
from common.model.record import heartbeat_record
from common.process.machine.reserve import Reserve, drop_caches

MB = 1024 * 1024


class Disk:
    """A disk of `size`, of which others use `used`; the reserve counts by itself."""

    def __init__(self, file: Path, size: int = 10_000 * MB) -> None:
        self.file = file
        self.size = size
        self.used = 0

    def __call__(self, _: Path) -> os.statvfs_result:
        held = self.file.stat().st_size if self.file.exists() else 0
        free = max(0, self.size - self.used - held) // 4096
        return os.statvfs_result((4096, 4096, self.size // 4096, free, free, 0, 0, 0, 0, 255))


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "reserve")


def size(path: Path) -> int:
    return path.stat().st_size


def test_it_is_kept_given_up_on_a_full_disk_and_taken_back(tmp_path: Path, disk: Disk) -> None:
    reserve = Reserve(tmp_path / "reserve", 64 * MB, disk)
    assert reserve.refusal() is None  # before there is one
    assert reserve.adjust() is None
    assert size(disk.file) == 64 * MB
    assert disk.file.stat().st_blocks * 512 >= 64 * MB  # not a hole
    disk.used = disk.size - 64 * MB - 9 * MB
    assert reserve.adjust() is None  # little room, and enough
    disk.used = disk.size - 64 * MB - 7 * MB
    assert "is full" in (reserve.adjust() or "")
    assert size(disk.file) == 0
    for left in (71, 75, 79):  # the room that was given up is not taken for room
        disk.used = disk.size - left * MB
        assert "80 MB" in (reserve.adjust() or "") or "84 MB" in (reserve.adjust() or "")
        assert size(disk.file) == 0
    disk.used = disk.size - 81 * MB
    assert reserve.adjust() is None
    assert size(disk.file) == 64 * MB
    assert reserve.refusal() is None


@pytest.mark.parametrize(
    ("disk_mb", "wanted_mb"), [(10_000, 64), (640, 32), (100, 8), (40, 8), (1_000_000, 64)]
)
def test_a_small_disk_keeps_back_less(tmp_path: Path, disk_mb: int, wanted_mb: int) -> None:
    disk = Disk(tmp_path / "reserve", disk_mb * MB)
    assert Reserve(tmp_path / "reserve", 64 * MB, disk).adjust() is None
    assert size(disk.file) == wanted_mb * MB


def test_none_is_kept_where_none_is_wanted(tmp_path: Path, disk: Disk) -> None:
    disk.used = disk.size
    assert Reserve(tmp_path / "reserve", 0, disk).adjust() is None
    assert not disk.file.exists()


def test_a_first_start_without_room_takes_no_events_until_there_is(
    tmp_path: Path, disk: Disk
) -> None:
    disk.used = disk.size - 10 * MB
    reserve = Reserve(tmp_path / "reserve", 64 * MB, disk)
    assert reserve.adjust() is not None
    disk.used = 0
    assert reserve.adjust() is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"f_flag": os.ST_RDONLY}, "mounted read-only"),
        ({"f_favail": 0}, "inodes"),
        ({"f_files": 0, "f_favail": 0}, None),  # a file system that counts none
        ({}, None),
    ],
)
def test_every_reason_why_the_folder_cannot_be_written_is_named(
    tmp_path: Path, changed: dict[str, int], expected: str | None
) -> None:
    names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree")
    usual = dict(zip(names, (4096, 4096, 10**7, 10**6, 10**6, 100, 50), strict=True))
    usual |= {"f_favail": 50, "f_flag": 0, "f_namemax": 255}
    found = os.statvfs_result(tuple((usual | changed).values()))
    trouble = Reserve(tmp_path / "reserve", 64 * MB, lambda _: found).trouble()
    assert (trouble is None) == (expected is None)
    assert expected is None or expected in (trouble or "")
    gone = Reserve(tmp_path / "unmounted" / "reserve", 64 * MB).trouble()
    assert "is it mounted" in (gone or "") or "disk mounted" in (gone or "")


def test_a_reserve_that_an_operator_removed_stops_nothing(tmp_path: Path, disk: Disk) -> None:
    reserve = Reserve(tmp_path / "reserve", 64 * MB, disk)
    reserve.adjust()
    disk.file.unlink()
    assert reserve.refusal() is None


async def test_the_log_takes_records_only_while_the_room_is_kept(
    tmp_path: Path, disk: Disk
) -> None:
    reserve = Reserve(tmp_path / "reserve", 8 * MB, disk)
    reserve.adjust()
    log = EmbeddedLog(tmp_path / "log", 1, SystemClock(), refusal=reserve.refusal)
    await log.open()
    await log.append(0, heartbeat_record())
    disk.used = disk.size
    reserve.adjust()
    for _ in range(2):
        with pytest.raises(LogFull) as refused:
            await log.append(0, heartbeat_record())
        assert refused.value.retry_after_s == 5
        assert "is full" in str(refused.value)
    assert await log.bounds(0) == Bounds(0, 1)  # nothing half done, and it can be read
    assert len(await log.read(0, 0, MB, 0)) == 1
    disk.used = 0
    reserve.adjust()
    assert (await log.append(0, heartbeat_record())).position.offset == 1
    await log.close()


def test_caches_go_oldest_first_until_there_is_room(tmp_path: Path) -> None:
    for age in range(5):
        path = tmp_path / "roles" / "indexer-a" / "segments" / "ab" / f"{age}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (age, age))

    def free(_: Path) -> os.statvfs_result:
        gone = 5 - len(list(tmp_path.rglob("*.parquet")))
        left = gone * limits.RESERVE_BYTES_MIN // 3 // 4096 + 1
        return os.statvfs_result((4096, 4096, 10**6, left, left, 0, 0, 0, 0, 255))

    assert drop_caches(tmp_path, free) == 3
    assert sorted(path.stem for path in tmp_path.rglob("*.parquet")) == ["3", "4"]
