"""A share is locked down, cancellable, bounded, and honest about the error of its estimates."""

import random
import threading
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from common import limits
from common.errors import BellwetherError
from common.process.versions import OWN
from query.plan.plan import Need, Plan, State
from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, QuerySpec
from query.results.merge.distinct import Hashes
from query.results.merge.merge import merge
from query.results.totals.totals import merge_totals
from query.share.compute.answer import decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.compute.database import Databases
from query.share.compute.errors import ShareCancelled
from query.share.compute.too_heavy import ShareTooHeavy
from query.share.states.distinct import DistinctHashes
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn
from tests.query.share.databases import databases
from tests.query.share.rows import Row, block, dense_block, segment, view
from tests.waiting import PATIENCE_S

ALLOWED = databases()


def wide_block(values: list[float]) -> ColumnBlock:
    return dense_block({ColumnKey("x", FieldType.FLOAT): pa.array(values, pa.float64())})


def plan_of(*needs: Need, breakdowns: tuple[str, ...] = ()) -> Plan:
    return Plan(dataset="d", start_ns=0, end_ns=10**18, needs=needs, breakdowns=breakdowns)


def test_cancelled_share_stops() -> None:
    values = np.random.default_rng(1).random(400_000).tolist()
    heavy = Computation(
        plan_of(Need(State.DISTINCT, "x")), [view(blocks=[wide_block(values)])], ALLOWED
    )
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            heavy.run()
        except ShareCancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    heavy.cancel()
    thread.start()
    while thread.is_alive():
        heavy.cancel()
        thread.join(0.01)
    assert len(outcome) == 1


def test_a_share_that_is_cancelled_between_two_batches_of_values_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(1).random(400_000).tolist()
    heavy = Computation(
        plan_of(Need(State.DISTINCT, "x")), [view(blocks=[wide_block(values)])], ALLOWED
    )
    add = DistinctHashes.add

    def add_and_cancel(to: DistinctHashes, batch: pa.RecordBatch) -> None:
        add(to, batch)
        heavy.cancel()

    monkeypatch.setattr(DistinctHashes, "add", add_and_cancel)
    with pytest.raises(ShareCancelled):
        heavy.run()
    monkeypatch.setattr(DistinctHashes, "add", add)
    again = Computation(plan_of(Need(State.DISTINCT, "x")), [view()], ALLOWED).run()
    assert again.states["main"].num_rows == 1


def test_a_share_that_ends_while_it_is_cancelled_closes_its_connection_afterwards() -> None:
    """DuckDB refuses to interrupt a closed connection, with an error of its own."""
    asked, entered, closed = threading.Event(), threading.Event(), threading.Event()
    closed_meanwhile: list[bool] = []

    class Connection:
        def sql(self, *_: object, **__: object) -> None:
            asked.set()
            assert entered.wait(PATIENCE_S)
            raise duckdb.InterruptException

        def interrupt(self) -> None:
            entered.set()
            closed_meanwhile.append(closed.wait(0.1))

        def close(self) -> None:
            closed.set()

        execute = sql

    class Database:
        def cursor(self) -> Connection:
            return Connection()

        def close(self) -> None:
            return None

    class Opened(Databases):
        def _open(self, spill: Path | None) -> Any:
            return Database()

    share = Computation(plan_of(Need(State.COUNT)), [view()], Opened(ALLOWED.allowed, 1))
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            share.run()
        except ShareCancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert asked.wait(PATIENCE_S)
    share.cancel()
    thread.join(PATIENCE_S)
    assert closed_meanwhile == [False]
    assert len(outcome) == 1


def test_groups_beyond_the_memory_of_a_share_are_refused_and_distinct_values_need_none() -> None:
    texts = pa.array([f"{at:06d}" + "x" * 200 for at in range(300_000)], FieldType.STRING.arrow)
    rows = dense_block({ColumnKey("x", FieldType.STRING): texts})
    little = databases(memory_mb=40)
    with pytest.raises(ShareTooHeavy, match="needs more memory"):
        Computation(plan_of(Need(State.COUNT), breakdowns=("x",)), [view(blocks=[rows])],
                    little).run()  # fmt: skip
    counted = Computation(plan_of(Need(State.DISTINCT, "x")), [view(blocks=[rows])], little).run()
    assert counted.states["main"].column("n").to_pylist() == [300_000]
    assert len(counted.states["a0"].column("a0_h")[0]) == limits.DISTINCT_EXACT_MAX


