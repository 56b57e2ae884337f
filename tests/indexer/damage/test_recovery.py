"""Damaged records that can be read again: which are looked at, and which count by themselves."""

from pathlib import Path

import pytest

from common.clock import SystemClock
from common.model.log_time import ClockNote, clock_record
from common.model.record import heartbeat_record
from indexer.damage.recovery import DamageRecovery
from indexer.state.resync import Resync
from tests.indexer.damage.damaging import flip
from tests.indexer.harness import (
    append,
    open_context,
    published,
    reached,
    recovery_of,
    running,
    until,
)
from tests.indexer.partition.test_partition import CUT, numbers

HOUR_NS = 3600 * 10**9


class Wrong(SystemClock):
    """A clock that is wrong by `ahead_ns`."""

    ahead_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.ahead_ns


async def run_rounds(recovery: DamageRecovery, rounds: int) -> None:
    for _ in range(rounds):
        await recovery.run_once()


@pytest.mark.parametrize(
    ("stamped_h", "log_h", "clock_h", "mended"),
    [
        (0, 1, 1, True),
        (0, 1, 18, False),
        (0, 18, 0, False),  # this clock is behind
        (30, -1, 0, False),  # stamped by a clock that leapt; the log's time was set back since
    ],
)
async def test_restored_record_is_appended_again_only_if_it_is_young_by_both_times(
    tmp_path: Path, stamped_h: int, log_h: int, clock_h: int, mended: bool
) -> None:
    clock = Wrong()
    async with open_context(tmp_path, clock=clock) as context:
        log = context.backends.log
        clock.ahead_ns = stamped_h * HOUR_NS
        await append(log, [1], [2], [3])
        flip(tmp_path, 1)
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(4))
            clock.ahead_ns = log_h * HOUR_NS
            note = ClockNote(was_ns=0, now_ns=0, writer="test")
            await log.append(0, heartbeat_record() if log_h >= 0 else clock_record(note))
            await until(partition, reached(5))
            clock.ahead_ns = clock_h * HOUR_NS
            flip(tmp_path, 1)  # the same bits again: restored
            recovery = recovery_of(partition)
            await run_rounds(recovery, 2)
            assert (await log.bounds(0)).end == (6 if mended else 5)
            await until(partition, reached(6 if mended else 5))
            assert await numbers(partition) == ([1, 2, 3] if mended else [1, 3])


async def test_records_that_cannot_be_read_do_not_keep_later_ones_from_being_mended(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, *([n] for n in range(1, 8)))
        for offset in (1, 2, 3, 5, 6):
            flip(tmp_path, offset)
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(8))
            flip(tmp_path, 6)  # the same bits again: this one alone is restored
            recovery = recovery_of(partition, read_again_max=2)
            await run_rounds(recovery, 3)  # of five records, two at a time
            await until(partition, reached(9))
            assert await numbers(partition) == [1, 5, 7]
            flip(tmp_path, 1)
            await run_rounds(recovery, 2)
            await until(partition, reached(10))
            assert await numbers(partition) == [1, 2, 5, 7]


async def test_records_of_no_cut_are_looked_at_in_turn_too(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, *([n] for n in range(1, 8)))
        for offset in range(1, 6):
            flip(tmp_path, offset)
        async with running(context) as partition:
            await until(partition, reached(7))
            flip(tmp_path, 5)  # the same bits again: restored
            recovery = recovery_of(partition, read_again_max=2)
            with pytest.raises(Resync, match="record 5 "):
                await run_rounds(recovery, 3)  # of five records, two at a time
