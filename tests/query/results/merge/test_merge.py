"""Merged states do not depend on how rows are split over shares, nor on their order."""

import json
import math
import tracemalloc
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.process.versions import OWN
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, State
from query.plan.planner import build_request, totals_plan
from query.plan.spec import Calculation, Having, HavingOp, Order, QuerySpec
from query.results.merge.columns import Column, Part, add_up, exact_sum, regrouped, sum_of_doubles
from query.results.merge.merge import merge
from query.results.totals.series import merge_at_once, with_steps
from query.results.totals.totals import merge_totals
from query.share.compute.answer import decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.states import computed
from query.share.states.buckets import bucket_numbers
from query.share.states.lists import lists_of
from query.share.states.value_hashes import hashes_of
from segment.parquet.reference import ReferenceEncoders
from tests.query.share import oracle
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, view

# sums of these doubles are exact, so that answers can be compared byte by byte
VALUES: list[Any] = [0, 1, -1, 7, 2**53 + 1, -(2**63), 2**63 - 1, 0.5, 2.0, -4.25, 1e20, True, "",
                     "a", "5", Json("[1]")]  # fmt: skip
ROWS = st.lists(
    st.builds(
        Row,
        st.just(10**9),
        st.dictionaries(st.sampled_from(["x", "g", "h"]), st.sampled_from(VALUES)),
        st.sampled_from([1, 2, 1000]),
    ),
    max_size=30,
)
CALCULATIONS = tuple(
    Calculation(op, column)
    for op, column in [
        ("COUNT", None), ("COUNT", "x"), ("SUM", "x"), ("AVG", "x"), ("MIN", "x"), ("MAX", "x"),
        ("COUNT_DISTINCT", "x"), ("P50", "x"), ("P99", "x"), ("P10", "h"), ("COUNT_DISTINCT", "h"),
        ("HEATMAP", "x"),
    ]
)  # fmt: skip
OWN_FILTERS = tuple(
    Calculation(op, "x", f"some {op}", (Filter("h", FilterOp.EXISTS),))
    for op in ("SUM", "P50", "COUNT_DISTINCT", "HEATMAP")
)
SPECS = st.builds(
    QuerySpec,
    st.permutations((*CALCULATIONS, *OWN_FILTERS)).map(lambda some: tuple(some[:5])),
    breakdowns=st.sampled_from([(), ("g",), ("g", "h"), ("none",)]),
    havings=st.sampled_from([(), (Having(0, HavingOp.GE, 1),), (Having(1, HavingOp.LT, 2.5),)]),
    orders=st.sampled_from([(), (Order(1, False),), (Order(0, True), Order(2, False))]),
    start_s=st.just(0),
    end_s=st.just(9),
)


def states_of(plan: Plan, rows: Sequence[Row]) -> dict[str, pa.Table]:
    share = Computation(plan, [view(blocks=[block(rows)])], databases()).run()
    return decode_answer(encode_answer(of_version(share, OWN.plan, len(plan.breakdowns)))).states


def answer(spec: QuerySpec, parts: Sequence[Sequence[Row]], limit: int) -> bytes:
    asked = build_request(spec, "d", 10**18, disable_series=True, limit=limit,
                          with_total=True, with_other=True)  # fmt: skip
    plan = totals_plan(asked, at_least={}, wait_ms=0)
    merged = merge_totals(asked, plan, [states_of(plan, part) for part in parts])
    return msgspec.json.encode([merged.data, merged.groups])


@pytest.mark.parametrize("breakdowns", [(), ("g",)])
def test_an_answer_without_any_share_is_that_of_no_rows(breakdowns: tuple[str, ...]) -> None:
    spec = QuerySpec(CALCULATIONS[:3], breakdowns=breakdowns, start_s=0, end_s=9)
    assert answer(spec, [], 5) == answer(spec, [[]], 5)
    asked = build_request(spec, "d", 10**18, disable_series=False, limit=5,
                          with_total=True, with_other=True)  # fmt: skip
    plan = with_steps(asked, totals_plan(asked, at_least={}, wait_ms=0))
    nothing, no_rows = (merge_at_once(asked, plan, some) for some in ([], [states_of(plan, [])]))
    assert nothing == no_rows
    assert nothing is not None


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=ROWS,
    spec=SPECS,
    owners=st.lists(st.integers(0, 3), min_size=30, max_size=30),
    order=st.randoms(use_true_random=False),
    limit=st.integers(1, 8),
    exact=st.sampled_from([(3, 2), (16_384, 8_192)]),
    probed=st.sampled_from([1, 4, 32_768]),
)
def test_every_split_and_order_of_shares_gives_the_same_bytes(
    rows: list[Row],
    spec: QuerySpec,
    owners: list[int],
    order: Any,
    limit: int,
    exact: tuple[int, int],
    probed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "QUANTILE_EXACT_PAIRS_MAX", exact[0])
    monkeypatch.setattr(limits, "DISTINCT_EXACT_MAX", exact[1])
    monkeypatch.setattr(computed, "_PROBED_BINS", probed)
    parts: list[list[Row]] = [[] for _ in range(4)]
    for row, owner in zip(rows, owners, strict=False):
        parts[owner].append(row)
    order.shuffle(parts)
    assert answer(spec, parts, limit) == answer(spec, [rows], limit)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, spec=SPECS.filter(lambda s: not s.havings), limit=st.integers(1, 8))
