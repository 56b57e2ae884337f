"""A query role over a real indexer with events of a dataset, some in segments and some live."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import ClientSession

from common.locks import Locks
from common.metadata.sqlite import SqliteMetadata
from common.model.names import dataset_id, dataset_slug
from common.model.record_value import encode_event_line, events_record
from common.process.members import list_members
from common.process.role import RoleContext
from ops.admin import create_dataset, ensure_scope
from query.config import QueryConfig
from query.server import serve
from tests.indexer.harness import TIME_NS, open_context
from tests.indexer.serve.test_server import running_indexer
from tests.query.harness import add_keys
from tests.waiting import eventually

PARTITIONS = 2
Event = dict[str, Any]


@dataclass
class RealRoles:
    """The query role and the indexer."""

    http: aiohttp.ClientSession
    url: str
    indexer: ClientSession
    context: RoleContext
    metadata: SqliteMetadata
    dataset: str
    batches: Iterator[int] = field(default_factory=lambda: count(1))

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        headers = {"X-Honeycomb-Team": "K"}
        async with self.http.get(self.url + path, params=query, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def append(self, partition: int, events: Sequence[Event]) -> None:
        """Append a record, and wait until it is indexed."""
        lines = [
            encode_event_line(TIME_NS + at, 1, json.dumps(event).encode())
            for at, event in enumerate(events)
        ]
        batch = next(self.batches).to_bytes(16, "big")
        record = events_record(
            team="t", env="e", dataset=self.dataset, batch=batch, depth=0, via="test", lines=lines
        )
        appended = await self.context.backends.log.append(partition, record)

        async def indexed() -> bool:
            status = await (await self.indexer.get("/internal/status")).json()
            reached = status["partitions"][str(partition)]["end_offset"]
            return bool(reached > appended.position.offset)

        await eventually(indexed)

    async def cut(self) -> None:
        """Everything becomes segments."""
        await (await self.indexer.post("/internal/cut?wait=1")).json()


@asynccontextmanager
async def real_roles(folder: Path) -> AsyncIterator[RealRoles]:
    """Both roles; the dataset `shop` is empty."""
    async with open_context(folder, partitions=PARTITIONS) as context:
        metadata = context.backends.metadata
        assert isinstance(metadata, SqliteMetadata)
        add_keys(metadata)
        place = ensure_scope(metadata, "T", "e")
        create_dataset(metadata, place, "shop", 0, "", context.clock)
        dataset = dataset_id(place.team.id, place.environment.id, dataset_slug("shop"))
        stop = asyncio.Event()
        (folder / "query").mkdir()
        own = replace(context, role="query", instance="q1", folder=folder / "query", stop=stop)
        async with running_indexer(context) as indexer:
            role = asyncio.create_task(serve(own, QueryConfig()))
            try:
                url = await _address(context.backends.locks)
                async with aiohttp.ClientSession() as http:
                    yield RealRoles(http, url, indexer, context, metadata, dataset)
            finally:
                stop.set()
                await role


async def _address(locks: Locks) -> str:
    while True:
        found = await asyncio.to_thread(list_members, locks, "query")
        if found:
            return found[0].url
        await asyncio.sleep(0.02)
