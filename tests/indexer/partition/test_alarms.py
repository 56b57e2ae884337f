"""Snapshots that do not happen are an alarm long before anything could be lost (I5)."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from common.clock import ManualClock, SystemClock
from common.process.alarms.board import AlarmBoard
from indexer.partition.alarms import Alarms, Facts, alarms_of
from indexer.partition.maintenance import PartitionMaintenance
from tests.indexer.faulty import FaultyObjects
from tests.indexer.harness import QUICK, open_context, published, reached, running, until
from tests.indexer.partition.test_outage import cuts, faulty

HOUR = 3600
DAY_NS = 24 * HOUR * 10**9
CALM = Facts(
    now_ns=10 * DAY_NS,
    uncovered_since_ns=None,
    keep_ns=3 * DAY_NS,
    log_bytes=0,
    keep_bytes=2**30,
    waiting_bytes=0,
    waiting_max=2**32,
)


def since(facts: Facts, hours: float) -> Facts:
    return replace(facts, uncovered_since_ns=facts.now_ns - int(hours * HOUR * 10**9))


def test_retention_that_would_overtake_the_snapshot_is_an_alarm_with_half_its_time_left() -> None:
    assert alarms_of(CALM, 2 * HOUR) == {}
    assert alarms_of(since(CALM, 1), 2 * HOUR) == {}
    assert set(alarms_of(since(CALM, 3), 2 * HOUR)) == {"snapshot_late"}
    near = alarms_of(since(CALM, 37), 2 * HOUR)
    assert set(near) == {"snapshot_late", "log_retention_near"}
    assert "in 35.0 h" in near["log_retention_near"]


def test_log_that_grows_because_nothing_is_published_is_an_alarm_where_only_cuts_free_it() -> None:
    embedded = replace(CALM, keep_ns=None, log_bytes=2**31 + 1)
    assert alarms_of(embedded, 2 * HOUR) == {}  # everything is covered: it is dropped soon
    assert set(alarms_of(since(embedded, 1), 2 * HOUR)) == {"log_growing"}
    assert alarms_of(since(replace(embedded, keep_ns=3 * DAY_NS), 1), 2 * HOUR) == {}


@given(st.floats(0, 200), st.floats(0.1, 200))
def test_no_record_comes_near_its_end_in_silence(hours: float, keep_hours: float) -> None:
    facts = since(replace(CALM, keep_ns=int(keep_hours * HOUR * 10**9)), hours)
    left_s = facts.retention_left_s
    assert left_s is not None
    if left_s < 0.49 * keep_hours * HOUR:
        assert "log_retention_near" in alarms_of(facts, 2 * HOUR)


async def test_outage_of_hours_raises_its_alarms_and_its_end_clears_them(tmp_path: Path) -> None:
    stores: list[FaultyObjects] = []
    clock = ManualClock(wall_ns=SystemClock().now_ns())
    config = replace(QUICK, heartbeat_ms=10**9, marker_spread_s=1, housekeeping_s=10**9)
    async with open_context(tmp_path, wrap=faulty(stores)) as plain:
        context = replace(plain, clock=clock)
        async with running(context, config=config) as partition:
            await until(partition, published(await cuts(partition, 0, 1)))
            maintenance = PartitionMaintenance(partition)
            await maintenance.run_round()
            assert partition.alarms.raised == {}
            stores[0].down = True
            await until(partition, reached(await cuts(partition, 1, 1)))
            clock.advance_ms(1.9 * HOUR * 1000)
            await maintenance.run_round()
            assert partition.alarms.raised == {}
            clock.advance_ms(0.2 * HOUR * 1000)
            await maintenance.run_round()
            assert set(partition.alarms.raised) == {"snapshot_late"}
            stores[0].down = False
            bounds = await partition.log_end.refresh()
            await until(partition, published(bounds.end))
            await maintenance.run_round()
            assert partition.alarms.raised == {}


def test_facts_that_change_no_alarm_are_not_taken_to_the_board() -> None:
    class Board(AlarmBoard):
        def __init__(self) -> None:
            super().__init__(ManualClock())
            self.sets = 0

        def set(self, name: str, text: str | None, partition: int | None = None) -> None:
            self.sets += 1
            super().set(name, text, partition)

    board = Board()
    alarms = Alarms(3, board)
    alarms.update(CALM, 2 * HOUR)
    first = board.sets
    assert first > 0
    for _ in range(10):
        alarms.update(CALM, 2 * HOUR)
    assert board.sets == first
    alarms.update(since(CALM, 3), 2 * HOUR)
    assert set(alarms.raised) == {"snapshot_late"}
    alarms.update(CALM, 2 * HOUR)
    assert alarms.raised == {}
