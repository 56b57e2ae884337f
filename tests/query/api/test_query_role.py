"""The query role over real HTTP, real locks, log and metadata, and indexers that answer shares."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from yarl import URL

from common import limits
from common.clock import SystemClock
from common.errors import BellwetherError
from common.locks import Claim
from common.locks.files import FileLocks
from common.log.embedded.log import EmbeddedLog
from common.metadata import Access, ApiKey, KeyKind
from common.metadata.sqlite import SqliteMetadata
from common.model.names import column_id
from common.objects.directory import DirectoryObjects
from common.process.auth import hash_key
from common.process.members import Member, claim_name, encode_member, list_members
from common.process.refusal import busy_response
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry, Telemetry
from common.process.web import has_hung_up
from ops.admin import create_dataset, ensure_place
from query.config import QueryConfig
from query.plan.plan import ShareRequest
from query.server import serve
from query.share.route import ShareEndpoint
from query.share.view import DatasetView
from query.wire.columns import (
    ColumnPage,
    ColumnsRequest,
    DatasetsRequest,
    IndexedColumn,
    IndexedDataset,
)
from query.wire.tail import TailRequest
from tests.query.share.rows import Row, Views, block, view

PARTITIONS = 2
SEEN_NS = (10**18, 2 * 10**18)
BASE_S = 1_700_000_000
ROWS = [
    Row((BASE_S + i) * 10**9, {"status": 200 + i % 3, "service": "ab"[i % 2], "ms": i * 0.5})
    for i in range(100)
]


@dataclass
class Indexer:
    """An indexer: its member, how often it was asked, and how it behaves."""

    member: Member
    views: Views
    asked: int = 0
    waiting: int = 0  # shares that are held
    refuse: bool = False
    delay_s: float = 0.0
    pulse_delay_s: float = 0.0
    followed: str = ""
    chosen: TailRequest | None = None
    tail_refusal: BellwetherError | None = None
    held_keys: set[str] = field(default_factory=set)  # ids of keys whose shares wait for `release`
    release: asyncio.Event = field(default_factory=asyncio.Event)
    claims: list[Claim] = field(default_factory=list)
    dataset_calls: int = 0
    columns: dict[str, list[str]] = field(
        default_factory=lambda: {"status": ["i"], "ms": ["f", "i"]}
    )


@dataclass
class Room:
    """A running query role."""

    url: str
    http: aiohttp.ClientSession
    indexers: dict[str, Indexer]
    metadata: SqliteMetadata
    log: EmbeddedLog
    context: RoleContext

    async def post(self, path: str, body: Any, key: str = "K") -> tuple[int, Any]:
        headers = {"X-Honeycomb-Team": key}
        async with self.http.post(self.url + path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def put(self, path: str, body: Any, key: str = "K") -> tuple[int, Any]:
        headers = {"X-Honeycomb-Team": key}
        async with self.http.put(self.url + path, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def delete(self, path: str, key: str = "K") -> tuple[int, Any]:
        headers = {"X-Honeycomb-Team": key}
        async with self.http.delete(self.url + path, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def get(self, path: str, key: str = "K") -> tuple[int, Any]:
        headers = {"X-Honeycomb-Team": key}
        async with self.http.get(self.url + path, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def ask(self, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
        body = {"query": spec, "wait_s": 20, **more}
        status, answer = await self.post("/1/query_results/shop", body)
        assert status == 201, answer
        return dict(answer)


async def run_indexer(
    locks: FileLocks, zone: str, views: Views
) -> tuple[Indexer, ShareEndpoint, web.AppRunner]:
    endpoint = ShareEndpoint(views, memory_mb=128, threads=1)
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    indexer = Indexer(Member("indexer", f"ix-{zone}", "", zone, 1, 1, "1"), views)

    async def share(request: web.Request) -> web.StreamResponse:
        indexer.asked += 1
        if indexer.refuse:
            return web.json_response({"error": "stopping"}, status=503)
        wanted = msgspec.json.decode(await request.read(), type=ShareRequest)
        if wanted.plan.key in indexer.held_keys:
            indexer.waiting += 1
            try:
                while not indexer.release.is_set():
                    if has_hung_up(request):
                        break
                    await asyncio.sleep(0.01)
            finally:
                indexer.waiting -= 1
        await asyncio.sleep(indexer.delay_s)
        return await endpoint.handle(request)

    async def healthz(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(indexer.pulse_delay_s)
        return web.json_response({"status": "ok"})

    async def tail(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            indexer.chosen = msgspec.json.decode(await request.read(), type=TailRequest)
        else:
            indexer.followed = request.query["partitions"]
        if indexer.tail_refusal is not None:
            return busy_response(indexer.tail_refusal)
        await asyncio.sleep(indexer.delay_s)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"#%d aa\n{}\n" % (zone == "b"))
        await asyncio.sleep(60)
        return response

    async def columns(request: web.Request) -> web.Response:
        """All in order of names, as an indexer pages them."""
        asked = msgspec.json.decode(await request.read(), type=ColumnsRequest)
        seen = [
            IndexedColumn(name, types, *SEEN_NS) for name, types in sorted(indexer.columns.items())
        ]
        if asked.name is not None:
            seen = [one for one in seen if one.name == asked.name]
        elif asked.id is not None:
            seen = [one for one in seen if column_id(asked.dataset, one.name) == asked.id]
        elif asked.sha256 is not None:
            names = {hashlib.sha256(one.name.encode()).hexdigest(): one for one in seen}
            seen = [names[asked.sha256]] if asked.sha256 in names else []
        else:
            seen = [one for one in seen if asked.after is None or one.name > asked.after]
        page = ColumnPage(seen[: asked.size], len(seen) > asked.size)
        return web.Response(body=msgspec.json.encode(page))

    app.router.add_post("/internal/share", share)

    async def datasets(request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read(), type=DatasetsRequest)
        indexer.dataset_calls += 1
        found = {one: IndexedDataset(SEEN_NS[1], [1, 2, len(zone)]) for one in asked.datasets}
        return web.Response(body=msgspec.json.encode(found))

    app.router.add_post("/internal/columns", columns)
    app.router.add_post("/internal/datasets", datasets)
    app.router.add_get("/internal/tail", tail)
    app.router.add_post("/internal/tail", tail)
    app.router.add_get("/healthz", healthz)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    indexer.member = replace_url(indexer.member, url)
    for partition in range(PARTITIONS):
        claim = locks.acquire(claim_name(zone, partition), encode_member(indexer.member))
        assert claim
        indexer.claims.append(claim)
    return indexer, endpoint, runner


def replace_url(member: Member, url: str) -> Member:
    return Member(member.role, member.instance, url, member.zone, 1, 1, "1")


def two_partitions(rows: list[Row] = ROWS) -> list[DatasetView]:
    return [view(0, blocks=[block(rows[:60])]), view(1, blocks=[block(rows[60:])])]


@asynccontextmanager
async def room(
    tmp_path: Path,
    zones: tuple[str, ...] = ("a",),
    config: QueryConfig | None = None,
    *,
    token: str = "token",
    telemetry: Telemetry | None = None,
    datasets_max: int = limits.DATASETS_MAX_DEFAULT,
    datasets: tuple[str, ...] = ("shop",),
    rows: list[Row] = ROWS,
) -> AsyncIterator[Room]:
    clock = SystemClock()
    locks = FileLocks(tmp_path / "locks")
    metadata = SqliteMetadata(tmp_path / "meta.db")
    metadata.open()
    log = EmbeddedLog(tmp_path / "log", PARTITIONS, clock)
    await log.open()
    add_keys(metadata)
    for environment in ("e", "f"):
        place = ensure_place(metadata, "T", environment)
        for name in datasets:
            create_dataset(metadata, place, name, 0, "", clock)
    started = [await run_indexer(locks, zone, Views(two_partitions(rows))) for zone in zones]
    stop = asyncio.Event()
    (tmp_path / "role").mkdir()
    context = RoleContext(
        role="query",
        instance="q1",
        zone="a",
        host="127.0.0.1",
        port=0,
        folder=tmp_path / "role",
        backends=Backends(log, DirectoryObjects(tmp_path / "objects"), metadata, locks),
        clock=clock,
        random=random.Random(1),
        telemetry=telemetry or NoTelemetry(),
        stop=stop,
        internal_token=token,
        datasets_max=datasets_max,
    )
    role = asyncio.create_task(serve(context, config or QueryConfig()))
    try:
        while not (found := await asyncio.to_thread(list_members, locks, "query")):
            await asyncio.sleep(0.02)
            if role.done():
                role.result()
        async with aiohttp.ClientSession() as http:
            indexers = {indexer.member.zone: indexer for indexer, _, _ in started}
            yield Room(found[0].url, http, indexers, metadata, log, context)
    finally:
        stop.set()
        await role
        for _, endpoint, runner in started:
            await runner.cleanup()
            endpoint.close()
        await log.close()
        metadata.close()
        locks.close()


def add_keys(metadata: SqliteMetadata) -> None:
    team = metadata.ensure_team("T", "t")
    for number, (key, env_slug, kind, access) in enumerate(
        [
            (
                "K",
                "e",
                KeyKind.CONFIGURATION,
                Access(queries=True, columns=True, admin=True, operate=True),
            ),
            ("OTHER", "f", KeyKind.CONFIGURATION, Access(queries=True)),
            ("INGEST", "e", KeyKind.INGEST, Access()),
            ("NOQUERY", "e", KeyKind.CONFIGURATION, Access()),
        ]
    ):
        env = metadata.ensure_environment(team.id, env_slug, env_slug)
        metadata.create_key(
            ApiKey(
                id=f"k{number}",
                hash=hash_key(key),
                kind=kind,
                name=key,
                team=team,
                environment=env,
                access=access,
            )
        )


TIMES = {"start_time": BASE_S, "end_time": BASE_S + 100}


async def test_totals_and_series_cover_every_partition(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        spec = {
            "calculations": [{"op": "COUNT"}, {"op": "MAX", "column": "ms"}],
            "breakdowns": ["service"],
            "granularity": 10,
            **TIMES,
        }
        answer = await running.ask(
            spec, disable_total_by_aggregate=False, disable_other_by_aggregate=False
        )
        assert answer["complete"] is True
        assert answer["query"] == spec
        data = answer["data"]
        assert data["results"] == [
            {"data": {"service": "a", "COUNT": 50, "MAX(ms)": 49.0}},
            {"data": {"service": "b", "COUNT": 50, "MAX(ms)": 49.5}},
        ]
        assert data["total_by_aggregate"] == {"COUNT": 100, "MAX(ms)": 49.5}
        assert data["other_by_aggregate"] == {"COUNT": 0, "MAX(ms)": None}
        assert len(data["series"]) == 20
        assert data["series"][0]["time"] == "2023-11-14T22:13:20Z"
        assert sum(row["data"]["COUNT"] for row in data["series"]) == 100
        assert [r["data"]["COUNT"] for r in data["total_by_aggregate_series"]] == [10] * 10
        coverage = answer["coverage"]
        assert coverage["complete"] is True
        assert [p["indexer"] for p in coverage["partitions"]] == ["ix-a", "ix-a"]


async def test_stored_query_is_echoed_unchanged_and_its_result_polled(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        spec = {"calculations": [{"op": "COUNT"}], "orders": [{"op": "COUNT"}], **TIMES}
        posted = {**spec, "filter_combination": "AND"}
        status, stored = await running.post("/1/queries/shop", posted)
        assert (status, stored) == (200, {"id": stored["id"], **spec})
        assert await running.get(f"/1/queries/Shop/{stored['id']}") == (200, stored)
        status, made = await running.post(
            "/1/query_results/shop", {"query_id": stored["id"], "disable_series": True}
        )
        assert status == 201
        assert made["links"] == {}  # nothing that leads nowhere
        for _ in range(200):
            status, answer = await running.get(f"/1/query_results/shop/{made['id']}")
            if answer["complete"]:
                break
            await asyncio.sleep(0.02)
        assert answer["data"] == {"results": [{"data": {"COUNT": 100}}], "series": []}
        assert (await running.get(f"/1/query_results/shop/{made['id']}", key="OTHER"))[0] == 404
        status, missing = await running.get("/1/query_results/shop/nothing")
        assert (status, missing["status"]) == (404, 404)
        assert missing["type"] == f"{running.url}/problems/not-found"


async def test_twin_answers_when_the_first_refuses_or_is_slow(tmp_path: Path) -> None:
    config = QueryConfig(hedge_ms=3_000)
    async with room(tmp_path, ("a", "b"), config) as running:
        spec = {**TIMES}
        first, twin = running.indexers["a"], running.indexers["b"]
        answer = await running.ask(spec, disable_series=True)
        assert twin.asked == 0
        first.refuse = True
        answer = await running.ask(spec, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert {p["indexer"] for p in answer["coverage"]["partitions"]} == {"ix-b"}
        first.refuse, first.delay_s = False, 30
        answer = await running.ask(spec, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert {p["indexer"] for p in answer["coverage"]["partitions"]} == {"ix-b"}


async def test_slow_one_is_asked_last_for_a_while(tmp_path: Path) -> None:
    async with room(tmp_path, ("a", "b"), QueryConfig(hedge_ms=400)) as running:
        first = running.indexers["a"]
        first.delay_s = 30
        for _ in range(3):
            answer = await running.ask({**TIMES}, disable_series=True)
            assert {p["zone"] for p in answer["coverage"]["partitions"]} == {"b"}
        assert first.asked < 3


@pytest.mark.parametrize("zones", [("a",), ("a", "b")])
async def test_indexer_that_takes_connections_and_says_nothing_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zones: tuple[str, ...]
) -> None:
    monkeypatch.setattr(limits, "PULSE_S", 0.05)
    monkeypatch.setattr(limits, "PULSE_TIMEOUT_S", 0.05)
    config = QueryConfig(hedge_ms=0)  # the twin is asked only once the first is given up
    async with room(tmp_path, zones, config) as running:
        indexer = running.indexers["a"]
        indexer.delay_s = indexer.pulse_delay_s = 1_000
        answer = await running.ask({**TIMES}, disable_series=True)
        complete = answer["coverage"]["complete"]
        assert complete is (len(zones) == 2)
        if complete:
            assert {p["zone"] for p in answer["coverage"]["partitions"]} == {"b"}
        else:
            assert "answered" in answer["coverage"]["partitions"][0]["reason"]


async def test_heavy_share_is_waited_for_while_its_process_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PULSE_S", 0.02)
    async with room(tmp_path, ("a",)) as running:
        running.indexers["a"].delay_s = 1.0
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["coverage"]["complete"] is True


async def test_result_is_found_at_the_query_role_that_has_it(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        status, made = await running.post("/1/query_results/shop", {"query": {**TIMES}})
        assert status == 201
        other = replace(running.context, instance="q2", stop=asyncio.Event())
        role = asyncio.create_task(serve(other, QueryConfig(drain_ms=0)))
        try:
            for _ in range(1_000):
                members = list_members(running.context.backends.locks, "query")
                if len(members) == 2:
                    break
                await asyncio.sleep(0.02)
            (second,) = (member.url for member in members if member.url != running.url)
            headers = {"X-Honeycomb-Team": "K"}
            path = f"{second}/1/query_results/shop/{made['id']}"
            async with asyncio.timeout(20):
                complete = False
                while not complete:
                    async with running.http.get(path, headers=headers) as answer:
                        assert answer.status == 200
                        found = await answer.json()
                        complete = found["complete"]
            assert found["data"]["results"] == [{"data": {"COUNT": 100}}]
            async with running.http.get(path + "0", headers=headers) as answer:
                assert answer.status == 404
            async with running.http.get(path, headers={"X-Honeycomb-Team": "OTHER"}) as answer:
                assert answer.status == 404
        finally:
            other.stop.set()
            await role


async def test_partition_that_moved_is_asked_of_its_new_holder(tmp_path: Path) -> None:
    async with room(tmp_path, ("a", "b")) as running:
        del running.indexers["a"].views.held[1]
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
        assert [p["indexer"] for p in answer["coverage"]["partitions"]] == ["ix-a", "ix-b"]


async def test_partitions_nobody_answers_for_make_the_answer_incomplete(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        del running.indexers["a"].views.held[1]
        answer = await running.ask({**TIMES}, disable_series=True)
        assert answer["data"]["results"] == [{"data": {"COUNT": 60}}]
        assert answer["coverage"]["complete"] is False
        assert answer["coverage"]["partitions"][1]["reason"]
        body = {"query": {**TIMES}, "wait_s": 20, "coverage": "require"}
        status, refused = await running.post("/1/query_results/shop", body)
        assert (status, "partition" in refused["error"]) == (503, True)


async def test_positions_not_yet_indexed_make_the_answer_incomplete(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        epoch = (await running.log.open()).epoch
        for views in (i.views for i in running.indexers.values()):
            views.held[0] = replace(views.held[0], epoch=epoch, end_offset=60)
        seen = await running.ask({**TIMES}, disable_series=True, after=f"{epoch}:0:59")
        assert seen["coverage"]["complete"] is True
        unseen = await running.ask({**TIMES}, disable_series=True, after=f"{epoch}:0:60")
        assert unseen["coverage"]["complete"] is False


@pytest.mark.parametrize(
    ("key", "status"), [("NONE", 401), ("INGEST", 403), ("NOQUERY", 403), ("", 401)]
)
async def test_keys_without_the_right_are_refused(tmp_path: Path, key: str, status: int) -> None:
    async with room(tmp_path) as running:
        assert (await running.post("/1/queries/shop", {}, key=key))[0] == status
        assert (await running.get("/bw/1/status", key=key))[0] == status


async def test_faults_of_a_specification_name_the_field(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        status, fault = await running.post("/1/queries/shop", {"calculations": [{"op": "HEATMAP"}]})
        assert status == 422
        assert fault["error"] == fault["title"] == "The provided input is invalid."
        assert fault["detail"] == "calculations[0].op: HEATMAP is not supported yet"
        assert fault["type_detail"][0]["field"] == "calculations[0].op"
        assert (await running.post("/1/queries/__all__", {}))[0] == 422


async def test_datasets_are_created_once_changed_and_deleted_in_every_partition(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, datasets=()) as running:
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
    async with room(tmp_path) as running:
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


async def test_columns_are_those_of_the_events(tmp_path: Path) -> None:
    async with room(tmp_path) as running:
        status, columns = await running.get("/1/columns/shop")
        assert status == 200
        assert {c["key_name"]: c["type"] for c in columns} == {"ms": "float", "status": "integer"}
        assert await running.get("/1/columns/shop?key_name=ms") == (200, columns[0])
        assert await running.get(f"/1/columns/shop/{columns[1]['id']}") == (200, columns[1])
        assert (await running.get("/1/columns/shop?key_name=zzz"))[0] == 404


async def test_pages_of_columns_show_each_once_whoever_holds_it(tmp_path: Path) -> None:
    """Names of two indexers, some longer than fits a URL, of which one begins as another."""
    names = {f"n{number:03d}": ["i"] for number in range(40)}
    long = "ü" * 3_000
    names |= {long + end: ["s"] for end in ("", "a", "b")}
    async with room(tmp_path, ("a", "b")) as running:
        in_order = sorted(names)
        for number, indexer in enumerate(running.indexers.values()):
            indexer.columns = {name: names[name] for name in in_order if number == 0 or "1" in name}
        running.indexers["b"].columns["n011"] = ["f"]
        running.indexers["b"].columns["only b"] = ["b"]
        found: list[dict[str, Any]] = []
        target = "/1/columns/shop?page[size]=3"
        headers = {"X-Honeycomb-Team": "K"}
        while target:
            async with running.http.get(
                URL(running.url + target, encoded=True), headers=headers
            ) as answer:
                assert answer.status == 200, await answer.text()
                columns = await answer.json()
                assert 1 <= len(columns) <= 3
                found += columns
                following = answer.headers.get("Link", "")
                assert ("X-Bellwether-Next" in answer.headers) == bool(following)
                target = following.removeprefix("<").removesuffix('>; rel="next"')
        assert [column["key_name"] for column in found] == sorted([*names, "only b"])
        assert {c["type"] for c in found if c["key_name"] == "n011"} == {"float"}
        whole = await running.get("/1/columns/shop")
        assert whole == (200, found)


async def test_a_list_of_datasets_asks_each_indexer_once_and_comes_in_pages(tmp_path: Path) -> None:
    async with room(tmp_path, ("a", "b"), datasets=()) as running:
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
    async with room(tmp_path, datasets_max=3, datasets=()) as running:
        made = [running.post("/1/datasets", {"name": f"d{number}"}) for number in range(8)]
        statuses = [status for status, _ in await asyncio.gather(*made)]
        assert sorted(statuses) == [201] * 3 + [403] * 5
        there = (await running.get("/1/datasets"))[1]
        assert len(there) == 3
        assert (await running.post("/1/datasets", {"name": there[0]["name"]}))[0] == 200
        status, answer = await running.post("/1/datasets", {"name": "another"})
        assert (status, "node.datasets_max" in str(answer)) == (403, True)


@pytest.mark.parametrize("page", ["page[size]=0", "page[size]=x", "page[next]=!", "page[next]=nw"])
async def test_a_page_that_cannot_be_read_is_the_callers_error(tmp_path: Path, page: str) -> None:
    async with room(tmp_path) as running:
        status, answer = await running.get(f"/1/columns/shop?{page}")
        assert status == 400
        assert "page[" in str(answer)


async def test_tail_follows_each_partition_once_and_ends_when_it_moves(tmp_path: Path) -> None:
    async with room(tmp_path, ("a", "b")) as running:
        one, other = running.indexers["a"], running.indexers["b"]
        await asyncio.to_thread(one.claims[1].release)
        headers = {"X-Honeycomb-Team": "K"}
        async with running.http.get(f"{running.url}/bw/1/tail/shop", headers=headers) as answer:
            assert await answer.content.readline() == b"{}\n"
            await asyncio.to_thread(one.claims[0].release)
            assert await answer.content.read() == b""  # the copy of the batch is not shown
        assert (one.followed, other.followed) == ("0", "1")


async def test_a_stored_field_is_asked_about_also_if_its_name_looks_like_a_relation(
    tmp_path: Path,
) -> None:
    rows = [Row(BASE_S * 10**9, {"parent.id": "x"})]
    async with room(tmp_path, rows=rows) as there:
        spec = {"breakdowns": ["parent.id"], "start_time": BASE_S, "end_time": BASE_S + 100}
        answer = await there.ask(spec)
        assert answer["data"]["results"] == [{"data": {"parent.id": "x", "COUNT": 1}}]
        for indexer in there.indexers.values():
            indexer.columns["parent.id"] = ["s"]
        empty = {**spec, "start_time": BASE_S + 50}  # it is stored, though not in this range
        answer = await there.ask(empty)
        assert "no event in the time range has a field `parent.id`" in answer["notes"]
        status, refused = await there.post(
            "/1/query_results/shop", {"query": {"breakdowns": ["root.name"]}, "wait_s": 20}
        )
        assert status == 422
        why = refused["type_detail"][0]["description"]
        assert "relational fields (root.) are not supported yet" in why


async def test_an_answer_tells_its_range_and_the_groups_that_it_does_not_list(
    tmp_path: Path,
) -> None:
    async with room(tmp_path) as there:
        spec = {
            "breakdowns": ["status"],
            "limit": 1,
            "start_time": BASE_S,
            "end_time": BASE_S + 100,
        }
        answer = await there.ask(spec)
        assert answer["groups"] == {
            "total": 3, "returned": 1, "all": {"COUNT": 100}, "other": {"COUNT": 66},
        }  # fmt: skip
        assert answer["range"] == {
            "start_time": BASE_S, "end_time": BASE_S + 100, "granularity": 1,
        }  # fmt: skip
        whole = await there.ask({"start_time": BASE_S, "end_time": BASE_S + 100})
        assert "groups" not in whole
