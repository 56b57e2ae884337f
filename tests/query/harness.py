"""A query role over real HTTP, locks, log and metadata, with indexers that answer shares."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

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
from common.process.error_body import busy_response
from common.process.members import Member, claim_name, encode_member, list_members
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry, Telemetry
from common.process.web import has_hung_up
from ops.admin import create_dataset, ensure_place
from query.config import STANDARD_LIMITS, QueryConfig, QueryLimits
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
BASE_S = 1_700_000_000
TIMES = {"start_time": BASE_S, "end_time": BASE_S + 100}
ROWS = [
    Row((BASE_S + i) * 10**9, {"status": 200 + i % 3, "service": "ab"[i % 2], "ms": i * 0.5})
    for i in range(100)
]


@dataclass
class FakeIndexer:
    """An indexer: its member, the requests that it counts, and how it behaves."""

    member: Member
    views: Views
    asked: int = 0
    waiting: int = 0  # shares that are delayed
    refuse: bool = False
    delay_s: float = 0.0
    health_delay_s: float = 0.0
    followed: str = ""
    chosen: TailRequest | None = None
    tail_refusal: BellwetherError | None = None
    held_keys: set[str] = field(default_factory=set)  # ids of keys whose shares wait for `release`
    release: asyncio.Event = field(default_factory=asyncio.Event)
    claims: list[Claim] = field(default_factory=list)
    dataset_calls: int = 0
    seen_ns: tuple[int, int] = (10**18, 2 * 10**18)  # first and last time of each column
    columns: dict[str, list[str]] = field(
        default_factory=lambda: {"status": ["i"], "ms": ["f", "i"]}
    )


@dataclass
class QueryHarness:
    """A running query role."""

    url: str
    http: aiohttp.ClientSession
    indexers: dict[str, FakeIndexer]
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
) -> tuple[FakeIndexer, ShareEndpoint, web.AppRunner]:
    endpoint = ShareEndpoint(views, memory_mb=128, threads=1)
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    indexer = FakeIndexer(Member("indexer", f"ix-{zone}", "", zone, 1, 1, "1"), views)

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
        await asyncio.sleep(indexer.health_delay_s)
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
            IndexedColumn(name, types, *indexer.seen_ns)
            for name, types in sorted(indexer.columns.items())
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
        found = {
            one: IndexedDataset(indexer.seen_ns[1], [1, 2, len(zone)]) for one in asked.datasets
        }
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
async def query_harness(
    tmp_path: Path,
    zones: tuple[str, ...] = ("a",),
    config: QueryConfig | None = None,
    *,
    token: str = "token",
    telemetry: Telemetry | None = None,
    datasets_max: int = limits.DATASETS_MAX_DEFAULT,
    datasets: tuple[str, ...] = ("shop",),
    rows: list[Row] = ROWS,
    bounds: QueryLimits = STANDARD_LIMITS,
) -> AsyncIterator[QueryHarness]:
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
    role = asyncio.create_task(serve(context, config or QueryConfig(), bounds))
    try:
        while not (found := await asyncio.to_thread(list_members, locks, "query")):
            await asyncio.sleep(0.02)
            if role.done():
                role.result()
        async with aiohttp.ClientSession() as http:
            indexers = {indexer.member.zone: indexer for indexer, _, _ in started}
            yield QueryHarness(found[0].url, http, indexers, metadata, log, context)
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
