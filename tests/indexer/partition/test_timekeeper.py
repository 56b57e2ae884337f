"""A log that ran ahead gets well, a wrong twin does little, and ids live on (I2, I3, I13)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from common import limits
from common.clock import ManualClock
from common.log import Log
from common.log.embedded.log import EmbeddedLog
from common.log.embedded.range_file import RangeFile, Written
from common.model.clock_reading import ClockReading
from common.model.record import Kind, decode, heartbeat_record
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from indexer.state.partition_state import HOUR_NS
from tests.indexer.harness import QUICK, append, open_context, reached, running, until

pytestmark = pytest.mark.slow

S_NS = 10**9
DAY_NS = 24 * HOUR_NS
NOW_NS = 1_790_000_100 * S_NS
STEADY_S = QUICK.clock_steady_s


class Twin:
    """One of the indexers of partition 0, with a clock of its own."""

    def __init__(self, partition: Partition, clock: ManualClock) -> None:
        self.partition = partition
        self.clock = clock
        self.maintenance = PartitionMaintenance(partition)

    @property
    def behind_log_ns(self) -> int:
        """How far its own clock is behind the log's time."""
        assert self.partition.state is not None
        return self.partition.state.watermark_ns - self.clock.wall_ns

    @property
    def alarmed(self) -> bool:
        return "log_time_ahead" in self.partition.alarms.raised


class Harness:
    """Twins over one log. Their appends are stamped by their own clocks, as in the embedded log."""

    def __init__(self, twins: Sequence[Twin], logs: Sequence[Log]) -> None:
        self.twins = twins
        self.log = logs[0]
        self.logs = logs

    async def rounds(self, seconds: int, step_s: int = 5) -> None:
        """Let time pass, with rounds of maintenance."""
        for _ in range(0, seconds, step_s):
            for twin in self.twins:
                twin.clock.advance_ms(step_s * 1000)
                await twin.maintenance.run_round()
            await self.settle()

    async def settle(self) -> None:
        end = (await self.log.bounds(0)).end
        for twin in self.twins:
            await until(twin.partition, reached(end))

    async def kinds(self, kind: Kind) -> int:
        found, offset = 0, 0
        while block := await self.log.read(0, offset, 1 << 20, 0):
            found += sum(decode(message).kind is kind for message in block)
            offset = block[-1].offset + 1
        return found


@asynccontextmanager
async def harness(folder: Path, clocks: Sequence[ManualClock]) -> AsyncIterator[Harness]:
    async with _twins(folder, clocks, []) as found:
        yield found


@asynccontextmanager
async def _twins(
    folder: Path, clocks: Sequence[ManualClock], made: list[tuple[Twin, Log]]
) -> AsyncIterator[Harness]:
    if len(made) == len(clocks):
        yield Harness([twin for twin, _ in made], [log for _, log in made])
        return
    zone = "ab"[len(made)]
    clock = clocks[len(made)]
    async with (
        open_context(folder, zone=zone, clock=clock) as context,
        running(context) as partition,
    ):
        await until(partition, reached(0))
        async with _twins(
            folder, clocks, [*made, (Twin(partition, clock), context.backends.log)]
        ) as found:
            yield found


LEAPS = pytest.mark.parametrize(
    "leap_ns", [HOUR_NS, 3 * DAY_NS, 70 * DAY_NS, 20 * 365 * DAY_NS], ids=["1h", "3d", "70d", "20y"]
)


@LEAPS
async def test_log_of_a_clock_that_leapt_ahead_and_back_is_well_within_a_minute(
    tmp_path: Path, leap_ns: int
) -> None:
    clock = ManualClock(NOW_NS)
    async with harness(tmp_path, [clock]) as one:
        (twin,) = one.twins
        await append(one.log, [1])
        await one.rounds(60)
        clock.wall_ns += leap_ns
        await append(one.log, [2])
        await one.rounds(50)
        assert not twin.alarmed
        clock.wall_ns -= leap_ns
        await append(one.log, [3])
        await one.rounds(10)
        assert twin.alarmed, "told at once"
        assert twin.behind_log_ns > leap_ns / 2, "a clock that has just leapt is not believed"
        await one.rounds(STEADY_S + 10)
        assert abs(twin.behind_log_ns) < 30 * S_NS
        assert not twin.alarmed
        beats = await one.kinds(Kind.HEARTBEAT)
        await one.rounds(60)
        assert await one.kinds(Kind.HEARTBEAT) > beats, "a quiet partition has heartbeats"
        assert abs(twin.behind_log_ns) < 30 * S_NS
        await one.rounds(7200, step_s=300)
        assert twin.partition.state is not None
        assert twin.partition.state.hour in (
            clock.wall_ns // HOUR_NS - 1,
            clock.wall_ns // HOUR_NS - 2,
        )
        assert await one.kinds(Kind.CLOCK) == 1


