"""`POST /bw/1/differences` over HTTP: distributions, what is listed apart, refusals."""

import asyncio
from pathlib import Path
from typing import Any

import jsonschema_rs
import pyarrow as pa
import pytest

from common import limits
from common.process.versions import OWN
from query.api.document.operations.differing import DIFFERENCES
from query.api.document.shared import COMPONENTS
from query.config import QueryConfig
from query.differences.request import read_differences_request
from query.faults import InvalidValues
from query.share.compute.too_heavy import too_many_bytes
from query.share.differences.distributions import Distributions
from tests.query.harness import BASE_S, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Row

# What the document tells of an answer.
TOLD = {**(DIFFERENCES.answers[200] or {}), "components": {"schemas": COMPONENTS}}
SLOW = [{"column": "ms", "op": ">", "value": 50}]
ROWS = [
    Row(
        (BASE_S + i % 100) * 10**9,
        {
            "ms": 100.5 + i % 7 if i % 10 == 0 else 5.5 + i % 9,
            "s": (100.5 + i % 7 if i % 10 == 0 else 5.5 + i % 9) / 1000,
            "slow": i % 10 == 0,
            "build": "bad" if i % 10 == 0 or i % 11 == 0 else f"good{i % 3}",
            "id": f"{i:032x}",
            "color": "rgb"[i % 3],
            **({"code": 200 + i % 2} if i % 4 else {}),
        },
        2,
    )
    for i in range(1_000)
]


async def differences(running: QueryHarness, expected: int = 200, **body: Any) -> Any:
    asked = {"dataset": "shop", "query": TIMES, "selection": SLOW, **body}
    status, answer = await running.post("/bw/1/differences", asked)
    assert status == expected, answer
    if status == 200:
        jsonschema_rs.validate(TOLD, answer)
    return answer


def with_columns(running: QueryHarness) -> None:
    running.indexers["a"].announce(OWN)
    running.indexers["a"].columns = {
        "ms": ["f"], "s": ["f"], "slow": ["b"], "build": ["s"], "id": ["s"], "color": ["s"],
        "code": ["i"],
    }  # fmt: skip


