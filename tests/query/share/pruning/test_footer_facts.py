"""Footers of real segments: what is left out, what is remembered, and that answers stay."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.errors import DamagedObject
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, RowsWanted, State
from query.share.compute.computation import Computation
from query.share.pruning.footer_facts import FooterFacts
from query.share.row_search.search import RowSearch
from query.share.sources.sources import gather
from query.share.view.view import SegmentView
from tests.query.share.databases import databases
from tests.query.share.pruning.test_may_match import SINGLES, VALUES
from tests.query.share.rows import Row, segment, view

ROWS = st.lists(
    st.builds(
        Row,
        st.integers(0, 99),
        st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(VALUES)),
    ),
    min_size=1,
    max_size=6,
)


def plan(*filters: Filter, either: bool = False, **more: Any) -> Plan:
    return Plan(
        dataset="d", start_ns=0, end_ns=100, needs=(Need(State.COUNT),), filters=filters,
        any_filter=either, **more,
    )  # fmt: skip


def read(asked: Plan, segments: list[SegmentView], facts: FooterFacts) -> list[str]:
    """The object hashes of the segments that a statement reads."""
    sql = gather(asked, [view(segments=segments)], None, facts).sql
    return [one.object_hash for one in segments if one.object_hash in sql]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(ROWS, min_size=1, max_size=3),
    filters=st.lists(st.sampled_from(SINGLES), min_size=1, max_size=2),
    either=st.booleans(),
)
def test_answers_are_those_of_all_segments(
    parts: list[list[Row]], filters: list[Filter], either: bool, tmp_path: Path
) -> None:
    first, segments = 0, []
    for rows in parts:
        segments.append(segment(rows, tmp_path, first))
        first += len(rows)
    views = [view(segments=segments, end_offset=first)]
    wanted = RowsWanted(limit=50, bytes_max=10**6)
    for asked in (
        plan(*filters, either=either, breakdowns=("y",)),
        plan(*filters, either=either, rows=wanted),
    ):
        pruned = Computation(asked, views, databases(), None, FooterFacts()).run()
        every = Computation(asked, views, databases(), None, None).run()
        assert pruned.report == every.report
        found, expected = (
            sorted(map(repr, one.states["main"].to_pylist())) for one in (pruned, every)
        )
        assert found == expected


def test_segments_that_cannot_match_are_not_opened(tmp_path: Path) -> None:
    low, high = (
        segment([Row(at, {"n": base + at, "s": f"{base}-{at}"}) for at in range(5)], tmp_path)
        for base in (10, 20)
    )
    facts = FooterFacts()
    some = [low, high]
    assert read(plan(Filter("n", FilterOp.GE, (20,))), some, facts) == [high.object_hash]
    assert read(plan(Filter("s", FilterOp.STARTS, ("10",))), some, facts) == [low.object_hash]
    assert read(plan(Filter("n", FilterOp.EXISTS)), some, facts) == [s.object_hash for s in some]
    assert read(plan(Filter("none", FilterOp.EXISTS)), some, facts) == []
    assert read(plan(), some, facts) == [s.object_hash for s in some]


def test_rows_are_searched_in_segments_that_may_match(tmp_path: Path) -> None:
    segments = [segment([Row(at, {"n": at})], tmp_path) for at in range(20)]
    wanted = RowsWanted(limit=5, bytes_max=10**6)
    asked = plan(Filter("n", FilterOp.EQ, (3,)), rows=wanted)
    search = RowSearch(asked, wanted, [view(segments=segments)], FooterFacts())
    with databases().use() as connection:
        states = search.run(lambda sql, values, _: connection.sql(sql, params=values or None)
                            .to_arrow_table())  # fmt: skip
    assert states["main"].column("t").to_pylist() == [3]
    assert search.segments_read == 1


def test_of_a_hundred_segments_only_those_that_may_hold_a_trace_are_read(tmp_path: Path) -> None:
    def trace(number: int) -> str:
        return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()

    parts = [  # each trace is in two segments, one after the other
        [Row(at, {"trace.trace_id": trace(20 * number + at), "n": at}) for at in range(40)]
        for number in range(100)
    ]
    segments = [segment(rows, tmp_path, 40 * at) for at, rows in enumerate(parts)]
    views = [view(segments=segments, end_offset=4_000)]
    facts, opened = FooterFacts(), 0
    for wanted in (0, 65, 1_010, 2_019):
        asked = Filter("trace.trace_id", FilterOp.EQ, (trace(wanted),))
        holding = [s.object_hash for s, rows in zip(segments, parts, strict=True)
                   if any(row.data["trace.trace_id"] == trace(wanted) for row in rows)]  # fmt: skip
        found = read(plan(asked), segments, facts)
        assert set(holding) <= set(found)
        opened += len(found) - len(holding)
        either = plan(asked, Filter("n", FilterOp.EQ, (3,)), either=True)
        assert len(read(either, segments, facts)) == 100
        rows = RowsWanted(limit=50, bytes_max=10**6)
        for one in (plan(asked), plan(asked, rows=rows)):
            pruned = Computation(one, views, databases(), None, facts).run()
            every = Computation(one, views, databases(), None, None).run()
            assert pruned.states["main"].to_pylist() == every.states["main"].to_pylist()
        searched = Computation(plan(asked, rows=rows), views, databases(), None, facts).run()
        assert searched.states["main"].num_rows == len(holding)
    assert opened <= 12  # 1 % of those that do not hold it are opened all the same
    nowhere = Filter("trace.trace_id", FilterOp.IN, ("none", trace(-1)))
    assert len(read(plan(nowhere), segments, facts)) < 10
    none_of = Filter("trace.trace_id", FilterOp.NE, (trace(1),))
    assert len(read(plan(none_of), segments, facts)) == 100


def test_a_filter_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    one = segment([Row(at, {"trace_id": f"{at:032x}"}) for at in range(40)], tmp_path)
    facts = FooterFacts()
    asked = plan(Filter("trace_id", FilterOp.EQ, ("0" * 31 + "1",)))
    assert facts.may_match(asked, one)
    one.path.unlink()
    with pytest.raises(DamagedObject):
        facts.may_match(asked, one)


def test_columns_in_the_overflow_column_may_hold_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 1)
    one = segment([Row(0, {"x": 1, "y": "a"}), Row(1, {"x": 1})], tmp_path)
    assert one.overflow_columns
    for key in one.overflow_columns:
        assert read(plan(Filter(key.field, FilterOp.EQ, ("q",))), [one], FooterFacts()) != []


def test_a_footer_is_opened_once_per_field_and_facts_are_bounded(tmp_path: Path) -> None:
    one = segment([Row(0, {"n": 1, "s": "a"})], tmp_path)
    facts = FooterFacts(1_500)
    asked = plan(Filter("n", FilterOp.EQ, (2,)))
    assert not facts.may_match(asked, one)
    one.path.unlink()
    assert not facts.may_match(asked, one)
    with pytest.raises(DamagedObject):
        facts.may_match(plan(Filter("s", FilterOp.EQ, ("b",))), one)
    others = [segment([Row(0, {"n": at})], tmp_path) for at in (5, 6, 7)]
    assert not any(facts.may_match(asked, other) for other in others)
    assert 0 < facts.bytes_held <= 1_500
    with pytest.raises(DamagedObject):  # the one that was asked first is not known any more
        facts.may_match(asked, one)
