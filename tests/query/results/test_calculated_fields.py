"""Calculated fields of a running query role: stored ones, and those of a query itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from common.errors import MetadataUnavailable
from common.process.versions import OWN
from tests.query.harness import ROWS, TIMES, QueryHarness, query_harness

COUNT = {"calculations": [{"op": "COUNT"}], **TIMES}


@asynccontextmanager
async def up_to_date(tmp_path: Path) -> AsyncIterator[QueryHarness]:
    """A query role over an indexer of the same version."""
    async with query_harness(tmp_path) as running:
        running.indexers["a"].announce(OWN)
        yield running


async def save(running: QueryHarness, alias: str, expression: str, place: str = "shop") -> str:
    body = {"alias": alias, "expression": expression}
    status, answer = await running.post(f"/1/derived_columns/{place}", body)
    assert status == 201, answer
    return str(answer["id"])


def counts(answer: dict[str, Any], field: str) -> dict[Any, int]:
    return {row["data"][field]: row["data"]["COUNT"] for row in answer["data"]["results"]}


async def test_a_stored_field_is_used_wherever_a_field_is_as_soon_as_it_is_saved(
    tmp_path: Path,
) -> None:
    async with up_to_date(tmp_path) as running:
        unknown = await running.ask({**COUNT, "breakdowns": ["slow"]})
        assert counts(unknown, "slow") == {None: 100}
        assert any("no event has a field `slow`" in note for note in unknown["notes"])
        first = await save(running, "slow", 'IF(GTE($ms, $limit), "slow", "fast")')
        await save(running, "limit", "40", "__all__")
        assert counts(await running.ask({**COUNT, "breakdowns": ["slow"]}), "slow") == {
            "fast": 80,
            "slow": 20,
        }
        spec = {
            "calculations": [
                {"op": "COUNT", "filters": [{"column": "slow", "op": "=", "value": "slow"}]},
                {"op": "MAX", "column": "half"},
                {"op": "COUNT_DISTINCT", "column": "slow"},
            ],
            "filters": [{"column": "half", "op": ">=", "value": 10}],
            "havings": [{"calculate_op": "MAX", "column": "half", "op": ">", "value": 1}],
            "orders": [{"column": "slow"}],
            "breakdowns": ["slow"],
            "calculated_fields": [{"name": "half", "expression": "$ms / 2"}],
            **TIMES,
        }
        found = [row["data"] for row in (await running.ask(spec))["data"]["results"]]
        wanted = [row.data["ms"] / 2 for row in ROWS if row.data["ms"] >= 20]  # type: ignore[operator]
        assert [row["slow"] for row in found] == ["fast", "slow"]
        assert found[1]["MAX(half)"] == max(wanted)
        assert sum(row["COUNT"] or 0 for row in found) == 20
        body = {"dataset": "shop", "fields": ["ms", "slow"], "limit": 1, **TIMES}
        body["filters"] = [{"column": "slow", "op": "=", "value": "fast"}]
        _, page = await running.post("/bw/1/rows", body)
        assert [row["data"] for row in page["rows"]] == [{"ms": 39.5, "slow": "fast"}]
        where = f"/1/derived_columns/shop/{first}"
        assert (await running.put(where, {"expression": "$ms > 0"}))[0] == 200
        found = counts(await running.ask({**COUNT, "breakdowns": ["slow"]}), "slow")
        assert found == {True: 99, False: 1}


async def test_a_query_s_own_field_comes_before_a_stored_one_and_both_before_a_real_one(
    tmp_path: Path,
) -> None:
    async with up_to_date(tmp_path) as running:
        await save(running, "service", '"stored"')
        plain = await running.ask({**COUNT, "breakdowns": ["service"]})
        assert counts(plain, "service") == {"stored": 100}
        assert "`service` is calculated: the stored field of this name gives way" in plain["notes"]
        own = [{"name": "service", "expression": '"own"'}]
        found = await running.ask({**COUNT, "breakdowns": ["service"], "calculated_fields": own})
        assert counts(found, "service") == {"own": 100}
        whole = await running.ask({**COUNT, "breakdowns": ["status"]})
        assert not any("gives way" in note for note in whole["notes"])


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ([{"name": "a"}], "calculated_fields[0].expression", "cannot be blank"),
        ([{"expression": "1"}], "calculated_fields[0].name", "cannot be blank"),
        ([{"name": 5, "expression": "1"}], "calculated_fields[0].name", "a string"),
        ([{"name": "a", "expression": 5}], "calculated_fields[0].expression", "a string"),
        ([{"name": "a", "expression": "1", "x": 1}], "calculated_fields[0].x", "not known"),
        ([{"name": "a", "expression": "1"}] * 2, "calculated_fields[1].name", "twice"),
        ([{"name": "a", "expression": "IF("}], "calculated_fields[0].expression", "column 4"),
        ([{"name": "a", "expression": "!" * 4_000}], "calculated_fields[0].expression", "deep"),
        ([{"name": "a", "expression": "1 " * 4_000}], "calculated_fields[0].expression", "4,095"),
        ([{"name": "a", "expression": "$b"}, {"name": "b", "expression": "$a"}],
         "calculated_fields", "`a` -> `b` -> `a`"),
        ([{"name": f"f{at}", "expression": f"$f{at + 1}"} for at in range(11)],
         "calculated_fields", "more than 10 deep"),
    ],
)  # fmt: skip
async def test_faults_are_named_by_their_member_and_place(
    tmp_path: Path, fields: list[Any], field: str, why: str
) -> None:
    async with up_to_date(tmp_path) as running:
        body = {"query": {**COUNT, "calculated_fields": fields}}
        status, answer = await running.post("/1/query_results/shop", body)
        assert status == 422, answer
        [fault] = answer["type_detail"]
        assert fault["field"] == field
        assert why in fault["description"]


async def test_a_circle_with_a_stored_field_is_refused_when_it_is_asked(tmp_path: Path) -> None:
    async with up_to_date(tmp_path) as running:
        await save(running, "a", "$b")
        own = [{"name": "b", "expression": "$a"}]
        body = {"query": {**COUNT, "breakdowns": ["b"], "calculated_fields": own}, "wait_s": 10}
        status, answer = await running.post("/1/query_results/shop", body)
        assert status == 422, answer
        assert "circle" in str(answer)


async def test_questions_are_answered_with_the_last_known_fields_while_metadata_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with up_to_date(tmp_path) as running:
        await save(running, "slow", "$ms >= 40")
        spec = {**COUNT, "breakdowns": ["slow"]}
        before = await running.ask(spec)

        def away(*_: object) -> Any:
            raise MetadataUnavailable("away")

        monkeypatch.setattr(running.metadata, "list_derived_columns", away)
        assert (await running.ask(spec))["data"] == before["data"]
        status, other = await running.post(
            "/1/query_results/shop", {"query": spec, "wait_s": 20}, key="K"
        )
        assert status == 201
        assert counts(other, "slow") == {False: 80, True: 20}
