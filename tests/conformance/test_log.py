"""What every log promises within one process (I1, I5, I11)."""

import asyncio
from pathlib import Path

import pytest

from common.errors import LogOverloaded, LogRefused, OffsetGone
from common.log import Bounds, Log
from common.model.log_time import ClockNote, clock_record, decode_clock
from common.model.record import Kind, LogRecord, Record, decode, encode_headers
from tests.conformance import implementations as known
from tests.conformance.worker import numbered


async def read_all(log: Log, partition: int, offset: int = 0) -> list[LogRecord]:
    """Everything from `offset` to the end."""
    found: list[LogRecord] = []
    while block := await log.read(partition, offset + len(found), 1_000_000, 0):
        found += block
    return found


async def test_appended_record_is_read_back_unchanged(log: Log) -> None:
    record = Record(
        Kind.EVENTS,
        bytes(range(256)),
        *(bytes(16), "t", "e", "d"),
        n=3,
        depth=2,
        via="why",
        unless=(1, 2),
    )
    appended = await log.append(1, record)
    [message] = await log.read(1, 0, 1, 0)
    assert decode(message) == record
    assert message.headers == encode_headers(record)
    assert (message.partition, message.offset) == (1, appended.position.offset)
    assert message.append_ns == appended.append_ns


async def test_empty_partition_has_empty_bounds_and_no_records(log: Log) -> None:
    assert await log.bounds(0) == Bounds(0, 0)
    assert await log.read(0, 0, 1000, 0) == []
    assert await log.drop_before(0, 0) == 0


async def test_concurrent_appends_get_gapless_offsets_in_each_partition(log: Log) -> None:
    jobs = [log.append(p, numbered(f"{p}-{i}")) for i in range(300) for p in (0, 2)]
    appended = await asyncio.gather(*jobs)
    for partition in (0, 2):
        messages = await read_all(log, partition)
        assert [m.offset for m in messages] == list(range(300))
        acked = {a.position.offset for a in appended if a.position.partition == partition}
        assert acked == set(range(300))
        assert len({decode(m).dataset for m in messages}) == 300
        assert await log.bounds(partition) == Bounds(0, 300)
    assert await log.bounds(1) == Bounds(0, 0)


async def test_append_times_never_go_back(log: Log) -> None:
    for _ in range(20):
        await log.append(0, numbered("a"))
    times = [m.append_ns for m in await read_all(log, 0)]
    assert times == sorted(times)


async def test_time_goes_on_after_a_clock_record_as_before_where_no_clock_was_wrong(
    log: Log,
) -> None:
    """It has an offset like any record, and no later record has an earlier append time."""
    note = ClockNote(was_ns=7, now_ns=5, writer="indexer-a")
    before = await log.append(0, numbered("a"))
    clock = await log.append(0, clock_record(note))
    jobs = [numbered("b"), clock_record(note), numbered("c")]
    after = await asyncio.gather(*(log.append(0, item) for item in jobs))
    messages = await read_all(log, 0)
    assert [m.offset for m in messages] == list(range(5))
    assert [m.append_ns for m in messages] == sorted(m.append_ns for m in messages)
    stamped = {a.position.offset: a.append_ns for a in (before, clock, *after)}
    assert stamped == {m.offset: m.append_ns for m in messages}
    assert decode_clock(decode(messages[1])) == note


async def test_read_gives_at_least_one_record_and_about_max_bytes(log: Log) -> None:
    for _ in range(10):
        await log.append(0, numbered("a", 10_000))
    assert len(await log.read(0, 0, 1, 0)) == 1
    assert len(await log.read(0, 0, 35_000, 0)) in (3, 4)
    assert len(await log.read(0, 8, 1_000_000, 0)) == 2


async def test_waiting_reader_is_woken_by_an_append(log: Log) -> None:
    waiting = asyncio.create_task(log.read(0, 0, 1000, 30_000))
    other = asyncio.create_task(log.read(1, 0, 1000, 30_000))
    await asyncio.sleep(0.02)
    await log.append(0, numbered("a"))
    assert [decode(m).dataset for m in await waiting] == ["a"]
    assert not other.done()
    other.cancel()


async def test_waiting_read_returns_empty_after_its_time(log: Log) -> None:
    assert await log.read(0, 0, 1000, 30) == []


