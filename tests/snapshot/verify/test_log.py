"""`verify` reads the log too: it reports damage and counts what is only in the log (I2, I13)."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import LogUnavailable
from common.log import Bounds, Log
from common.model.record import LogRecord, Marker, marker_record, settled_record
from common.model.record_value import events_record
from snapshot.damage.settlements import SettledOffsets, Settlement
from snapshot.documents.checksummed import encode_checksummed
from snapshot.verify.log import LOG_READ_LIMITS, LogReadLimits
from snapshot.verify.report import VerifyReport
from snapshot.verify.verify import verify
from tests.indexer.harness import DATASET, append, open_context, published, record, running, until

CUT = marker_record(Marker(hour=None, reason="test"))


async def fill(folder: Path) -> None:
    """Offsets 0-2 and the marker at 3 are covered; 4-6 hold five events that are not."""
    async with open_context(folder) as context:
        log = context.backends.log
        await append(log, [1, 2], [3], [4])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(4))
        await append(log, [5, 6], [7], [8, 9])


async def check(
    folder: Path,
    wrap: Callable[[Log], Log] | None = None,
    log_limits: LogReadLimits = LOG_READ_LIMITS,
) -> VerifyReport:
    async with open_context(folder) as context:
        log, objects = context.backends.log, context.backends.objects
        if wrap is not None:  # a log on servers
            return await verify(objects, wrap(log), [0], log_limits=log_limits)
        return await verify(objects, log, [0], log_folder=folder / "log")


def damage(folder: Path, *offsets: int) -> None:
    [path] = (folder / "log" / "p00000").glob("*.db")
    db = sqlite3.connect(path)
    with db:
        for offset in offsets:
            db.execute("UPDATE records SET value = zeroblob(9) WHERE offset = ?", (offset,))
    db.close()


async def test_what_is_only_in_the_log_is_counted_and_checked(tmp_path: Path) -> None:
    await fill(tmp_path)
    report = await check(tmp_path)
    assert report.clean, report.problems
    assert (report.rows, report.log_records) == (4, 7)
    assert (report.pending_records, report.pending_batches, report.pending_events) == (3, 3, 5)


async def test_right_after_a_load_nothing_is_in_a_segment_and_all_of_it_is_counted(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [1, 2], [3])
    report = await check(tmp_path)
    assert report.clean
    assert (report.rows, report.pending_events) == (0, 3)


async def test_every_damaged_record_is_named_with_what_it_means(tmp_path: Path) -> None:
    await fill(tmp_path)
    damage(tmp_path, 1, 4, 6)
    report = await check(tmp_path)
    assert not report.clean
    named = {p.what.partition(" of ")[0]: p.remedy for p in report.problems}
    assert set(named) == {"record 1", "record 4", "record 6"}
    assert "nothing is missing" in named["record 1"]
    assert "answers lack" in named["record 4"]
    assert report.pending_events == 1  # of the one that is whole


async def test_events_that_were_appended_again_for_a_damaged_record_are_counted(
    tmp_path: Path,
) -> None:
    await fill(tmp_path)
    damage(tmp_path, 4)
    async with open_context(tmp_path) as context:
        for _ in range(2):  # of both twins
            again = settled_record((1, 4), "mend", record([5, 6]))
            await context.backends.log.append(0, again)
    report = await check(tmp_path)
    assert [problem.what.partition(" of ")[0] for problem in report.problems] == ["record 4"]
    assert (report.pending_events, report.pending_repeats) == (5, 1)


async def test_a_record_that_was_set_aside_is_a_problem_until_it_is_settled(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [1, 2], [3], [4])
    damage(tmp_path, 1)
    async with open_context(tmp_path) as context:
        await context.backends.log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(4))
    report = await check(tmp_path)
    what = [problem.what for problem in report.problems]
    assert any("record 1 was set aside" in text for text in what), what
    [flaw] = [p for p in report.problems if "checksum" in p.what and "set aside" not in p.what]
    assert "answers lack" in flaw.remedy
    settled = Settlement(
        partition=0,
        number=1,
        given_up=[SettledOffsets(epoch_number=1, first=1, end=2)],
        settled_ns=1,
    )
    async with open_context(tmp_path) as context:
        context.backends.objects.put_if_absent(settled.key, encode_checksummed(settled))
    report = await check(tmp_path)
    [aside] = [problem for problem in report.problems if "set aside" in problem.what]
    assert aside.warning


async def test_repeated_batches_are_counted_once(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await log.append(0, record([5, 6]))  # the batch of offset 4 again
        await log.append(0, record([1, 2]))  # one that a segment has
    report = await check(tmp_path)
    assert report.clean
    assert (report.pending_events, report.pending_batches, report.pending_repeats) == (5, 3, 2)


@pytest.mark.parametrize("value", [b"", b"not zstd", record([1, 2]).value])
async def test_a_whole_record_that_cannot_be_read_is_named(tmp_path: Path, value: bytes) -> None:
    await fill(tmp_path)
    wrong = events_record(
        team="t", env="e", dataset=DATASET, batch=bytes(16), depth=0, via="", lines=[], n=9
    )
    async with open_context(tmp_path) as context:
        await context.backends.log.append(0, type(wrong)(wrong.kind, value, b"\1" * 16, "t", n=9))
    report = await check(tmp_path)
    [problem] = report.problems
    assert "record 7 of the log is whole but cannot be read" in problem.what


class Servers:
    """A log whose batches at some offsets cannot be read, as a broker's that are damaged."""

    def __init__(self, log: Log, *bad: int) -> None:
        self._log = log
        self._bad = bad
        self.asked = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def bounds(self, partition: int) -> Bounds:
        return await self._log.bounds(partition)

    async def read(
        self, partition: int, offset: int, max_bytes: int, wait_ms: int
    ) -> list[LogRecord]:
        self.asked += 1
        if offset in self._bad:
            raise LogUnavailable(f"a batch from offset {offset} on: its checksum does not match")
        found = await self._log.read(partition, offset, max_bytes, wait_ms)
        return [r for r in found if all(r.offset < b or b < offset for b in self._bad)]


async def test_of_a_log_on_servers_what_is_not_covered_is_read(tmp_path: Path) -> None:
    await fill(tmp_path)
    report = await check(tmp_path, Servers)  # type: ignore[arg-type]  # a log but for its bad ones
    assert report.clean
    assert (report.log_records, report.pending_events) == (3, 5)


@pytest.mark.parametrize(("bad", "events"), [((5,), 4), ((4, 6), 1), ((4, 5, 6), 0)])
async def test_batches_that_servers_cannot_give_are_named_and_passed_over(
    tmp_path: Path, bad: tuple[int, ...], events: int
) -> None:
    await fill(tmp_path)
    report = await check(tmp_path, lambda log: Servers(log, *bad))  # type: ignore[arg-type,return-value]
    assert not report.clean
    assert all("its checksum does not match" in p.what and p.remedy for p in report.problems)
    assert report.pending_events == events


async def test_what_one_run_does_not_read_is_said(tmp_path: Path) -> None:
    await fill(tmp_path)
    report = await check(tmp_path, Servers, LogReadLimits(1, 1))  # type: ignore[arg-type]
    [problem] = report.problems
    assert problem.warning
    assert "records from 5 on were not read" in problem.what
