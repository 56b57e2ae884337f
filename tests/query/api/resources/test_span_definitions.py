"""Which field is which part of a span: said over HTTP, and what traces are read by."""

from pathlib import Path
from typing import Any

import pytest

from common.clock import ManualClock
from common.errors import MetadataUnavailable
from common.metadata import SpanDefinition
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import hash_key
from common.process.versions import OWN
from query.http.dataset_names import DatasetNames
from query.http.span_definitions import SpanDefinitions
from query.plan.parts.spans import DEFAULT_NAMES, SpanNames
from query.plan.span_parts import SPAN_PARTS, span_names
from tests.query.harness import BASE_S, QueryHarness, add_keys, query_harness
from tests.query.share.rows import Row
from tests.waiting import eventually

TRACE = "00000000000000aa00000000000000bb"
ROWS = [
    Row((BASE_S + n) * 10**9, {
        "my.trace": TRACE, "my.span": f"{n + 1:x}", "what": f"step {n}", "ms": 500.0,
        **({"my.parent": "1"} if n else {}),
    })
    for n in range(100)
]  # fmt: skip
WHERE = "/1/dataset_definitions/shop"
MINE = {"trace_id": "my.trace", "span_id": "my.span", "parent_id": "my.parent", "name": "what"}


async def patch(running: QueryHarness, body: Any, key: str = "K") -> tuple[int, Any]:
    headers = {"X-Honeycomb-Team": key}
    async with running.http.patch(running.url + WHERE, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


def named(fields: dict[str, str]) -> dict[str, dict[str, str]]:
    return {part: {"name": name, "column_type": "column"} for part, name in fields.items()}


def have(running: QueryHarness, *names: str) -> None:
    """The indexers list these columns."""
    for indexer in running.indexers.values():
        indexer.columns |= {name: ["s"] for name in names}


async def test_a_trace_is_found_by_the_fields_that_its_dataset_names(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        have(running, *MINE.values())
        for indexer in running.indexers.values():
            indexer.announce(OWN)

        async def knows_it() -> bool:
            return "no event has" in str(await running.get(f"/bw/1/traces/{TRACE}"))

        await eventually(knows_it)
        assert (await running.get(f"/bw/1/traces/{TRACE}"))[0] == 404
        assert (await patch(running, named(MINE)))[0] == 200
        status, found = await running.get(f"/bw/1/traces/{TRACE}")
        assert status == 200
        assert (found["spans"], found["roots"]) == (100, 1)
        assert [line["depth"] for line in found["lines"]] == [0, *[1] * 99]
        assert found["lines"][0]["name"] == "step 0"
        root = {"column": "root.what", "op": "=", "value": "step 0"}
        wanted = {"filters": [root], "start_time": BASE_S, "time_range": 100}
        status, traces = await running.post("/bw/1/traces", wanted)
        assert (status, traces["found"]) == (200, 1)
        assert (await patch(running, {"trace_id": {"name": ""}}))[0] == 200
        assert (await running.get(f"/bw/1/traces/{TRACE}"))[0] == 404


async def test_each_part_has_its_field_or_the_first_default_that_the_dataset_has(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        status, unset = await running.get(WHERE)
        assert (status, set(unset)) == (200, set(SPAN_PARTS))
        assert set(unset.values()) == {None}
        have(running, "durationMs", "request_processing_time", "severity", "my.trace")
        status, shown = await running.get(WHERE)
        by_default = {"duration_ms": "durationMs", "log_severity": "severity"}
        assert shown == unset | named(by_default)
        status, changed = await patch(running, {"trace_id": {"name": "my.trace"}, "error": None})
        assert (status, changed) == (200, shown | named({"trace_id": "my.trace"}))
        assert await running.get(WHERE, "MATE") == (200, changed)
        assert await patch(running, changed) == (200, changed), "what was shown can be sent back"
        cleared = {"trace_id": {"name": "", "column_type": ""}, "duration_ms": None}
        assert await patch(running, cleared) == (200, shown)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"trace": {"name": "a"}}, "trace", "invalid"),
        ({"trace_id": "a"}, "trace_id", "incorrect_type"),
        ({"trace_id": {}}, "trace_id.name", "missing"),
        ({"trace_id": {"name": 5}}, "trace_id.name", "incorrect_type"),
        ({"trace_id": {"name": "a" * 256}}, "trace_id.name", "invalid"),
        ({"trace_id": {"name": "", "type": "x"}}, "trace_id.type", "invalid"),
        ({"trace_id": {"name": "absent"}}, "trace_id.name", "invalid"),
        ({"name": {"name": "calculated"}}, "name.name", "invalid"),
    ],
)
async def test_a_fault_is_named_with_its_part_and_nothing_is_changed(
    tmp_path: Path, body: Any, field: str, code: str
) -> None:
    async with query_harness(tmp_path) as running:
        derived = {"alias": "calculated", "expression": "INT(1)"}
        assert (await running.post("/1/derived_columns/__all__", derived))[0] == 201
        have(running, "name")
        before = await running.get(WHERE)
        status, refused = await patch(running, {"error": {"name": "name"}} | body)
        assert status == 422
        assert [(one["field"], one["code"]) for one in refused["type_detail"]] == [(field, code)]
        assert await running.get(WHERE) == before


async def test_a_part_that_only_says_what_a_field_means_may_be_calculated(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        derived = {"alias": "calculated", "expression": "INT(1)"}
        assert (await running.post("/1/derived_columns/shop", derived))[0] == 201
        status, shown = await patch(running, {"user": {"name": "calculated"}})
        assert status == 200
        assert shown["user"] == {"name": "calculated", "column_type": "derived_column"}


async def test_changing_them_needs_the_right_to_manage_columns(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for key, reads, changes in (("MATE", 200, 403), ("NOQUERY", 403, 403), ("none", 401, 401)):
            assert (await running.get(WHERE, key))[0] == reads
            assert (await patch(running, {"error": {"name": ""}}, key))[0] == changes
        assert (await running.get("/1/dataset_definitions/none"))[0] == 404


def test_a_defined_part_is_in_its_field_alone_and_others_are_as_by_default() -> None:
    rows = [
        SpanDefinition("trace_id", "e", "d", "my.trace"),
        SpanDefinition("service_name", "e", "d", "app"),
        SpanDefinition("error", "e", "d", ""),
        SpanDefinition("user", "e", "d", "who"),
        SpanDefinition("unknown", "e", "d", "x"),
    ]
    assert span_names(rows) == SpanNames(trace_id=("my.trace",), service=("app",))
    assert span_names([]) == DEFAULT_NAMES


async def test_the_last_definitions_are_used_while_metadata_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata, clock = SqliteMetadata(tmp_path / "meta.db"), ManualClock()
    metadata.open()
    try:
        add_keys(metadata)
        key = metadata.find_key(hash_key("K"))
        assert key is not None
        definitions = SpanDefinitions(DatasetNames(metadata, clock), clock)
        assert await definitions.of(key) == {}
        metadata.put_resources([SpanDefinition("name", key.environment.id, "d", "what")])
        expected = {"d": SpanNames(name=("what",))}
        assert await definitions.of(key) == expected
        asked: list[object] = []

        def fails(*given: object) -> Any:
            asked.append(given)
            raise MetadataUnavailable("away")

        monkeypatch.setattr(metadata, "list_resources", fails)
        assert [await definitions.of(key) for _ in range(3)] == [expected] * 3
        assert len(asked) == 1
    finally:
        metadata.close()
