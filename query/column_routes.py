"""`GET /1/columns/{dataset}`: the fields that events really have, as the indexers know them."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from common.auth import KeyCache
from common.errors import NotFound
from common.names import column_id
from query.access import authorize, dataset_of
from query.indexer_calls import ColumnSeen, IndexerCalls

_TYPES = {"i": "integer", "f": "float", "b": "boolean"}


class ColumnRoutes:
    """Handlers; a key with the right to query or to manage columns may read them."""

    def __init__(self, keys: KeyCache, calls: IndexerCalls) -> None:
        self._keys = keys
        self._calls = calls

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/columns/{dataset}", self.list_columns)
        app.router.add_get("/1/columns/{dataset}/{id}", self.get_column)

    async def list_columns(self, request: web.Request) -> web.Response:
        """All columns, or with `?key_name=` that one as an object."""
        dataset, columns = await self._columns(request)
        wanted = request.query.get("key_name")
        if wanted is None:
            return web.json_response([describe(dataset, column) for column in columns])
        found = [column for column in columns if column.name == wanted]
        if not found:
            raise NotFound("Column not found")
        return web.json_response(describe(dataset, found[0]))

    async def get_column(self, request: web.Request) -> web.Response:
        """The column of an id."""
        dataset, columns = await self._columns(request)
        for column in columns:
            if column_id(dataset, column.name) == request.match_info["id"]:
                return web.json_response(describe(dataset, column))
        raise NotFound("Column not found")

    async def _columns(self, request: web.Request) -> tuple[str, list[ColumnSeen]]:
        key = await authorize(self._keys, request, None)
        if not key.access.columns:
            await authorize(self._keys, request, "queries")
        dataset = dataset_of(key, request)
        return dataset, await self._calls.columns(dataset)


def describe(dataset: str, column: ColumnSeen) -> dict[str, Any]:
    """A column as the vendor shows it."""
    first, last = _iso(column.first_seen_ns), _iso(column.last_seen_ns)
    return {
        "id": column_id(dataset, column.name),
        "key_name": column.name,
        "type": shown_type(column.types),
        "description": "",
        "hidden": False,
        "last_written": last,
        "created_at": first,
        "updated_at": first,
    }


def shown_type(types: list[str]) -> str:
    """One of the vendor's four types; mixed: float if all are numbers, else string."""
    if len(types) == 1:
        return _TYPES.get(types[0], "string")
    return "float" if set(types) <= {"i", "f"} else "string"


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
