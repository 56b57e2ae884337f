"""Columns that are created, changed and deleted over the API, beside those that events have."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from common.errors import MetadataUnavailable
from common.metadata import ColumnFacts
from common.metadata.sqlite import SqliteMetadata
from common.model.names import column_id
from tests.query.harness import QueryHarness, query_harness

PATH = "/1/columns/shop"
SEEN_NS = (10**18, 3 * 10**18 // 2)  # 2017 at the latest: before any deletion here


@asynccontextmanager
async def past_columns(
    tmp_path: Path, zones: tuple[str, ...] = ("a",)
) -> AsyncIterator[QueryHarness]:
    async with query_harness(tmp_path, zones) as running:
        for indexer in running.indexers.values():
            indexer.seen_ns = SEEN_NS
        yield running


async def names_of(running: QueryHarness) -> list[str]:
    status, found = await running.get(PATH)
    assert status == 200
    return [column["key_name"] for column in found]


async def test_a_column_is_created_found_changed_and_deleted(tmp_path: Path) -> None:
    async with past_columns(tmp_path) as running:
        body = {"key_name": "a.new one", "type": "float", "description": "text", "hidden": True}
        status, made = await running.post(PATH, body)
        assert status == 201
        assert {**made, **body} == made
        assert made["last_written"] is None
        assert made["created_at"] == made["updated_at"]
        assert await running.get(f"{PATH}/{made['id']}") == (200, made)
        assert await running.get(f"{PATH}?key_name=a.new%20one") == (200, made)
        assert await names_of(running) == ["a.new one", "ms", "status"]
        change = {"id": made["id"], "key_name": "a.new one", "type": "boolean", "hidden": False}
        status, changed = await running.put(f"{PATH}/{made['id']}", change)
        assert status == 200
        assert changed == {**made, **change, "description": "", "updated_at": changed["updated_at"]}
        assert await running.get(f"{PATH}/{made['id']}") == (200, changed)
        assert await running.delete(f"{PATH}/{made['id']}") == (204, None)
        for path in (f"{PATH}/{made['id']}", f"{PATH}?key_name=a.new%20one"):
            status, fault = await running.get(path)
            assert (status, fault["error"]) == (404, "Column not found")
        assert (await running.delete(f"{PATH}/{made['id']}"))[0] == 404
        assert (await running.put(f"{PATH}/{made['id']}", {}))[0] == 404
        assert await names_of(running) == ["ms", "status"]
        assert (await running.post(PATH, body))[0] == 201


async def test_a_name_that_is_there_is_a_conflict(tmp_path: Path) -> None:
    async with past_columns(tmp_path) as running:
        assert (await running.post(PATH, {"key_name": "new"}))[1]["type"] == "string"
        for name in ("new", "ms"):
            status, fault = await running.post(PATH, {"key_name": name})
            assert (status, fault["type"]) == (409, f"{running.url}/problems/conflict")
            assert fault["error"] == "A resource by that name already exists."


async def test_a_column_of_events_is_described_and_hidden_until_events_have_it_again(
    tmp_path: Path,
) -> None:
    async with past_columns(tmp_path) as running:
        _, before = await running.get(f"{PATH}?key_name=ms")
        status, changed = await running.put(f"{PATH}/{before['id']}", {"description": "took"})
        assert (status, changed["description"], changed["type"]) == (200, "took", "float")
        assert changed["created_at"] == before["created_at"]
        assert changed["last_written"] == before["last_written"]
        assert await running.get(f"{PATH}/{before['id']}") == (200, changed)
        assert (await running.delete(f"{PATH}/{before['id']}"))[0] == 204
        assert await names_of(running) == ["status"]
        running.indexers["a"].seen_ns = (10**18, 2 * 10**18)
        _, again = await running.get(f"{PATH}?key_name=ms")
        assert (again["description"], again["last_written"]) == ("", "2033-05-18T03:33:20Z")


async def test_pages_hold_created_columns_between_those_of_events(tmp_path: Path) -> None:
    async with past_columns(tmp_path, ("a", "b")) as running:
        seen = [f"n{number:02d}" for number in range(0, 20, 2)]
        for indexer in running.indexers.values():
            indexer.columns = {name: ["i"] for name in seen}
        made = [f"n{number:02d}" for number in range(1, 20, 4)] + ["z1", "z2", "z3"]
        for name in made:
            assert (await running.post(PATH, {"key_name": name}))[0] == 201
        _, column = await running.get(f"{PATH}?key_name=n04")
        assert (await running.delete(f"{PATH}/{column['id']}"))[0] == 204
        wanted = sorted({*seen, *made} - {"n04"})
        for size in (1, 2, 3, 7, 100):
            found: list[str] = []
            target = f"{PATH}?page[size]={size}"
            while target:
                url = URL(running.url + target, encoded=True)
                async with running.http.get(url, headers={"X-Honeycomb-Team": "K"}) as answer:
                    page = await answer.json()
                    assert len(page) <= size
                    found += [one["key_name"] for one in page]
                    link = answer.headers.get("Link", "")
                    target = link.removeprefix("<").removesuffix('>; rel="next"')
            assert found == wanted, size


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("key_name", "missing")]),
        ({"key_name": ""}, [("key_name", "missing")]),
        ({"key_name": 1}, [("key_name", "incorrect_type")]),
        ({"key_name": "x" * 256}, [("key_name", "invalid")]),
        ({"key_name": "a", "type": "int"}, [("type", "invalid")]),
        ({"key_name": "a", "description": "x" * 256}, [("description", "invalid")]),
        (
            {"type": 5, "description": 5, "hidden": "no"},
            [
                ("key_name", "missing"),
                ("type", "incorrect_type"),
                ("description", "incorrect_type"),
                ("hidden", "incorrect_type"),
            ],
        ),
        ([], [("", "incorrect_type")]),
    ],
)
async def test_every_fault_of_a_column_is_told(
    tmp_path: Path, body: Any, faults: list[tuple[str, str]]
) -> None:
    async with past_columns(tmp_path) as running:
        status, fault = await running.post(PATH, body)
        assert (status, fault["error"]) == (422, "The provided input is invalid.")
        assert [(one["field"], one["code"]) for one in fault["type_detail"]] == faults
        assert await names_of(running) == ["ms", "status"]


async def test_a_columns_name_cannot_be_changed(tmp_path: Path) -> None:
    async with past_columns(tmp_path) as running:
        _, column = await running.get(f"{PATH}?key_name=ms")
        status, fault = await running.put(f"{PATH}/{column['id']}", {"key_name": "other"})
        assert (status, fault["type_detail"][0]["field"]) == (422, "key_name")


async def test_changing_columns_needs_the_right_and_a_dataset(tmp_path: Path) -> None:
    async with past_columns(tmp_path) as running:
        assert (await running.post(PATH, {"key_name": "a"}, key="OTHER"))[0] == 403
        assert (await running.post(PATH, {"key_name": "a"}, key="INGEST"))[0] == 403
        for call in (
            running.post("/1/columns/shpo", {"key_name": "a"}),
            running.put("/1/columns/shpo/abc", {}),
            running.delete("/1/columns/shpo/abc"),
        ):
            status, fault = await call
            assert (status, fault["error"]) == (404, "Dataset not found")


async def test_a_dataset_that_is_made_again_knows_nothing_of_its_columns_before(
    tmp_path: Path,
) -> None:
    async with past_columns(tmp_path) as running:
        assert (await running.post(PATH, {"key_name": "old"}))[0] == 201
        off = {"settings": {"delete_protected": False}}
        assert (await running.put("/1/datasets/shop", off))[0] == 200
        assert (await running.delete("/1/datasets/shop"))[0] == 202
        assert (await running.get(PATH))[0] == 404
        assert (await running.post("/1/datasets", {"name": "shop"}))[0] == 201
        assert "old" not in await names_of(running)


async def test_columns_of_events_are_listed_while_metadata_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with past_columns(tmp_path) as running:
        assert (await running.post(PATH, {"key_name": "new"}))[0] == 201

        asked = []

        def gone(*_: object) -> None:
            asked.append(1)
            raise MetadataUnavailable("gone")

        monkeypatch.setattr(SqliteMetadata, "get_dataset", gone)
        for _ in range(3):
            assert await names_of(running) == ["ms", "status"]
        assert len(asked) == 1, "a store that hangs is not waited for again and again"
        assert (await running.post(PATH, {"key_name": "other"}))[0] == 503


async def test_facts_of_a_metric_are_shown_beside_what_a_user_wrote(tmp_path: Path) -> None:
    async with past_columns(tmp_path) as running:
        _, before = await running.get(f"{PATH}?key_name=ms")
        assert "metric" not in before
        environments = running.metadata.list_environments()
        datasets = [d for _, e in environments for d in running.metadata.list_datasets(e.id)]
        (dataset,) = [d.id for d in datasets if column_id(d.id, "ms") == before["id"]]
        facts = ColumnFacts(
            *(column_id(dataset, "ms"), dataset, "ms", "histogram", "s", "delta", False),
            *("the sender's", 2**62),
        )
        old = ColumnFacts("0", dataset, "status", "gauge", description="of a deleted dataset")
        never = ColumnFacts("1", dataset, "of no event", "gauge", updated_ns=2**62)
        running.metadata.put_column_facts([facts, old, never])
        metric = {
            "type": "histogram",
            "unit": "s",
            "temporality": "delta",
            "monotonic": False,
            "description": "the sender's",
        }
        assert await running.get(f"{PATH}?key_name=ms") == (200, before | {"metric": metric})
        _, changed = await running.put(f"{PATH}/{before['id']}", {"description": "took"})
        assert (changed["description"], changed["metric"]) == ("took", metric)
        assert await running.get(f"{PATH}/{before['id']}") == (200, changed)
        assert await names_of(running) == ["ms", "status"]
        _, answer = await running.post("/bw/1/fields", {"dataset": "shop", "details": False})
        ms, status = answer["fields"]
        assert (ms["description"], ms["metric"]) == ("took", metric)
        assert not status.keys() & {"description", "metric"}
        running.metadata.close()  # fields of events stay readable
        _, answer = await running.post("/bw/1/fields", {"dataset": "shop", "details": False})
        assert [field["name"] for field in answer["fields"]] == ["ms", "status"]
