"""Instances (PER) with conditions on other spans and fields of these, against a self-join."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.read.spec import read_spec
from tests.query.results.instances.oracle import instances
from tests.query.results.relations.test_totals import as_spec, ask, in_series, joined_with
from tests.query.share.oracle import matches
from tests.query.share.rows import Row
from tests.query.traces.cluster import span_cluster
from tests.query.traces.relations_oracle import equal, events_meeting
from tests.query.traces.test_relations import (
    INSIDE,
    MARGIN_NS,
    kinship,
    placed,
    random_filters,
    random_trace,
)

FIELDS = ("root.name", "parent.name", "root.n", "parent.n")


def apart_in_time(spans: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """No two at once, so that it is told which value of an instance is its first."""
    return [
        (depth, replace(row, time_ns=row.time_ns + at)) for at, (depth, row) in enumerate(spans)
    ]


def summed(rows: Sequence[Row], field: str) -> dict[object, tuple[int, int]]:
    """By value of a field, the number of instances and the sum of their spans."""
    found: dict[object, tuple[int, int]] = {}
    for row in rows:
        count, spans = found.get(row.data.get(field), (0, 0))
        found[row.data.get(field)] = count + row.rate, spans + row.rate * int(row.data["spans"])  # type: ignore[arg-type]
    return found


async def test_instances_of_joined_events_are_those_of_a_self_join(tmp_path: Path) -> None:
    chance = random.Random(21)
    spans = [span for number in range(1, 150) for span in random_trace(number, chance)]
    spans = apart_in_time(spans)
    rows = [row for _, row in spans]
    sizes = []
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for at in range(9):
            filters = random_filters(chance) if at % 4 else []
            field, per = chance.choice(FIELDS), chance.choice(["trace.trace_id", "root.name"])
            having = Filter(chance.choice(["root.n", "n"]), FilterOp.GE, (1,)) if at % 2 else None
            spec: dict[str, Any] = {
                "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": "spans"}],
                "filters": as_spec(filters),
                "per": per,
                "breakdowns": [field],
                "havings": as_spec([having] if having else []),
            }
            events = events_meeting(rows, filters, INSIDE, MARGIN_NS)
            for name in {field, per, "root.n"} - {"trace.trace_id"}:
                events = joined_with(rows, filters, events, name)
            made = instances(read_spec({**spec, "filters": []}), events)
            made = [row for row in made if having is None or matches(having, row)]
            found = await ask(running, spec)
            assert found.coverage["complete"]
            shown = {
                row["data"].get(field): (row["data"]["COUNT"], row["data"]["SUM(spans)"])
                for row in found.data["results"]
            }
            assert shown == summed(made, field), (filters, field, per, having)
            assert in_series(found) == len(made)
            sizes.append(len(made))
    assert max(sizes) > 30
    assert len([size for size in sizes if size]) > 4


async def test_an_instance_is_partial_where_its_events_beside_the_range_meet_the_conditions(
    tmp_path: Path,
) -> None:
    chance = random.Random(22)
    spans = [span for number in range(1, 200) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    reach = (INSIDE[1] - INSIDE[0]) // 4
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for filters in ([equal("root.name", "a")], [equal("parent.name", "b")]):
            spec = {
                "calculations": [{"op": "COUNT"}],
                "filters": as_spec(filters),
                "per": "trace.trace_id",
                "breakdowns": ["partial"],
            }
            around = (INSIDE[0] - reach, INSIDE[1] + reach)
            inside, beside = set[object](), set[object]()
            for row in events_meeting(rows, filters, around, MARGIN_NS):
                is_inside = INSIDE[0] <= row.time_ns < INSIDE[1]
                (inside if is_inside else beside).add(row.data["trace.trace_id"])
            found = await ask(running, spec)
            shown = {r["data"]["partial"]: r["data"]["COUNT"] for r in found.data["results"]}
            assert shown == {True: len(inside & beside), False: len(inside - beside)}
            assert inside & beside


async def test_an_earlier_range_has_the_instances_that_were_joined_then(tmp_path: Path) -> None:
    spans = [span for number in range(1, 8) for span in kinship(number)]
    async with span_cluster(tmp_path, placed(spans, random.Random(23))) as running:
        spec = {
            "calculations": [{"op": "COUNT"}],
            "filters": as_spec([equal("root.name", "top")]),
            "per": "trace.trace_id",
            "start_time": INSIDE[0] // 10**9 + 600,
            "end_time": INSIDE[1] // 10**9 + 600,
            "compare_time_offset_seconds": 600,
        }
        found = await ask(running, spec)
        assert found.compared is not None
        before = found.compared.answer
    assert [row["data"] for row in before.data["results"]] == [{"COUNT": 7}]
    assert any("from 1 h before the range" in note for note in found.notes)


@pytest.mark.parametrize(
    ("more", "member"),
    [
        ({"havings": [{"column": "any.name", "op": "=", "value": "a"}]}, "havings"),
        ({"breakdowns": ["child.name"]}, "breakdowns"),
        ({"per": "none.name"}, "per"),
    ],
)
async def test_one_of_several_spans_has_no_value_of_an_instance(
    tmp_path: Path, more: dict[str, Any], member: str
) -> None:
    spec = {"calculations": [{"op": "COUNT"}], "per": "trace.trace_id", **more}
    async with span_cluster(tmp_path, {}) as running:
        with pytest.raises(SpecError, match="any of several spans of a trace") as refused:
            await ask(running, spec)
    assert refused.value.faults[0].field.startswith(member)
