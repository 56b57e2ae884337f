"""Work that nobody waits for ends between its steps, in an indexer and in a query role."""

import threading
from pathlib import Path

import pytest

from query.cancellation import WorkCancelled, cancellable, check_cancelled
from query.plan.parts.conditions import GroupKey
from query.plan.plan import Plan
from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.merge import merge
from query.results.results import RowMaker, series_parts
from query.results.series import with_steps
from query.share.compute import Computation, ShareCancelled
from query.share.small_segments import SmallSegments
from query.share.sources import gather
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, segment, view

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