def test_share_with_too_many_groups_is_refused() -> None:
    allowed = databases(rows_max=50)
    rows = [Row(0, {"x": i}) for i in range(51)]
    one = view(blocks=[block(rows)])
    with pytest.raises(ShareTooHeavy, match="more than 50 groups"):
        Computation(plan_of(Need(State.COUNT), breakdowns=("x",)), [one], allowed).run()


def test_the_states_of_all_calculations_together_are_bounded() -> None:
    rows = [Row(at, {"x": at % 7, "y": at % 5, "g": f"{at % 5_000:0200d}"}) for at in range(10_000)]
    one = view(blocks=[block(rows)])
    counted, other = Need(State.DISTINCT, "x"), Need(State.DISTINCT, "y")
    first = Computation(plan_of(counted, breakdowns=("g",)), [one], ALLOWED).run().states["main"]
    allowed = databases(bytes_max=first.nbytes * 3 // 2)
    Computation(plan_of(counted, breakdowns=("g",)), [one], allowed).run()
    Computation(plan_of(other, breakdowns=("g",)), [one], allowed).run()
    with pytest.raises(ShareTooHeavy, match="which one share may send"):
        Computation(plan_of(counted, other, breakdowns=("g",)), [one], allowed).run()


def test_numbers_that_are_given_up_for_buckets_do_not_count_as_states(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "QUANTILE_EXACT_PAIRS_MAX", 2_000)
    # the first rows are alike, so that numbers are tried
    rows = [Row(at, {"x": max(0, at - 6_000), "g": f"{at % 1_500:0200d}"}) for at in range(9_000)]
    plan = plan_of(Need(State.QUANTILE, "x"), breakdowns=("g",))
    made = Computation(plan, [view(blocks=[block(rows)])], ALLOWED).run().states["main"]
    assert "a0_e" in made.column_names
    allowed = databases(bytes_max=made.nbytes * 3 // 2)
    Computation(plan, [view(blocks=[block(rows)])], allowed).run()


def test_a_refused_share_leaves_the_memory_of_its_database_to_the_next_one() -> None:
    texts = pa.array([f"{at:06d}" + "x" * 100 for at in range(100_000)], FieldType.STRING.arrow)
    rows = dense_block({ColumnKey("x", FieldType.STRING): texts})
    allowed = databases(rows_max=10_000)
    refused = Computation(
        plan_of(Need(State.COUNT), breakdowns=("x",)), [view(blocks=[rows])], allowed
    )
    with pytest.raises(ShareTooHeavy) as kept:
        refused.run()
    with allowed.use() as after:
        held = after.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()
    assert kept.value.__traceback__ is not None  # the error is not gone yet
    assert held[0][0] < 2**20


def test_share_whose_states_are_too_large_is_refused_and_never_in_memory_as_a_whole() -> None:
    mebibyte = 2**20
    allowed = databases(bytes_max=8 * mebibyte)
    texts = pa.array([f"{at:05d}" + "x" * 2_000 for at in range(40_000)], FieldType.STRING.arrow)
    rows = dense_block({ColumnKey("x", FieldType.STRING): texts})
    grouped = plan_of(Need(State.COUNT), breakdowns=("x",))
    heavy = Computation(grouped, [view(blocks=[rows])], allowed)
    with pytest.raises(ShareTooHeavy, match="more than 8 MiB, which one share may send"):
        heavy.run()
    assert 8 * mebibyte < heavy._bytes < 16 * mebibyte  # of 80
    again = Computation(plan_of(Need(State.COUNT)), [view(blocks=[rows])], allowed).run()
    assert again.states["main"].column("a0_w").to_pylist() == [40_000]


def test_distinct_values_of_many_groups_take_memory_for_their_values_alone() -> None:
    rows = [Row(at, {"x": at % 7, "g": at % 5_000}) for at in range(10_000)]
    plan = plan_of(Need(State.DISTINCT, "x"), breakdowns=("g",))
    answer = Computation(plan, [view(blocks=[block(rows)])], ALLOWED).run()
    counts = merge(plan, [answer.states]).distinct[0].counts()
    assert counts.tolist() == [2] * 5_000


def test_damaged_file_is_an_error_not_an_answer(tmp_path: Path) -> None:
    one = segment([Row(0, {"x": 1})], tmp_path)
    one.path.write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    with pytest.raises(BellwetherError, match=r"cannot be computed: \w+ at query/"):
        Computation(plan_of(Need(State.NUMBER, "x")), [view(segments=[one])], ALLOWED).run()


def test_many_distinct_values_are_estimated_within_a_few_standard_errors() -> None:
    values = [float(i) + 0.25 for i in range(60_000)]
    plan = plan_of(Need(State.DISTINCT, "x"))
    halves = [
        view(blocks=[wide_block(values[:40_000])]),
        view(blocks=[wide_block(values[20_000:])]),
    ]
    answers = [Computation(plan, [one], ALLOWED).run().states for one in halves]
    found = merge(plan, answers).distinct[0].counts()[0]
    assert abs(found / 60_000 - 1) < 0.045  # four standard errors
    few = np.arange(limits.DISTINCT_EXACT_MAX - 1, dtype=np.uint64)
    assert Hashes.of(np.zeros(len(few), np.int64), few, 1).counts().tolist() == [8_191]


@pytest.mark.parametrize("seed", [1, 2])
def test_bucketed_percentiles_stay_within_the_documented_error(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUANTILE_EXACT_PAIRS_MAX", 100)
    draw = random.Random(seed)
    values = [draw.choice([-1, 1]) * draw.lognormvariate(0, 6) for _ in range(3_000)]
    values += [0.0] * 30
    draw.shuffle(values)
    plan = plan_of(Need(State.QUANTILE, "x"))
    parts = [values[:50], values[50:1_000], values[1_000:]]  # the first one stays exact
    answers = [
        Computation(plan, [view(blocks=[wide_block(part)])], ALLOWED).run().states for part in parts
    ]
    found = merge(plan, answers).numbers[0]
    ordered = sorted(values)
    for per_mille in (1, 10, 50, 100, 250, 500, 750, 900, 990, 999):
        true = ordered[-(-per_mille * len(ordered) // 1000) - 1]
        estimate = float(found.at(per_mille)[0][0])
        assert abs(estimate - true) <= abs(true) * limits.QUANTILE_RELATIVE_ERROR * (1 + 1e-9)


def test_numbers_that_vary_late_are_in_buckets_though_the_first_rows_look_constant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "QUANTILE_EXACT_PAIRS_MAX", 50)
    plan = plan_of(Need(State.QUANTILE, "x"))
    values = [1.5] * 500 + [float(at) for at in range(500)]
    states = Computation(plan, [view(blocks=[wide_block(values)])], ALLOWED).run().states
    assert "a0_e" in states["main"].column_names
    few = Computation(plan, [view(blocks=[wide_block(values[:520])])], ALLOWED).run().states
    found = few["main"].column("a0_v").to_pylist()[0]
    assert sorted(found) == sorted([1.5, *map(float, range(20))])


@pytest.mark.slow
def test_the_first_thousand_of_a_million_groups_are_found_within_the_memory_of_a_share() -> None:
    count = 1_000_000
    texts = pa.array([f"user-{at:07d}" for at in range(count)], FieldType.STRING.arrow)
    column = SparseColumn(np.arange(count, dtype=np.uint32), texts)
    rates = np.ones(count, np.int64)
    rates[777_777] = 5
    zeros = np.zeros(count, np.int64)
    rows = ColumnBlock(
        zeros,
        rates,
        np.arange(count),
        np.zeros(count, np.int32),
        np.zeros(count, np.bool_),
        {ColumnKey("user", FieldType.STRING): column},
    )
    spec = QuerySpec((Calculation("COUNT"),), breakdowns=("user",), start_s=0, end_s=1)
    asked = build_request(spec, "d", 10**18, disable_series=True, limit=1_000)
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    share = Computation(plan, [view(blocks=[rows])], databases(memory_mb=512)).run()
    sent = encode_answer(of_version(share, OWN.plan, 1))
    assert len(sent) < limits.SHARE_BYTES_MAX / 4
    states = decode_answer(sent).states
    totals = merge_totals(asked, plan, [states, states, states])
    listed = [row["data"] for row in totals.data["results"]]
    assert listed[:2] == [
        {"user": "user-0777777", "COUNT": 15},
        {"user": "user-0000000", "COUNT": 3},
    ]
    assert len(listed) == 1_000
    assert totals.groups == {
        "total": count,
        "returned": 1_000,
        "all": {"COUNT": 3 * count + 12},
        "other": {"COUNT": 3 * (count - 1_000)},
    }
