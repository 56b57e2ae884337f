"""Markers, derived columns and annotations over HTTP: the vendor's codes and shapes."""

from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.errors import MetadataUnavailable
from common.metadata import DerivedColumn, MarkerSetting
from tests.query.harness import QueryHarness, query_harness

DEPLOY = {"start_time": 1471040808, "message": "backend deploy #123", "type": "deploy"}
SETTING = {"type": "deploy", "color": "#F96E11"}
DERIVED = {"alias": "one", "expression": "INT(1)", "description": "just one"}


async def made(running: QueryHarness, path: str, body: Any, key: str = "K") -> dict[str, Any]:
    status, answer = await running.post(path, body, key)
    assert status == 201, answer
    return dict(answer)


async def annotation(running: QueryHarness, dataset: str = "shop") -> dict[str, Any]:
    status, query = await running.post(f"/1/queries/{dataset}", {"calculations": [{"op": "COUNT"}]})
    assert status == 200, query
    return {"name": "Count", "description": "of all", "query_id": query["id"]}


def faults(answer: Any) -> dict[str, tuple[str, str]]:
    return {one["field"]: (one["code"], one["description"]) for one in answer["type_detail"]}


@pytest.mark.parametrize("dataset", ["shop", "__all__"])
async def test_each_kind_is_created_listed_shown_changed_and_deleted(
    tmp_path: Path, dataset: str
) -> None:
    async with query_harness(tmp_path) as running:
        note = await annotation(running, dataset)
        for path, body, change, deleted in (
            ("markers", DEPLOY, DEPLOY | {"message": "other"}, 200),
            ("marker_settings", SETTING, {"color": "#000000"}, 200),
            ("derived_columns", DERIVED, {"expression": "INT(2)"}, 204),
            ("query_annotations", note, note | {"name": "other"}, 204),
        ):
            where = f"/1/{path}/{dataset}"
            assert await running.get(where) == (200, [])
            first = await made(running, where, body)
            assert first | body == first
            assert first["created_at"] == first["updated_at"]
            assert await running.get(f"{where}/{first['id']}") == (200, first)
            assert await running.get(where) == (200, [first])
            status, changed = await running.put(f"{where}/{first['id']}", first | change)
            assert status == 200, changed
            assert {k: v for k, v in changed.items() if k != "updated_at"} == {
                k: v for k, v in (first | change).items() if k != "updated_at"
            }
            assert await running.get(where) == (200, [changed])
            status, gone = await running.delete(f"{where}/{first['id']}")
            assert (status, gone) == (deleted, changed if deleted == 200 else None)
            assert await running.get(where) == (200, [])
            for method in (running.get, running.delete):
                assert (await method(f"{where}/{first['id']}"))[0] == 404
            assert (await running.put(f"{where}/{first['id']}", first))[0] == 404


async def test_what_belongs_to_a_dataset_is_not_the_environments_nor_anothers(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, datasets=("shop", "web")) as running:
        first = await made(running, "/1/markers/shop", DEPLOY)
        for elsewhere in ("/1/markers/web", "/1/markers/__all__"):
            assert await running.get(elsewhere) == (200, [])
            assert (await running.get(f"{elsewhere}/{first['id']}"))[0] == 404
            assert (await running.delete(f"{elsewhere}/{first['id']}"))[0] == 404
        assert await running.get("/1/markers/shop", "OTHER") == (200, [])
        status, unknown = await running.get("/1/markers/unknown")
        assert (status, unknown["error"]) == (404, "Dataset not found")
        assert unknown["type"].endswith("/problems/not-found")


