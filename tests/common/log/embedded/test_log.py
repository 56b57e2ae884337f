"""Damage and time that are particular to the embedded log, and its errors then (I1, I5)."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from common import limits
from common.clock import ManualClock
from common.errors import LogUnavailable
from common.log import Bounds
from common.log.embedded.log import EmbeddedLog
from common.log.embedded.range_file import RangeFile
from common.model.log_time import ClockNote, clock_record
from common.model.record import Kind, Record, RecordError, decode


def record(name: str, size: int = 100) -> Record:
    return Record(Kind.EVENTS, bytes(size), batch=bytes(16), dataset=name, n=1)


def new_log(folder: Path, clock: ManualClock | None = None) -> EmbeddedLog:
    return EmbeddedLog(folder, 1, clock or ManualClock(), file_bytes_max=100_000)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "p00000").glob("*.db"))


@pytest.fixture
async def rolled(tmp_path: Path) -> Path:
    """The folder of a closed log of 30 records in several files."""
    log = new_log(tmp_path)
    await log.open()
    for i in range(30):
        await log.append(0, record(str(i), 10_000))
    await log.close()
    assert len(files(tmp_path)) >= 3
    return tmp_path


async def test_append_times_never_go_back_when_the_clock_does(tmp_path: Path) -> None:
    clock = ManualClock()
    log = new_log(tmp_path, clock)
    await log.open()
    first = await log.append(0, record("a", 200_000))  # fills its file
    clock.advance_ms(-5000)
    second = await log.append(0, record("b"))
    assert second.append_ns == first.append_ns
    assert len(files(tmp_path)) == 2
    await log.close()


async def test_clock_record_alone_sets_append_times_back_and_they_go_on_from_it(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    right_ns = clock.wall_ns
    log = new_log(tmp_path, clock)
    await log.open()
    item = clock_record(ClockNote(0, 0, "test"))
    clock.wall_ns += 70 * 86_400 * 10**9
    await log.append(0, record("a", 200_000))  # fills its file
    clock.wall_ns = right_ns
    jobs = [log.append(0, r) for r in (record("b"), item, record("c"), record("d"))]  # one group
    before, back, *after = await asyncio.gather(*jobs)
    assert before.append_ns == right_ns + 70 * 86_400 * 10**9
    assert [one.append_ns for one in (back, *after)] == [right_ns] * 3
    clock.advance_ms(-limits.CLOCK_STEP_NS_V2 / 2e6)  # clocks differ by so much: nothing to set
    assert (await log.append(0, item)).append_ns == right_ns
    kept = [
        message.append_ns for offset in (1, 2, 3) for message in await log.read(0, offset, 1, 0)
    ]
    assert kept == [before.append_ns, right_ns, right_ns]
    await log.append(0, record("e", 200_000))  # fills the next file: its successor goes on too
    assert (await log.append(0, record("f"))).append_ns == right_ns
    await log.close()


async def test_crash_between_seal_and_create_heals(rolled: Path) -> None:
    *_, last = files(rolled)
    file = RangeFile(last, epoch_of(last))
    written = file.append([(b"", b"x")], 0, file_bytes_max=1)  # seals, and then the process dies
    file.close()
    assert written.sealed
    log = new_log(rolled)
    await log.open()
    assert await log.bounds(0) == Bounds(0, 31)
    assert await log.read(0, 31, 1000, 0) == []
    assert (await log.append(0, record("next"))).position.offset == 31
    assert [m.offset for m in await log.read(0, 31, 1000, 0)] == [31]
    await log.close()


def epoch_of(file: Path) -> str:
    with sqlite3.connect(file) as db:
        return str(db.execute("SELECT epoch FROM span").fetchone()[0])


async def test_deleted_newest_file_is_named_and_never_replaced(rolled: Path) -> None:
    *_, last = files(rolled)
    last.unlink()
    log = new_log(rolled)
    await log.open()
    with pytest.raises(LogUnavailable, match=last.name):
        await log.append(0, record("next"))
    with pytest.raises(LogUnavailable, match="p00000"):
        await log.read(0, int(last.stem), 1000, 0)
    assert not last.exists()
    await log.close()


async def test_deleted_file_in_the_middle_is_named(rolled: Path) -> None:
    middle = files(rolled)[1]
    middle.unlink()
    log = new_log(rolled)
    await log.open()
    with pytest.raises(LogUnavailable, match=middle.name):
        await log.read(0, int(middle.stem), 1000, 0)
    assert (await log.append(0, record("next"))).position.offset == 30
    await log.close()


async def test_file_removed_under_a_running_writer_acknowledges_nothing(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    await log.open()
    await log.append(0, record("a"))
    files(tmp_path)[0].unlink()
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            await log.append(0, record("b"))
    await log.close()


@pytest.mark.parametrize("damage", [b"", b"not a database" * 500])
async def test_corrupt_file_is_named_and_the_others_go_on(rolled: Path, damage: bytes) -> None:
    first, *_ = files(rolled)
    first.write_bytes(damage)
    log = new_log(rolled)
    await log.open()
    with pytest.raises(LogUnavailable, match=first.name):
        await log.read(0, 0, 1000, 0)
    assert (await log.append(0, record("next"))).position.offset == 30
    assert await log.read(0, 30, 1000, 0)
    await log.close()


async def test_damaged_record_keeps_its_place_and_cannot_be_decoded(rolled: Path) -> None:
    with sqlite3.connect(files(rolled)[0]) as db:
        db.execute("UPDATE records SET value = x'00' WHERE offset = 1")
    log = new_log(rolled)
    await log.open()
    before, damaged, after = (await log.read(0, 0, 25_000, 0))[:3]
    assert [decode(m).dataset for m in (before, after)] == ["0", "2"]
    assert damaged.offset == 1
    with pytest.raises(RecordError):
        decode(damaged)
    await log.close()


async def test_description_that_is_missing_or_unreadable_is_not_made_anew(rolled: Path) -> None:
    path = rolled / "log.json"
    path.write_bytes(b"{")
    with pytest.raises(LogUnavailable, match=r"log\.json"):
        await new_log(rolled).open()
    path.unlink()
    with pytest.raises(LogUnavailable, match=r"log\.json"):
        await new_log(rolled).open()
    assert not path.exists()


async def test_file_of_another_log_is_refused(rolled: Path, tmp_path: Path) -> None:
    other = new_log(tmp_path / "other")
    await other.open()
    await other.append(0, record("foreign"))
    await other.close()
    foreign = files(tmp_path / "other")[0]
    files(rolled)[0].write_bytes(foreign.read_bytes())
    log = new_log(rolled)
    await log.open()
    with pytest.raises(LogUnavailable, match="belongs to"):
        await log.read(0, 0, 1000, 0)
    await log.close()


async def test_leftovers_of_a_crash_are_swept(rolled: Path) -> None:
    folder = rolled / "p00000"
    for name in (".tmp-1-ab", ".tmp-1-ab-wal", "00000000000000000999.db-wal"):
        (folder / name).write_bytes(b"x")
    log = new_log(rolled)
    await log.open()
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in files(rolled)} | {"writer.lock"}
    await log.close()
