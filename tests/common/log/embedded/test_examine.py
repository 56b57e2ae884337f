"""An examination reports each kind of damage to a file of the embedded log and goes on (I13)."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from common.clock import ManualClock
from common.log.embedded.examine import LogExamination, examine_log
from common.log.embedded.known_ends import FILE
from common.log.embedded.log import EmbeddedLog
from common.model.record import Kind, LogRecord, Record

RECORDS = 30
Damage = Callable[[Path], None]


def record(number: int) -> Record:
    value = bytes([number]) * 10_000
    return Record(Kind.EVENTS, value, batch=number.to_bytes(16, "big"), dataset="d", n=1)


async def fill(folder: Path, first: int = 0) -> None:
    log = EmbeddedLog(folder, 1, ManualClock(), file_bytes_max=100_000)
    await log.open()
    for number in range(first, first + RECORDS):
        await log.append(0, record(number))
    await log.close()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A closed log of 30 records in four files."""
    await fill(tmp_path)
    assert len(files(tmp_path)) == 4
    return tmp_path


def files(folder: Path) -> list[Path]:
    return sorted((folder / "p00000").glob("*.db"))


def examined(folder: Path) -> tuple[LogExamination, list[int]]:
    seen: list[LogRecord] = []
    found = examine_log(folder, seen.append)
    return found, [one.offset for one in seen]


def change(path: Path, sql: str, *values: object) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(sql, values)
    db.close()


def flip_value(path: Path, number: int) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(bytes([number]) * 3_000)
    data[at + 1_000 : at + 1_020] = bytes(b ^ 0xFF for b in data[at + 1_000 : at + 1_020])
    path.write_bytes(data)


def test_whole_log_is_read_whole_and_not_touched(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found, seen = examined(folder)
    assert (found.flaws, found.files, found.records) == ([], 4, RECORDS)
    assert seen == list(range(RECORDS))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_every_damaged_record_is_named_and_every_other_one_is_read(folder: Path) -> None:
    first, second, third, _ = files(folder)
    for path, number in ((first, 2), (second, 12), (third, 20)):
        flip_value(path, number)
    found, seen = examined(folder)
    assert [(f.first, f.end) for f in found.flaws] == [(2, 3), (12, 13), (20, 21)]
    assert all("checksum does not match" in f.what and str(f.path) in f.what for f in found.flaws)
    assert seen == [n for n in range(RECORDS) if n not in (2, 12, 20)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE records SET value = 'text' WHERE offset = 5",
        "UPDATE records SET headers = 7 WHERE offset = 5",
        "UPDATE records SET append_ns = -1 WHERE offset = 5",
        "UPDATE records SET append_ns = 'x' WHERE offset = 5",
        "UPDATE records SET crc = crc + 1 WHERE offset = 5",
        "DELETE FROM records WHERE offset = 5",
    ],
)
def test_a_record_that_changed_in_any_column_is_named(folder: Path, sql: str) -> None:
    change(files(folder)[0], sql)
    found, seen = examined(folder)
    assert [(f.first, f.end) for f in found.flaws] == [(5, 6)]
    assert 5 not in seen
    assert len(seen) == RECORDS - 1


def test_damaged_pages_lose_their_own_records_and_no_others(folder: Path) -> None:
    path = files(folder)[1]
    data = bytearray(path.read_bytes())
    at = data.index(bytes([12]) * 3_000)
    page = at // 8192 * 8192
    data[page : page + 8192] = bytes(8192)  # the record's own page: what it held is gone
    path.write_bytes(data)
    found, seen = examined(folder)
    assert found.flaws
    assert 12 not in seen
    lost = {n for f in found.flaws for n in range(f.first or 0, f.end or 0)}
    assert lost == set(range(RECORDS)) - set(seen)
    assert len(lost) < 8


