"""A tail's conditions mean what they mean in a query, and choose from what was just indexed."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.tail.filtered import TAIL_DATABASE, FilteredTail, IndexedRows, filtered_lines
from indexer.tail.registry import TailRegistry
from indexer.tail.tail import TailLimits, TailRecord, TailSubscription
from query.plan.parts.conditions import Filter, FilterOp
from query.share.compute.database import Databases
from query.wire.tail import TailFilter
from tests.query.share import oracle
from tests.query.share.rows import Row, block
from tests.query.share.test_share_against_oracle import ROWS, filters

DATABASES = Databases(TAIL_DATABASE, 1)


def indexed(rows: Sequence[Row], first_offset: int = 0, partition: int = 0) -> IndexedRows:
    """One record per row, as it was sent and as it was indexed."""
    records = tuple(
        TailRecord(bytes([number]) * 16, line(row), first_offset + number)
        for number, row in enumerate(rows)
    )
    return IndexedRows(partition, records, (block(rows, first_offset),))


def line(row: Row) -> bytes:
    data = {name: getattr(value, "text", value) for name, value in row.data.items()}
    return b'{"t":%d,"r":%d,"d":%b}\n' % (row.time_ns, row.rate, json.dumps(data).encode())


def times(lines: bytes) -> list[int]:
    return [json.loads(one)["time"] for one in lines.splitlines() if not one.startswith(b"#")]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=20),
    some=st.lists(filters(), max_size=2),
    any_filter=st.booleans(),
)
def test_a_tail_shows_the_events_that_a_query_counts(
    rows: list[Row], some: list[Filter], any_filter: bool
) -> None:
    choice = TailFilter(tuple(some), any_filter, ("x",))
    hits = [[oracle.matches(f, row) for f in some] for row in rows]
    expected = [
        row.time_ns
        for row, hit in zip(rows, hits, strict=True)
        if not hit or (any(hit) if any_filter else all(hit))
    ]
    assert (
        times(filtered_lines(TailSubscription("d"), choice, [indexed(rows)], DATABASES)) == expected
    )


def test_without_named_fields_the_data_is_as_it_was_sent() -> None:
    rows = [Row(1, {"a": 1}), Row(2, {"a": 2, "b": "x"})]
    choice = TailFilter((Filter("a", FilterOp.EQ, (2,)),))
    [found] = filtered_lines(TailSubscription("d"), choice, [indexed(rows)], DATABASES).splitlines()
    assert found == b'{"time":2,"samplerate":1,"data":{"a": 2, "b": "x"}}'


def test_events_of_several_partitions_come_in_log_order_under_their_headings() -> None:
    choice = TailFilter(fields=("n",))
    some = [
        indexed([Row(9, {"n": 1}), Row(1, {"n": 2})], 5, partition=3),
        indexed([Row(5, {"n": 3})], 7, partition=1),
        indexed([Row(4, {"n": 4})], 7, partition=3),
    ]
    lines = filtered_lines(
        TailSubscription("d", batches=True), choice, some, DATABASES
    ).splitlines()
    assert [one.split()[0] for one in lines if one.startswith(b"#")] == [b"#1", b"#3", b"#3", b"#3"]
    assert [json.loads(o)["data"]["n"] for o in lines if not o.startswith(b"#")] == [3, 1, 2, 4]


def test_only_events_after_a_time_are_shown() -> None:
    rows = [Row(time_ns, {}) for time_ns in (1, 5, 6)]
    subscription = TailSubscription("d", after_ns=5)
    assert times(
        filtered_lines(subscription, TailFilter(fields=()), [indexed(rows)], DATABASES)
    ) == [6]
    latest = TailSubscription("d", after_ns=2**63 - 1)
    assert filtered_lines(latest, TailFilter(fields=()), [indexed(rows)], DATABASES) == b""


def test_the_newest_are_shown_where_too_many_match() -> None:
    rows = [Row(time_ns, {}) for time_ns in range(10)]
    few = TailLimits(events_max=3)
    lines = filtered_lines(
        TailSubscription("d"), TailFilter(fields=()), [indexed(rows)], DATABASES, few
    )
    assert times(lines) == [7, 8, 9]


async def test_a_reader_that_is_slow_loses_the_oldest_and_holds_nothing_up() -> None:
    one = indexed([Row(1, {"n": "x" * 500})])
    tails = TailRegistry(TailLimits(filtered_bytes_max=3 * one.size_bytes))
    tail = tails.open(TailSubscription("d"), TailFilter(fields=("n",)))
    assert isinstance(tail, FilteredTail)
    for number in range(10):
        fresh = indexed([Row(number, {"n": "x" * 500})], number)
        tails.publish("d", 0, fresh.records, fresh.blocks)
    assert tail.dropped == 7
    assert times(await tail.take()) == [7, 8, 9]
    told = tails.open(TailSubscription("d", batches=True), TailFilter(fields=("n",)))
    for number in range(4):
        fresh = indexed([Row(number, {"n": "x" * 500})], number)
        tails.publish("d", 0, fresh.records, fresh.blocks)
    assert (await told.take()).startswith(b"#skipped 1\n#0 ")
    tails.close(told)
    await tail.take()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tail.wait()
    tails.close(tail)
