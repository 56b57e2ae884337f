"""Conditions on other spans of a trace, over partitions and datasets, as if all were in one place.

Parents and children always lie in different partitions and datasets.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from common.errors import Unavailable, Unprocessable
from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.relations import About, split_conditions
from query.results.notes.coverage import CoverageRequirement
from query.traces.relations.search import TraceOrder, TracesWanted
from query.traces.wanted import SpansWanted
from tests.query.share.rows import Row
from tests.query.traces.cluster import DATASETS, MARGIN_S, PARTITIONS, SpanCluster, span_cluster
from tests.query.traces.relations_oracle import equal, events_meeting, qualifying

BASE_NS = 1_700_000_000 * 10**9
S_NS = 10**9
MARGIN_NS = MARGIN_S * S_NS
INSIDE = (BASE_NS, BASE_NS + 3_000 * S_NS)
Placed = dict[tuple[int, str], list[Row]]


def trace_id(number: int) -> str:
    """Of every third one the short form."""
    return f"{number:016x}" if number % 3 == 0 else f"{number + 2**124:032x}"


def stored(trace: str, chance: random.Random) -> str:
    """In another form now and then."""
    return chance.choice([trace, trace, trace.rjust(32, "0"), trace.upper()])


def random_trace(number: int, chance: random.Random) -> list[tuple[int, Row]]:
    """(depth, span) of a tree; some have no root, events that are no spans, or lie elsewhere."""
    trace, spans = trace_id(number), []
    begin = BASE_NS + chance.randrange(-5_000, 7_000) * S_NS
    ids: list[tuple[str | None, int]] = [(None, -1)]
    for at in range(chance.randrange(1, 9)):
        parent, depth = chance.choice(ids) if at else (None, -1)
        data: dict[str, Any] = {
            "trace.trace_id": stored(trace, chance),
            "trace.span_id": f"{number * 100 + at:016x}",
            "name": chance.choice("abc"),
            "n": chance.randrange(4),
        }
        if chance.random() < 0.3:
            data["error"] = chance.random() < 0.6
        if parent is not None or chance.random() < 0.1:
            data["trace.parent_id"] = parent or "lost"
        if at and chance.random() < 0.15:
            data["meta.annotation_type"] = "span_event"
        else:
            ids.append((data["trace.span_id"], depth + 1))
        later = chance.choice([0, 1, 100, 3_000]) * S_NS
        spans.append((depth + 1, Row(begin + later + at, data)))
    return spans


def placed(spans: Sequence[tuple[int, Row]], chance: random.Random) -> Placed:
    """Spans of one depth lie in other partitions and datasets than those of the next one."""
    found: Placed = {}
    for depth, row in spans:
        partition = 3 * chance.randrange(PARTITIONS // 3) + depth % 3
        found.setdefault((partition, DATASETS[depth % 3]), []).append(row)
    return found


def random_filters(chance: random.Random) -> list[Filter]:
    filters = []
    for _ in range(chance.randrange(1, 4)):
        prefix = chance.choice([about.value for about in About])
        filters.append(
            chance.choice(
                [
                    equal(f"{prefix}name", chance.choice("abc")),
                    equal(f"{prefix}error", True),
                    Filter(f"{prefix}n", FilterOp.GT, (chance.randrange(3),)),
                    Filter(f"{prefix}name", FilterOp.NE, (chance.choice("abc"),)),
                ]
            )
        )
    return filters


async def find(running: SpanCluster, filters: Sequence[Filter], **more: Any) -> Any:
    wanted = TracesWanted(split_conditions(filters, False), *INSIDE, limit=10_000, **more)
    return await running.search.find(wanted, running.key)


def shown(found: Any) -> list[tuple[Any, ...]]:
    names = ("trace_id", "start_ns", "spans", "errors")
    return sorted(zip(*(found.rows.column(name).to_pylist() for name in names), strict=True))


async def test_any_conditions_find_what_an_obvious_implementation_finds(tmp_path: Path) -> None:
    chance = random.Random(7)
    spans = [span for number in range(1, 400) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    sizes = []
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for _ in range(24):
            filters = random_filters(chance)
            found = await find(running, filters)
            expected = qualifying(rows, filters, INSIDE, MARGIN_NS)
            assert shown(found) == [
                (one.trace_id, one.start_ns, one.spans, one.errors) for one in expected
            ], filters
            assert found.coverage["complete"]
            sizes.append(len(expected))
    assert min(sizes) == 0
    assert max(sizes) > 100  # these are joined with tables of keys, others are named by their ids
    assert len([size for size in sizes if 0 < size < 100]) > 10


async def test_events_are_gathered_by_conditions_on_other_spans_of_their_traces(
    tmp_path: Path,
) -> None:
    """As an obvious implementation finds them; `name` and `n` come with each of them."""
    chance = random.Random(8)
    spans = [span for number in range(1, 200) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    sizes = []
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for filters in [[equal("root.name", "z")], *(random_filters(chance) for _ in range(13))]:
            wanted = SpansWanted(None, *INSIDE, tuple(filters), fields=("n",))
            found = await running.related.gather(wanted, running.key)
            expected = events_meeting(rows, filters, INSIDE, MARGIN_NS)
            columns = [found.rows.column(name).to_pylist() for name in ("time_ns", "span_id")]
            assert sorted(zip(*columns, found.field("n").to_pylist(), strict=True)) == sorted(
                (row.time_ns, str(row.data["trace.span_id"]), str(row.data["n"]))
                for row in expected
            ), filters
            assert found.complete
            sizes.append(len(expected))
    assert min(sizes) == 0
    assert len([size for size in sizes if size]) > 5


async def test_gathered_events_say_that_none_may_have_missed_a_span(tmp_path: Path) -> None:
    spans = [*kinship(1), *kinship(2)]
    async with span_cluster(tmp_path, placed(spans, random.Random(11))) as running:
        for partition in (1, 4, 7, 10):  # those of the middle spans
            running.views_of(partition).lost.add(partition)
        wanted = SpansWanted(None, *INSIDE, (equal("none.name", "middle"),))
        found = await running.related.gather(wanted, running.key)
    assert not found.complete
    assert found.rows.num_rows == 4
    assert any("although a span that is missing" in note for note in found.notes)


def kinship(number: int, **parent: Any) -> list[tuple[int, Row]]:
    """A parent, a child and its child, with their names."""
    trace, spans = trace_id(number), []
    for depth, name in enumerate(("top", "middle", "bottom")):
        data: dict[str, Any] = {
            "trace.trace_id": trace,
            "trace.span_id": f"{number * 10 + depth:016x}",
            "name": name,
        }
        if depth:
            data["trace.parent_id"] = f"{number * 10 + depth - 1:016x}"
        else:
            data |= parent
        spans.append((depth, Row(BASE_NS + number * S_NS + depth, data)))
    return spans


async def test_spans_that_arrive_between_the_exchanges_change_nothing(tmp_path: Path) -> None:
    """They come once every indexer has answered the first exchange, before the second one."""
    chance = random.Random(8)
    spans = [span for number in range(1, 20) for span in kinship(number, error=number % 2 == 0)]
    late = [kinship(number, error=False)[0][1] for number in range(1, 40)]
    # more spans of traces that were found, and the spans that `none.` would have excluded
    late += [Row(row.time_ns, {**row.data, "bad": True}) for row in late]
    async with span_cluster(tmp_path, placed(spans, chance), end_offset=100) as running:
        filters = [
            equal("root.name", "top"),
            equal("none.bad", True),
            equal("child.name", "bottom"),
        ]
        before = shown(await find(running, filters))
        assert len(before) == 19
        asked = [indexer.asked for indexer in running.indexers]
        for number, indexer in enumerate(running.indexers):

            def arrive(number: int = number) -> None:
                if running.indexers[number].asked == asked[number] + 2:
                    for partition in range(number, PARTITIONS, 3):
                        running.add(partition, DATASETS[partition % 3], late)

            indexer.before_share = arrive
        assert shown(await find(running, filters)) == before
        assert shown(await find(running, filters)) != before


async def test_kin_are_of_the_same_span(tmp_path: Path) -> None:
    spans = [*kinship(1), *kinship(2)]
    async with span_cluster(tmp_path, placed(spans, random.Random(9))) as running:
        both = [equal("parent.name", "top"), equal("child.name", "bottom")]
        assert len(shown(await find(running, both))) == 2
        neither = [equal("parent.name", "middle"), equal("child.name", "bottom")]
        assert shown(await find(running, neither)) == []
        own = [equal("name", "bottom"), equal("parent.name", "top")]
        assert shown(await find(running, own)) == []


async def test_orders_and_the_number_that_was_found(tmp_path: Path) -> None:
    spans = [span for number in range(1, 6) for span in kinship(number, duration_ms=number * 10)]
    spans += kinship(1)[1:]  # one trace has more spans
    async with span_cluster(tmp_path, placed(spans, random.Random(10))) as running:
        for order, first in [
            (TraceOrder.NEWEST, 5),
            (TraceOrder.SLOWEST, 5),
            (TraceOrder.SPANS, 1),
        ]:
            wanted = TracesWanted(split_conditions([], False), *INSIDE, order=order, limit=1)
            found = await running.search.find(wanted, running.key)
            assert found.rows.column("trace_id").to_pylist() == [trace_id(first)]
            assert found.found == 5


async def test_none_over_incomplete_coverage_says_that_it_is_incomplete(tmp_path: Path) -> None:
    spans = [*kinship(1), *kinship(2)]
    async with span_cluster(tmp_path, placed(spans, random.Random(11))) as running:
        for partition in (1, 4, 7, 10):  # those of the middle spans
            running.views_of(partition).lost.add(partition)
        found = await find(running, [equal("none.name", "middle")])
        assert not found.coverage["complete"]
        assert len(shown(found)) == 2
        assert any("although a span that is missing" in note for note in found.notes)
        required = CoverageRequirement(mode="require")
        wanted = TracesWanted(split_conditions([equal("none.name", "middle")], False), *INSIDE)
        with pytest.raises(Unavailable, match="not every partition can be covered"):
            await running.search.find(wanted, running.key, required)


async def test_a_partition_that_is_lost_between_the_exchanges_makes_the_answer_incomplete(
    tmp_path: Path,
) -> None:
    spans = [span for number in range(1, 20) for span in kinship(number)]
    async with span_cluster(tmp_path, placed(spans, random.Random(12))) as running:
        first = running.indexers[1]

        def lose() -> None:
            if first.asked == 2:
                running.views_of(1).lost.add(1)

        first.before_share = lose
        found = await find(running, [equal("root.name", "top")])
        assert not found.coverage["complete"]
        lost = [one for one in found.coverage["partitions"] if not one["complete"]]
        assert [one["partition"] for one in lost] == [1]
        assert lost[0]["reason"] == "its rows could not be read a second time"


@pytest.mark.parametrize(("name", "at_most"), [("SPANS_MAX", 15), ("SPANS_BYTES_MAX", 400)])
async def test_more_keys_than_one_question_may_have_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_most: int
) -> None:
    monkeypatch.setattr(f"query.traces.relations.search.limits.{name}", at_most)
    spans = [span for number in range(1, 20) for span in kinship(number)]
    async with span_cluster(tmp_path, placed(spans, random.Random(13))) as running:
        with pytest.raises(Unprocessable, match=r"more than 15 spans|take more than 0 MiB"):
            await find(running, [equal("root.name", "top")])
        with pytest.raises(Unprocessable, match=r"more than 15 spans|take more than 0 MiB"):
            await find(running, [equal("parent.name", "top")])


def test_conditions_about_several_spans_are_joined_by_and_alone() -> None:
    group = Filter("", FilterOp.ANY_OF, (), (equal("root.a", 1), equal("b", 2)))
    with pytest.raises(SpecError, match=r"\(its own fields, root\.\) are joined by AND, not by OR"):
        split_conditions([group], False)
    with pytest.raises(SpecError, match="joined by AND"):
        split_conditions([equal("root.a", 1), equal("none.b", 2)], True)


def test_groups_about_one_span_stay_together_and_others_come_apart() -> None:
    either = Filter("", FilterOp.ANY_OF, (), (equal("root.a", 1), equal("root.b", 2)))
    mixed = Filter("", FilterOp.NONE_OF, (), (equal("any.c", 3), equal("d", 4)))
    split = split_conditions([Filter("", FilterOp.ALL_OF, (), (either, mixed))], False)
    assert split.by_span == {
        About.ROOT: (Filter("", FilterOp.ANY_OF, (), (equal("a", 1), equal("b", 2))),),
        About.ANY: (Filter("", FilterOp.NONE_OF, (), (equal("c", 3),)),),
        About.OWN: (Filter("", FilterOp.NONE_OF, (), (equal("d", 4),)),),
    }