@LEAPS
async def test_batch_ids_are_remembered_over_leaps_of_the_clock_until_their_time_has_passed(
    tmp_path: Path, leap_ns: int
) -> None:
    """Also over several leaps and restarts: two hour markers are 45 real minutes apart (I2)."""
    clock = ManualClock(NOW_NS)
    for _ in range(2):
        async with harness(tmp_path, [clock]) as one:
            (twin,) = one.twins
            await append(one.log, [1])
            for leap in (leap_ns, leap_ns, -2 * leap_ns, leap_ns, -leap_ns):
                clock.wall_ns += leap
                await one.rounds(180, step_s=20)
            assert twin.partition.state is not None
            assert twin.partition.state.batch_window.copy_of((1).to_bytes(16, "big")) is not None
            assert await one.kinds(Kind.MARKER) > 0
    async with harness(tmp_path, [clock]) as one:
        assert one.twins[0].partition.state is not None
        assert (
            one.twins[0].partition.state.batch_window.copy_of((1).to_bytes(16, "big")) is not None
        )
        await one.rounds(3 * 3600, step_s=300)
        assert one.twins[0].partition.state.batch_window.copy_of((1).to_bytes(16, "big")) is None


async def test_clock_that_is_behind_sets_nothing_back_and_rows_are_cut_all_the_same(
    tmp_path: Path,
) -> None:
    """Rows would be dated to a time long past, and retention would take them too soon (I13)."""
    clock = ManualClock(NOW_NS)
    async with harness(tmp_path, [clock]) as one:
        (twin,) = one.twins
        for day in range(8):  # segments of two hours in every ten
            await append(one.log, [day + 100])
            await one.rounds(7200, step_s=900)
            clock.wall_ns += 8 * HOUR_NS
            await one.rounds(30, step_s=10)
        clock.wall_ns -= 2 * DAY_NS
        await append(one.log, [9])
        await one.rounds(7200, step_s=600)
        assert twin.alarmed
        assert "rows from before and after" in twin.partition.alarms.raised["log_time_ahead"]
        assert await one.kinds(Kind.CLOCK) == 0
        assert twin.partition.state is not None
        assert twin.partition.state.uncut[1] == 0, "the hourly snapshot goes on"
        hour = twin.partition.state.hour
        await append(one.log, [10])
        await one.rounds(7200, step_s=600)
        assert twin.partition.state.uncut[1] == 0, "also where no hour ends any more"
        assert twin.partition.state.hour == hour
        clock.wall_ns += 2 * DAY_NS
        await one.rounds(30)
        assert not twin.alarmed
        assert abs(twin.behind_log_ns) < 30 * S_NS


@pytest.mark.parametrize("witness", ["another machine", "an operator"])
async def test_clock_that_was_wrong_for_longer_than_its_leap_needs_a_witness(
    tmp_path: Path, witness: str
) -> None:
    """The log has lived through the right time already, by its own stamps."""
    clock = ManualClock(NOW_NS)
    async with harness(tmp_path, [clock]) as one:
        (twin,) = one.twins
        clock.wall_ns += 3 * DAY_NS
        for day in range(8):
            await append(one.log, [day + 1])
            await one.rounds(7200, step_s=600)
            clock.advance_ms(10 * 3_600_000)
        clock.wall_ns -= 3 * DAY_NS
        await one.rounds(300, step_s=30)
        assert twin.alarmed
        assert await one.kinds(Kind.CLOCK) == 0
        shared = twin.partition.shared
        if witness == "an operator":
            told = replace(shared, config=replace(shared.config, clock_is_right=True))
            twin.partition.shared = told
        else:
            offset_ns = clock.wall_ns - clock.steady_ns
            shared.clocks.add_readings([ClockReading("machine x", offset_ns, 0, elsewhere=True)])
        await one.rounds(540, step_s=30)
        assert not twin.alarmed
        assert await one.kinds(Kind.CLOCK) == 1
        assert abs(twin.behind_log_ns) < 60 * S_NS


async def test_twins_set_the_time_back_once_and_agree(tmp_path: Path) -> None:
    clocks = [ManualClock(NOW_NS), ManualClock(NOW_NS + 3 * S_NS)]
    async with harness(tmp_path, clocks) as both:
        await append(both.log, [1])
        for clock in clocks:
            clock.wall_ns += 70 * DAY_NS
        await both.rounds(30)
        for clock in clocks:
            clock.wall_ns -= 70 * DAY_NS
        await both.rounds(STEADY_S + 60)
        states = [twin.partition.state for twin in both.twins]
        assert states[0] is not None
        assert states[1] is not None
        assert states[0].carried_state() == states[1].carried_state()
        assert all(abs(twin.behind_log_ns) < 30 * S_NS for twin in both.twins)
        assert await both.kinds(Kind.CLOCK) <= 2


