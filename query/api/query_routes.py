"""`/1/queries`: specifications are stored and read."""

from typing import Any

import msgspec
from aiohttp import web

from common.process.auth import KeyCache
from query.api.stored_queries import StoredQueries, as_stored
from query.http.access import authorize
from query.http.dataset_names import DatasetNames
from query.http.problems import json_body
from query.plan.read.axis import QUERY_AXES
from query.plan.read.spec import read_spec


class QueryRoutes:
    """Handlers; every one needs a key with the right to query."""

    def __init__(self, keys: KeyCache, names: DatasetNames, stored: StoredQueries) -> None:
        self._keys = keys
        self._names = names
        self._stored = stored

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_post("/1/queries/{dataset}", self.create_query)
        app.router.add_get("/1/queries/{dataset}/{id}", self.get_query)

    async def create_query(self, request: web.Request) -> web.Response:
        """Store a specification; it is echoed unchanged with its id."""
        key = await authorize(self._keys, request, "queries")
        dataset = await self._names.stored_or_all(key, request)
        spec = await json_body(request)
        read_spec(spec, QUERY_AXES)
        assert isinstance(spec, dict)
        stored = await self._stored.store(key, dataset, spec)
        return _json({"id": stored.id, **as_stored(spec)})

    async def get_query(self, request: web.Request) -> web.Response:
        """A stored specification."""
        key = await authorize(self._keys, request, "queries")
        dataset = await self._names.stored_or_all(key, request)
        stored = await self._stored.find(key, dataset, request.match_info["id"])
        return _json({"id": stored.id, **msgspec.json.decode(stored.spec_json)})


def _json(value: dict[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
