"""Questions over all datasets, whose events lie in random partitions, half of them sealed."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from common.model.names import ALL_DATASETS
from common.model.reroute import EpochOffset
from query.http.environment import NamedDatasets
from query.plan.parts.spans import SpanDataset
from query.plan.planner import QueryRequest, build_request
from query.plan.read.spec import read_spec
from query.results.answer import Answer
from query.results.notes.coverage import CoverageRequirement
from query.rows.page import make_page
from query.rows.request import read_rows_request
from query.share.view.rerouted import UndecidedBatch
from query.share.view.view import DatasetView
from tests.query.share.oracle import answer as oracle
from tests.query.share.oracle import same
from tests.query.share.rows import Row, Value, view
from tests.query.traces.cluster import DATASETS, SpanCluster, scattered, span_cluster

BASE_S = 1_700_000_000
TIMES = {"start_time": BASE_S, "end_time": BASE_S + 600}
CALCULATIONS: list[dict[str, Any]] = [
    {"op": "COUNT"},
    {"op": "SUM", "column": "n"},
    {"op": "MAX", "column": "n"},
    {"op": "COUNT_DISTINCT", "column": "n"},
]


def events(chance: random.Random, number: int = 300) -> list[tuple[str, Row]]:
    """(dataset, event). A field has other types in each dataset: integers, doubles, texts."""
    found = []
    for at in range(number):
        dataset = chance.choice(DATASETS)
        value = chance.randrange(5)
        n: Value = {"web": value, "billing": value / 2, "logs": str(value)}[dataset]
        data: dict[str, Any] = {"kind": chance.choice("abc"), "n": n}
        if dataset == "web":
            data["only_web"] = at % 2 == 0
        time_ns = (BASE_S + chance.randrange(-50, 650)) * 10**9 + at
        found.append((dataset, Row(time_ns, data, chance.choice([1, 10]))))
    return found


def every(running: SpanCluster) -> tuple[SpanDataset, ...]:
    return tuple(SpanDataset(one) for one in running.ids.values())


def request_of(running: SpanCluster, spec: dict[str, Any], **more: Any) -> QueryRequest:
    return build_request(
        read_spec(spec), ALL_DATASETS, 10**19, datasets=every(running), env="e", **more
    )


async def ask(running: SpanCluster, spec: dict[str, Any], **more: Any) -> Answer:
    return await running.runner.run(request_of(running, spec, **more), CoverageRequirement())


def results(answer: Answer) -> list[dict[str, Any]]:
    return [row["data"] for row in answer.data["results"]]


def inside(rows: list[tuple[str, Row]]) -> list[Row]:
    first, end = TIMES["start_time"] * 10**9, TIMES["end_time"] * 10**9
    return [row for _, row in rows if first <= row.time_ns < end]


async def test_the_answer_is_that_over_the_events_of_all_datasets_as_if_they_were_one(
    tmp_path: Path,
) -> None:
    chance = random.Random(3)
    rows = events(chance)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        for more in (
            {},
            {"breakdowns": ["kind"]},
            {"breakdowns": ["n"], "filters": [{"column": "n", "op": "!=", "value": 1}]},
            {"filters": [{"column": "only_web", "op": "exists"}]},
        ):
            spec = {"calculations": CALCULATIONS, "granularity": 60, **TIMES, **more}
            for _ in range(2):  # the second time with series of all groups at once
                found = await ask(running, spec, limit=1_000)
                assert found.coverage["complete"]
                expected = oracle(read_spec(spec), inside(rows))
                assert len(results(found)) == len(expected)
                for group, wanted in expected.items():
                    (mine,) = (
                        row
                        for row in results(found)
                        if all(
                            (type(row[name]).__name__, row[name]) == key
                            for name, key in zip(spec.get("breakdowns", []), group, strict=True)
                        )
                    )
                    assert all(same(mine[label], value) for label, value in wanted.items()), group
                steps = msgspec.json.decode(found.data["series"].json)
                counted = sum(row["data"]["COUNT"] for row in steps)
                assert counted == sum(row["COUNT"] for row in results(found))


async def test_a_field_has_the_types_that_it_has_in_any_dataset(tmp_path: Path) -> None:
    chance = random.Random(4)
    async with span_cluster(tmp_path, scattered(events(chance), chance)) as running:
        found = await ask(running, {"calculations": CALCULATIONS, **TIMES})
    assert found.types["n"] == "fis"


async def test_rows_come_from_all_datasets_in_the_order_of_time_and_say_which(
    tmp_path: Path,
) -> None:
    chance = random.Random(5)
    rows = events(chance)
    origin = {row.time_ns: dataset for dataset, row in rows}
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        named = NamedDatasets(every(running), tuple(running.ids))
        seen, cursor = list[tuple[int, str]](), None
        while True:
            body = {"limit": 40, **({"cursor": cursor} if cursor else TIMES)}
            wanted = read_rows_request(body, ALL_DATASETS, 10**19, datasets=named)
            page = await running.runner.run_plan(
                wanted.plan,
                lambda states, wanted=wanted: make_page(wanted, states),
                CoverageRequirement(),
                wanted.requester,
            )
            assert page.coverage["complete"]
            seen += [(r.position.time_ns, named.names[r.dataset]) for r in page.result.rows]
            cursor = page.result.next
            if cursor is None:
                break
    assert seen == [
        (time, origin[time]) for time in sorted((r.time_ns for r in inside(rows)), reverse=True)
    ]


async def test_a_partition_counts_up_to_the_end_that_all_of_its_datasets_have(
    tmp_path: Path,
) -> None:
    """A view of one dataset may be newer than that of another one."""
    chance = random.Random(6)
    rows = events(chance)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        before = await ask(running, {**TIMES, "calculations": CALCULATIONS})
        views, web = running.views_of(4).views, running.ids["web"]
        running.add(4, "web", [Row(BASE_S * 10**9, {"n": 1})])
        views[4, web] = replace(views[4, web], end_offset=10**6 + 1)
        for other in running.ids.values():
            if other != web:
                views[4, other] = replace(
                    views.get((4, other), replace(view(4), dataset=other)), end_offset=10**6
                )
        after = await ask(running, {**TIMES, "calculations": CALCULATIONS})
        assert results(after) == results(before)
        assert after.coverage["partitions"][4]["end_offset"] == 10**6
        running.views_of(4).lost.add(4)
        lost = await ask(running, {**TIMES, "calculations": CALCULATIONS})
    assert not lost.coverage["complete"]
    assert [p["partition"] for p in lost.coverage["partitions"] if not p["complete"]] == [4]


@pytest.mark.parametrize("dropped", [False, True])
async def test_a_rerouted_batch_counts_once_in_whichever_dataset_it_is(
    tmp_path: Path, dropped: bool
) -> None:
    """One record of `web` is undecided; nobody holds its copy, so that it counts, or it lost."""
    placed = {(1, "web"): [Row(BASE_S * 10**9 + at, {"n": at}) for at in range(4)]}
    placed[1, "logs"] = [Row(BASE_S * 10**9 + at, {"n": at}) for at in range(3)]
    async with span_cluster(tmp_path, placed) as running:
        views = running.views_of(1).views
        at = (1, running.ids["web"])
        undecided = UndecidedBatch("00" * 16, (1, 1), 0, (99,))
        changed: DatasetView = (
            replace(views[at], dropped=(EpochOffset(1, 1),))
            if dropped
            else replace(views[at], undecided=(undecided,))
        )
        views[at] = changed
        if dropped:  # what was dropped is known of the partition, whichever dataset it was of
            other = (1, running.ids["logs"])
            views[other] = replace(views[other], dropped=(EpochOffset(1, 1),))
        found = await ask(running, {**TIMES, "breakdowns": ["n"]}, limit=10)
    counts = {row["n"]: row["COUNT"] for row in results(found)}
    assert counts == {0: 2, 1: 1 if dropped else 2, 2: 2, 3: 1}