async def test_twins_whose_clocks_disagree_do_not_fill_the_log_and_it_is_alarmed(
    tmp_path: Path,
) -> None:
    right, wrong = ManualClock(NOW_NS), ManualClock(NOW_NS + 70 * DAY_NS)
    async with harness(tmp_path, [right, wrong]) as both:
        await append(both.log, [1])
        for _ in range(2 * 60):  # its heartbeats: how many come by themselves depends on timing
            await both.logs[1].append(0, heartbeat_record())
            await both.settle()
            await both.rounds(60, step_s=60)
        assert both.twins[0].alarmed
        assert 2 < await both.kinds(Kind.CLOCK) < 30
        assert "times" in both.twins[0].partition.alarms.raised["log_time_ahead"]
        one, other = (twin.partition.state for twin in both.twins)
        assert one is not None
        assert other is not None
        assert one.carried_state() == other.carried_state()
        wrong.wall_ns = right.wall_ns
        await both.rounds(limits.CLOCK_AGAIN_MAX_S + 60, step_s=60)
        assert all(abs(twin.behind_log_ns) < 90 * S_NS for twin in both.twins)
        await both.rounds(2 * limits.CLOCK_AGAIN_MAX_S, step_s=60)
        assert not any(twin.alarmed for twin in both.twins)


async def test_log_that_a_process_makes_leap_twice_an_hour_is_alarmed_as_set_back_repeatedly(
    tmp_path: Path,
) -> None:
    """Each leap is set back at once, and the log's time is right for long between two of them."""
    right, wrong = ManualClock(NOW_NS), ManualClock(NOW_NS + 70 * DAY_NS)
    async with (
        harness(tmp_path, [right]) as one,
        open_context(tmp_path, zone="b", clock=wrong) as other,
    ):
        (twin,) = one.twins
        await append(one.log, [1])
        await one.rounds(STEADY_S + 10)
        for leap in range(1, 5):
            wrong.advance_ms(1_800_000)
            await other.backends.log.append(0, heartbeat_record())
            await one.settle()
            await one.rounds(5)
            told = twin.partition.alarms.raised["log_time_ahead"]
            assert (f"set back {leap} times" in told) == (leap > 1)
            assert await one.kinds(Kind.CLOCK) == leap
            await one.rounds(1_800, step_s=300)
            assert not twin.alarmed, "over, for now"


@pytest.fixture
def stamping_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log whose times are a server's, raw, also where its clock goes back: as Kafka's are."""
    plain = RangeFile.append

    def stamped(
        self: RangeFile,
        group: Sequence[tuple[bytes, bytes]],
        now_ns: int,
        file_bytes_max: int,
        known_end: int = 0,
        sets_time: bool = False,
    ) -> Written:
        return plain(self, group, now_ns, file_bytes_max, known_end, True)

    monkeypatch.setattr(RangeFile, "append", stamped)
    monkeypatch.setattr(EmbeddedLog, "has_server_time", lambda self: True)


@pytest.mark.usefixtures("stamping_server")
async def test_servers_clock_that_leapt_ahead_is_set_back_once_it_agrees_with_ours(
    tmp_path: Path,
) -> None:
    server, clock = ManualClock(NOW_NS), ManualClock(NOW_NS)
    async with open_context(tmp_path, clock=server) as context:
        own = replace(context, clock=clock)
        async with running(own) as partition:
            twin = Twin(partition, clock)
            one = Harness([twin], [context.backends.log])

            async def both(seconds: int) -> None:
                for _ in range(0, seconds, 5):
                    server.advance_ms(5000)
                    await one.rounds(5)

            await append(one.log, [1])
            server.wall_ns += 70 * DAY_NS
            await append(one.log, [2])
            await both(300)
            assert twin.alarmed
            assert await one.kinds(Kind.CLOCK) == 0, "its own time has not gone back yet"
            server.wall_ns -= 70 * DAY_NS
            await append(one.log, [3])
            await both(limits.CLOCK_AGAIN_MAX_S)
            assert abs(twin.behind_log_ns) < 30 * S_NS
            assert not twin.alarmed
            assert await one.kinds(Kind.CLOCK) == 1
            server.wall_ns -= 70 * DAY_NS  # behind: it alone shows that time
            await append(one.log, [4])
            await both(600)
            assert await one.kinds(Kind.CLOCK) == 1
            assert partition.view is not None
            (rows,) = partition.view.live.current.values()
            assert rows.append_min_ns > NOW_NS, "rows are not dated to a time long past"
