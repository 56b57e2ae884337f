"""Differences by conditions on other spans and over all datasets, against a self-join."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from common.model.names import ALL_DATASETS
from common.process.fair.requester import Requester
from query.differences.distribution import Pair
from query.differences.find import ChosenFields, FoundDifferences, find_differences
from query.differences.related import RelatesDifferences
from query.differences.request import DifferencesRequest, read_differences_request
from query.faults import InvalidValues
from query.http.environment import EnvironmentDatasets
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpanDataset
from query.plan.relations import PREFIXES
from query.results.notes.coverage import CoverageRequirement
from query.results.relations.stored import NamesKnown
from tests.query.results.relations.test_totals import TIMES, as_spec, joined_with
from tests.query.share.oracle import matches
from tests.query.share.rows import Row
from tests.query.traces.cluster import MARGIN_S, SpanCluster, span_cluster
from tests.query.traces.relations_oracle import equal, events_meeting
from tests.query.traces.test_relations import (
    INSIDE,
    MARGIN_NS,
    kinship,
    placed,
    random_filters,
    random_trace,
)

REQUESTER = Requester("e", "k")


class TheseFields:
    """Looks at fields that are known."""

    async def fields(self, wanted: DifferencesRequest, within_s: float) -> ChosenFields:
        return ChosenFields(wanted.fields or ("name",))


class NothingStored:
    """No event has a field like `root.name`."""

    async def of(self, *_: object) -> NamesKnown:
        return NamesKnown(frozenset())


class Everything(EnvironmentDatasets):
    """The datasets of the cluster."""

    def __init__(self, running: SpanCluster) -> None:
        self._all = tuple(SpanDataset(one) for one in running.ids.values())

    async def asked(self, key: Any, dataset: str) -> tuple[SpanDataset, ...]:
        return self._all

    async def every(self, key: Any) -> Any:
        return type("Named", (), {"datasets": self._all})


async def differences(
    running: SpanCluster,
    filters: Sequence[Filter],
    selection: Any,
    fields: Sequence[str],
    axis: str = "start",
) -> FoundDifferences:
    body = {
        "query": {"filters": as_spec(filters), "time_axis": axis, **TIMES},
        "selection": selection,
        "fields": [*fields],
    }
    wanted = read_differences_request(body, ALL_DATASETS, 10**19, REQUESTER)
    everything = Everything(running)
    wanted = wanted.over(await everything.asked(running.key, ALL_DATASETS))
    relates = RelatesDifferences(everything, NothingStored(), MARGIN_S)  # type: ignore[arg-type]
    wanted, related = await relates.of(wanted, running.key)

    async def ask(steps: Any) -> FoundDifferences:
        return await find_differences(wanted, TheseFields(), steps, related)

    return await running.runner.run_steps(ask, CoverageRequirement(), REQUESTER)


def inside(
    rows: Sequence[Row], filters: Sequence[Filter], selection: Sequence[Filter], events: list[Row]
) -> list[bool]:
    """Whether each event is in the selection: `root.` and `parent.` are values of that span."""
    joined = events
    for name in ("root.name", "root.n", "root.error", "parent.name", "parent.n", "parent.error"):
        joined = joined_with(rows, filters, joined, name)
    others = [
        one for one in selection
        if one.field.startswith(PREFIXES) and not one.field.startswith(("root.", "parent."))
    ]  # fmt: skip
    own = [one for one in selection if one not in others]
    meeting = {id(row) for row in events_meeting(rows, others, INSIDE, MARGIN_NS)}
    return [
        all(matches(one, row) for one in own) and id(event) in meeting
        for event, row in zip(events, joined, strict=True)
    ]


def counted(found: FoundDifferences, field: str) -> dict[object, tuple[float, float]]:
    one = next(one for one in found.ranked if one.name == field)
    pairs: dict[object, Pair] = {key[1]: pair for key, pair in one.distribution.values.items()}
    pairs[None] = one.distribution.missing
    return {key: (p.inside, p.outside) for key, p in pairs.items() if p.inside or p.outside}


def expected(
    events: Sequence[Row], sides: Sequence[bool], field: str
) -> dict[object, tuple[float, float]]:
    found: dict[object, tuple[float, float]] = {}
    for row, is_inside in zip(events, sides, strict=True):
        one, two = found.get(row.data.get(field), (0, 0))
        found[row.data.get(field)] = (one + is_inside, two + (not is_inside))
    return found


async def test_both_sides_are_those_of_a_self_join(tmp_path: Path) -> None:
    chance = random.Random(31)
    spans = [span for number in range(1, 150) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    sizes = []
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        for at in range(10):
            filters = random_filters(chance)[: at % 3]
            selection = random_filters(chance)
            events = events_meeting(rows, filters, INSIDE, MARGIN_NS)
            sides = inside(rows, filters, selection, events)
            found = await differences(running, filters, as_spec(selection), ["name", "root.name"])
            assert found.coverage["complete"]
            told = (found.sides.inside.stored, found.sides.outside.stored)
            assert told == (sum(sides), len(events) - sum(sides)), (filters, selection)
            if events:
                assert counted(found, "name") == expected(events, sides, "name")
                joined = joined_with(rows, filters, events, "root.name")
                assert counted(found, "root.name") == expected(joined, sides, "root.name")
            sizes.append(told)
    assert len([one for one in sizes if all(one)]) > 4


async def test_groups_and_boxes_may_be_of_the_root(tmp_path: Path) -> None:
    chance = random.Random(32)
    spans = [span for number in range(1, 80) for span in random_trace(number, chance)]
    rows = [row for _, row in spans]
    async with span_cluster(tmp_path, placed(spans, chance)) as running:
        selection = {
            "groups": [{"root.name": "a", "name": "b"}, {"root.name": None}],
            "ranges": [{"column": "n", "from": 1}],
        }
        found = await differences(running, [], selection, ["name"])
    events = joined_with(rows, [], events_meeting(rows, [], INSIDE, MARGIN_NS), "root.name")
    wanted = [(equal("root.name", "a"), equal("name", "b"))]
    at_least = Filter("n", FilterOp.GE, (1,))
    sides = [
        matches(at_least, row)
        and (
            "root.name" not in row.data
            or any(all(matches(one, row) for one in group) for group in wanted)
        )
        for row in events
    ]
    assert counted(found, "name") == expected(events, sides, "name")
    assert (found.sides.inside.stored, found.sides.outside.stored) == (
        sum(sides), len(sides) - sum(sides),
    )  # fmt: skip
    assert any("from 1 h before the range" in note for note in found.notes)


async def test_events_that_ended_in_the_range_are_compared_and_joined(tmp_path: Path) -> None:
    spans = []
    for number in range(1, 41):
        root, child, leaf = kinship(number, duration_ms=(number - 20) * 300_000)
        spans += [root, child, leaf]
    rows = [row for _, row in spans]
    async with span_cluster(tmp_path, placed(spans, random.Random(33))) as running:
        selection = as_spec([equal("root.name", "top"), equal("name", "bottom")])
        found = await differences(running, [], selection, ["name"], "end")
    lasting = [int(str(row.data.get("duration_ms", 0))) * 1_000_000 for row in rows]
    ended = [
        row
        for row, length in zip(rows, lasting, strict=True)
        if INSIDE[0] <= row.time_ns + max(0, length) < INSIDE[1]
    ]
    sides = [row.data["name"] == "bottom" for row in ended]
    assert 0 < len(ended) < len(rows)
    assert counted(found, "name") == expected(ended, sides, "name")


async def test_a_field_of_one_of_several_spans_is_not_looked_at(tmp_path: Path) -> None:
    async with span_cluster(tmp_path, {}) as running:
        with pytest.raises(InvalidValues, match="any of several spans"):
            await differences(running, [], as_spec([equal("name", "a")]), ["any.name"])
        either = {"filters": as_spec([equal("any.name", "a"), equal("name", "b")]),
                  "filter_combination": "OR"}  # fmt: skip
        with pytest.raises(InvalidValues, match="not by OR") as refused:
            await differences(running, [], either, ["name"])
    assert refused.value.faults[0].field == "selection.filters"
