"""Totals and series with fields of other spans, against a self-join by an obvious implementation.

Spans of a trace lie in other partitions and datasets than their parents, half of them sealed.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from common.model.names import ALL_DATASETS
from common.model.reroute import EpochOffset
from query.faults import SpecError
from query.plan.parts.conditions import Filter
from query.plan.parts.spans import SpanDataset, SpanNames
from query.plan.planner import QueryRequest, build_request
from query.plan.read.axis import QUERY_AXES
from query.plan.read.spec import read_spec
from query.plan.relations import split_conditions
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import Answer
from query.share.view.rerouted import UndecidedBatch
from query.traces.relations.search import TracesWanted
from tests.query.share.oracle import matches
from tests.query.share.rows import Row
from tests.query.traces.cluster import DATASETS, SpanCluster, span_cluster
from tests.query.traces.relations_oracle import equal, events_meeting, trace_of
from tests.query.traces.test_relations import (
    BASE_NS,
    INSIDE,
    MARGIN_NS,
    kinship,
    placed,
    random_filters,
    random_trace,
)

TIMES = {"start_time": INSIDE[0] // 10**9, "end_time": INSIDE[1] // 10**9, "granularity": 300}


def as_spec(filters: Sequence[Filter]) -> list[dict[str, Any]]:
    return [{"column": f.field, "op": f.op.value, "value": f.values[0]} for f in filters]


def request_of(running: SpanCluster, spec: dict[str, Any], dataset: str = "") -> QueryRequest:
    every = tuple(SpanDataset(one) for one in running.ids.values())
    asked = tuple(one for one in every if dataset in ("", ALL_DATASETS, name_of(running, one.id)))
    query = build_request(
        read_spec(spec, QUERY_AXES),
        dataset,
        10**19,
        datasets=asked,
        around=every,
        with_total=True,
        limit=1_000,
    )
    return replace(query, env="e")


def name_of(running: SpanCluster, dataset: str) -> str:
    return next(name for name, one in running.ids.items() if one == dataset)


async def ask(running: SpanCluster, spec: dict[str, Any], dataset: str = "") -> Answer:
    query = request_of(running, {**TIMES, **spec}, dataset)
    return await running.runner.run(query, CoverageRequirement())


def counts(answer: Answer, field: str) -> Counter[object]:
    rows = (row["data"] for row in answer.data["results"])
    return Counter({row.get(field): row["COUNT"] for row in rows})


def in_series(answer: Answer) -> int:
    return sum(row["data"]["COUNT"] for row in msgspec.json.decode(answer.data["series"].json))


def roots_and_parents(
    rows: Sequence[Row], meeting: Sequence[Filter], of: Sequence[Row], field: str
) -> Counter[object]:
    """How often each value of `root.<field>` or `parent.<field>` comes, by a self-join."""
    values: Counter[object] = Counter()
    for row in joined_with(rows, meeting, of, field):
        values[row.data.get(field)] += row.rate
    return values


def joined_with(
    rows: Sequence[Row], meeting: Sequence[Filter], of: Sequence[Row], field: str
) -> list[Row]:
    """The events with `root.<field>` or `parent.<field>` as a field of theirs, by a self-join."""
    prefix, name = field.split(".", 1)
    low, high = INSIDE[0] - MARGIN_NS, INSIDE[1] + MARGIN_NS
    spans = [
        row for row in rows if low <= row.time_ns < high and "meta.annotation_type" not in row.data
    ]
    own = [
        Filter(f.field.removeprefix(f"{prefix}."), f.op, f.values)
        for f in meeting
        if f.field.startswith(f"{prefix}.")
    ]
    found: dict[object, Row] = {}
    for row in sorted(spans, key=lambda r: (r.time_ns, str(r.data["trace.span_id"]))):
        if prefix == "root" and "trace.parent_id" in row.data:
            continue
        key = trace_of(row) if prefix == "root" else (trace_of(row), row.data["trace.span_id"])
        if all(matches(one, row) for one in own):
            found.setdefault(key, row)
    joined = []
    for row in of:
        parent = row.data.get("trace.parent_id")
        other = found.get(trace_of(row) if prefix == "root" else (trace_of(row), parent))
        has = other is not None and name in other.data
        joined.append(replace(row, data={**row.data, field: other.data[name]}) if has else row)
    return joined


async def test_counts_are_those_of_a_self_join(tmp_path: Path) -> None:
    chance = random.Random(17)
    spans = [span for number in range(1, 250) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    some = []
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for at in range(12):
            filters = random_filters(chance)
            field = chance.choice(["name", "n"])
            expected = events_meeting(rows, filters, INSIDE, MARGIN_NS)
            spec = {"filters": as_spec(filters), "breakdowns": [field] if at % 2 else []}
            found = await ask(running, spec)
            assert found.coverage["complete"]
            if at % 2:
                by = Counter(row.data.get(field) for row in expected)
                assert counts(found, field) == by, filters
            else:
                assert counts(found, "-") == Counter({None: len(expected)}), filters
            assert in_series(found) == len(expected)
            assert found.data["total_by_aggregate"]["COUNT"] == len(expected)
            some.append(len(expected))
    assert max(some) > 50
    assert len([size for size in some if size]) > 5


async def test_groups_by_a_field_of_the_root_or_parent_are_those_of_a_self_join(
    tmp_path: Path,
) -> None:
    chance = random.Random(18)
    spans = [span for number in range(1, 200) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for at in range(12):
            filters = random_filters(chance) if at % 3 else []
            field = chance.choice(["root.name", "parent.name", "root.n", "parent.n"])
            expected = events_meeting(rows, filters, INSIDE, MARGIN_NS)
            for _ in range(2):  # the second time with series of all groups at once
                found = await ask(running, {"filters": as_spec(filters), "breakdowns": [field]})
                by_value = roots_and_parents(rows, filters, expected, field)
                assert counts(found, field) == by_value, (field, filters)
                assert in_series(found) == len(expected)


async def test_numbers_of_the_root_are_calculated_of_each_event(tmp_path: Path) -> None:
    spans = [span for n in range(1, 6) for span in kinship(n, duration_ms=n * 10, big=2**53 + n)]
    async with span_cluster(tmp_path, placed(spans, random.Random(3))) as running:
        calculations = [
            {"op": "MAX", "column": "root.big"},
            {"op": "SUM", "column": "root.duration_ms"},
            {"op": "COUNT_DISTINCT", "column": "parent.name"},
        ]
        found = await ask(running, {"calculations": calculations})
    assert found.data["results"][0]["data"] == {
        "MAX(root.big)": 2**53 + 5,
        "SUM(root.duration_ms)": 3 * 150,
        "COUNT_DISTINCT(parent.name)": 2,
    }
    assert found.types["root.big"] == "i"
    assert any("from 1 h before the range" in note for note in found.notes)


async def test_events_of_one_dataset_are_joined_with_spans_of_all(tmp_path: Path) -> None:
    spans = [span for number in range(1, 6) for span in kinship(number)]
    async with span_cluster(tmp_path, placed(spans, random.Random(4))) as running:
        for dataset, name in zip(DATASETS, ("top", "middle", "bottom"), strict=True):
            spec = {"breakdowns": ["name", "root.name"]}
            found = await ask(running, spec, dataset)
            assert [row["data"] for row in found.data["results"]] == [
                {"name": name, "root.name": "top", "COUNT": 5}
            ]
        everything = await ask(running, {"breakdowns": ["root.name"]}, ALL_DATASETS)
        assert counts(everything, "root.name") == {"top": 15}


async def test_datasets_may_have_their_ids_in_other_fields(tmp_path: Path) -> None:
    spans = [span for number in range(1, 6) for span in kinship(number)]
    where = placed(spans, random.Random(5))
    renamed = {"trace.trace_id": "t", "trace.span_id": "s", "trace.parent_id": "p"}
    where = {
        (partition, dataset): [
            replace(row, data={renamed.get(k, k): v for k, v in row.data.items()})
            if dataset == "billing"
            else row
            for row in rows
        ]
        for (partition, dataset), rows in where.items()
    }
    async with span_cluster(tmp_path, where) as running:
        query = request_of(running, {**TIMES, "breakdowns": ["parent.name"]})
        names = SpanNames(trace_id=("t",), span_id=("s",), parent_id=("p",))
        billing = SpanDataset(running.ids["billing"], names)
        datasets = tuple(billing if o.id == billing.id else o for o in query.datasets)
        query = replace(query, datasets=datasets, around=datasets)
        found = await running.runner.run(query, CoverageRequirement())
    assert counts(found, "parent.name") == {None: 5, "top": 5, "middle": 5}


async def test_a_field_that_events_have_is_no_relation(tmp_path: Path) -> None:
    spans = [(0, Row(BASE_NS + at, {"root.name": "own", "n": at})) for at in range(4)]
    async with span_cluster(tmp_path, placed(spans, random.Random(6))) as running:
        query = request_of(running, {**TIMES, "breakdowns": ["root.name"]})
        query = replace(query, stored=frozenset({"root.name"}))
        found = await running.runner.run(query, CoverageRequirement())
    assert counts(found, "root.name") == {"own": 4}


@pytest.mark.parametrize("prefix", ["any", "any2", "any3", "none", "child"])
async def test_a_value_of_one_of_several_spans_is_refused_by_name(
    tmp_path: Path, prefix: str
) -> None:
    async with span_cluster(tmp_path, {}) as running:
        for spec in (
            {"breakdowns": [f"{prefix}.name"]},
            {"calculations": [{"op": "SUM", "column": f"{prefix}.name"}]},
        ):
            with pytest.raises(SpecError, match="any of several spans of a trace"):
                await ask(running, spec)


async def test_a_rerouted_batch_is_joined_and_counted_once(tmp_path: Path) -> None:
    """The parent is undecided in one partition; nobody holds its copy, so that it counts."""
    spans = [span for number in range(1, 3) for span in kinship(number)]
    where = {(depth, DATASETS[depth]): [r for d, r in spans if d == depth] for depth in range(3)}
    async with span_cluster(tmp_path, where) as running:
        views, at = running.views_of(0).views, (0, running.ids["web"])
        undecided = UndecidedBatch("00" * 16, (1, 0), 0, (99,))
        views[at] = replace(views[at], undecided=(undecided,))
        found = await ask(running, {"breakdowns": ["root.name"]})
        assert counts(found, "root.name") == {"top": 6}
        views[at] = replace(views[at], undecided=(), dropped=(EpochOffset(1, 0),))
        found = await ask(running, {"breakdowns": ["root.name"]})
    assert counts(found, "root.name") == {None: 2, "top": 3}


async def test_what_is_lost_between_the_exchanges_is_said(tmp_path: Path) -> None:
    spans = [span for number in range(1, 6) for span in kinship(number)]
    async with span_cluster(tmp_path, placed(spans, random.Random(8))) as running:
        asked = running.indexers[1].asked

        def lose() -> None:
            if running.indexers[1].asked > asked + 1:
                running.views_of(1).lost.update(range(1, 12, 3))

        running.indexers[1].before_share = lose
        found = await ask(running, {"breakdowns": ["root.name"]})
    assert not found.coverage["complete"]
    reasons = {p["reason"] for p in found.coverage["partitions"] if not p["complete"]}
    assert reasons == {"its rows could not be read a second time"}


async def test_ends_in_the_range_are_joined_with_spans_that_began_long_before(
    tmp_path: Path,
) -> None:
    """A root of three days and its child, which began a day later, both end in the range."""
    day_ns = 86_400 * 10**9
    ids: dict[str, Any] = {"trace.trace_id": "f" * 32}
    root = {**ids, "trace.span_id": "r", "name": "top", "duration_ms": 3 * 86_400_000}
    child = {**ids, "trace.span_id": "c", "trace.parent_id": "r", "name": "leaf"}
    child["duration_ms"] = 2 * 86_400_000
    spans = [(0, Row(BASE_NS + 10**9 - 3 * day_ns, root))]
    spans.append((1, Row(BASE_NS + 10**9 - 2 * day_ns, child)))
    async with span_cluster(tmp_path, placed(spans, random.Random(9))) as running:
        spec = {"time_axis": "end", "breakdowns": ["root.name", "parent.name"]}
        found = await ask(running, spec)
        by_start = await ask(running, {"breakdowns": ["root.name"]})
        wanted = TracesWanted(split_conditions([equal("name", "leaf")], False), *INSIDE)
        starting = await running.search.find(wanted, running.key)
        overlapping = await running.search.find(replace(wanted, overlapping=True), running.key)
    shown = {(r["data"]["root.name"], r["data"]["parent.name"]) for r in found.data["results"]}
    assert shown == {("top", None), ("top", "top")}
    assert by_start.data["results"] == []
    assert (starting.found, overlapping.found) == (0, 1)
    assert overlapping.rows.column("spans").to_pylist() == [2]
