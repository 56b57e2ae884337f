"""Datasets by both of their names over HTTP: found, unknown (404), ambiguous (409), protected."""

import asyncio
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from common.errors import MetadataUnavailable
from common.metadata import Dataset
from common.metadata.sqlite import SqliteMetadata
from tests.query.harness import TIMES, QueryHarness, query_harness
from tests.waiting import PATIENCE_S, eventually

QUERY = {"calculations": [{"op": "COUNT"}], **TIMES}


async def create(running: QueryHarness, name: str) -> dict[str, Any]:
    status, made = await running.post("/1/datasets", {"name": name})
    assert status == 201, made
    return dict(made)


async def show(running: QueryHarness, name: str) -> tuple[int, Any]:
    url = URL(f"{running.url}/1/datasets/{quote(name, safe='')}", encoded=True)
    async with running.http.get(url, headers={"X-Honeycomb-Team": "K"}) as answer:
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("MyDataset!", "mydataset-"),
        ("my dataset!", "my-dataset-"),
        ("My/Data set", "my-data-set"),
        ("Caf\u00e9 \u65e5\u672c", "caf----"),
        ("test.XYZ_1-~", "test.xyz_1-~"),
        ("50%", "50-"),
        ("a" * 250 + "!????", "a" * 250 + "-----"),
    ],
)
async def test_a_dataset_is_found_by_its_name_and_by_its_slug(
    tmp_path: Path, name: str, slug: str
) -> None:
    async with query_harness(tmp_path, datasets=()) as running:
        made = await create(running, name)
        assert (made["name"], made["slug"]) == (name, slug)
        for used in (name, name.upper(), slug, slug.upper()):
            if used.casefold() == name.casefold() or used.casefold() == slug:
                assert await show(running, used) == (200, made), used
        assert await running.post("/1/datasets", {"name": slug}) == (200, made)
        assert await running.get("/1/datasets") == (200, [made])


async def test_every_route_takes_the_slug(tmp_path: Path) -> None:
    async with query_harness(tmp_path, datasets=("MyDataset!",)) as running:
        status, stored = await running.post("/1/queries/mydataset-", QUERY)
        assert status == 200
        assert await running.get(f"/1/queries/MyDataset!/{stored['id']}") == (200, stored)
        assert await running.get(f"/1/queries/mydataset-/{stored['id']}") == (200, stored)
        body = {"query_id": stored["id"], "wait_s": 20}
        status, made = await running.post("/1/query_results/mydataset-", body)
        assert status == 201
        for name in ("mydataset-", "MyDataset!"):
            status, answer = await running.get(f"/1/query_results/{name}/{made['id']}")
            assert (status, answer["data"]["results"]) == (200, [{"data": {"COUNT": 100}}])
        assert (await running.get("/1/columns/mydataset-"))[0] == 200
        assert (await running.get("/1/columns/mydataset-?key_name=ms"))[0] == 200
        headers = {"X-Honeycomb-Team": "K"}
        tail = f"{running.url}/bw/1/tail/mydataset-"
        async with running.http.get(tail, headers=headers) as answer:
            assert answer.status == 200


async def test_two_datasets_of_one_slug_stay_two_and_none_is_guessed(tmp_path: Path) -> None:
    async with query_harness(tmp_path, datasets=()) as running:
        first = await create(running, "MyDataset!")
        second = await create(running, "MyDataset?")
        assert first["slug"] == "mydataset-", "it was the only one then"
        _, both = await running.get("/1/datasets")
        assert [one["name"] for one in both] == ["MyDataset!", "MyDataset?"]
        for one in both:
            assert await show(running, one["slug"]) == (200, one)
        assert second == both[1]
        for path in ("/1/datasets/mydataset-", "/1/columns/mydataset-"):
            status, fault = await running.get(path)
            assert (status, fault["status"]) == (409, 409)
            assert "'MyDataset!', 'MyDataset?'" in fault["error"]
        assert (await running.post("/1/queries/mydataset-", QUERY))[0] == 409
        assert (await running.post("/1/datasets", {"name": "mydataset-"}))[0] == 409


async def test_the_name_itself_wins_over_the_slug_of_another(tmp_path: Path) -> None:
    async with query_harness(tmp_path, datasets=("mydataset-", "MyDataset!")) as running:
        # the second one was made by the first one's name: a dataset of its own is made as before
        assert [one["name"] for one in (await running.get("/1/datasets"))[1]] == [
            "MyDataset!",
            "mydataset-",
        ]
        assert (await show(running, "mydataset-"))[1]["name"] == "mydataset-"
        assert (await show(running, "MyDataset!"))[1]["slug"] == "mydataset!"


