"""Distinct values in batches: the smallest hashes of each cell, whatever the batches are."""

import random
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from common import limits
from common.process.versions import OWN
from query.plan.plan import Need, Plan, State
from query.results.merge.merge import merge
from query.share.compute.answer import decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.compute.too_heavy import ShareTooHeavy
from query.share.states import computed, distinct
from query.share.states.distinct import DistinctHashes, DistinctValues
from query.share.states.statements import Statements
from query.share.states.value_hashes import hashes_of
from segment.parquet.reference import ReferenceEncoders
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, view

VALUES: list[Any] = [0, 1, 1.5, -(2**63), True, "", "1", "a" * 1_024, "a" * 1_025, "b" * 1_025,
                     "a" * 60_000, Json("[1]")]  # fmt: skip


HASHES = ReferenceEncoders().hashes


class Most(NamedTuple):
    rows_max: int
    bytes_max: int
    bytes_kept: int = 0


def batch(cells: list[str | None], values: list[int | None], whole: list[int]) -> pa.RecordBatch:
    columns = {
        "k0_s": pa.array(cells, pa.string()),
        "d_n": pa.array(values, pa.int64()),
        "n": pa.array(whole),
    }
    return pa.record_batch({**columns, "whole": pa.array(whole)})


@pytest.mark.parametrize("fold", [1, 5, 10**6])
def test_batches_of_any_size_give_the_same_state(
    fold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "_NEW_PAIRS_MAX", fold)
    monkeypatch.setattr(limits, "DISTINCT_EXACT_MAX", 4)
    draw = random.Random(fold)
    rows: list[tuple[str | None, int | None, int]] = [
        (cell, value, 0) for cell in ("a", "b", None) for value in range(20)
    ]
    rows += [("c", None, 0), *((cell, None, 1) for cell in ("a", "b", None, "c"))]
    states = []
    for size in (1, 7, len(rows)):
        draw.shuffle(rows)
        parts = [rows[at : at + size] for at in range(0, len(rows), size)]
        made = [batch(*map(list, zip(*part, strict=True))) for part in parts]
        values = DistinctValues(made[0].schema, ["k0_s"], Most(10, 10**6), HASHES)
        for one in made:
            values.add(one)
        table = values.table("a0_h")
        found = dict(zip(*(table.column(n).to_pylist() for n in ("k0_s", "a0_h")), strict=True))
        states.append(found)
    assert states[0] == states[1] == states[2]
    assert {key: len(held) for key, held in states[0].items()} == {"a": 4, "b": 4, None: 4, "c": 0}
    assert states[0]["a"] == states[0]["b"] == sorted(states[0]["a"])


@pytest.mark.parametrize("fold", [1, 5, 10**6])
@pytest.mark.parametrize("distinct_values", [3, 20])
def test_values_of_all_rows_in_batches_of_any_size_give_the_same_state(
    fold: int, distinct_values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "_NEW_HASHES_MAX", fold)
    monkeypatch.setattr(limits, "DISTINCT_EXACT_MAX", 4)
    draw = random.Random(fold)
    values = [None, *(at % distinct_values for at in range(60))]
    expected = sorted(hashes_of({"n": pa.array(range(distinct_values))}, HASHES)[0].tolist())[:4]
    for size in (1, 7, len(values)):
        draw.shuffle(values)
        made = DistinctHashes(HASHES)
        for at in range(0, len(values), size):
            column = pa.array(values[at : at + size], pa.int64())
            made.add(pa.record_batch({"d_n": column}))
        assert made.table("a0_h").to_pydict() == {"a0_h": [expected]}
        assert made.rows == len(values)


def test_values_that_turn_out_to_be_few_are_grouped_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(computed, "_TRIED_ROWS", 1_000)
    plan = Plan(dataset="d", start_ns=0, end_ns=10**9, needs=(Need(State.DISTINCT, "x"),))
    asked: list[bool] = []
    values = Statements.values

    def noted(of: Statements, need: Need, *, grouped: bool) -> str:
        asked.append(grouped)
        return values(of, need, grouped=grouped)

    monkeypatch.setattr(Statements, "values", noted)
    for count, expected in ((1, [False, True]), (5_000, [False])):
        asked.clear()
        rows = [Row(at, {"x": at % count, "y": "a"}) for at in range(5_000)]
        share = Computation(plan, [view(blocks=[block([*rows, Row(0, {})])])], databases()).run()
        assert asked == expected
        assert share.states["main"].column("n").to_pylist() == [5_001]
        assert len(share.states["a0"].column("a0_h")[0].as_py()) == count


