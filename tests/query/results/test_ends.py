"""Questions by the ends of events, against an obvious implementation: starts may lie days back."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from common.model.names import ALL_DATASETS
from query.faults import SpecError
from query.http.environment import NamedDatasets
from query.plan.parts.spans import SpanDataset, SpanNames
from query.plan.planner import build_request
from query.plan.read.axis import QUERY_AXES
from query.plan.read.spec import read_spec
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import Answer
from query.rows.page import make_page
from query.rows.request import read_rows_request
from tests.query.share.rows import Row
from tests.query.traces.cluster import DATASETS, SpanCluster, scattered, span_cluster

BASE_S = 1_700_000_000
S_NS = 10**9
TIMES = {"start_time": BASE_S, "end_time": BASE_S + 3_600, "granularity": 60}
INSIDE = (BASE_S * S_NS, (BASE_S + 3_600) * S_NS)
NAMES = {"web": SpanNames(), "billing": SpanNames(duration_ms=("took",)), "logs": SpanNames()}


def events(chance: random.Random, number: int = 400) -> list[tuple[str, Row]]:
    """(dataset, event), many of which take long; each at a time of its own."""
    found = []
    for at in range(number):
        dataset = chance.choice(DATASETS)
        lasts_s = chance.choice([0, 1, 60, 4_000, 300_000])
        end_s = BASE_S + chance.randrange(-600, 4_200)
        data: dict[str, Any] = {"kind": chance.choice("ab")}
        name = NAMES[dataset].duration_ms[0]
        how = chance.randrange(6)
        if how < 3:
            data[name] = lasts_s * 1_000 if how else float(lasts_s * 1_000)
        elif how == 3:
            data[name], lasts_s = chance.choice([-5, "soon"]), 0
        else:
            lasts_s = 0
        found.append((dataset, Row((end_s - lasts_s) * S_NS + at, data)))
    return found


def end_of(dataset: str, row: Row) -> int:
    length = row.data.get(NAMES[dataset].duration_ms[0], 0)
    return row.time_ns + (max(0, int(length)) * 10**6 if isinstance(length, int | float) else 0)


def overlaps(dataset: str, row: Row) -> bool:
    starts_inside = INSIDE[0] <= row.time_ns < INSIDE[1]
    return starts_inside or (row.time_ns < INSIDE[1] and end_of(dataset, row) > INSIDE[0])


def ends_inside(dataset: str, row: Row) -> bool:
    return INSIDE[0] <= end_of(dataset, row) < INSIDE[1]


def every(running: SpanCluster) -> tuple[SpanDataset, ...]:
    return tuple(SpanDataset(one, NAMES[name]) for name, one in running.ids.items())


async def ask(running: SpanCluster, spec: dict[str, Any], **more: Any) -> Answer:
    read = read_spec({**TIMES, **spec}, QUERY_AXES)
    query = build_request(read, ALL_DATASETS, 10**19, datasets=every(running), env="e", **more)
    return await running.runner.run(query, CoverageRequirement())


async def test_ranges_and_steps_of_ends_are_those_of_time_and_duration(tmp_path: Path) -> None:
    chance = random.Random(21)
    rows = events(chance)
    expected = [(d, row) for d, row in rows if ends_inside(d, row)]
    assert len([1 for _, row in expected if row.time_ns < INSIDE[0]]) > 20
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        for _ in range(2):  # the second time with series of all groups at once
            found = await ask(running, {"time_axis": "end", "breakdowns": ["kind"]})
            counts = {r["data"]["kind"]: r["data"]["COUNT"] for r in found.data["results"]}
            assert counts == Counter(row.data["kind"] for _, row in expected)
            steps = Counter[str]()
            for row in msgspec.json.decode(found.data["series"].json):
                steps[row["time"]] += row["data"]["COUNT"]
            minutes = Counter(end_of(d, row) // S_NS // 60 for d, row in expected)
            assert sorted(filter(None, steps.values())) == sorted(minutes.values())
            assert found.coverage["complete"]


async def test_ends_are_those_of_stored_durations_whatever_is_calculated(tmp_path: Path) -> None:
    chance = random.Random(23)
    rows = events(chance, 200)
    named = sorted({name for one in NAMES.values() for name in one.duration_ms})
    zeros = [{"name": name, "expression": "0"} for name in named]
    spec = {
        "time_axis": "end",
        "calculations": [{"op": "COUNT"}, *({"op": "MAX", "column": name} for name in named)],
        "calculated_fields": zeros,
    }
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        [row] = (await ask(running, spec)).data["results"]
    count = sum(ends_inside(dataset, row) for dataset, row in rows)
    assert row["data"] == {"COUNT": count} | {f"MAX({name})": 0 for name in named}


@pytest.mark.parametrize("axis", ["end", "overlap"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_rows_by_end_or_overlap_come_in_the_order_of_their_starts(
    tmp_path: Path, axis: str, order: str
) -> None:
    chance = random.Random(22)
    rows = events(chance, 200)
    is_wanted = ends_inside if axis == "end" else overlaps
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        named, seen, cursor = NamedDatasets(every(running), tuple(running.ids)), list[int](), None
        while True:
            body = {**TIMES, "time_axis": axis, "order": order, "limit": 40, "cursor": cursor}
            del body["granularity"]
            wanted = read_rows_request(body, ALL_DATASETS, 10**19, datasets=named)
            page = await running.runner.run_plan(
                wanted.plan,
                lambda states, wanted=wanted: make_page(wanted, states),
                CoverageRequirement(),
                wanted.requester,
            )
            seen += [row.position.time_ns for row in page.result.rows]
            if (cursor := page.result.next) is None:
                break
    times = [row.time_ns for dataset, row in rows if is_wanted(dataset, row)]
    assert len(times) > 60
    assert seen == sorted(times, reverse=order == "newest")


def test_calculations_take_starts_or_ends() -> None:
    with pytest.raises(SpecError, match="may lie in several steps"):
        read_spec({"time_axis": "overlap"}, QUERY_AXES)
    with pytest.raises(SpecError, match="one of start here"):
        read_spec({"time_axis": "end"})
    with pytest.raises(SpecError, match="must be a string"):
        read_spec({"time_axis": 1}, QUERY_AXES)