async def test_close_finishes_what_is_in_flight_and_keeps_it(log_kind: str, tmp_path: Path) -> None:
    log = known.LOGS[log_kind].make(tmp_path, known.PARTITIONS)
    await log.open()
    jobs = [asyncio.create_task(log.append(0, numbered(str(i)))) for i in range(100)]
    reader = asyncio.create_task(log.read(1, 0, 1000, 30_000))
    await asyncio.sleep(0)
    await log.close()
    assert len({a.position.offset for a in await asyncio.gather(*jobs)}) == 100
    assert await reader == []
    with pytest.raises(LogRefused):
        await log.append(0, numbered("late"))
    again = known.LOGS[log_kind].make(tmp_path, known.PARTITIONS)
    await again.open()
    assert await again.bounds(0) == Bounds(0, 100)
    await again.close()


async def test_log_keeps_its_epoch_and_partition_count(log_kind: str, tmp_path: Path) -> None:
    kind = known.LOGS[log_kind]
    first, second = kind.make(tmp_path, 3), kind.make(tmp_path, 7)
    one, two = await asyncio.gather(first.open(), second.open())
    assert one == two
    assert one.partitions in (3, 7)
    assert int(one.epoch, 16) >= 0
    other = kind.make(tmp_path / "other", 3)
    assert (await other.open()).epoch != one.epoch
    for log in (first, second, other):
        await log.close()


async def test_log_tells_its_leaders_and_what_it_keeps_without_changing(
    log: Log, log_kind: str
) -> None:
    identity = await log.refresh()
    assert identity == await log.open()
    assert all(log.leader(p) for p in range(identity.partitions))
    keep_ns = log.retention_ns()
    assert keep_ns is None or keep_ns > 0
    assert log.has_server_time() == bool(known.LOGS[log_kind].server)


async def test_overload_is_refused_at_once_and_nothing_of_it_is_kept(small_log: Log) -> None:
    jobs = [small_log.append(0, numbered(str(i), 50_000)) for i in range(30)]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    refused = [r for r in results if isinstance(r, LogOverloaded)]
    assert 0 < len(refused) < 30
    found = await read_all(small_log, 0)
    assert len(found) == 30 - len(refused)
    await small_log.append(0, numbered("afterwards"))


async def test_dropping_frees_space_only_before_the_offset(small_log: Log) -> None:
    for i in range(60):
        await small_log.append(0, numbered(str(i), 20_000))
    before = await small_log.size_bytes(0)
    start = await small_log.drop_before(0, 40)
    if small_log.retention_ns() is not None:
        assert start == 0
        assert await small_log.size_bytes(0) == before
        return
    assert 0 < start <= 40
    assert await small_log.size_bytes(0) < before
    assert await small_log.bounds(0) == Bounds(start, 60)
    assert await small_log.drop_before(0, 10) == start


async def test_offset_that_was_dropped_is_reported_with_the_start(
    log_kind: str, small_log: Log
) -> None:
    for i in range(60):
        await small_log.append(0, numbered(str(i), 20_000))
    start = await known.LOGS[log_kind].forget(small_log, 0, 40)
    assert 0 < start <= 40
    assert await small_log.bounds(0) == Bounds(start, 60)
    found = await read_all(small_log, 0, start)
    assert [decode(m).dataset for m in found] == [str(i) for i in range(start, 60)]
    with pytest.raises(OffsetGone) as gone:
        await small_log.read(0, start - 1, 1000, 0)
    assert gone.value.start == start
    assert (await small_log.append(0, numbered("next"))).position.offset == 60


async def test_reader_meets_a_drop_with_records_or_offset_gone_never_garbage(
    log_kind: str, small_log: Log
) -> None:
    for i in range(100):
        await small_log.append(0, numbered(str(i), 20_000))

    async def drop() -> None:
        for offset in range(10, 101, 10):
            await known.LOGS[log_kind].forget(small_log, 0, offset)

    async def read() -> None:
        offset = 0
        while offset < 100:
            try:
                block = await small_log.read(0, offset, 40_000, 0)
            except OffsetGone as error:
                offset = max(error.start, offset + 1)
                continue
            assert [decode(m).dataset for m in block] == [str(m.offset) for m in block]
            offset = block[-1].offset + 1

    await asyncio.gather(drop(), read(), read())


async def test_cancelled_append_harms_no_other(log: Log) -> None:
    jobs = [asyncio.create_task(log.append(0, numbered(str(i)))) for i in range(20)]
    await asyncio.sleep(0)
    jobs[3].cancel()
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert sum(isinstance(r, BaseException) for r in results) <= 1
    messages = await read_all(log, 0)
    assert [m.offset for m in messages] == list(range(len(messages)))


async def test_partition_that_does_not_exist_is_a_mistake_of_the_caller(log: Log) -> None:
    for partition in (-1, known.PARTITIONS):
        with pytest.raises(ValueError, match="no partition"):
            await log.append(partition, numbered("a"))