def test_more_cells_or_bytes_than_a_share_may_have_are_refused() -> None:
    one = batch(["a", "b", "c"], [None] * 3, [1] * 3)
    with pytest.raises(ShareTooHeavy, match="more than 2 groups"):
        DistinctValues(one.schema, ["k0_s"], Most(2, 10**6), HASHES).add(one)
    two = batch(["a", "b", "c"], [1, 2, 3], [0] * 3)
    values = DistinctValues(two.schema, ["k0_s"], Most(5, 16), HASHES)
    values.add(two)
    with pytest.raises(ShareTooHeavy, match="states take more"):
        values.table("a0_h")
    with pytest.raises(ShareTooHeavy, match="states take more"):
        DistinctValues(one.schema, ["k0_s"], Most(5, 16), HASHES).add(one)


def test_long_keys_that_come_again_and_again_take_memory_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distinct, "_NEW_KEYS_BYTES_MAX", 100_000)
    keys = [f"{at:04d}" + "x" * 1_000 for at in range(200)]
    made = [
        batch(list(keys[first : first + 50]), [again] * 50, [0] * 50)
        for again in range(40)
        for first in range(0, 200, 50)
    ]
    values = DistinctValues(made[0].schema, ["k0_s"], Most(1_000, 10**6), HASHES)
    most = 0
    for one in made:
        values.add(one)
        most = max(most, sum(table.nbytes for table in values._keys))
    assert most < 600_000  # of 8 MB: twice the keys, and a batch
    assert len(values._choose()[1]) == 200 * 40
    few = DistinctValues(made[0].schema, ["k0_s"], Most(1_000, 150_000), HASHES)
    for one in made[:3]:
        few.add(one)
    with pytest.raises(ShareTooHeavy, match="which one share may send"):
        few.table("a0_h")


@pytest.mark.parametrize("version", range(1, OWN.plan + 1))
@pytest.mark.parametrize("needs", [("x",), ("x", "y"), ("none", "x")])
def test_values_of_every_kind_and_length_are_counted_once(
    version: int, needs: tuple[str, ...]
) -> None:
    rows = [
        Row(at, {"x": value, "y": at % 3, "g": group})
        for group in ("a", "b")
        for at, value in enumerate(VALUES * 2)
    ]
    plan = Plan(dataset="d", start_ns=0, end_ns=10**9,
                needs=tuple(Need(State.DISTINCT, name) for name in needs))  # fmt: skip
    expected = {"x": len(VALUES), "y": 3, "none": 0}
    parts = [rows[::2], rows[1::2], []]
    for breakdowns in ((), ("g",), ("none",)):
        asked = Plan(**{**{f: getattr(plan, f) for f in ("dataset", "start_ns", "end_ns", "needs")},
                        "breakdowns": breakdowns})  # fmt: skip
        shares = [
            Computation(asked, [view(blocks=[block(part)])], databases(), version=version).run()
            for part in parts
        ]
        sent = [encode_answer(of_version(one, version, len(breakdowns))) for one in shares]
        merged = merge(asked, [decode_answer(one).states for one in sent])
        for index, name in enumerate(needs):
            if name == "none":
                assert index not in merged.distinct
                continue
            counts = merged.distinct[index].counts().tolist()
            assert counts == [expected[name]] * (2 if breakdowns == ("g",) else 1)


def test_states_of_another_version_are_not_taken_for_those_of_this_one() -> None:
    plan = Plan(dataset="d", start_ns=0, end_ns=10**9, needs=(Need(State.DISTINCT, "x"),))
    views = [view(blocks=[block([Row(1, {"x": 1})])])]
    share = Computation(plan, views, databases(), version=1).run()
    with pytest.raises(ValueError, match="not computed for version"):
        of_version(share, OWN.plan, 0)
    mislabeled = encode_answer(share)  # its report says version 1, as it was computed
    assert decode_answer(mislabeled).report.hash_version == 1
