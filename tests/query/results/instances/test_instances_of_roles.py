"""Whole traces over several indexers and datasets, asked in text, and over HTTP."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from common.model.names import ALL_DATASETS
from common.process.versions import OWN
from query.plan.parts.spans import SpanDataset
from query.plan.planner import build_request
from query.plan.read.spec import read_spec
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import Answer
from query.text.parser import parse_text
from tests.query.harness import TIMES, query_harness
from tests.query.share.rows import Row
from tests.query.traces.cluster import DATASETS, SpanCluster, scattered, span_cluster

BASE_S = 1_700_000_000
STEPS = ("create", "wait_capacity", "launch", "done")


def traces(number: int) -> list[tuple[str, Row]]:
    """(dataset, event): each trace has steps in several datasets, and stops at one of them."""
    found = []
    for at in range(number):
        for step in range(1 + at % len(STEPS)):
            data: dict[str, Any] = {
                "trace.trace_id": f"t{at}",
                "trace.span_id": f"{step}",
                "name": STEPS[step],
                "duration_ms": 250,
                "error": step == 2,
            }
            if step == 0:
                data["datacenter"] = "north" if at % 2 else "south"
            time_ns = (BASE_S + at % 60) * 10**9 + step * 10**9
            found.append((DATASETS[step % len(DATASETS)], Row(time_ns, data)))
    return found


async def ask(running: SpanCluster, text: str, **more: Any) -> Answer:
    written = f"{text} SINCE {BASE_S} UNTIL {BASE_S + 100}"
    spec = read_spec(parse_text(written, BASE_S))
    datasets = tuple(SpanDataset(one) for one in running.ids.values())
    asked = build_request(spec, ALL_DATASETS, 10**19, datasets=datasets, env="e", **more)
    return await running.runner.run(asked, CoverageRequirement())


def results(answer: Answer) -> list[dict[str, Any]]:
    return [row["data"] for row in answer.data["results"]]


async def test_traces_that_stand_at_a_step_are_counted_over_all_datasets(tmp_path: Path) -> None:
    chance = random.Random(5)
    async with span_cluster(tmp_path, scattered(traces(80), chance)) as running:
        found = await ask(
            running,
            "COUNT, P95(extent_ms) PER trace.trace_id GROUP BY datacenter"
            ' HAVING last_step = "wait_capacity"',
        )
        assert found.coverage["complete"]
        # a trace stands there if its number is 1 of 4, so an odd one
        assert results(found) == [{"datacenter": "north", "COUNT": 20, "P95(extent_ms)": 1_250}]
        steps = msgspec.json.decode(found.data["series"].json)
        assert sum(row["data"]["COUNT"] for row in steps) == 20
        found = await ask(running, "COUNT, SUM(spans), SUM(errors) PER trace.trace_id "
                                   "GROUP BY last_step ORDER BY last_step")  # fmt: skip
        assert [(row["last_step"], row["COUNT"], row["SUM(spans)"], row["SUM(errors)"])
                for row in results(found)] == [
            ("create", 20, 20, 0), ("done", 20, 80, 20), ("launch", 20, 60, 20),
            ("wait_capacity", 20, 40, 0),
        ]  # fmt: skip


async def test_conditions_of_where_are_about_events_before_they_are_put_together(
    tmp_path: Path,
) -> None:
    chance = random.Random(6)
    async with span_cluster(tmp_path, scattered(traces(40), chance)) as running:
        found = await ask(
            running, 'COUNT WHERE name != "done" PER trace.trace_id GROUP BY last_step'
        )
        counts = Counter({row["last_step"]: row["COUNT"] for row in results(found)})
        assert counts == {"create": 10, "wait_capacity": 10, "launch": 20}


async def test_instances_of_one_dataset_are_asked_over_http(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].announce(OWN)
        spec: dict[str, Any] = {
            "calculations": [{"op": "COUNT"}, {"op": "MAX", "column": "spans"}],
            "per": "status",
            "havings": [{"column": "status", "op": ">", "value": 200}],
            **TIMES,
        }
        found = await running.ask(spec)
        assert found["data"]["results"] == [{"data": {"COUNT": 2, "MAX(spans)": 33}}]
        assert found["notes"] == []
        unknown = await running.ask({**spec, "breakdowns": ["nowhere"]})
        assert unknown["notes"] == ["no event has a field `nowhere`"]
        refused = {**spec, "havings": [{"column": "status", "op": "near", "value": 200}]}
        body = {"query": refused, "wait_s": 20}
        status, answer = await running.post("/1/query_results/shop", body)
        assert (status, "havings[0].op" in str(answer)) == (422, True)


async def test_traces_that_reach_out_of_the_range_are_told_of_by_every_indexer(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    async with span_cluster(tmp_path, scattered(traces(80), chance)) as running:
        spec = {
            "calculations": [{"op": "COUNT"}],
            "breakdowns": ["partial"],
            "per": "trace.trace_id",
            "start_time": BASE_S + 20,
            "end_time": BASE_S + 40,
        }
        datasets = tuple(SpanDataset(one) for one in running.ids.values())
        asked = build_request(read_spec(spec), ALL_DATASETS, 10**19, datasets=datasets, env="e")
        found = await running.runner.run(asked, CoverageRequirement())
        inside = {"t": set[str](), "outside": set[str]()}
        for _, row in traces(80):
            second = row.time_ns // 10**9 - BASE_S
            where = "t" if 20 <= second < 40 else "outside" if 15 <= second < 45 else ""
            inside.setdefault(where, set()).add(str(row.data["trace.trace_id"]))
        partial = len(inside["t"] & inside["outside"])
        assert partial > 0
        assert {row["partial"]: row["COUNT"] for row in results(found)} == {
            True: partial, False: len(inside["t"]) - partial,
        }  # fmt: skip
        assert any("lie" in note or "partial" in note for note in found.notes)


async def test_one_of_several_spans_is_no_value_of_an_instance(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].announce(OWN)
        spec = {"calculations": [{"op": "COUNT"}], "per": "status", **TIMES,
                "breakdowns": ["any.name"]}  # fmt: skip
        status, answer = await running.post("/1/query_results/shop", {"query": spec, "wait_s": 20})
        assert (status, "breakdowns[0]" in str(answer)) == (422, True)


async def test_formulas_and_earlier_ranges_are_of_instances_too(tmp_path: Path) -> None:
    chance = random.Random(8)
    async with span_cluster(tmp_path, scattered(traces(80), chance)) as running:
        found = await ask(
            running,
            "COUNT, SUM(spans) / COUNT AS each PER trace.trace_id GROUP BY last_step"
            " HAVING each > 2 ORDER BY last_step",
        )
        assert [(row["last_step"], row["COUNT"], row["each"]) for row in results(found)] == [
            ("done", 20, 4),
            ("launch", 20, 3),
        ]
        spec = {
            "calculations": [{"op": "COUNT"}],
            "per": "trace.trace_id",
            "start_time": BASE_S + 30,
            "end_time": BASE_S + 40,
            "compare_time_offset_seconds": 10,
        }
        datasets = tuple(SpanDataset(one) for one in running.ids.values())
        asked = build_request(read_spec(spec), ALL_DATASETS, 10**19, datasets=datasets, env="e")
        both = await running.runner.run(asked, CoverageRequirement())
        assert both.compared is not None

        def there(first: int) -> int:
            inside = range(BASE_S + first, BASE_S + first + 10)
            return len({row.data["trace.trace_id"] for _, row in traces(80)
                        if row.time_ns // 10**9 in inside})  # fmt: skip

        assert results(both) == [{"COUNT": there(30)}]
        assert results(both.compared.answer) == [{"COUNT": there(20)}]


async def test_a_calculated_field_is_one_of_events_whose_first_value_an_instance_has(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].announce(OWN)
        spec: dict[str, Any] = {
            "calculated_fields": [{"name": "late", "expression": "GTE($ms, 40)"}],
            "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": "spans"}],
            "filters": [{"column": "late", "op": "=", "value": True}],
            "breakdowns": ["late"],
            "per": "service",
            **TIMES,
        }
        found = await running.ask(spec)
        assert found["data"]["results"] == [{"data": {"late": True, "COUNT": 2, "SUM(spans)": 20}}]
