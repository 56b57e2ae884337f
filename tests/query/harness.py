"""A query role over real HTTP, locks, log and metadata, with indexers that answer shares."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from common import limits
from common.clock import SystemClock
from common.locks.files import FileLocks
from common.log.embedded.log import EmbeddedLog
from common.metadata import Access, ApiKey, KeyKind
from common.metadata.sqlite import SqliteMetadata
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from common.process.auth import hash_key
from common.process.members import list_members
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry, Telemetry
from ops.admin import create_dataset, ensure_scope
from query.config import STANDARD_LIMITS, QueryConfig, QueryLimits
from query.server import serve
from query.share.view.view import DatasetView
from tests.query.fake_indexer import FakeIndexer, run_indexer
from tests.query.share.rows import Row, Views, block, view

PARTITIONS = 2
BASE_S = 1_700_000_000
TIMES = {"start_time": BASE_S, "end_time": BASE_S + 100}
ROWS = [
    Row((BASE_S + i) * 10**9, {"status": 200 + i % 3, "service": "ab"[i % 2], "ms": i * 0.5})
    for i in range(100)
]


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
    objects: ObjectStore | None = None,
) -> AsyncIterator[QueryHarness]:
    """objects: where results are shared; None: a folder."""
    clock = SystemClock()
    locks = FileLocks(tmp_path / "locks")
    metadata = SqliteMetadata(tmp_path / "meta.db")
    metadata.open()
    log = EmbeddedLog(tmp_path / "log", PARTITIONS, clock)
    await log.open()
    add_keys(metadata)
    for environment in ("e", "f"):
        place = ensure_scope(metadata, "T", environment)
        for name in datasets:
            create_dataset(metadata, place, name, 0, "", clock)
    started = [
        await run_indexer(locks, zone, Views(two_partitions(rows)), PARTITIONS) for zone in zones
    ]
    stop = asyncio.Event()
    (tmp_path / "role").mkdir()
    context = RoleContext(
        role="query",
        instance="q1",
        zone="a",
        host="127.0.0.1",
        port=0,
        folder=tmp_path / "role",
        backends=Backends(log, objects or DirectoryObjects(tmp_path / "objects"), metadata, locks),
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
            indexers = {indexer.member.zone: indexer for indexer, _ in started}
            yield QueryHarness(found[0].url, http, indexers, metadata, log, context)
    finally:
        stop.set()
        await role
        for indexer, runner in started:
            await runner.cleanup()
            indexer.endpoint.close()
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
            ("MATE", "e", KeyKind.CONFIGURATION, Access(queries=True)),
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
