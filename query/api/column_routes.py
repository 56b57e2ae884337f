"""`/1/columns`: the fields that events really have, as the indexers know them, and what is said of
them: a type, a description, whether they are hidden from suggestions.
"""

import asyncio

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import Conflict, MetadataUnavailable, NotFound
from common.metadata import ApiKey, Column
from common.model.names import column_id
from common.process.auth import KeyCache
from query.api.column_definitions import (
    ColumnBody,
    ColumnView,
    check_room,
    definitions_of,
    describe,
    merge_definitions,
    read_change,
    read_new,
    shown,
)
from query.http.access import authorize
from query.http.dataset_names import DatasetNames
from query.http.pages import Cursor, next_headers, read_page_request
from query.http.problems import json_object
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest, IndexedColumn


class ColumnRoutes:
    """Handlers. A key with the right to query or to manage columns may read them."""

    def __init__(
        self, keys: KeyCache, names: DatasetNames, calls: IndexerClient, clock: Clock
    ) -> None:
        self._keys = keys
        self._names = names
        self._calls = calls
        self._clock = clock
        self._changing = asyncio.Lock()  # what was looked up stays so until it is stored

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/columns/{dataset}", self.list_columns)
        app.router.add_post("/1/columns/{dataset}", self.create)
        app.router.add_get("/1/columns/{dataset}/{id}", self.get_column)
        app.router.add_put("/1/columns/{dataset}/{id}", self.change)
        app.router.add_delete("/1/columns/{dataset}/{id}", self.delete)

    async def list_columns(self, request: web.Request) -> web.Response:
        """A page of columns by name, or with `?key_name=` that one as an object."""
        key = await self._reader(request)
        dataset = await self._names.id_of(key, request)
        said = await self._said_if_known(key, dataset)
        wanted = request.query.get("key_name")
        if wanted is not None:
            found = await self._look(ColumnsRequest(dataset, name=wanted), said)
            return web.json_response(describe(dataset, found))
        asked = read_page_request(request, limits.COLUMNS_PAGE_MAX)
        after = None if asked.after is None else await self._resolve(dataset, asked.after)
        page = await self._calls.columns(ColumnsRequest(dataset, after, asked.size))
        columns, last = merge_definitions(page, said, after, asked.size)
        headers = {} if last is None else next_headers(request, asked.size, last)
        described = [describe(dataset, column) for column in columns]
        return web.json_response(described, headers=headers)

    async def get_column(self, request: web.Request) -> web.Response:
        """The column of an id."""
        key = await self._reader(request)
        dataset = await self._names.id_of(key, request)
        said = await self._said_if_known(key, dataset)
        found = await self._look(ColumnsRequest(dataset, id=request.match_info["id"]), said)
        return web.json_response(describe(dataset, found))

    async def create(self, request: web.Request) -> web.Response:
        """A column that no event needs to have yet. Raises Conflict if it is there."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        name, body = read_new(await json_object(request))
        async with self._changing:
            said = await self._said(key, dataset)
            try:
                await self._look(ColumnsRequest(dataset, name=name), said)
            except NotFound:
                check_room(said, name)
            else:
                raise Conflict("A resource by that name already exists.")
            now_ns = self._clock.now_ns()
            made = Column(
                *(column_id(dataset, name), dataset, name, body.type or "", body.description),
                *(bool(body.hidden), now_ns, now_ns),
            )
            await self._names.ask(key, lambda metadata: metadata.put_column(made))
        return web.json_response(describe(dataset, ColumnView(name, None, made)), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Type, description and `hidden`; its name stays."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        sent = await json_object(request)
        async with self._changing:
            said = await self._said(key, dataset)
            found = await self._look(ColumnsRequest(dataset, id=request.match_info["id"]), said)
            check_room(said, found.name)
            changed = self._changed(dataset, found, read_change(sent, found.name))
            await self._names.ask(key, lambda metadata: metadata.put_column(changed))
        return web.json_response(describe(dataset, found._replace(said=changed)))

    def _changed(self, dataset: str, column: ColumnView, body: ColumnBody) -> Column:
        now_ns, said, seen = self._clock.now_ns(), column.said, column.seen
        created_ns = now_ns if seen is None else seen.first_seen_ns
        return Column(
            id=column_id(dataset, column.name),
            dataset_id=dataset,
            name=column.name,
            type=("" if said is None else said.type) if body.type is None else body.type,
            description=body.description,
            hidden=(said is not None and said.hidden) if body.hidden is None else body.hidden,
            created_ns=created_ns if said is None else said.created_ns,
            updated_ns=now_ns,
        )

    async def delete(self, request: web.Request) -> web.Response:
        """It is not shown any more, until an event has it again."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        async with self._changing:
            said = await self._said(key, dataset)
            found = await self._look(ColumnsRequest(dataset, id=request.match_info["id"]), said)
            check_room(said, found.name)
            now_ns = self._clock.now_ns()
            identity = column_id(dataset, found.name)
            gone = Column(identity, dataset, found.name, updated_ns=now_ns, deleted_ns=now_ns)
            await self._names.ask(key, lambda metadata: metadata.put_column(gone))
        return web.Response(status=204)

    async def _look(self, asked: ColumnsRequest, said: dict[str, Column]) -> ColumnView:
        """The column of a name or an id. Raises NotFound."""
        page = await self._calls.columns(asked)
        seen: IndexedColumn | None = page.columns[0] if page.columns else None
        name = asked.name if seen is None else seen.name
        if name is None:
            name = next((one.name for one in said.values() if one.id == asked.id), None)
        found = None if name is None else shown(name, seen, said.get(name))
        if found is None:
            raise NotFound("Column not found")
        return found

    async def _said(self, key: ApiKey, dataset: str) -> dict[str, Column]:
        return await self._names.ask(key, lambda metadata: definitions_of(metadata, dataset))

    async def _said_if_known(self, key: ApiKey, dataset: str) -> dict[str, Column]:
        """What events have can be read while metadata is away (I8)."""
        if self._names.metadata_is_away:
            return {}
        try:
            return await self._said(key, dataset)
        except MetadataUnavailable:
            return {}

    async def _resolve(self, dataset: str, cursor: Cursor) -> str:
        """The name that a cursor means."""
        if cursor.sha256 is None:
            return cursor.name
        found = await self._calls.columns(
            ColumnsRequest(dataset, after=cursor.name, sha256=cursor.sha256)
        )
        if not found.columns:
            raise NotFound("the column that page[next] names is gone: begin with the first page")
        return found.columns[0].name

    async def _reader(self, request: web.Request) -> ApiKey:
        key = await authorize(self._keys, request, None)
        if not key.access.columns:
            await authorize(self._keys, request, "queries")
        return key
