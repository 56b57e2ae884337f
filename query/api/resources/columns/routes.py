"""`/1/columns`: the fields of stored events, and their definitions.

A definition has a type, a description, and whether the field is hidden from suggestions.
"""

import asyncio

from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import Conflict, NotFound
from common.metadata import ApiKey, Column
from common.model.names import column_id
from common.process.auth import KeyCache
from query.api.resources.columns.definitions import (
    ColumnBody,
    ColumnView,
    check_room,
    describe,
    merge_definitions,
    read_change,
    read_new,
)
from query.api.resources.columns.lookup import ColumnLookup
from query.http.access import authorize, requester_of
from query.http.column_metadata import (
    column_metadata_if_available,
)
from query.http.dataset_names import DatasetNames
from query.http.pages import next_headers, read_page_request
from query.http.problems import json_object
from query.scatter.indexer_client import IndexerClient
from query.wire.columns import ColumnsRequest


class ColumnRoutes:
    """Handlers. A key with the right to query or to manage columns may read them."""

    def __init__(
        self, keys: KeyCache, names: DatasetNames, indexers: IndexerClient, clock: Clock
    ) -> None:
        self._keys = keys
        self._names = names
        self._indexers = indexers
        self._lookup = ColumnLookup(names, indexers)
        self._clock = clock
        self._changing = asyncio.Lock()  # no definition changes between reading and storing

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/columns/{dataset}", self.list_columns)
        app.router.add_post("/1/columns/{dataset}", self.create)
        app.router.add_get("/1/columns/{dataset}/{id}", self.get_column)
        app.router.add_put("/1/columns/{dataset}/{id}", self.change)
        app.router.add_delete("/1/columns/{dataset}/{id}", self.delete)

    async def list_columns(self, request: web.Request) -> web.Response:
        """A page of columns by name; with `?key_name=` that column as an object."""
        key = await self._reader(request)
        dataset = await self._names.id_of(key, request)
        known = await column_metadata_if_available(self._names, key, dataset)
        wanted = request.query.get("key_name")
        if wanted is not None:
            found = await self._lookup.find(key, ColumnsRequest(dataset, name=wanted), known)
            return web.json_response(describe(dataset, found))
        wanted_page = read_page_request(request, limits.COLUMNS_PAGE_MAX)
        after = (
            None
            if wanted_page.after is None
            else await self._lookup.resolve(key, dataset, wanted_page.after)
        )
        page = await self._indexers.columns(
            ColumnsRequest(dataset, after, wanted_page.size), requester_of(key)
        )
        columns, last = merge_definitions(page, known, after, wanted_page.size)
        headers = {} if last is None else next_headers(request, wanted_page.size, last)
        described = [describe(dataset, column) for column in columns]
        return web.json_response(described, headers=headers)

    async def get_column(self, request: web.Request) -> web.Response:
        """The column of an id."""
        key = await self._reader(request)
        dataset = await self._names.id_of(key, request)
        known = await column_metadata_if_available(self._names, key, dataset)
        found = await self._lookup.find(
            key, ColumnsRequest(dataset, id=request.match_info["id"]), known
        )
        return web.json_response(describe(dataset, found))

    async def create(self, request: web.Request) -> web.Response:
        """Define a column that no event needs to have yet. Raises Conflict if it exists."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        name, body = read_new(await json_object(request))
        async with self._changing:
            known = await self._lookup.known(key, dataset)
            try:
                await self._lookup.find(key, ColumnsRequest(dataset, name=name), known)
            except NotFound:
                check_room(known.definitions, name)
            else:
                raise Conflict("A resource by that name already exists.")
            now_ns = self._clock.now_ns()
            made = Column(
                *(column_id(dataset, name), dataset, name, body.type or "", body.description),
                *(bool(body.hidden), now_ns, now_ns),
            )
            await self._names.ask(key, lambda metadata: metadata.put_column(made))
        view = ColumnView(name, None, made, known.facts.get(name))
        return web.json_response(describe(dataset, view), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change type, description and `hidden`; a name cannot be changed."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        sent = await json_object(request)
        async with self._changing:
            known = await self._lookup.known(key, dataset)
            found = await self._lookup.find(
                key, ColumnsRequest(dataset, id=request.match_info["id"]), known
            )
            check_room(known.definitions, found.name)
            changed = self._changed(dataset, found, read_change(sent, found.name))
            await self._names.ask(key, lambda metadata: metadata.put_column(changed))
        return web.json_response(describe(dataset, found._replace(defined=changed)))

    def _changed(self, dataset: str, column: ColumnView, body: ColumnBody) -> Column:
        now_ns, defined, indexed = self._clock.now_ns(), column.defined, column.indexed
        created_ns = now_ns if indexed is None else indexed.first_seen_ns
        return Column(
            id=column_id(dataset, column.name),
            dataset_id=dataset,
            name=column.name,
            type=("" if defined is None else defined.type) if body.type is None else body.type,
            description=body.description,
            hidden=(defined is not None and defined.hidden) if body.hidden is None else body.hidden,
            created_ns=created_ns if defined is None else defined.created_ns,
            updated_ns=now_ns,
        )

    async def delete(self, request: web.Request) -> web.Response:
        """Hide a column until an event has it again."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        async with self._changing:
            known = await self._lookup.known(key, dataset)
            found = await self._lookup.find(
                key, ColumnsRequest(dataset, id=request.match_info["id"]), known
            )
            check_room(known.definitions, found.name)
            now_ns = self._clock.now_ns()
            identity = column_id(dataset, found.name)
            tombstone = Column(identity, dataset, found.name, updated_ns=now_ns, deleted_ns=now_ns)
            await self._names.ask(key, lambda metadata: metadata.put_column(tombstone))
        return web.Response(status=204)

    async def _reader(self, request: web.Request) -> ApiKey:
        key = await authorize(self._keys, request, None)
        if not key.access.columns:
            await authorize(self._keys, request, "queries")
        return key
