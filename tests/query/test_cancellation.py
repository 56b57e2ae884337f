"""Work that nobody waits for ends between its steps, in an indexer and in a query role."""

import threading
from pathlib import Path

import pytest

from common import limits
from query.cancellation import Cancellation, WorkCancelled, cancellable, check_cancelled
from query.config import QueryConfig
from query.expressions.sql.builder import Builder
from query.plan.parts.conditions import GroupKey
from query.plan.plan import Plan
from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.formulas.evaluate import _DATABASES
from query.results.merge.merge import merge
from query.results.rows.results import RowMaker, series_parts
from query.results.totals.series import with_steps
from query.share.compute.computation import Computation
from query.share.compute.errors import ShareCancelled
from query.share.sources.small_segments import SmallSegments
from query.share.sources.sources import gather
from tests.query.harness import TIMES, query_harness
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, segment, view
from tests.waiting import eventually

SPEC = QuerySpec((Calculation("COUNT"),), breakdowns=("x",), start_s=0, end_s=10)
ASKED = build_request(SPEC, "d", 10**18)
ROWS = [Row(at * 10**9, {"x": at}) for at in range(10)]


def plan() -> Plan:
    return with_steps(ASKED, totals_plan(ASKED, at_least={}, wait_ms=0))


def test_only_the_work_of_the_block_is_cancelled() -> None:
    cancelled = threading.Event()
    with cancellable(cancelled):
        check_cancelled()
        cancelled.set()
        with pytest.raises(WorkCancelled):
            check_cancelled()
        other = threading.Thread(target=check_cancelled)
        other.start()
        other.join()
    check_cancelled()


def test_merging_values_and_rows_of_series_are_steps() -> None:
    share = Computation(plan(), [view(blocks=[block(ROWS)])], databases()).run()
    merged = merge(plan(), [share.states])
    groups: list[GroupKey] = [(at,) for at in range(10)]
    parts = series_parts(ASKED, plan(), merged, groups)
    cancelled = threading.Event()
    cancelled.set()
    with cancellable(cancelled):
        with pytest.raises(WorkCancelled):
            merge(plan(), [share.states])
        with pytest.raises(WorkCancelled):
            merged.by(["k0_n"])
        with pytest.raises(WorkCancelled):
            RowMaker(SPEC, plan(), merged)
    assert sum(part[1] for part in parts) == 10
    rows = series_parts(ASKED, plan(), merged, groups)
    with cancellable(cancelled), pytest.raises(WorkCancelled):
        next(rows)


def test_segments_are_not_opened_for_a_share_that_was_cancelled(tmp_path: Path) -> None:
    one = segment(ROWS, tmp_path)
    small = SmallSegments()
    share = Computation(plan(), [view(segments=[one])], databases(), small)
    share.cancel()
    with pytest.raises(ShareCancelled):
        share.run()
    assert small.bytes_held == 0
    cancelled = threading.Event()
    cancelled.set()
    with cancellable(cancelled), pytest.raises(WorkCancelled):
        gather(plan(), [view(blocks=[block(ROWS)])])


ENDLESS = "SELECT sum(a.range * b.range) AS n FROM range(1000000000000) a, range(1000000) b"


def test_a_statement_is_interrupted_and_its_database_serves_the_next() -> None:
    cancelled, begun, ended = Cancellation(), threading.Event(), list[type[Exception]]()

    def run() -> None:
        try:
            with cancellable(cancelled), databases().use() as connection:
                begun.set()
                connection.sql(ENDLESS).to_arrow_table()
        except WorkCancelled as error:
            ended.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    while thread.is_alive():
        cancelled.set()
        thread.join(0.02)
    assert ended == [WorkCancelled]
    with databases().use() as connection:
        assert connection.sql("SELECT 1").fetchall() == [(1,)]


async def test_statements_of_a_query_role_end_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = list[str]()

    def endless(_: Builder, rows: str) -> str:
        running.append(rows)
        return ENDLESS

    spec = {
        **TIMES,
        "calculations": [{"op": "COUNT", "name": "n"}],
        "formulas": [{"name": "twice", "expression": "$n * 2"}],
    }
    config = QueryConfig(timeout_ms=1_500)
    async with query_harness(tmp_path, config=config) as there:
        with monkeypatch.context() as patched:
            patched.setattr(Builder, "select", endless)
            body = {"query": spec, "wait_s": 20}
            status, answer = await there.post("/1/query_results/shop", body)
            assert status == 503, answer
            assert running
            await eventually(lambda: _DATABASES._room._value == limits.MERGES_MAX)
        answer = await there.ask(spec)
        assert answer["data"]["results"] == [{"data": {"n": 100, "twice": 200}}]
