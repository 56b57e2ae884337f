"""A result outlives the role that computed it: others read it from the object store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from common.clock import SystemClock
from common.locks.files import FileLocks
from common.metrics import requests_total
from common.objects import ObjectStore
from common.process.announce import Announcement
from common.process.members import Member, list_members
from query.api.results.ids import new_id
from query.config import QueryConfig
from query.server import serve
from snapshot.unnamed.names import Names
from snapshot.unnamed.objects import find_unnamed
from tests.query.api.results.conftest import Stores
from tests.query.harness import TIMES, QueryHarness, query_harness
from tests.waiting import eventually

CONFIG = QueryConfig(drain_ms=0)


@asynccontextmanager
async def another_role(
    running: QueryHarness,
    instance: str = "q2",
    config: QueryConfig = CONFIG,
    objects: ObjectStore | None = None,
) -> AsyncIterator[QueryHarness]:
    """The same installation, asked through another query role. objects: its own client of them."""
    backends = running.context.backends
    backends = replace(backends, objects=objects or backends.objects)
    context = replace(running.context, instance=instance, stop=asyncio.Event(), backends=backends)
    role = asyncio.create_task(serve(context, config))
    try:
        locks = running.context.backends.locks
        urls: dict[str, str] = {}

        def known() -> bool:
            if role.done():
                role.result()
            urls.update({m.instance: m.url for m in list_members(locks, "query")})
            return instance in urls

        await eventually(known)
        yield replace(running, url=urls[instance])
    finally:
        context.stop.set()
        await role


def stored(running: QueryHarness) -> list[str]:
    return [info.key for info in running.context.backends.objects.list("results/")]


async def test_a_result_is_read_at_another_role_once_its_own_is_gone(
    tmp_path: Path, stores: Stores
) -> None:
    async with query_harness(tmp_path, datasets=("shop", "bank"), objects=stores()) as there:
        async with another_role(there, objects=stores()) as gone:
            answer = await gone.ask({"breakdowns": ["service"], **TIMES})
            path = f"/1/query_results/shop/{answer['id']}"
            await eventually(lambda: len(stored(there)) == 1)
        async with another_role(there, objects=stores()) as restarted:
            status, found = await restarted.get(path)
            assert (status, found["id"], found["data"]) == (200, answer["id"], answer["data"])
        status, found = await there.get(path)
        assert status == 200
        assert {**found, "links": None} == {**answer, "links": None}
        assert found["links"]["query_url"] == there.url + path
        assert (await there.get(path, key="MATE"))[0] == 200
        status, refused = await there.get(path, key="OTHER")  # another environment
        assert (status, refused["error"]) == (404, "Query result not found")
        assert (await there.get(path, key="NOQUERY"))[0] == 403
        assert (await there.get(path, key="NONE"))[0] == 401
        assert (await there.get(path.replace("shop", "bank")))[0] == 404
        assert (await there.get(path.replace("shop", "none")))[0] == 404
        async with there.http.get(
            there.url + path + "/graph.svg", headers={"X-Honeycomb-Team": "K"}
        ) as image:
            assert (image.status, image.content_type) == (200, "image/svg+xml")
            assert (await image.text()).count("<polyline") == 2


async def test_an_address_that_nothing_is_at_is_a_404_document(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as there:
        unknown = str(new_id(SystemClock().now_ns(), "nobody", 7))
        for wanted in (unknown, "nothing", "0" * 300):
            status, problem = await there.get(f"/1/query_results/shop/{wanted}")
            assert (status, problem["status"]) == (404, 404)
            assert problem["type"] == f"{there.url}/problems/not-found"
            assert "run the query again" in problem["detail"]


async def test_a_store_that_is_down_costs_sharing_and_no_answer(
    tmp_path: Path, stores: Stores, store_that_is_down: ObjectStore
) -> None:
    async with query_harness(tmp_path, objects=stores()) as there:
        async with another_role(there, objects=store_that_is_down) as second:
            answer = await second.ask(TIMES)
            path = f"/1/query_results/shop/{answer['id']}"
            assert (await second.get(path))[0] == 200
            assert (await there.get(path))[0] == 200  # asked of the role that has it
            status, refused = await second.get(
                f"/1/query_results/shop/{new_id(SystemClock().now_ns(), 'nobody', 1)}"
            )
            assert status == 503, refused
        assert (await there.get(path))[0] == 404


async def test_a_role_that_is_silent_is_told_apart_from_a_result_that_is_gone(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as there:
        member = Member("query", "stuck", "http://127.0.0.1:9", "a", 1, 0, "0")
        locks = there.context.backends.locks
        assert isinstance(locks, FileLocks)
        announcement = Announcement(locks, member)
        await announcement.renew()
        try:
            path = f"/1/query_results/shop/{new_id(SystemClock().now_ns(), 'stuck', 1)}"
            assert (await there.get(path))[0] == 503
        finally:
            await announcement.withdraw()
        assert (await there.get(path))[0] == 404


async def test_a_running_query_is_waited_for_at_any_role(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as there, another_role(there) as second:
        there.indexers["a"].held_keys = {"k0"}
        status, made = await there.post("/1/query_results/shop", {"query": TIMES})
        assert (status, made["complete"]) == (201, False)
        path = f"/1/query_results/shop/{made['id']}"
        assert (await second.get(path))[1]["complete"] is False
        waiting = asyncio.create_task(second.get(f"{path}?wait_s=30"))
        there.indexers["a"].release.set()
        status, found = await waiting
        assert (status, found["complete"]) == (200, True)
        assert found["data"]["results"] == [{"data": {"COUNT": 100}}]
        for wrong in ("soon", "nan"):
            status, refused = await second.get(f"{path}?wait_s={wrong}")
            assert (status, refused["type_detail"][0]["field"]) == (422, "wait_s")


async def test_the_page_sees_a_result_that_another_role_still_computes(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as there, another_role(there) as second:
        own = {"Sec-Fetch-Site": "same-origin"}
        login = f"{there.url}/ui/session"
        async with there.http.post(login, json={"key": "K"}, headers=own) as response:
            (cookie,) = response.cookies.values()
            own["Cookie"] = f"{cookie.key}={cookie.value}"
        there.indexers["a"].held_keys = {"k0"}
        _, made = await there.post("/1/query_results/shop", {"query": TIMES})
        address = f"{second.url}/1/query_results/shop/{made['id']}"
        async with there.http.get(address, headers=own) as response:
            assert (response.status, (await response.json())["complete"]) == (200, False)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_role_that_does_not_know_the_caller_says_nothing_about_his_key(
    tmp_path: Path, status: int
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": "unknown API key"}, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", refuse)
    async with query_harness(tmp_path) as there, TestServer(app) as earlier:
        url = str(earlier.make_url("")).rstrip("/")
        locks = there.context.backends.locks
        assert isinstance(locks, FileLocks)
        announcement = Announcement(locks, Member("query", "old", url, "a", 1, 0, "0"))
        await announcement.renew()
        try:
            path = f"/1/query_results/shop/{new_id(SystemClock().now_ns(), 'old', 1)}"
            assert (await there.get(path))[0] == 503
        finally:
            await announcement.withdraw()


async def test_a_result_is_asked_only_of_the_role_that_its_id_names(tmp_path: Path) -> None:
    refused = requests_total.labels("/1/query_results/{dataset}/{id}", "404")._value
    async with (
        query_harness(tmp_path) as there,
        another_role(there) as second,
        another_role(there, "q3"),
    ):
        there.indexers["a"].held_keys = {"k0"}
        _, made = await there.post("/1/query_results/shop", {"query": TIMES})
        before = refused.get()
        status, _ = await second.get(f"/1/query_results/shop/{made['id']}")
        there.indexers["a"].release.set()
        assert (status, refused.get() - before) == (200, 0)
        old = made["id"][:16]  # ids of programs before named no role
        status, _ = await second.get(f"/1/query_results/shop/{old}")
        assert (status, refused.get() - before) == (404, 3)


async def test_results_are_no_objects_that_nothing_names(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as there:
        await there.ask(TIMES)
        await eventually(lambda: len(stored(there)) == 1)
        objects = there.context.backends.objects
        found = await asyncio.to_thread(find_unnamed, objects, Names(objects))
        assert (found.count, found.unreadable) == (0, [])


async def test_a_result_is_in_memory_only_where_no_room_is_set_for_it(tmp_path: Path) -> None:
    config = QueryConfig(drain_ms=0, results_env_mb=0)
    async with query_harness(tmp_path, config=config) as there:
        answer = await there.ask(TIMES)
        assert (await there.get(f"/1/query_results/shop/{answer['id']}"))[0] == 200
    assert not (tmp_path / "objects" / "results").exists()