async def test_unknown_datasets_are_404_as_the_vendor_says_it(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        _, stored = await running.post("/1/queries/shop", QUERY)
        _, made = await running.post("/1/query_results/shop", {"query": QUERY})
        inline = {"query": QUERY, "wait_s": 20}
        answers = [
            await running.get("/1/datasets/shpo"),
            await running.put("/1/datasets/shpo", {"description": ""}),
            await running.delete("/1/datasets/shpo"),
            await running.get("/1/columns/shpo"),
            await running.get("/1/columns/shpo?key_name=ms"),
            await running.get("/1/columns/shpo/abc"),
            await running.post("/1/queries/shpo", QUERY),
            await running.get(f"/1/queries/shpo/{stored['id']}"),
            await running.post("/1/query_results/shpo", inline),
            await running.post("/1/query_results/shpo", {"query_id": stored["id"]}),
            await running.get(f"/1/query_results/shpo/{made['id']}"),
            await running.get("/bw/1/tail/shpo"),
            await running.post("/bw/1/rows", {"dataset": "shpo"}),
        ]
        for status, fault in answers:
            assert (status, fault["error"]) == (404, "Dataset not found")
            assert fault["type"] == f"{running.url}/problems/not-found"
            assert fault["title"] == "The requested resource cannot be found."
            assert '"shpo"' in fault["detail"]
            assert '"shop"' in fault["detail"], "near names are named"


@pytest.mark.parametrize("name", ["%20", "%00", "a%07b", "x" * 256])
async def test_a_name_that_no_dataset_can_have_is_an_unknown_one(tmp_path: Path, name: str) -> None:
    async with query_harness(tmp_path) as running:
        for path in (f"datasets/{name}", f"columns/{name}", f"query_results/{name}/abc"):
            url = URL(f"{running.url}/1/{path}", encoded=True)
            async with running.http.get(url, headers={"X-Honeycomb-Team": "K"}) as answer:
                fault = await answer.json(content_type=None)
                assert (answer.status, fault["error"]) == (404, "Dataset not found")


async def test_a_deleted_dataset_is_unknown_until_it_is_made_again(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        unprotect = {"settings": {"delete_protected": False}}
        assert (await running.put("/1/datasets/shop", unprotect))[0] == 200
        assert await running.delete("/1/datasets/shop") == (202, {})
        assert (await running.get("/1/columns/shop"))[0] == 404
        assert (await running.post("/1/queries/shop", QUERY))[0] == 404
        made = await create(running, "shop")
        assert made["settings"] == {"delete_protected": True}


async def test_metadata_is_not_asked_for_each_question_and_deletions_are_seen_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with query_harness(tmp_path) as running:
        asked: list[str] = []
        find = SqliteMetadata.get_dataset

        def counted(metadata: SqliteMetadata, dataset: str) -> Dataset | None:
            asked.append(dataset)
            return find(metadata, dataset)

        monkeypatch.setattr(SqliteMetadata, "get_dataset", counted)
        first = await running.ask(QUERY)
        assert len(asked) == 1
        for _ in range(5):
            assert (await running.ask(QUERY))["data"] == first["data"]
        assert len(asked) == 1
        unprotect = {"settings": {"delete_protected": False}}
        assert (await running.put("/1/datasets/shop", unprotect))[0] == 200
        assert await running.delete("/1/datasets/shop") == (202, {})
        body = {"query": QUERY, "wait_s": 20}
        assert (await running.post("/1/query_results/shop", body))[0] == 404


async def test_a_name_that_was_looked_up_before_a_deletion_is_not_kept_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with query_harness(tmp_path) as running:
        unprotect = {"settings": {"delete_protected": False}}
        assert (await running.put("/1/datasets/shop", unprotect))[0] == 200
        found, deleted = threading.Event(), threading.Event()
        find = SqliteMetadata.get_dataset

        def slow_at_first(metadata: SqliteMetadata, dataset: str) -> Dataset | None:
            there = find(metadata, dataset)
            if not found.is_set():
                found.set()
                assert deleted.wait(PATIENCE_S)
            return there

        monkeypatch.setattr(SqliteMetadata, "get_dataset", slow_at_first)
        asking = asyncio.create_task(running.ask(QUERY))
        await eventually(found.is_set)
        assert await running.delete("/1/datasets/shop") == (202, {})
        deleted.set()
        await asking
        body = {"query": QUERY, "wait_s": 20}
        assert (await running.post("/1/query_results/shop", body))[0] == 404


async def test_what_is_stored_is_read_while_metadata_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with query_harness(tmp_path, datasets=("shop", "MyDataset!")) as running:
        assert (await running.get("/1/columns/mydataset-"))[0] == 200

        def gone(*_: object) -> None:
            raise MetadataUnavailable("gone")

        for method in ("get_dataset", "find_by_url_slug"):
            monkeypatch.setattr(SqliteMetadata, method, gone)
        assert (await running.ask(QUERY))["complete"]
        for name in ("shop", "mydataset-", "never-seen"):
            assert (await running.get(f"/1/columns/{name}"))[0] == 200
        assert (await running.post("/1/queries/shop", QUERY))[0] == 503


async def test_protection_is_on_from_the_start_and_only_words_take_it_away(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, datasets=()) as running:
        made = await create(running, "shop")
        path = "/1/datasets/shop"
        assert made["settings"] == {"delete_protected": True}
        for body in (
            {"description": "x", "expand_json_depth": 2},
            {"settings": {}},
            {"settings": None},
            {"settings": {"delete_protected": None}},
        ):
            status, changed = await running.put(path, body)
            assert (status, changed["settings"]) == (200, {"delete_protected": True}), body
        status, fault = await running.delete(path)
        assert (status, fault["status"]) == (409, 409)
        assert fault["type"] == f"{running.url}/problems/conflict"
        assert "settings.delete_protected" in fault["error"]
        assert (await running.get(path))[0] == 200
        off = {"settings": {"delete_protected": False}}
        status, changed = await running.put(path, {**off, "description": "y"})
        assert (changed["settings"], changed["description"]) == ({"delete_protected": False}, "y")
        assert (await running.put(path, {}))[1]["settings"] == {"delete_protected": False}
        assert (await running.delete(path))[0] == 202


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("name", "missing")]),
        ({"name": None}, [("name", "missing")]),
        ({"name": "  "}, [("name", "missing")]),
        ({"name": 5}, [("name", "incorrect_type")]),
        ({"name": "x" * 256}, [("name", "invalid")]),
        ({"name": "a\u0007"}, [("name", "invalid")]),
        ({"name": "__all__"}, [("name", "invalid")]),
        ({"name": "a", "description": 0}, [("description", "incorrect_type")]),
        ({"name": "a", "description": "x" * 1025}, [("description", "invalid")]),
        ({"name": "a", "expand_json_depth": 11}, [("expand_json_depth", "invalid")]),
        ({"name": "a", "expand_json_depth": -1}, [("expand_json_depth", "invalid")]),
        ({"name": "a", "expand_json_depth": ""}, [("expand_json_depth", "incorrect_type")]),
        ({"name": "a", "expand_json_depth": False}, [("expand_json_depth", "incorrect_type")]),
        ({"name": "a", "retention_days": "1"}, [("retention_days", "incorrect_type")]),
        ({"name": "a", "settings": []}, [("settings", "incorrect_type")]),
        (
            {"name": "a", "settings": {"delete_protected": "no"}},
            [("settings.delete_protected", "incorrect_type")],
        ),
        (
            {"name": "a", "settings": {"delete_protected": False}},
            [("settings.delete_protected", "invalid")],
        ),
        (
            {"description": [], "expand_json_depth": 1.5},
            [
                ("name", "missing"),
                ("description", "incorrect_type"),
                ("expand_json_depth", "incorrect_type"),
            ],
        ),
        ([], [("", "incorrect_type")]),
    ],
)
async def test_every_fault_of_a_dataset_is_told_as_the_vendor_does(
    tmp_path: Path, body: Any, faults: list[tuple[str, str]]
) -> None:
    async with query_harness(tmp_path) as running:
        status, fault = await running.post("/1/datasets", body)
        assert status == fault["status"] == 422
        assert fault["error"] == fault["title"] == "The provided input is invalid."
        assert fault["type"] == f"{running.url}/problems/validation-failed"
        told = [(one["field"], one["code"]) for one in fault["type_detail"]]
        assert told == faults
        assert all(one["description"] in fault["detail"] for one in fault["type_detail"])
        assert [one["name"] for one in (await running.get("/1/datasets"))[1]] == ["shop"]


async def test_every_fault_of_a_change_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        before = await running.get("/1/datasets/shop")
        body = {
            "description": 1,
            "expand_json_depth": "2",
            "retention_days": -1,
            "settings": {"delete_protected": 0},
        }
        status, fault = await running.put("/1/datasets/shop", body)
        assert (status, fault["error"]) == (422, "The provided input is invalid.")
        assert [(one["field"], one["code"]) for one in fault["type_detail"]] == [
            ("description", "incorrect_type"),
            ("expand_json_depth", "incorrect_type"),
            ("retention_days", "invalid"),
            ("settings.delete_protected", "incorrect_type"),
        ]
        assert (await running.put("/1/datasets/shop", []))[0] == 422
        assert await running.get("/1/datasets/shop") == before
