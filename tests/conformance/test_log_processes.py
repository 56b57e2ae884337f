"""What every log promises to several processes, and after `kill -9` and a full disk (I1, I2)."""

from pathlib import Path

import pytest

from common.log import Bounds
from common.model.record import LogRecord, decode
from tests.conformance import implementations as known
from tests.conformance.processes import finish, kill, next_line, on_small_disk, started
from tests.conformance.test_log import read_all

pytestmark = pytest.mark.slow


async def reopened(kind: str, place: Path) -> tuple[Bounds, list[LogRecord]]:
    """What a new process finds in partition 0."""
    log = known.LOGS[kind].make_small(place, known.PARTITIONS)
    await log.open()
    try:
        bounds = await log.bounds(0)
        return bounds, await read_all(log, 0, bounds.start)
    finally:
        await log.close()


async def test_processes_append_and_follow_one_log_at_once(log_kind: str, tmp_path: Path) -> None:
    each = 1200  # enough for several range files
    writers = [["append", log_kind, str(tmp_path), w, str(each), "8"] for w in ("a", "b")]
    reader = ["follow", log_kind, str(tmp_path), str(2 * each)]
    with started(*writers, reader) as (first, second, follower):
        acked = [line for p in (first, second) for line in finish(p) if line != ["ready"]]
        read = [line for line in finish(follower) if line != ["ready"]]
    assert [int(offset) for offset, _ in read] == list(range(2 * each))
    assert sorted(read) == sorted(acked)
    bounds, messages = await reopened(log_kind, tmp_path)
    assert bounds == Bounds(0, 2 * each)
    times = [m.append_ns for m in messages]
    assert times == sorted(times)


async def test_dropping_by_one_process_harms_no_other(log_kind: str, tmp_path: Path) -> None:
    count = 3000
    writer = ["append", log_kind, str(tmp_path), "w", str(count), "8"]
    with started(writer, ["drop", log_kind, str(tmp_path), str(count)]) as (appending, dropping):
        acked = dict(line for line in finish(appending) if line != ["ready"])
        starts = [int(start) for [start] in finish(dropping)]
    assert starts == sorted(starts)
    bounds, messages = await reopened(log_kind, tmp_path)
    assert bounds == Bounds(starts[-1], count)
    assert 0 < bounds.start <= count - 50
    assert [m.offset for m in messages] == list(range(bounds.start, count))
    assert all(acked[str(m.offset)] == decode(m).dataset for m in messages)


async def test_killed_writers_lose_no_acknowledged_record(log_kind: str, tmp_path: Path) -> None:
    acked: list[list[str]] = []
    for turn, lines in enumerate((3, 150, 400, 900)):
        commands = [
            ["append", log_kind, str(tmp_path), f"{turn}{w}", "1000000", "16"] for w in "ab"
        ]
        with started(*commands) as writers:
            for writer in writers:
                acked += [next_line(writer) for _ in range(lines)]
            for writer in writers:
                acked += kill(writer)
        acked = [line for line in acked if line != ["ready"]]
    bounds, messages = await reopened(log_kind, tmp_path)
    assert [m.offset for m in messages] == list(range(bounds.end))
    names = [decode(m).dataset for m in messages]
    assert len(set(names)) == len(names)  # each at most once, also those never acknowledged
    assert {int(offset): name for offset, name in acked}.items() <= dict(enumerate(names)).items()
    assert len(acked) > 2500


def test_full_disk_acknowledges_nothing_and_recovers_when_space_is_freed(
    log_kind: str, tmp_path: Path
) -> None:
    if not known.LOGS[log_kind].own_disk:
        pytest.skip("its disks are its servers'")
    lines = on_small_disk(tmp_path, 6_000_000, "fill_log", log_kind, str(tmp_path))
    acked = int(lines["full"][0])
    assert acked > 10
    assert lines["kept"] == [str(acked), str(acked)]
    assert lines["reopened"] == ["True", str(acked)]
    assert int(lines["start"][0]) > 0
    assert lines["recovered"] == ["0"]