async def test_both_sides_are_told_weighted_and_the_cause_is_first(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        answer = await differences(running)
        assert answer["inside"] == {"events": 200, "stored": 100}
        assert answer["outside"] == {"events": 1_800, "stored": 900}
        assert answer["coverage"]["complete"] is True
        first = answer["fields"][0]
        assert (first["name"], first["kind"], first["sampled"]) == ("build", "values", False)
        assert first["confidence"] > 0.99
        bad = next(one for one in first["values"] if one["value"] == "bad")
        outside = sum(1 for i in range(1_000) if i % 10 and i % 11 == 0)
        assert bad["inside"] == {"events": 200, "share": 1.0}
        assert bad["outside"] == {"events": 2 * outside, "share": round(outside / 900, 6)}
        names = [one["name"] for one in answer["fields"]]
        assert sorted(names) == ["build", "code", "color", "id"]
        by_name = {one["name"]: one for one in answer["fields"]}
        assert by_name["id"]["score"] == 0.0
        assert by_name["color"]["score"] == 0.0
        missing = by_name["code"]["missing"]
        assert missing["outside"]["events"] == 2 * sum(
            1 for i in range(1_000) if i % 10 and not i % 4
        )


async def test_what_follows_from_the_selection_is_listed_apart(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        answer = await differences(running)
        why = {one["name"]: (one["why"], one.get("from")) for one in answer["same"]}
        assert why == {
            "ms": ("selection", None),
            "s": ("follows", "ms"),
            "slow": ("follows", "ms"),
        }


async def test_a_box_of_a_heatmap_and_groups_are_selections(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        box = {
            "start_time": BASE_S + 10,
            "end_time": BASE_S + 60,
            "ranges": [{"column": "ms", "from": 100, "to": 104.5}],
        }
        answer = await differences(running, selection=box)
        slow = [i for i in range(1_000) if i % 10 == 0 and 10 <= i % 100 < 60]
        assert answer["inside"]["stored"] == sum(1 for i in slow if i % 7 < 4)
        groups = {"groups": [{"color": "r", "code": None}, {"color": "g", "code": 201}]}
        answer = await differences(running, selection=groups)
        wanted = [
            i
            for i in range(1_000)
            if (i % 3 == 0 and i % 4 == 0) or (i % 3 == 1 and i % 2 and i % 4)
        ]
        assert answer["inside"]["stored"] == len(wanted)
        either = [{"column": "color", "op": "=", "value": one} for one in "rg"]
        some = {"filters": either, "filter_combination": "OR"}
        answer = await differences(running, selection=some)
        assert answer["outside"]["stored"] == sum(1 for i in range(1_000) if i % 3 == 2)


async def test_all_datasets_are_compared_as_one_but_no_other_environments(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, rows=ROWS, datasets=("shop", "bank")) as running:
        with_columns(running)
        answer = await differences(running, dataset="__all__")
        assert answer["inside"] == {"events": 400, "stored": 200}  # each has the same events
        assert (answer["fields"][0]["name"], answer["looked_at"]) == ("build", 7)
        status, refused = await running.post(
            "/bw/1/differences",
            {"dataset": "__all__", "query": TIMES, "selection": SLOW},
            key="NOQUERY",
        )
        assert (status, "may not run queries" in refused["error"]) == (403, True)


async def test_a_stored_field_that_is_called_like_another_spans_is_that_field(
    tmp_path: Path,
) -> None:
    rows = [Row(row.time_ns, {**row.data, "root.build": row.data["build"]}, 2) for row in ROWS]
    async with query_harness(tmp_path, rows=rows) as running:
        with_columns(running)
        bad = [{"column": "root.build", "op": "=", "value": "bad"}]
        answer = await differences(running, selection=bad, fields=["color"])
        assert answer["inside"]["stored"] == 0  # the indexer knows no field of this name
        assert any("from 1 h before the range" in note for note in answer["notes"])
        running.indexers["a"].columns["root.build"] = ["s"]
        answer = await differences(running, selection=bad, fields=["color"])
        assert answer["inside"]["stored"] == sum(row.data["build"] == "bad" for row in ROWS)


async def test_members_of_a_query_without_a_part_and_a_side_without_events_are_said(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        query = {**TIMES, "calculations": [{"op": "COUNT"}], "breakdowns": ["build"]}
        none = [{"column": "ms", "op": ">", "value": 10**6}]
        answer = await differences(running, query=query, selection=none, fields=["color", "code"])
        assert answer["notes"] == [
            "no event of the query is inside the selection",
            "calculations, breakdowns of the query have no part in the answer",
        ]
        assert (answer["looked_at"], answer["left_out"], answer["differing"]) == (2, 0, 0)
        assert [one["score"] for one in answer["fields"]] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"selection": None}, "selection"),
        ({"selection": []}, "selection"),
        ({"selection": "ms"}, "selection"),
        ({"selection": {"filter": []}}, "selection.filter"),
        ({"selection": [{"column": "ms", "op": "~", "value": 1}]}, "selection.filters[0].op"),
        ({"selection": {"ranges": [{"column": "ms"}]}}, "selection.ranges[0]"),
        ({"selection": {"ranges": [{"column": "ms", "from": "1"}]}}, "selection.ranges[0].from"),
        ({"selection": {"groups": [{}]}}, "selection.groups[0]"),
        ({"selection": {"groups": [{"a": []}]}}, "selection.groups[0].a"),
        ({"selection": {"start_time": 5, "end_time": 5}}, "selection.end_time"),
        ({"selection": {"start_time": 10**18, "end_time": 5}}, "selection.start_time"),
        ({"query": {"filters": [{"op": "="}]}}, "query.filters[0].column"),
        ({"query": {"nonsense": 1}}, "query.nonsense"),
        ({"query": []}, "query"),
        ({"query": {"per": "trace.trace_id"}}, "query.per"),
        ({"fields": []}, "fields"),
        ({"fields": [1]}, "fields[0]"),
        ({"fields": [str(n) for n in range(1_001)]}, "fields"),
        ({"match": "x" * 1_001}, "match"),
        ({"match": "\ud800"}, "match"),
        ({"fields": ["\ud800"]}, "fields[0]"),
        ({"limit": 0}, "limit"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_fault_names_its_member(body: dict[str, Any], member: str) -> None:
    asked = {"dataset": "shop", "query": TIMES, "selection": SLOW, **body}
    with pytest.raises(InvalidValues) as raised:
        read_differences_request(asked, "d" * 24, 0)
    assert raised.value.faults[0].field == member


async def test_calculated_fields_are_selected_by_and_looked_at(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        slow = {"name": "is_slow", "expression": "GT($ms, 50)"}
        tenth = {"name": "last_digit", "expression": 'CONCAT("d", SUB($code, 200))'}
        query = {**TIMES, "calculated_fields": [slow, tenth]}
        selection = [{"column": "is_slow", "op": "=", "value": True}]
        answer = await differences(running, query=query, selection=selection)
        assert answer["inside"]["stored"] == 100, answer["notes"]
        assert answer["looked_at"] == 9
        named = {one["name"] for one in answer["fields"]}
        assert "last_digit" in named
        assert {"is_slow", "slow"} <= {one["name"] for one in answer["same"]}


async def test_of_more_fields_than_one_question_looks_at_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DIFFERENCES_FIELDS_MAX", 4)
    monkeypatch.setattr(limits, "DIFFERENCES_BATCH_MAX", 3)
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        answer = await differences(running, limit=4)
        assert (answer["looked_at"], answer["left_out"]) == (4, 3)
        named = {one["name"] for one in (*answer["fields"], *answer["same"])}
        assert named >= {"ms", "slow", "build"}
        assert answer["notes"][0] == (
            "7 fields were ranked by some events of either side, and the 4 that differ most there"
            " were looked at"
        )
        assert answer["coverage"]["complete"] is True
        matched = await differences(running, match="bui", limit=4)
        assert (matched["looked_at"], matched["left_out"]) == (1, 0)


async def test_many_fields_that_are_too_heavy_together_are_looked_at_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, refused = Distributions.run, list[int]()

    def heavy_for_many(distributions: Distributions) -> dict[str, pa.Table]:
        if len(distributions._wanted.fields) > limits.DIFFERENCES_BATCH_MIN:
            refused.append(len(distributions._wanted.fields))
            raise too_many_bytes(1)
        return run(distributions)

    monkeypatch.setattr(Distributions, "run", heavy_for_many)
    config = QueryConfig(timeout_ms=600_000)  # however slow the machine is
    async with query_harness(tmp_path, config=config, rows=ROWS) as running:
        with_columns(running)
        running.indexers["a"].columns |= {f"other{n:02}": ["s"] for n in range(10)}
        answer = await differences(running)
        assert refused == [17]
        assert (answer["looked_at"], answer["left_out"]) == (17, 0)
        assert answer["fields"][0]["name"] == "build"
        assert answer["coverage"]["complete"] is True


async def test_an_indexer_that_hangs_leaves_time_for_the_fields_that_others_know(
    tmp_path: Path,
) -> None:
    config = QueryConfig(timeout_ms=12_000)
    async with query_harness(tmp_path, ("a", "b"), config, rows=ROWS) as running:
        with_columns(running)
        running.indexers["b"].columns_held = asyncio.Event()
        answer = await differences(running)
        assert answer["looked_at"] == 7
        assert "fields that only ix-b knows were not looked at" in answer["notes"]
        running.indexers["b"].columns_held.set()
