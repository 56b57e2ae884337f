"""What a lease offers: by time range, by position, and honest about what may be missing (I7)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import msgspec

from common import limits
from common.clock import ManualClock
from common.errors import LogUnavailable
from common.log import Bounds
from common.model.record_value import encode_event_line, events_record
from indexer.partition.index_batch import index_batch
from indexer.shred import Accepted
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import LiveRows
from query.share.pruning.trace_filters import TextLookup
from query.share.view.view import ViewRequest
from snapshot.documents.locations import segment_key
from tests.indexer.harness import (
    DATASET,
    TIME_NS,
    append,
    open_context,
    published,
    reached,
    record,
    running,
    until,
)
from tests.indexer.partition.test_partition import CUT, Beheaded, numbers, numbers_in, views_of
from tests.waiting import PATIENCE_S, eventually


async def test_record_with_another_count_than_its_header_is_set_aside_whole(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1])
        for count, first in ((3, 2), (1, 4)):
            wrong = msgspec.structs.replace(record([first, first + 1]), n=count)
            await log.append(0, wrong)
        await append(log, [6])
        await until(partition, reached(4))
        assert await numbers(partition) == [1, 6]
        assert [(e.offset, "header" in e.reason) for e in partition.damage.newest] == [
            (1, True),
            (2, True),
        ]


async def test_damaged_segment_outside_the_time_range_leaves_the_answer_whole(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        await append(log, [1_000])
        await log.append(0, CUT)
        await until(partition, published(4))
        assert partition.view is not None
        old, new = partition.view.visible(DATASET)
        for path in (
            partition.shared.cache.path(old.object),
            tmp_path / "objects" / segment_key(old.object),
        ):
            path.unlink()
        views = views_of(partition)
        async with views.lease(0, DATASET, ViewRequest(start_ns=TIME_NS + 2)) as view:
            assert view.unserved == ()
            assert numbers_in(view) == [1_000]
        async with views.lease(0, DATASET, ViewRequest(end_ns=TIME_NS + 2)) as view:
            assert view.unserved == (old.object,)
        async with views.lease(0, DATASET, ViewRequest(end_ns=new.time_min_ns)) as view:
            assert view.unserved == (old.object,)


async def test_position_beyond_the_logs_end_or_of_another_log_is_not_waited_for(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [1])
        await until(partition, reached(1))
        assert partition.view is not None
        present = partition.view.epoch.log
        for log, offset in ((present, 99), ("f00d", 99)):
            wanted = ViewRequest(log=log, at_least=offset, timeout_ms=600_000)
            async with (
                asyncio.timeout(PATIENCE_S),
                views_of(partition).lease(0, DATASET, wanted) as view,
            ):
                assert view.end_offset == 1


async def test_replaced_log_tells_how_far_the_earlier_one_was_indexed(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        log = context.backends.log
        await append(log, [1])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(2))
            earlier = partition.view.epoch.log if partition.view else ""
    (tmp_path / "log").rename(tmp_path / "log-lost")
    async with open_context(tmp_path) as context, running(context) as partition:
        await until(partition, reached(0))
        async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
            assert view.earlier == {earlier: 2}


async def test_resumed_indexer_says_that_it_catches_up_until_all_rows_are_back(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        await append(context.backends.log, [1], [2])
        slow = Beheaded(context.backends.log, 0)
        slow.blocked = True
        object.__setattr__(context.backends, "log", slow)
        async with running(context) as partition:
            await until(partition, lambda p: p.view is not None)
            async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
                assert view.catching_up
            slow.blocked = False
            async with views_of(partition).lease(
                0, DATASET, ViewRequest(timeout_ms=60_000)
            ) as view:
                assert not view.catching_up
                assert numbers_in(view) == [1, 2]


async def test_indexer_that_was_stopped_for_a_minute_knows_that_it_is_behind(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        slow = Beheaded(context.backends.log, 0)
        object.__setattr__(context.backends, "log", slow)
        async with running(context) as partition:
            await append(slow, [1])  # type: ignore[arg-type]  # stands in for the log
            await until(partition, reached(1))
            slow.blocked = True
            await eventually(lambda: not slow.reading)
            await append(slow, [2])  # type: ignore[arg-type]  # stands in for the log
            views = views_of(partition)
            async with views.lease(0, DATASET, ViewRequest()) as view:
                assert not view.catching_up  # an ordinary lag of a moment
            partition.log_end._refreshed_ns = 0  # as if no code of ours had run for long
            async with views.lease(0, DATASET, ViewRequest()) as view:
                assert view.catching_up
            slow.blocked = False
            await until(partition, reached(2))
            async with views.lease(0, DATASET, ViewRequest()) as view:
                assert not view.catching_up


async def test_stopped_partition_says_so_in_its_views(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context, running(context) as partition:
        newer = msgspec.structs.replace(record([1]), version=99)
        await context.backends.log.append(0, newer)
        await until(partition, lambda p: p.stopped_reason is not None)
        async with views_of(partition).lease(0, DATASET, ViewRequest()) as view:
            assert "newer" in view.stopped


def test_range_of_append_times_does_not_rest_on_the_order_of_the_log() -> None:
    batch = [Accepted(offset, at, record([offset])) for offset, at in enumerate((5, 9, 3))]
    indexed = index_batch(ReferenceShredder(), LiveRows(0), batch, 3, frozenset())
    rows = indexed.live.current[DATASET]
    assert (rows.append_min_ns, rows.append_max_ns) == (3, 9)


async def test_position_is_waited_for_while_the_logs_end_cannot_be_seen(tmp_path: Path) -> None:
    """A leader that does not answer us is read around; its end is not known meanwhile."""
    async with open_context(tmp_path) as context, running(context) as partition:
        await append(context.backends.log, [1])
        await until(partition, reached(1))

        async def bounds(number: int) -> Bounds:
            raise LogUnavailable(f"partition {number} does not answer")

        object.__setattr__(context.backends.log, "bounds", bounds)
        wanted = ViewRequest(log=partition.view.epoch.log, at_least=2, timeout_ms=60_000)  # type: ignore[union-attr]
        leased = views_of(partition).lease(0, DATASET, wanted)
        waiting = asyncio.create_task(leased.__aenter__())
        await asyncio.sleep(0)
        await append(context.backends.log, [2])
        assert (await waiting).end_offset == 2
        await leased.__aexit__(None, None, None)


async def test_answer_does_not_wait_long_for_a_log_that_does_not_answer(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        open_context(tmp_path) as context,
        running(replace(context, clock=clock)) as partition,
    ):
        await append(context.backends.log, [1])
        await until(partition, reached(1))

        async def bounds(number: int) -> Bounds:
            await asyncio.Event().wait()
            raise AssertionError(number)

        object.__setattr__(context.backends.log, "bounds", bounds)
        clock.advance_ms(60_000)
        async with views_of(partition, log_end_wait_s=0.01).lease(
            0, DATASET, ViewRequest()
        ) as view:
            assert (view.end_offset, view.catching_up) == (1, True)


async def test_a_lookup_leaves_out_segments_without_the_text_and_says_the_same_of_the_rest(
    tmp_path: Path,
) -> None:
    lookup = TextLookup.of(("trace_id",), ["b" * 32])
    async with open_context(tmp_path) as context, running(context) as partition:
        log = context.backends.log
        for number, trace in enumerate((b"a", b"b", b"c", b"b")):
            data = b'{"n":%d,"trace_id":"%b"}' % (number, trace * 32)
            line = encode_event_line(TIME_NS, 1, data)
            sent = events_record(
                team="t",
                env="e",
                dataset=DATASET,
                batch=number.to_bytes(16, "big"),
                depth=0,
                via="test",
                lines=[line] * (limits.SMALL_SEGMENT_ROWS + 1),  # small ones have no filter
            )
            await log.append(0, sent)
            await log.append(0, CUT)
        await until(partition, published(8))
        leases = views_of(partition)
        fields = frozenset({"n", "trace_id"})
        for _ in range(2):  # the first one reads the filters, the second one has them
            async with leases.lease(0, DATASET, ViewRequest(fields=fields)) as whole:
                assert set(numbers_in(whole)) == {0, 1, 2, 3}
            wanted = ViewRequest(fields=fields, lookup=lookup)
            async with leases.lease(0, DATASET, wanted) as view:
                assert set(numbers_in(view)) >= {1, 3}
                assert len(view.segments) < 4
                assert replace(view, segments=()) == replace(whole, segments=())
        other = TextLookup.of(("trace_id",), ["f" * 32])
        async with leases.lease(0, DATASET, ViewRequest(fields=fields, lookup=other)) as view:
            assert view.segments == ()
