"""Datasets over HTTP: created, listed in pages, changed and deleted."""

import asyncio
from pathlib import Path
from typing import Any

from yarl import URL

from tests.query.harness import PARTITIONS, query_harness


async def test_datasets_are_created_once_changed_and_deleted_in_every_partition(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path, datasets=()) as running:
        status, made = await running.post("/1/datasets", {"name": "My Shop"})
        assert (status, made["slug"]) == (201, "my-shop")
        assert (await running.post("/1/datasets", {"name": "my shop"}))[0] == 200
        assert await running.get("/1/datasets") == (200, [made])
        assert await running.get("/1/datasets", key="OTHER") == (200, [])
        status, missing = await running.post("/1/datasets", {})
        assert (status, missing["type_detail"][0]["code"]) == (422, "missing")
        path = "/1/datasets/My%20Shop"
        assert (await running.delete(path))[0] == 409
        assert (await running.put(path, {"settings": {"delete_protected": False}}))[0] == 200
        assert (await running.delete(path))[0] == 202
        for partition in range(PARTITIONS):
            assert (await running.log.bounds(partition)).end == 1
        assert (await running.get("/1/datasets/my-shop"))[0] == 404


async def test_dataset_names_are_decoded_once_and_links_are_encoded(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        assert (await running.post("/1/datasets", {"name": "50%41 a?b ü"}))[0] == 201
        path = "/1/query_results/50%2541%20a%3Fb%20%C3%BC"
        url = URL(running.url + path, encoded=True)
        headers = {"X-Honeycomb-Team": "K"}
        async with running.http.post(url, json={"query": {}}, headers=headers) as response:
            assert response.status == 201
            link = response.headers["Location"]
        assert link.startswith(f"{running.url}{path}/")
        async with running.http.get(URL(link, encoded=True), headers=headers) as response:
            assert response.status == 200
        named = URL(f"{running.url}/1/datasets/50%2541-a%3Fb-%C3%BC", encoded=True)
        async with running.http.get(named, headers=headers) as response:
            assert response.status == 200


async def test_a_list_of_datasets_asks_each_indexer_once_and_comes_in_pages(tmp_path: Path) -> None:
    async with query_harness(tmp_path, ("a", "b"), datasets=()) as running:
        names = sorted(f"d{number}" for number in range(25))
        for name in names:
            assert (await running.post("/1/datasets", {"name": name}))[0] == 201
        before = {zone: one.dataset_calls for zone, one in running.indexers.items()}
        status, found = await running.get("/1/datasets")
        assert (status, [one["slug"] for one in found]) == (200, names)
        assert {one["regular_columns_count"] for one in found} == {2}
        assert {one["last_written_at"] for one in found} == {"2033-05-18T03:33:20Z"}
        calls = {zone: one.dataset_calls - before[zone] for zone, one in running.indexers.items()}
        assert calls == {"a": 1, "b": 1}
        paged: list[Any] = []
        target = "/1/datasets?page[size]=10"
        while target:
            headers = {"X-Honeycomb-Team": "K"}
            url = URL(running.url + target, encoded=True)
            async with running.http.get(url, headers=headers) as answer:
                paged += await answer.json()
                following = answer.headers.get("Link", "")
                target = following.removeprefix("<").removesuffix('>; rel="next"')
        assert paged == found


async def test_a_dataset_beyond_the_most_is_not_created(tmp_path: Path) -> None:
    async with query_harness(tmp_path, datasets_max=3, datasets=()) as running:
        made = [running.post("/1/datasets", {"name": f"d{number}"}) for number in range(8)]
        statuses = [status for status, _ in await asyncio.gather(*made)]
        assert sorted(statuses) == [201] * 3 + [403] * 5
        there = (await running.get("/1/datasets"))[1]
        assert len(there) == 3
        assert (await running.post("/1/datasets", {"name": there[0]["name"]}))[0] == 200
        status, answer = await running.post("/1/datasets", {"name": "another"})
        assert (status, "node.datasets_max" in str(answer)) == (403, True)


async def test_what_was_shown_can_be_sent_back_and_what_is_misspelt_is_refused(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        status, made = await running.post("/1/datasets", {"name": "My Set!"})
        assert status == 201
        for name in ("my set!", made["slug"], "My Set!"):
            sent = made | {"name": name, "description": "new"}
            assert (await running.put(f"/1/datasets/{made['slug']}", sent))[0] == 200
        for path, body, field in (
            (f"/1/datasets/{made['slug']}", {"name": "other"}, "name"),
            (f"/1/datasets/{made['slug']}", {"descripton": "x"}, "descripton"),
            (
                f"/1/datasets/{made['slug']}",
                {"settings": {"protected": True}},
                "settings.protected",
            ),
        ):
            status, refused = await running.put(path, body)
            assert (status, refused["type_detail"][0]["field"]) == (422, field)
        assert (await running.get(f"/1/datasets/{made['slug']}"))[1]["description"] == "new"


async def test_a_column_is_sent_back_as_it_was_shown_and_a_misspelt_member_is_refused(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        _, [first, *_] = await running.get("/1/columns/shop")
        where = f"/1/columns/shop/{first['id']}"
        assert (await running.put(where, first | {"description": "new"}))[0] == 200
        for method, path in ((running.put, where), (running.post, "/1/columns/shop")):
            status, refused = await method(path, {"key_name": first["key_name"], "hiden": True})
            assert (status, refused["type_detail"][0]["field"]) == (422, "hiden")