def test_the_rows_over_all_groups_and_over_others_are_those_of_plain_python(
    rows: list[Row], spec: QuerySpec, limit: int
) -> None:
    data, _ = json.loads(answer(spec, [rows[::2], rows[1::2]], limit))
    listed = {json.dumps([r["data"].get(b) for b in spec.breakdowns]) for r in data["results"]}
    plain = QuerySpec(spec.calculations)

    def is_listed(row: Row) -> bool:
        keys = [oracle.key(row.data[b]) if b in row.data else None for b in spec.breakdowns]
        return json.dumps(json.loads(msgspec.json.encode(keys))) in listed

    others = [row for row in rows if not is_listed(row)]
    checked = [("total_by_aggregate", rows)]
    checked += [("other_by_aggregate", others)] if spec.breakdowns else []
    for member, some in checked:
        expected = oracle.answer(plain, some)[()]
        for label, value in data[member].items():
            assert oracle.same(value, expected[label]), (member, label)


# --- sums -----------------------------------------------------------------------------------------
@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60),
    tables=st.integers(1, 9),
)
def test_sums_of_doubles_agree_within_rounding_in_any_order(
    values: list[float], tables: int
) -> None:
    parts = [values[at::tables] for at in range(tables)]
    sent = [pa.chunked_array([pa.array([math.fsum(part)])]) for part in parts if part]
    column = add_up("a0_fsum", [Part(one, np.zeros(1, np.int64)) for one in sent], 1)
    within = 1e-12 * math.fsum(map(abs, values))
    assert abs(float(column.values[0]) - math.fsum(values)) <= within
    assert abs(sum_of_doubles(np.array(values)) - math.fsum(values)) <= within


def test_sums_beyond_the_range_of_a_double_are_infinite_not_undefined() -> None:
    sent = [pa.chunked_array([pa.array([1.7e308])]) for _ in range(3)]
    column = add_up("a0_fsum", [Part(one, np.zeros(1, np.int64)) for one in sent], 1)
    assert column.values.tolist() == [math.inf]
    assert sum_of_doubles(np.array([1.7e308] * 3)) == math.inf


def test_sums_of_many_cells_of_which_one_is_large_take_memory_for_their_values_alone() -> None:
    ids = np.concatenate([np.arange(20_000), np.full(1_000, 7)])
    values = np.random.default_rng(1).normal(0, 1e6, len(ids))
    column = Column(values, np.ones(len(ids), np.bool_))
    tracemalloc.start()
    try:
        found = regrouped("a0_fsum", column, ids, 20_001)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000  # a row of 1,001 for each cell would be 160 MB
    assert found.values[7] == math.fsum([values[7], *values[20_000:]])
    assert found.values[[6, 8]].tolist() == values[[6, 8]].tolist()
    assert found.held.tolist() == [True] * 20_000 + [False]


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(
        st.lists(st.none() | st.integers(-(10**30), 10**30), min_size=3, max_size=3), min_size=1
    )
)
def test_sums_of_integers_are_exact(values: list[list[int | None]]) -> None:
    parts = [
        Part(pa.chunked_array([pa.array(one, pa.decimal128(38, 0))]), np.array([2, 0, 1]))
        for one in values
    ]
    column = add_up("a0_isum", parts, 3)
    for at, cell in enumerate([1, 2, 0]):
        held = [one[at] for one in values if one[at] is not None]
        assert bool(column.held[[2, 0, 1][at]]) == bool(held)
        alone = column.take(np.array([[2, 0, 1][at]]))
        assert exact_sum(alone) == sum(held), cell
    assert exact_sum(regrouped("a0_isum", column, np.zeros(3, np.int64), 1)) == exact_sum(column)


def test_weights_are_added_without_limits() -> None:
    column = Column(np.full(5, 2**62), np.ones(5, np.bool_))
    assert exact_sum(column) == 5 * 2**62


