"""Clocks that leap over a real partition: nothing goes unseen, and what went comes back (I13)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.metadata import Dataset
from common.model.record import Marker, marker_record
from indexer.expiry.trusted_time import Evidence
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from ops.retention import RetentionPeriods, check_retention, confirm, read_retention, restore
from query.plan.plan import Plan
from query.share.compute.covered import covered
from query.share.view.view import ViewRequest
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.documents.locations import segment_key
from snapshot.retention.cutoffs import DAY_NS
from snapshot.verify.verify import verify
from tests.indexer.harness import DATASET, QUICK, open_context, published, record, running, until
from tests.indexer.partition.test_partition import numbers, views_of
from tests.indexer.serve.test_retention_queries import DAY_MS, SHORT

pytestmark = pytest.mark.slow

CUT = marker_record(Marker(hour=None, reason="test"))
HOUSE = replace(QUICK, housekeeping_s=0, retention_grace_s=3600, heartbeat_ms=10**9)
PLAN = Plan(dataset=DATASET, start_ns=0, end_ns=2**62, needs=())


@asynccontextmanager
async def harness(
    folder: Path, zone: str = "a", ahead_ns: int = 0
) -> AsyncIterator[tuple[Partition, PartitionMaintenance, ManualClock]]:
    """A process over the data in `folder`, whose clock is so far ahead of the right one."""
    clock = ManualClock(wall_ns=SystemClock().now_ns() + ahead_ns)
    async with open_context(folder, zone) as plain:
        context = replace(plain, clock=clock)
        async with running(context, config=HOUSE) as partition:
            await until(partition, lambda p: p.pipeline is not None)
            yield partition, PartitionMaintenance(partition), clock


async def fill(partition: Partition) -> None:
    """Two cuts of two datasets."""
    log = partition.shared.context.backends.log
    for n in (1, 2):
        await log.append(0, record([n], batch=10 + n))
        await log.append(0, record([n], batch=20 + n, dataset=SHORT))
        await log.append(0, CUT)
    await until(partition, published(6))


async def rounds(
    maintenance: PartitionMaintenance, clock: ManualClock, minutes: int, step: int = 5
) -> None:
    """So long a time passes, by both clocks."""
    for _ in range(0, minutes, step):
        await maintenance.run_round()
        clock.advance_ms(step * 60_000)
    await maintenance.run_round()


def kept(days: float = 60.0) -> RetentionPeriods:
    return RetentionPeriods(days, {}, 3600)


@pytest.mark.parametrize("days", [61, 62.5, 70, 3650])
async def test_process_that_starts_ahead_expires_nothing_however_long_it_runs(
    tmp_path: Path, days: float
) -> None:
    async with harness(tmp_path) as (partition, maintenance, _):
        await fill(partition)
        await maintenance.run_round()
    for _ in range(2):  # a second start on what the first one's clock has stamped
        async with harness(tmp_path, ahead_ns=int(days * DAY_NS)) as (
            partition,
            maintenance,
            clock,
        ):
            await rounds(maintenance, clock, 180, 30)
            assert await numbers(partition) == [1, 2]
            assert await numbers(partition, SHORT) == [1, 2]
            assert "retention_waits" in partition.alarms.raised
    async with harness(tmp_path) as (partition, maintenance, clock):
        await rounds(maintenance, clock, 10)
        assert await numbers(partition) == [1, 2]
        assert partition.alarms.raised == {}
        objects = partition.shared.context.backends.objects
        assert list(objects.list("retention/")) == []


@pytest.mark.parametrize("days", [61, 70, 3650, -1, -3650])
async def test_clock_that_leaps_while_running_and_back_changes_nothing(
    tmp_path: Path, days: float
) -> None:
    async with harness(tmp_path) as (partition, maintenance, clock):
        await fill(partition)
        await maintenance.run_round()
        for _ in range(3):
            clock.wall_ns += int(days * DAY_NS)
            await rounds(maintenance, clock, 60, 20)
            assert await numbers(partition) == [1, 2]
            if abs(days) > 2:
                assert "clock_leapt" in partition.alarms.raised
            clock.wall_ns -= int(days * DAY_NS)
            await rounds(maintenance, clock, 60, 20)
        assert "clock_leapt" not in partition.alarms.raised
        assert list(partition.shared.context.backends.objects.list("retention/")) == []


@pytest.mark.parametrize(("one", "other"), [(0, 61), (70, 0), (61, 3650), (-3650, 70)])
async def test_twins_expire_nothing_whichever_of_their_clocks_is_wrong(
    tmp_path: Path, one: int, other: int
) -> None:
    async with harness(tmp_path) as (partition, maintenance, _):
        await fill(partition)
        await maintenance.run_round()
    async with (
        harness(tmp_path, "a", one * DAY_NS) as (partition, maintenance, clock),
        harness(tmp_path, "b", other * DAY_NS) as (twin, twins_maintenance, twins_clock),
    ):
        for _ in range(6):
            await rounds(maintenance, clock, 30, 30)
            await rounds(twins_maintenance, twins_clock, 30, 30)
        assert await numbers(partition) == await numbers(twin) == [1, 2]
        assert list(partition.shared.context.backends.objects.list("retention/")) == []


async def test_empty_role_folder_is_no_way_around(tmp_path: Path) -> None:
    """A new machine, or one whose caches were deleted, starts with a wrong clock."""
    async with harness(tmp_path) as (partition, maintenance, _):
        await fill(partition)
    async with harness(tmp_path, "c", 61 * DAY_NS) as (partition, maintenance, clock):
        await rounds(maintenance, clock, 120, 30)
        assert await numbers(partition) == [1, 2]


async def test_empty_partition_is_no_way_around_for_the_others(tmp_path: Path) -> None:
    """One process holds a partition that never had rows and one with events."""
    async with harness(tmp_path) as (partition, maintenance, _):
        await fill(partition)
    async with harness(tmp_path, "c", 61 * DAY_NS) as (partition, maintenance, clock):
        partition.shared.clocks.update(None)
        partition.shared.clocks.update(Evidence(clock.wall_ns, covered=False))
        await rounds(maintenance, clock, 120, 30)
        assert await numbers(partition) == [1, 2]
        assert "retention_waits" in partition.alarms.raised


async def test_installation_that_was_off_for_long_waits_for_a_word_and_goes_on_after_it(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as (partition, maintenance, _):
        await fill(partition)
        await maintenance.run_round()
    async with harness(tmp_path, ahead_ns=90 * DAY_NS) as (partition, maintenance, clock):
        await rounds(maintenance, clock, 10)
        objects = partition.shared.context.backends.objects
        told = partition.alarms.raised["retention_waits"]
        assert "4 events" in told
        assert "bellwether retention confirm" in told
        found = read_retention(objects, 0, kept(), clock.wall_ns)
        assert [(one.dataset, one.rows, one.waits) for one in found.expiring] == [
            (name, 2, True) for name in sorted([DATASET, SHORT])
        ]
        assert confirm(objects, found, clock.wall_ns, "operator") is not None
        await rounds(maintenance, clock, 0)
        assert await numbers(partition) == []
        await partition.shared.context.backends.log.append(0, record([3], batch=33))
        await rounds(maintenance, clock, 10)
        assert "retention_waits" not in partition.alarms.raised
        assert "expired_too_early" not in partition.alarms.raised
        assert partition.shared.clocks.now_ns == clock.wall_ns


async def test_shortened_retention_waits_and_a_word_lets_expire_no_more_than_was_shown(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as (partition, maintenance, clock):
        await fill(partition)
        for _ in range(40):  # of continuous running
            clock.advance_ms(DAY_MS)
            await maintenance.run_round()
        metadata = partition.shared.context.backends.metadata
        metadata.ensure_dataset(Dataset(SHORT, "e", "short", "short", retention_days=30))
        await rounds(maintenance, clock, 60 * 24, 60)
        assert await numbers(partition, SHORT) == [1, 2]
        assert "retention_waits" in partition.alarms.raised
        objects = partition.shared.context.backends.objects
        found = read_retention(objects, 0, RetentionPeriods(60.0, {SHORT: 30}, 3600), clock.wall_ns)
        confirm(objects, found, clock.wall_ns, "operator")
        await rounds(maintenance, clock, 0)
        assert await numbers(partition, SHORT) == []
        assert await numbers(partition) == [1, 2]
        await maintenance.run_round()
        assert partition.alarms.raised == {}


async def expired_by_a_wrong_clock(folder: Path) -> None:
    """An operator believed a clock that was 70 days ahead; it has been set right since."""
    async with harness(folder) as (partition, maintenance, _):
        await fill(partition)
        await maintenance.run_round()
    async with harness(folder, ahead_ns=70 * DAY_NS) as (partition, maintenance, clock):
        objects = partition.shared.context.backends.objects
        await maintenance.run_round()
        found = read_retention(objects, 0, kept(), clock.wall_ns)
        confirm(objects, found, clock.wall_ns, "operator")
        await rounds(maintenance, clock, 30)
        assert await numbers(partition) == []
        assert partition.alarms.raised == {}  # as that clock sees it all is well


async def test_what_expired_before_its_time_is_told_in_answers_and_comes_back_for_both_twins(
    tmp_path: Path,
) -> None:
    await expired_by_a_wrong_clock(tmp_path)
    async with harness(tmp_path) as (partition, maintenance, clock), harness(tmp_path, "b") as twin:
        for some in (maintenance, twin[1]) * 2:
            await some.run_round()
        objects = partition.shared.context.backends.objects
        assert "expired_too_early" in partition.alarms.raised
        for one in (partition, twin[0]):
            async with views_of(one).lease(0, DATASET, ViewRequest()) as view:
                assert view.expired_early == 2
                told = covered(view, PLAN)
                assert not told.complete
                assert "2 events expired before their time" in told.reason
            async with views_of(one).lease(0, DATASET, ViewRequest(0, 1)) as view:
                assert view.expired_early == 0  # none of them is dated within that range
        await rounds(maintenance, clock, 60 * 24, 60)  # far beyond the grace time
        assert len(list(objects.list("segments/"))) == 4
        (finding, *_) = check_retention(objects, [0], kept(), clock.wall_ns)
        assert finding.verdict.value == "fail"
        assert "restore" in finding.remedy
        assert restore(objects, 0, kept(), clock.wall_ns, "operator") == (4, 4, [])
        for number, (one, keeper) in enumerate(((partition, maintenance), twin[:2])):
            await keeper.run_round()
            await until(one, lambda p: p.view is not None and len(p.view.all_segments()) == 4)
            assert await numbers(one) == [1, 2], number
            assert await numbers(one, SHORT) == [1, 2]
            assert one.retention.expired_early == ()
            await rounds(keeper, clock, 0)
            await rounds(keeper, clock, 0)
            assert one.alarms.raised == {}
        report = await verify(objects, partition.shared.context.backends.log, [0])
        assert report.clean, report.problems
        assert report.rows == 4
    async with harness(tmp_path, "c") as (other, maintenance, clock):  # and after a bootstrap
        await rounds(maintenance, clock, 60)
        assert await numbers(other) == [1, 2]


async def test_clock_that_is_set_right_while_running_shows_what_went_too_early(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as (partition, maintenance, clock):
        await fill(partition)
        await maintenance.run_round()
        clock.wall_ns += 70 * DAY_NS
        objects = partition.shared.context.backends.objects
        confirm(
            objects, read_retention(objects, 0, kept(), clock.wall_ns), clock.wall_ns, "operator"
        )
        await rounds(maintenance, clock, 10)
        assert await numbers(partition) == []
        clock.wall_ns -= 70 * DAY_NS
        await rounds(maintenance, clock, 10)
        assert "4 events expired before their time" in partition.alarms.raised["expired_too_early"]
        async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
            assert view.expired_early == 2


async def test_time_that_was_confirmed_by_mistake_counts_no_longer_after_the_restoration(
    tmp_path: Path,
) -> None:
    ahead_ns = 61 * DAY_NS  # the events would expire in a step of one day
    async with harness(tmp_path) as (partition, maintenance, _):
        await fill(partition)
        await maintenance.run_round()
    async with harness(tmp_path, ahead_ns=ahead_ns) as (partition, maintenance, clock):
        objects = partition.shared.context.backends.objects
        found = read_retention(objects, 0, kept(), clock.wall_ns)
        confirm(objects, found, clock.wall_ns + DAY_NS, "operator")
        await rounds(maintenance, clock, 30)
        assert await numbers(partition) == []
    async with harness(tmp_path, "b") as (partition, maintenance, clock):
        assert restore(objects, 0, kept(), clock.wall_ns, "operator") == (4, 4, [])
        await maintenance.run_round()
        await until(partition, lambda p: p.view is not None and bool(p.view.segments))
        clock.wall_ns += ahead_ns
        await rounds(maintenance, clock, 180)
        assert await numbers(partition) == [1, 2]


async def test_restored_events_that_are_old_by_the_right_clock_expire_again_in_their_time(
    tmp_path: Path,
) -> None:
    await expired_by_a_wrong_clock(tmp_path)
    async with harness(tmp_path) as (partition, maintenance, clock):
        objects = partition.shared.context.backends.objects
        restore(objects, 0, kept(), clock.wall_ns, "operator", datasets=frozenset({SHORT}))
        await maintenance.run_round()
        await until(partition, lambda p: p.view is not None and bool(p.view.segments))
        assert await numbers(partition, SHORT) == [1, 2]
        assert await numbers(partition) == []
        for _ in range(62):
            clock.advance_ms(DAY_MS)
            await maintenance.run_round()
        assert await numbers(partition, SHORT) == []
        await rounds(maintenance, clock, 180, 60)
        assert list(objects.list("segments/")) == []


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    await expired_by_a_wrong_clock(tmp_path)
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "objects").rglob("*")}
    async with open_context(tmp_path, "z") as context:
        found = read_retention(context.backends.objects, 0, kept(), context.clock.now_ns())
        assert [(one.rows, one.early_rows) for one in found.recoverable] == [(2, 2), (2, 2)]
        assert found.early_rows == 4
        assert ReadOnlyStore(context.backends.objects).put_if_absent("retention/x", b"")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "objects").rglob("*")} == files


async def test_objects_stay_while_the_clock_leaps_and_nobody_has_run_for_the_grace_time(
    tmp_path: Path,
) -> None:
    async with harness(tmp_path) as (partition, maintenance, clock):
        metadata = partition.shared.context.backends.metadata
        metadata.ensure_dataset(Dataset(SHORT, "e", "short", "short", retention_days=1))
        await fill(partition)
        await maintenance.run_round()
        assert partition.view is not None
        old = [entry.object for entry in partition.view.visible(SHORT)]
        clock.advance_ms(1.5 * DAY_MS)
        await maintenance.run_round()
        assert await numbers(partition, SHORT) == []
        objects = partition.shared.context.backends.objects
        clock.wall_ns += 70 * DAY_NS
        await rounds(maintenance, clock, 50)
        assert all(objects.head(segment_key(name)) is not None for name in old)
        clock.wall_ns -= 70 * DAY_NS
        await rounds(maintenance, clock, 20)
        assert all(objects.head(segment_key(name)) is None for name in old)


async def test_log_keeps_what_repairs_need_while_the_clock_leaps(tmp_path: Path) -> None:
    async with harness(tmp_path) as (partition, maintenance, clock):
        await fill(partition)
        await maintenance.run_round()
        asked: list[int] = []
        log = partition.shared.context.backends.log

        async def drop_before(_partition: int, offset: int) -> int:
            asked.append(offset)
            return 0

        log.drop_before = drop_before  # type: ignore[method-assign]
        clock.wall_ns += 3650 * DAY_NS
        await rounds(maintenance, clock, 23 * 60, 60)
        assert asked == []
        clock.wall_ns -= 3650 * DAY_NS
        await rounds(maintenance, clock, 120, 60)
        assert asked
        assert set(asked) == {6}
