"""A known end is used only if its checksum matches (I13)."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.clock import ManualClock
from common.log.embedded.known_ends import FILE, UNCHECKED_FILE, KnownEnds, read_ends
from common.log.embedded.log import EmbeddedLog
from common.model.record import heartbeat_record

PARTITIONS = 3


def test_ends_go_forward_and_are_read_by_others(tmp_path: Path) -> None:
    ends, other = KnownEnds(tmp_path, PARTITIONS), KnownEnds(tmp_path, PARTITIONS)
    ends.advance(1, 7)
    ends.advance(1, 5)
    ends.advance(2, 2**47)
    assert (
        [other.get(p) for p in range(PARTITIONS)]
        == [0, 7, 2**47]
        == read_ends(tmp_path, PARTITIONS)
    )
    for one in (ends, other):
        one.close()


def test_no_partition_ends_beyond_what_a_slot_can_hold(tmp_path: Path) -> None:
    ends = KnownEnds(tmp_path, PARTITIONS)
    with pytest.raises(ValueError, match="no partition"):
        ends.advance(0, 2**48)
    ends.close()


@settings(derandomize=True)  # of all flips one in 65,536 passes the check, none of these
@given(st.integers(0, 23), st.integers(1, 24), st.integers(1, 255), st.integers(1, 10**9))
def test_flipped_bytes_make_an_end_unknown_and_never_another(
    tmp_path_factory: pytest.TempPathFactory, at: int, count: int, mask: int, end: int
) -> None:
    folder = tmp_path_factory.mktemp("ends")
    ends = KnownEnds(folder, PARTITIONS)
    for partition in range(PARTITIONS):
        ends.advance(partition, end + partition)
    whole = [end + partition for partition in range(PARTITIONS)]
    raw = bytearray((folder / FILE).read_bytes())
    for index in range(at, min(at + count, len(raw))):
        raw[index] ^= mask
    (folder / FILE).write_bytes(raw)
    wrong = [
        seen
        for seen, right in zip(read_ends(folder, PARTITIONS), whole, strict=True)
        if seen not in (0, right)
    ]
    assert not wrong
    for partition in range(PARTITIONS):
        ends.advance(partition, end + 10)
    assert read_ends(folder, PARTITIONS) == [end + 10] * PARTITIONS, (
        "the next append makes it right"
    )
    ends.close()


async def test_a_flipped_hint_loses_no_record_and_claims_none_to_be_lost(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path, 1, ManualClock())
    await log.open()
    for _ in range(3):
        await log.append(0, heartbeat_record())
    await log.close()
    hint = tmp_path / FILE
    hint.write_bytes(bytes(byte ^ 0x5A for byte in hint.read_bytes()))
    again = EmbeddedLog(tmp_path, 1, ManualClock())
    await again.open()
    bounds = await again.bounds(0)
    assert (bounds.start, bounds.end) == (0, 3)
    found = await again.read(0, 0, 10_000, 0)
    assert [one.offset for one in found] == [0, 1, 2]
    assert all(one.damage is None for one in found)
    assert await again.read(0, 3, 10_000, 0) == []
    await again.append(0, heartbeat_record())
    assert (await again.bounds(0)).end == 4
    await again.close()


async def test_the_hint_of_an_older_version_is_not_used(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path, 1, ManualClock())
    await log.open()
    await log.append(0, heartbeat_record())
    await log.close()
    (tmp_path / FILE).unlink()
    (tmp_path / UNCHECKED_FILE).write_bytes(b"\x5a" * 8)
    again = EmbeddedLog(tmp_path, 1, ManualClock())
    await again.open()
    assert (await again.bounds(0)).end == 1
    assert not (tmp_path / UNCHECKED_FILE).exists()
    await again.close()


async def test_reading_a_record_again_keeps_the_locks_of_its_file(tmp_path: Path) -> None:
    """Without the locks another process would consider itself the last user and delete the WAL;
    records appended here afterwards would be in a file that no other process can open.
    """
    log = EmbeddedLog(tmp_path, 1, ManualClock())
    await log.open()
    await log.append(0, heartbeat_record())
    assert await log.read_again(0, 0) is not None
    (file,) = (tmp_path / "p00000").glob("*.db")
    look = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        "print(db.execute('SELECT count(*) FROM records').fetchone()[0]); db.close()"
    )

    def seen_by_another_process() -> int:
        command = [sys.executable, "-c", look, str(file)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert await asyncio.to_thread(seen_by_another_process) == 1
    await log.append(0, heartbeat_record())
    assert await asyncio.to_thread(seen_by_another_process) == 2
    await log.close()