async def test_a_marker_is_placed_on_arrival_and_shows_only_what_it_has(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        placed = await made(running, "/1/markers/shop", {})
        assert set(placed) == {"id", "start_time", "created_at", "updated_at"}
        assert placed["start_time"] > 1_700_000_000
        assert len(placed["id"]) == 6
        status, changed = await running.put(
            f"/1/markers/shop/{placed['id']}", {"message": "m", "url": "https://x/y"}
        )
        assert status == 200
        assert changed["start_time"] == placed["start_time"]
        status, changed = await running.put(f"/1/markers/shop/{placed['id']}", {"type": "t"})
        assert set(changed) - set(placed) == {"type"}, "what a change leaves out is erased"


async def test_requests_as_honeymarker_sends_them_are_answered_with_200(tmp_path: Path) -> None:
    """It leaves out what is zero, takes no status but 200, and sends a content type with a GET."""
    headers = {
        "X-Honeycomb-Team": "K",
        "X-Honeycomb-Dataset": "shop",
        "Content-Type": "application/json",
        "User-Agent": "honeymarker/dev",
    }
    async with query_harness(tmp_path) as running:

        async def send(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
            url = f"{running.url}/1/markers/shop{path}"
            async with running.http.request(method, url, data=body, headers=headers) as answer:
                return answer.status, await answer.json()

        status, added = await send("POST", "", b'{"start_time":1471040808,"message":"a"}')
        assert status == 201
        assert await send("GET", "") == (200, [added])
        where = f"/{added['id']}"
        status, updated = await send("PUT", where, b'{"message":"b","type":"deploy"}')
        assert (status, updated["message"], updated["type"]) == (200, "b", "deploy")
        assert updated["start_time"] == 1471040808
        assert await send("DELETE", where) == (200, updated)
        assert await send("GET", "") == (200, [])


async def test_markers_are_listed_with_the_colour_of_their_type(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        await made(running, "/1/markers/shop", DEPLOY)
        assert "color" not in (await running.get("/1/markers/shop"))[1][0]
        await made(running, "/1/marker_settings/__all__", SETTING)
        assert (await running.get("/1/markers/shop"))[1][0]["color"] == "#F96E11"
        await made(running, "/1/marker_settings/shop", SETTING | {"color": "#000000"})
        listed = (await running.get("/1/markers/shop"))[1][0]
        assert listed["color"] == "#000000"
        status, _ = await running.put(f"/1/markers/shop/{listed['id']}", listed)
        assert status == 200, "what was listed can be sent back"


async def test_an_alias_and_a_type_are_taken_once_and_never_change(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for path, body, name in (
            ("derived_columns", DERIVED, "alias"),
            ("marker_settings", SETTING, "type"),
        ):
            first = await made(running, f"/1/{path}/shop", body)
            status, again = await running.post(f"/1/{path}/shop", body)
            assert status == 409
            assert again["type"].endswith("/problems/conflict")
            await made(running, f"/1/{path}/__all__", body)
            status, refused = await running.put(
                f"/1/{path}/shop/{first['id']}", body | {name: "other"}
            )
            assert status == 422
            assert faults(refused) == {name: ("invalid", "cannot be changed")}
            assert (await running.delete(f"/1/{path}/shop/{first['id']}"))[0] in (200, 204)
            await made(running, f"/1/{path}/shop", body)


async def test_a_derived_column_is_found_by_its_alias(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        first = await made(running, "/1/derived_columns/shop", DERIVED)
        assert await running.get("/1/derived_columns/shop?alias=one") == (200, first)
        assert (await running.get("/1/derived_columns/shop?alias=One"))[0] == 404
        assert (await running.get("/1/derived_columns/__all__?alias=one"))[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("markers", {"start_time": "1"}, {"start_time": "incorrect_type"}),
        ("markers", {"start_time": True}, {"start_time": "incorrect_type"}),
        ("markers", {"type": 5, "url": []}, dict.fromkeys(("type", "url"), "incorrect_type")),
        ("markers", {"start_time": 9, "end_time": 8}, {"end_time": "invalid"}),
        ("markers", {"start_time": -1}, {"start_time": "invalid"}),
        ("markers", {"start_time": 10**12}, {"start_time": "invalid"}),
        ("markers", {"url": "javascript:alert(1)"}, {"url": "invalid"}),
        ("markers", {"mesage": "x"}, {"mesage": "invalid"}),
        ("marker_settings", {}, dict.fromkeys(("type", "color"), "missing")),
        ("marker_settings", {"type": "t", "color": "red"}, {"color": "invalid"}),
        ("marker_settings", {"type": "t", "color": "#F96E11\n"}, {"color": "invalid"}),
        ("derived_columns", {"alias": " "}, dict.fromkeys(("alias", "expression"), "missing")),
        ("derived_columns", {"alias": "a" * 256, "expression": "1"}, {"alias": "invalid"}),
        ("derived_columns", {"alias": "a", "expression": "1" * 4096}, {"expression": "invalid"}),
        ("query_annotations", {"name": "n" * 321, "query_id": "q"}, {"name": "invalid"}),
        ("query_annotations", [], {"": "incorrect_type"}),
    ],
)  # fmt: skip
async def test_every_fault_of_a_body_is_named_with_its_member(
    tmp_path: Path, path: str, body: Any, expected: dict[str, str]
) -> None:
    async with query_harness(tmp_path) as running:
        status, refused = await running.post(f"/1/{path}/shop", body)
        assert status == 422
        assert refused["type"].endswith("/problems/validation-failed")
        assert {field: code for field, (code, _) in faults(refused).items()} == expected
        assert await running.get(f"/1/{path}/shop") == (200, [])


async def test_an_annotation_is_of_a_query_of_its_dataset_and_stays_so(tmp_path: Path) -> None:
    async with query_harness(tmp_path, datasets=("shop", "web")) as running:
        note = await annotation(running)
        first = await made(running, "/1/query_annotations/shop", note)
        other = {"calculations": [{"op": "COUNT"}], "limit": 7}
        _, query = await running.post("/1/queries/shop", other)
        every = "/1/query_annotations/"
        where = f"{every}shop/{first['id']}"
        for method, path, change, text in (
            (running.post, f"{every}shop", {"query_id": "no"}, "included in body is invalid"),
            (running.post, f"{every}web", {}, "Query is not in the dataset"),
            (running.put, where, {"query_id": query["id"]}, "annotations cannot be changed"),
            (running.put, where, {"id": "zzz"}, "included in body does not match URL"),
        ):
            status, refused = await method(path, note | change)
            assert status == 400
            assert refused["error"].endswith(text)
        assert (await running.get(where))[1] == first


async def test_who_may_read_and_who_may_change(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        note = await annotation(running)
        for path, body, by_mate in (
            ("markers", DEPLOY, 403),
            ("marker_settings", SETTING, 403),
            ("derived_columns", DERIVED, 403),
            ("query_annotations", note, 201),
        ):
            where = f"/1/{path}/shop"
            for key, reads, changes in (
                ("INGEST", 403, 403), ("NOQUERY", 403, 403), ("none", 401, 401),
                ("MATE", 200, by_mate),
            ):  # fmt: skip
                assert (await running.get(where, key))[0] == reads
                assert (await running.post(where, body, key))[0] == changes


async def test_there_is_room_for_so_many_and_the_refusal_says_so(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        dataset = await shop(running)
        of_dataset, _ = limits.MARKER_SETTINGS_MAX
        running.metadata.put_resources(
            [
                MarkerSetting(f"{number}", dataset.env_id, dataset.id, f"t{number}", "#000000")
                for number in range(of_dataset)
            ]
        )
        status, refused = await running.post("/1/marker_settings/shop", SETTING)
        assert status == 422
        assert f"The dataset may have {of_dataset}" in refused["detail"]
        assert (await running.post("/1/marker_settings/__all__", SETTING))[0] == 201


async def shop(running: QueryHarness) -> Any:
    team = running.metadata.ensure_team("T", "t")
    environment = running.metadata.ensure_environment(team.id, "e", "e")
    return running.metadata.list_datasets(environment.id)[0]


async def test_while_metadata_fails_it_is_503(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with query_harness(tmp_path) as running:
        assert (await running.get("/1/markers/shop"))[0] == 200

        def fails(*_: object) -> Any:
            raise MetadataUnavailable("away")

        monkeypatch.setattr(running.metadata, "list_resources", fails)
        monkeypatch.setattr(running.metadata, "create_resource", fails)
        assert (await running.get("/1/markers/shop"))[0] == 503
        assert (await running.post("/1/markers/shop", DEPLOY))[0] == 503


async def test_a_deleted_dataset_takes_its_resources_with_it(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        await made(running, "/1/derived_columns/shop", DERIVED)
        dataset = await shop(running)
        assert len(running.metadata.list_resources(DerivedColumn, dataset.env_id, None)) == 1
        unprotected = {"description": "", "settings": {"delete_protected": False}}
        assert (await running.put("/1/datasets/shop", unprotected))[0] == 200
        assert (await running.delete("/1/datasets/shop"))[0] == 202
        assert running.metadata.list_resources(DerivedColumn, dataset.env_id, None) == []
