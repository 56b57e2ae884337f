"""Small segments in memory: the same answers as from their files, read once, within a bound."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import DamagedObject
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, State
from query.share.compute.computation import Computation
from query.share.sources.small_segments import SmallSegments
from query.share.view.view import SegmentView
from segment.columns import ColumnKey, FieldType
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, segment, view

PLAN = Plan(
    dataset="d",
    start_ns=0,
    end_ns=100,
    needs=(Need(State.COUNT), Need(State.NUMBER, "n")),
    breakdowns=("s",),
    filters=(Filter("n", FilterOp.LT, (1_000,)),),
)
X, S = ColumnKey("n", FieldType.INT), ColumnKey("s", FieldType.STRING)


def pieces(folder: Path, count: int = 8, rows: int = 3) -> list[SegmentView]:
    """Segments of different columns, types and times."""
    kinds: list[dict[str, Any]] = [
        {"n": 1, "s": "a"},
        {"n": 0.5},
        {"s": "b", "other": 1},
        {"n": True, "s": Json("[1]")},
        {"n": 7, "s": "ab"},
    ]
    return [
        segment(
            [Row(20 * at + i, kinds[(at + i) % len(kinds)], 1 + i) for i in range(rows)],
            folder,
            at * rows,
        )
        for at in range(count)
    ]


def answer(
    segments: Sequence[SegmentView], small: SmallSegments | None, plan: Plan = PLAN
) -> list[dict[str, Any]]:
    states = Computation(plan, [view(segments=segments)], databases(), small).run().states
    rows: list[dict[str, Any]] = states["main"].to_pylist()
    return sorted(rows, key=repr)


def test_answers_are_those_of_the_files(tmp_path: Path) -> None:
    some = pieces(tmp_path)
    assert answer(some, SmallSegments()) == answer(some, None) != []


def test_files_are_read_once(tmp_path: Path) -> None:
    some, small = pieces(tmp_path), SmallSegments()
    first = answer(some, small)
    for one in some:
        one.path.unlink()
    assert answer(some, small) == first
    with pytest.raises(DamagedObject):  # a column that was not asked before
        answer(some, small, PLAN.__class__(dataset="d", start_ns=0, end_ns=100,
                                           needs=(Need(State.COUNT, "other"),)))  # fmt: skip


def test_rows_that_are_hidden_stay_hidden(tmp_path: Path) -> None:
    some, small = pieces(tmp_path), SmallSegments()
    answer(some, small)
    shown = [replace(one, visible=((one.first_offset + 1, one.end_offset),)) for one in some]
    assert answer(shown, small) == answer(shown, None) != answer(some, small)
    assert answer([replace(one, visible=()) for one in some], small) == []
    upto = Plan(dataset="d", start_ns=0, end_ns=100, needs=(Need(State.COUNT),), upto={0: 5})
    assert answer(some, small, upto) == answer(some, None, upto)


def test_memory_is_bounded_and_the_least_recently_asked_leave_first(tmp_path: Path) -> None:
    some = pieces(tmp_path, count=6)
    one = SmallSegments()
    one.table(some[:1], [X, S])
    small = SmallSegments(3 * one.bytes_held)
    for first in range(5):
        small.table(some[first : first + 1], [X, S])
        small.table(some[:1], [X, S])
        assert small.bytes_held <= 3 * one.bytes_held
    for gone in (0, 4):
        some[gone].path.unlink()
        rows, _ = small.table(some[gone : gone + 1], [X, S])
        assert rows is not None
        assert rows.num_rows == 3
    some[1].path.unlink()
    with pytest.raises(DamagedObject):
        small.table(some[1:2], [X, S])


def test_segments_that_would_push_each_other_out_are_read_from_files(tmp_path: Path) -> None:
    some = pieces(tmp_path)
    small = SmallSegments(8_000)
    assert not small.fit(some, 2)
    assert answer(some, small) == answer(some, None)
    assert small.bytes_held == 0


def test_texts_that_are_large_only_in_memory_are_read_from_files(tmp_path: Path) -> None:
    text = "x" * 40_000
    some = [
        segment([Row(1, {"s": text + str(at), "n": i}) for i in range(100)], tmp_path, at * 100)
        for at in range(3)
    ]
    assert all(one.path.stat().st_size < 50_000 for one in some)  # 4 MB each in memory
    small = SmallSegments()
    for _ in range(2):
        assert small.table(some, [X, S]) == (None, [0, 1, 2])
        assert small.bytes_held < 50_000
    rows, others = small.table(some, [X])
    assert rows is not None
    assert rows.num_rows == 300
    assert others == []
    mixed = [*some, *pieces(tmp_path)]
    assert answer(mixed, small) == answer(mixed, None) != []


def test_a_table_takes_at_most_half_of_the_room(tmp_path: Path) -> None:
    text = "x" * 1_000
    some = [
        segment([Row(1, {"s": f"{text}{at}{i}"}) for i in range(50)], tmp_path, at * 50)
        for at in range(20)
    ]
    small = SmallSegments(1_000_000)
    assert small.fit(some, 1)  # by what is known without reading them
    rows, others = small.table(some, [S])
    assert rows is not None
    assert rows.nbytes <= 500_000
    assert others
    assert rows.num_rows + 50 * len(others) == 1_000
    for one in some[: others[0]]:
        one.path.unlink()  # these stay in memory, whatever is asked of all of them
    assert small.table(some, [S])[1] == others
    assert small.bytes_held <= 1_000_000


def test_partitions_with_the_same_segment_count_it_twice(tmp_path: Path) -> None:
    [one] = pieces(tmp_path, count=1)
    for small in (SmallSegments(), SmallSegments(8_000), None):
        states = Computation(
            Plan(dataset="d", start_ns=0, end_ns=100, needs=(Need(State.COUNT),)),
            [view(0, segments=[one]), view(1, segments=[one])],
            databases(),
            small,
        ).run().states  # fmt: skip
        assert states["main"].column("a0_w").to_pylist() == [2 * (1 + 2 + 3)]  # rates


def test_large_segments_are_read_from_files(tmp_path: Path) -> None:
    large = segment([Row(1, {"n": i, "s": "a"}) for i in range(1_025)], tmp_path)
    small = SmallSegments()
    assert answer([large], small) == answer([large], None) != []
    assert small.bytes_held == 0


def test_a_file_of_other_rows_is_damaged(tmp_path: Path) -> None:
    [one, other] = pieces(tmp_path, count=2)
    with pytest.raises(DamagedObject, match="has 3 rows"):
        SmallSegments().table([replace(one, rows=4)], [X])
    other.path.write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    with pytest.raises(DamagedObject, match="cannot be read"):
        SmallSegments().table([other], [X])
