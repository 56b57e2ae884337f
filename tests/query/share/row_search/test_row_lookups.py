"""Rows that are looked up by a trace come in one statement, and are those of two statements."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.model.reroute import EpochOffset
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Plan, RowPosition, RowsWanted
from query.share.compute.computation import Computation
from query.share.pruning.footer_facts import FooterFacts
from query.share.row_search.search import RowSearch
from query.share.view.view import DatasetView
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, segment, view
from tests.query.share.test_share_against_oracle import ROWS, SPAN_S, filters

ALLOWED = databases()
IN_A_FILTER = limits.SMALL_SEGMENT_ROWS + 1  # a smaller segment has no bloom filter
TRACES = ("a", "b", "c")


def plan(*some: Filter, wanted: RowsWanted, **more: Any) -> Plan:
    return Plan(
        dataset="d", start_ns=0, end_ns=SPAN_S * 10**9, needs=(), filters=some, rows=wanted, **more
    )


def of_trace(trace: str) -> Filter:
    return Filter("trace_id", FilterOp.EQ, (trace,))


def answer(asked: Plan, views: Sequence[DatasetView], facts: FooterFacts | None) -> Any:
    found = Computation(asked, views, ALLOWED, None, facts).run()
    return found.report, found.states["main"].to_pylist(), found.states["more"].to_pylist()


def statements(asked: Plan, views: Sequence[DatasetView]) -> tuple[int, pa.Table]:
    """How many statements a search runs, and what it finds."""
    asked_sql, found = search(asked, views)
    return len(asked_sql), found


def search(asked: Plan, views: Sequence[DatasetView]) -> tuple[list[str], pa.Table]:
    """The statements of a search, and what it finds."""
    asked_sql: list[str] = []
    assert asked.rows is not None
    with ALLOWED.use() as connection:

        def ask(sql: str, parameters: list[str], tables: Mapping[str, pa.Table]) -> pa.Table:
            asked_sql.append(sql)
            for name, table in tables.items():
                connection.register(name, table)
            return connection.sql(sql, params=parameters or None).to_arrow_table()

        found = RowSearch(asked, asked.rows, views, FooterFacts()).run(ask)["main"]
    return asked_sql, found


def spans(count: int, traces: int, first: int = 0) -> list[Row]:
    return [
        Row((first + at) * 10**6, {"trace_id": TRACES[at % traces], "n": first + at})
        for at in range(count)
    ]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(
        st.lists(st.tuples(ROWS, st.sampled_from(TRACES)), min_size=3, max_size=9),
        min_size=1,
        max_size=5,
    ),
    times=st.integers(1, 30),
    op=st.sampled_from([FilterOp.EQ, FilterOp.EQ, FilterOp.IN, FilterOp.NE]),
    more=st.lists(filters(), max_size=1),
    either=st.booleans(),
    limit=st.integers(1, 90),
    oldest=st.booleans(),
    fields=st.sampled_from([None, None, ("x",), ("none",), ("y", "trace_id")]),
    after=st.none() | st.integers(0, SPAN_S - 1),
    upto=st.none() | st.integers(0, 150),
)
def test_what_is_looked_up_is_what_two_statements_find(
    parts: list[list[tuple[Row, str]]],
    times: int,
    op: FilterOp,
    more: list[Filter],
    either: bool,
    limit: int,
    oldest: bool,
    fields: tuple[str, ...] | None,
    after: int | None,
    upto: int | None,
    tmp_path: Path,
) -> None:
    segments, first = [], 0
    for part in parts:
        rows = [replace(row, data={**row.data, "trace_id": trace}) for row, trace in part]
        rows *= max(times, IN_A_FILTER // len(rows) + 1)
        segments.append(segment(rows, tmp_path, first))
        first += len(rows)
    # some rows are hidden, of a part that has expired
    segments[0] = replace(segments[0], visible=((2, segments[0].end_offset - 3),))
    views = [view(segments=segments, blocks=[block(rows[:3], first)], end_offset=first + 3)]
    position = None if after is None else RowPosition(after * 10**9, 0, 1, first // 2, 0)
    wanted = RowsWanted(limit=limit, bytes_max=4_000, fields=fields, oldest=oldest, after=position)
    named = Filter("trace_id", op, TRACES[:2] if op is FilterOp.IN else TRACES[:1])
    asked = plan(
        named, *more, wanted=wanted, any_filter=either, upto={} if upto is None else {0: upto}
    )
    assert answer(asked, views, FooterFacts()) == answer(asked, views, None)


def test_a_trace_in_two_of_many_segments_takes_two_statements(tmp_path: Path) -> None:
    others = [
        segment([replace(row, data={"trace_id": f"{at} {row.time_ns}"}) for row in spans(40, 1)],
                tmp_path, 100 * at)
        for at in range(20)
    ]  # fmt: skip
    holding = [segment(spans(50, 2, 50 * at), tmp_path, 5_000 + 50 * at) for at in range(2)]
    views = [view(segments=[*others, *holding])]
    asked = plan(of_trace("b"), wanted=RowsWanted(limit=101, bytes_max=10**6))
    count, found = statements(asked, views)
    assert count == 2
    assert found.num_rows == 50
    assert b'"trace_id":"b"' in found.column("data")[0].as_py()


def test_no_more_rows_are_looked_up_when_they_fill_an_answer(tmp_path: Path) -> None:
    long = [replace(row, data={**row.data, "text": "x" * 1_000}) for row in spans(160, 1)]
    parts = [long[at : at + 40] for at in range(0, 160, 40)]
    views = [view(segments=[segment(part, tmp_path, 40 * at) for at, part in enumerate(parts)])]
    asked = plan(of_trace("a"), wanted=RowsWanted(limit=200, bytes_max=60_000))
    asked_sql, found = search(asked, views)
    looked_up = [sql for sql in asked_sql if sql.startswith("SELECT * FROM")]
    assert len(looked_up) == 2  # the second one goes beyond what an answer may have
    assert 50 < found.num_rows < 60
    assert answer(asked, views, FooterFacts()) == answer(asked, views, None)


def test_more_rows_than_are_looked_up_are_found_all_the_same(tmp_path: Path) -> None:
    views = [view(segments=[segment(spans(400, 2), tmp_path)])]
    for limit in (10, 64, 65, 150, 300):
        asked = plan(of_trace("a"), wanted=RowsWanted(limit=limit, bytes_max=10**6))
        count, found = statements(asked, views)
        assert count >= 3  # the look-up in vain, positions, fields
        times = found.column("t").to_pylist()
        assert times == [at * 10**6 for at in range(398, -1, -2)][:limit]


@pytest.mark.parametrize("op", [FilterOp.NE, FilterOp.STARTS, FilterOp.EXISTS])
def test_other_conditions_are_no_look_up(op: FilterOp, tmp_path: Path) -> None:
    one = segment(spans(40, 3), tmp_path)
    values = () if op is FilterOp.EXISTS else ("a",)
    wanted = RowsWanted(limit=5, bytes_max=10**6)
    facts = FooterFacts()
    assert facts.are_looked_up(plan(of_trace("a"), wanted=wanted), one)
    assert not facts.are_looked_up(plan(Filter("trace_id", op, values), wanted=wanted), one)
    either = of_trace("a"), Filter("n", FilterOp.EQ, (1,))
    assert facts.are_looked_up(plan(*either, wanted=wanted), one)
    assert not facts.are_looked_up(plan(*either, wanted=wanted, any_filter=True), one)
    assert not facts.are_looked_up(plan(Filter("n", FilterOp.EQ, (1,)), wanted=wanted), one)


def test_batches_that_count_elsewhere_are_not_looked_up(tmp_path: Path) -> None:
    views = [view(segments=[segment(spans(40, 1), tmp_path)])]
    dropped = [replace(views[0], dropped=(EpochOffset(1, 3), EpochOffset(1, 39)))]
    asked = plan(of_trace("a"), wanted=RowsWanted(limit=60, bytes_max=10**6))
    assert answer(asked, dropped, FooterFacts()) == answer(asked, dropped, None)
    count, found = statements(asked, dropped)
    assert (count, found.num_rows) == (1, 38)
    assert not {3, 39} & set(found.column("o").to_pylist())


def test_short_rows_of_a_page_come_in_one_statement(tmp_path: Path) -> None:
    short = [Row(at, {"x": at, "list": Json("[1]")}) for at in range(200)]
    asked = plan(wanted=RowsWanted(limit=limits.ROWS_LIMIT_DEFAULT + 1, bytes_max=10**6))
    count, found = statements(asked, [view(segments=[segment(short, tmp_path)])])
    assert (count, found.num_rows) == (2, 101)
    dice = random.Random(1)
    long = [Row(at, {"x": dice.randbytes(400).hex()}) for at in range(200)]
    count, found = statements(asked, [view(segments=[segment(long, tmp_path)])])
    assert (count, found.num_rows) == (3, 101)