# --- sketches -------------------------------------------------------------------------------------
SHAPES = {
    "skewed": lambda draw, n: draw.lognormal(0, 5, n),
    "tiny": lambda draw, n: draw.lognormal(-700, 10, n),
    "negative": lambda draw, n: -draw.lognormal(2, 3, n),
    "constant": lambda draw, n: np.full(n, 12.34),
    "huge range": lambda draw, n: draw.choice([-1, 1], n) * 10.0 ** draw.uniform(-300, 300, n),
    "whole": lambda draw, n: draw.integers(-1_000_000, 1_000_000, n).astype(np.float64),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_percentiles_of_a_thousand_shares_are_within_the_promised_error(shape: str) -> None:
    draw = np.random.default_rng(7)
    values = SHAPES[shape](draw, 60_000)
    weights = draw.integers(1, 4, len(values))
    plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(Need(State.QUANTILE, "x"),))
    owner = draw.integers(0, 1_000, len(values))
    answers = []
    for number in range(1_000):
        mine, rates = values[owner == number], weights[owner == number]
        name, held = ("v", mine) if number % 3 else ("e", bucket_numbers(mine))
        if shape == "constant":
            name, held = "v", mine
        zeros = np.zeros(len(mine), np.int64)
        lists = {f"a0_{name}": lists_of(zeros, held, 1), f"a0_{name}w": lists_of(zeros, rates, 1)}
        answers.append({"main": pa.table(lists)})
    numbers = merge(plan, answers).numbers[0]
    assert numbers.in_buckets == (shape != "constant")
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    for per_mille in (1, 10, 50, 100, 250, 500, 750, 900, 990, 999):
        true = values[order][np.searchsorted(cumulated, -(-per_mille * cumulated[-1] // 1000))]
        estimate = float(numbers.at(per_mille)[0][0])
        allowed = abs(true) * limits.QUANTILE_RELATIVE_ERROR * (1 + 1e-9) + 5e-324
        assert abs(estimate - true) <= (0 if shape == "constant" else allowed)


def test_few_numbers_of_many_shares_are_exact_however_they_are_split() -> None:
    plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(Need(State.QUANTILE, "x"),))
    values = [200.0, 201.0, 204.0, 404.0, 500.5]
    one = {"a0_v": pa.array([values]), "a0_vw": pa.array([[1, 2, 3, 4, 5]])}
    numbers = merge(plan, [{"main": pa.table(one)}] * 1_000).numbers[0]
    assert not numbers.in_buckets
    assert numbers.at(500)[0].tolist() == [404.0]


def test_distinct_values_of_a_thousand_shares_are_estimated_as_those_of_one() -> None:
    draw = np.random.default_rng(3)
    hashes = draw.integers(0, 2**64, 60_000, np.uint64, endpoint=False)
    plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(Need(State.DISTINCT, "x"),))

    def table(some: np.ndarray) -> dict[str, pa.Table]:
        kept = np.unique(some)[: limits.DISTINCT_EXACT_MAX]
        return {"main": pa.table({"a0_h": lists_of(np.zeros(len(kept), np.int64), kept, 1)})}

    parts = [draw.choice(hashes, 300) for _ in range(1_000)]
    together = np.concatenate(parts)
    found = merge(plan, [table(part) for part in parts]).distinct[0].counts()
    assert found.tolist() == merge(plan, [table(together)]).distinct[0].counts().tolist()
    assert abs(found[0] / len(np.unique(together)) - 1) < 0.045


@pytest.mark.parametrize("shape", SHAPES)
def test_distinct_counts_of_a_thousand_shares_are_within_four_standard_errors(shape: str) -> None:
    draw = np.random.default_rng(11)
    values = SHAPES[shape](draw, 60_000)
    plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(Need(State.DISTINCT, "x"),))
    owner = draw.integers(0, 1_000, len(values))
    answers = []
    for number in range(1_000):
        hashes, held = hashes_of(
            {"f": pa.array(np.unique(values[owner == number]))}, ReferenceEncoders().hashes
        )
        assert held.all()
        kept = np.unique(hashes)[: limits.DISTINCT_EXACT_MAX]
        lists = lists_of(np.zeros(len(kept), np.int64), kept, 1)
        answers.append({"main": pa.table({"a0_h": lists})})
    [found] = merge(plan, answers).distinct[0].counts().tolist()
    [shuffled] = merge(plan, answers[::-1]).distinct[0].counts().tolist()
    true = len(np.unique(values))
    assert found == shuffled
    error = 4 / math.sqrt(limits.DISTINCT_EXACT_MAX - 2)
    assert abs(found - true) <= (0 if true < limits.DISTINCT_EXACT_MAX else error * true)


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_and_ends_of_a_thousand_shares_are_those_of_all_values(shape: str) -> None:
    draw = np.random.default_rng(12)
    values = SHAPES[shape](draw, 60_000)
    owner = draw.integers(0, 1_000, len(values))
    plan = Plan(dataset="d", start_ns=0, end_ns=1, needs=(Need(State.NUMBER, "x"),))
    parts = [values[owner == number] for number in range(1_000)]
    answers = [
        {
            "main": pa.table(
                {
                    "n": [len(part)],
                    "a0_w": [len(part)],
                    "a0_fsum": [math.fsum(part)],
                    "a0_fmin": [part.min()],
                    "a0_fmax": [part.max()],
                }
            )
        }
        for part in parts
    ]
    columns = merge(plan, answers).columns
    within = 1e-12 * math.fsum(np.abs(values))
    assert abs(columns["a0_fsum"].values[0] - math.fsum(values)) <= within
    assert columns["a0_w"].values.tolist() == [len(values)]
    assert columns["a0_fmin"].values.tolist() == [values.min()]
    assert columns["a0_fmax"].values.tolist() == [values.max()]
