"""A read-only log changes no file, also after a crash."""

import shutil
from pathlib import Path

import pytest

from common.clock import SystemClock
from common.errors import LogRefused, LogUnavailable
from common.log.embedded.examine import examine_log
from common.log.embedded.log import EmbeddedLog
from common.model.record import Kind, LogRecord, Record
from common.model.record_value import compress_value

RECORDS = 20


def record(number: int) -> Record:
    value = compress_value(b'{"t":1,"r":1,"d":{"n":%d}}\n' % number)
    return Record(Kind.EVENTS, value, dataset="d", n=1, depth=0, batch=bytes(16))


async def crashed_copy(folder: Path) -> Path:
    """The files of a killed process: acknowledged records are still in the WAL."""
    log = EmbeddedLog(folder / "log", 2, SystemClock())
    await log.open()
    for number in range(RECORDS):
        await log.append(number % 2, record(number))
    copy = folder / "crashed"
    shutil.copytree(folder / "log", copy, ignore=shutil.ignore_patterns("*-shm"))
    await log.close()
    wals = [path for path in copy.glob("p*/*-wal") if path.stat().st_size]
    assert len(wals) == 2, "the copy must be one of a crash"
    (copy / "p00000" / ".tmp-left-by-the-crash").touch()
    return copy


def contents(folder: Path) -> dict[str, bytes]:
    """Every file except SQLite's shared memory, which stores nothing."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


async def read_all(log: EmbeddedLog) -> list[LogRecord]:
    found = []
    for partition in range((await log.open()).partitions):
        bounds = await log.bounds(partition)
        offset = bounds.start
        while offset < bounds.end:
            records = await log.read(partition, offset, 1 << 20, 0)
            found += records
            offset = records[-1].offset + 1
    return found


async def test_read_only_log_reads_everything_and_leaves_the_wal_of_a_crash(tmp_path: Path) -> None:
    copy = await crashed_copy(tmp_path)
    before = contents(copy)
    log = EmbeddedLog(copy, 4, SystemClock(), read_only=True)
    found = await read_all(log)
    again = await log.read_again(0, 0)
    await log.close()
    assert len(found) == RECORDS
    assert again is not None
    assert not examine_log(copy, records=True).flaws
    assert contents(copy) == before


async def test_read_only_log_appends_nothing_and_creates_no_log(tmp_path: Path) -> None:
    copy = await crashed_copy(tmp_path)
    log = EmbeddedLog(copy, 4, SystemClock(), read_only=True)
    await log.open()
    with pytest.raises(LogRefused, match="only looked at"):
        await log.append(0, record(1))
    await log.close()
    nothing = EmbeddedLog(tmp_path / "nothing", 4, SystemClock(), read_only=True)
    with pytest.raises(LogUnavailable, match="there is no log"):
        await nothing.open()
    assert not (tmp_path / "nothing").exists()


async def test_a_log_that_ended_well_gets_no_files_beside_it(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "log", 2, SystemClock())
    await log.open()
    await log.append(0, record(1))
    await log.close()
    before = sorted(path.name for path in (tmp_path / "log").rglob("*"))
    read_only = EmbeddedLog(tmp_path / "log", 2, SystemClock(), read_only=True)
    assert len(await read_all(read_only)) == 1
    await read_only.close()
    assert sorted(path.name for path in (tmp_path / "log").rglob("*")) == before
