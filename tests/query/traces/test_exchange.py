"""Spans are gathered from every partition and dataset, once each, and what is missing is listed."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.errors import Unprocessable
from common.process.versions import Understands
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpansPer
from query.share.view.rerouted import UndecidedBatch
from query.traces.wanted import SpansWanted
from tests.query.share.rows import Row
from tests.query.traces.cluster import DATASETS, PARTITIONS, scattered, span_cluster

BASE_NS = 1_700_000_000 * 10**9
MS = 10**6


def span(number: int, trace: str, parent: str | None = None, **fields: Any) -> Row:
    data: dict[str, Any] = {
        "trace.trace_id": trace,
        "trace.span_id": f"{number:016x}",
        "name": f"n{number % 5}",
    }
    if parent is not None:
        data["trace.parent_id"] = parent
    data["duration_ms"] = float(number % 7)
    return Row(BASE_NS + number * MS, {**data, **fields})


def trace_of(size: int, name: str, chance: random.Random, first: int = 0) -> list[tuple[str, Row]]:
    """A root and its children, each in a dataset of its own choice."""
    root = f"{first:016x}"
    rows = [span(first, name, None, **{"service.name": "front"})]
    rows += [span(first + at, name, root, error=at % 3 == 0) for at in range(1, size)]
    return [(chance.choice(DATASETS), row) for row in rows]


async def test_a_trace_is_found_in_every_partition_and_dataset(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = trace_of(60, "ab" * 16, chance) + trace_of(60, "cd" * 16, chance, first=100)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        found = await running.exchange.gather(
            SpansWanted(trace_ids=("AB" * 16,), fields=("error", "service.name")), running.key
        )
    assert found.complete
    assert len(found.coverage["partitions"]) == PARTITIONS
    expected = sorted(
        (row.time_ns, dataset, row.data["trace.span_id"], row.data.get("trace.parent_id"))
        for dataset, row in rows
        if row.data["trace.trace_id"] == "ab" * 16
    )
    columns = ("time_ns", "dataset", "span_id", "parent_id")
    assert list(zip(*(found.rows.column(c).to_pylist() for c in columns), strict=True)) == expected
    errors = [row.data.get("error") for _, row in rows[:60]]
    assert found.rows.column("error").to_pylist() == [bool(one) for one in errors]
    texts = found.field("error").to_pylist()
    assert [None if one is None else json.loads(one) for one in texts] == errors
    assert found.field("service.name").to_pylist() == ['"front"', *[None] * 59]


async def test_all_fields_of_a_traces_spans_come_as_they_were_sent(tmp_path: Path) -> None:
    chance = random.Random(4)
    rows = trace_of(30, "ab" * 16, chance) + trace_of(9, "cd" * 16, chance, first=100)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        wanted = SpansWanted(trace_ids=("ab" * 16,), with_data=True)
        found = await running.exchange.gather(wanted, running.key)
    datas = [json.loads(one) for one in found.rows.column("data").to_pylist()]
    assert datas == [row.data for _, row in rows[:30]]
    assert "s" not in found.rows.column_names


async def test_one_row_per_trace_says_what_its_spans_come_to(tmp_path: Path) -> None:
    chance = random.Random(2)
    rows = trace_of(40, "a" * 32, chance) + trace_of(20, "b" * 32, chance, first=50)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        found = await running.exchange.gather(SpansWanted(per=SpansPer.TRACE), running.key)
    first, second = found.rows.to_pylist()
    ends = [row.time_ns + int(float(row.data["duration_ms"]) * MS) for _, row in rows]  # type: ignore[arg-type]
    assert first == {
        "trace_id": "a" * 32,
        "start_ns": BASE_NS,
        "end_ns": max(ends[:40]),
        "spans": 40,
        "errors": 13,
        "services": ["front"],
        "root_ns": BASE_NS,
        "root_id": f"{0:016x}",
        "root_name": "n0",
        "root_service": "front",
        "root_ms": 0.0,
        "root_error": False,
    }
    assert (second["trace_id"], second["spans"]) == ("b" * 32, 20)


async def test_ids_are_found_in_whatever_form_they_were_stored(tmp_path: Path) -> None:
    stored = ["00000000000000000123456789abcdef", "0123456789ABCDEF", "0123456789abcdef"]
    rows = [
        Row(BASE_NS + at, {name: one, "name": "x"})
        for at, (name, one) in enumerate(
            zip(["trace.trace_id", "trace_id", "traceId"], stored, strict=True)
        )
    ]
    placed = {(at, "logs"): [row] for at, row in enumerate(rows)}
    async with span_cluster(tmp_path, placed) as running:
        for written in ["123456789abcdef", "0123456789ABCDEF", stored[0]]:
            found = await running.exchange.gather(SpansWanted(trace_ids=(written,)), running.key)
            assert found.rows.column("trace_id").to_pylist() == ["0123456789abcdef"] * 3


async def test_the_first_name_that_an_event_has_is_its_trace(tmp_path: Path) -> None:
    both = {"trace.trace_id": "a" * 32, "traceId": "b" * 32}
    placed = {(0, "web"): [Row(BASE_NS, {**both}), Row(BASE_NS, {"traceId": "b" * 32})]}
    async with span_cluster(tmp_path, placed) as running:
        found = await running.exchange.gather(SpansWanted(trace_ids=("b" * 32,)), running.key)
        assert found.rows.num_rows == 1


async def test_conditions_times_datasets_and_the_first_rows(tmp_path: Path) -> None:
    chance = random.Random(3)
    rows = trace_of(50, "a" * 32, chance)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        wanted = SpansWanted(
            datasets=("web", "logs"),
            start_ns=BASE_NS + 10 * MS,
            end_ns=BASE_NS + 40 * MS,
            filters=(Filter("name", FilterOp.EQ, ("n1",)), Filter("name", FilterOp.EQ, ("n2",))),
            any_filter=True,
            limit=4,
        )
        found = await running.exchange.gather(wanted, running.key)
    expected = [
        row.time_ns
        for dataset, row in rows[10:40]
        if dataset != "billing" and row.data["name"] in ("n1", "n2")
    ]
    assert len(expected) > 4
    assert found.rows.column("time_ns").to_pylist() == sorted(expected)[:4]


async def test_datasets_of_one_partition_are_read_up_to_one_position(tmp_path: Path) -> None:
    rows = {(0, name): [span(at, "a" * 32)] for at, name in enumerate(DATASETS)}
    async with span_cluster(tmp_path, rows, end_offset=3) as running:
        running.add(0, "web", [span(10, "a" * 32)])
        views = running.views_of(0).views
        at = 0, running.ids["billing"]
        views[at] = replace(views[at], end_offset=3)  # it was taken before the span arrived
        found = await running.exchange.gather(SpansWanted(), running.key)
        assert found.rows.num_rows == 3
        assert found.coverage["partitions"][0]["end_offset"] == 3
        assert found.complete


async def test_an_undecided_batch_counts_once(tmp_path: Path) -> None:
    rows = {(0, "web"): [span(1, "a" * 32)], (1, "billing"): [span(2, "a" * 32)]}
    async with span_cluster(tmp_path, rows) as running:
        views, at = running.views_of(1).views, (1, running.ids["billing"])
        undecided = UndecidedBatch("00" * 16, (1, 1), 0, (99,))  # nobody holds 99: it counts here
        views[at] = replace(views[at], undecided=(undecided,))
        found = await running.exchange.gather(SpansWanted(), running.key)
        assert found.rows.column("span_id").to_pylist() == [f"{n:016x}" for n in (1, 2)]
        assert found.coverage["partitions"][1]["undecided"] == 1


async def test_a_partition_that_is_lost_between_two_datasets_is_not_covered(tmp_path: Path) -> None:
    rows = {(0, "web"): [span(1, "a" * 32)], (3, "web"): [span(2, "a" * 32)]}
    async with span_cluster(tmp_path, rows) as running:
        running.views_of(3).lost.add(3)
        found = await running.exchange.gather(SpansWanted(), running.key)
        assert not found.complete
        assert not found.coverage["partitions"][3]["complete"]
        assert found.rows.num_rows == 1


async def test_an_older_indexer_is_listed_and_another_one_answers_in_its_place(
    tmp_path: Path,
) -> None:
    rows = {(p, "web"): [span(p, "a" * 32)] for p in range(PARTITIONS)}
    async with span_cluster(tmp_path, rows, twins=True) as running:
        running.indexers[1].announce(Understands(plan=3))
        found = await running.exchange.gather(SpansWanted(), running.key)
        assert found.complete
        assert found.rows.num_rows == PARTITIONS
        assert running.indexers[1].asked == 0


async def test_where_only_an_older_indexer_holds_a_partition_the_answer_says_so(
    tmp_path: Path,
) -> None:
    rows = {(p, "web"): [span(p, "a" * 32)] for p in range(PARTITIONS)}
    async with span_cluster(tmp_path, rows) as running:
        running.indexers[1].announce(Understands(plan=3))
        found = await running.exchange.gather(SpansWanted(), running.key)
        assert not found.complete
        missing = [one for one in found.coverage["partitions"] if not one["complete"]]
        assert [one["partition"] for one in missing] == [1, 4, 7, 10]
        assert "ix-z1 does not know such questions yet" in missing[0]["reason"]
        assert "upgrade it" in missing[0]["reason"]
        assert found.rows.num_rows == PARTITIONS - 4


@pytest.mark.parametrize(("name", "at_most"), [("SPANS_MAX", 11), ("SPANS_BYTES_MAX", 500)])
async def test_more_than_one_question_may_gather_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_most: int
) -> None:
    monkeypatch.setattr(f"query.traces.exchange.limits.{name}", at_most)
    rows = {(p, "web"): [span(p, "a" * 32)] for p in range(PARTITIONS)}
    async with span_cluster(tmp_path, rows) as running:
        with pytest.raises(Unprocessable, match=r"more than 11 spans|take more than 0 MiB"):
            await running.exchange.gather(SpansWanted(), running.key)


async def test_too_many_ids_are_refused(tmp_path: Path) -> None:
    async with span_cluster(tmp_path, {}) as running:
        many = tuple(map(str, range(limits.TRACE_IDS_MAX + 1)))
        with pytest.raises(Unprocessable, match="at most 100 traces"):
            await running.exchange.gather(SpansWanted(trace_ids=many), running.key)
        found = await running.exchange.gather(SpansWanted(trace_ids=many[:100]), running.key)
        assert found.rows.num_rows == 0
        assert found.complete