@pytest.mark.parametrize(
    ("which", "damage", "expected"),
    [
        (1, lambda p: p.write_bytes(b""), "cannot be read: no such table"),
        (1, lambda p: p.write_bytes(bytes(p.stat().st_size)), "not a database"),
        (1, lambda p: p.write_bytes(p.read_bytes()[: 5 * 8192]), "cannot be read"),
        (1, Path.unlink, "is missing"),
        (3, Path.unlink, "missing at the end"),
        (3, lambda p: p.write_bytes(b""), "no such table"),
        (3, lambda p: p.write_bytes(bytes(p.stat().st_size)), "not a database"),
        (3, lambda p: change(p, "DELETE FROM records WHERE offset = 29"), "29 to 29 are missing"),
        (1, lambda p: change(p, "DELETE FROM records WHERE offset = 15"), "15 to 15 are missing"),
        (1, lambda p: change(p, "UPDATE span SET epoch = 'other'"), "belongs to log other"),
        (1, lambda p: change(p, "UPDATE span SET base = 3"), "from offset 3"),
        (1, lambda p: change(p, "DELETE FROM span"), "lost its description"),
        (1, lambda p: change(p, "UPDATE span SET next_base = 'x'"), "lost its description"),
    ],
)
def test_a_damaged_file_is_named_and_the_others_are_read(
    folder: Path, which: int, damage: Damage, expected: str
) -> None:
    path = files(folder)[which]
    others = [n for n in range(RECORDS) if not _holds(path, n)]
    damage(path)
    found, seen = examined(folder)
    assert found.flaws
    assert any(expected in flaw.what for flaw in found.flaws), found.flaws
    assert all(flaw.remedy for flaw in found.flaws)
    assert set(others) <= set(seen)


def _holds(path: Path, offset: int) -> bool:
    db = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    held = db.execute("SELECT 1 FROM records WHERE offset = ?", (offset,)).fetchone()
    db.close()
    return held is not None


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (Path.unlink, "is missing but the log has records"),
        (lambda p: p.write_bytes(b""), "cannot be read"),
        (lambda p: p.write_bytes(b"[]"), "cannot be read"),
        (lambda p: p.write_bytes(p.read_bytes().replace(b'"epoch":"', b'"epoch":"f')), "belongs"),
    ],
)
def test_a_damaged_description_is_named(folder: Path, damage: Damage, expected: str) -> None:
    damage(folder / "log.json")
    found, _ = examined(folder)
    assert expected in found.flaws[0].what


def test_a_missing_log_is_reported_and_none_is_created(tmp_path: Path) -> None:
    found, _ = examined(tmp_path / "log")
    assert "there is no log" in found.flaws[0].what
    assert not (tmp_path / "log").exists()


def test_the_file_of_known_ends_is_a_hint_that_may_be_lost(folder: Path) -> None:
    hint = folder / FILE
    for data in (b"", b"\0", bytes(8), b"\xff" * 7 + b"\0", hint.read_bytes()[::-1]):
        hint.write_bytes(data)
        assert examined(folder)[0].flaws == []
    hint.unlink()
    assert examined(folder)[0].flaws == []


async def test_a_log_that_is_written_meanwhile_is_read_without_false_alarm(folder: Path) -> None:
    log = EmbeddedLog(folder, 1, ManualClock(), file_bytes_max=100_000)
    await log.open()
    seen: list[int] = []
    for number in range(RECORDS, RECORDS + 12):
        await log.append(0, record(number))
        found, seen = examined(folder)
        assert found.flaws == []
    assert seen == list(range(RECORDS + 12))
    await log.close()


def test_files_that_are_dropped_meanwhile_are_no_damage(folder: Path) -> None:
    paths = files(folder)

    def drop(record: LogRecord) -> None:
        if record.offset == 0:  # the first is being read: the next ones go, as retention drops them
            for path in paths[:3]:
                path.unlink()

    assert examine_log(folder, drop).flaws == []


async def test_records_lost_with_a_wal_are_missed(folder: Path) -> None:
    log = EmbeddedLog(folder, 1, ManualClock(), file_bytes_max=10_000_000)
    await log.open()
    for number in range(RECORDS, RECORDS + 3):
        await log.append(0, record(number))
    newest = files(folder)[-1]
    parts = [newest, newest.with_name(f"{newest.name}-wal")]
    whole = [bytearray(part.read_bytes()) for part in parts]
    await log.close()
    whole[1][100] ^= 1  # in the first frame: SQLite reads nothing from there on
    for part, data in zip(parts, whole, strict=True):
        part.write_bytes(data)  # as after kill -9
    found, _ = examined(folder)
    [flaw] = found.flaws
    assert (flaw.first, flaw.end) == (RECORDS, RECORDS + 3)
