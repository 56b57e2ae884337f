"""`GET /1/columns/{dataset}`: the fields that events really have, as the indexers know them."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from common import limits
from common.auth import KeyCache
from common.errors import NotFound
from common.names import column_id
from query.access import authorize
from query.columns import ColumnsAsked, ColumnSeen
from query.dataset_names import DatasetNames
from query.indexer_calls import IndexerCalls
from query.pages import Cursor, next_headers, page_asked

_TYPES = {"i": "integer", "f": "float", "b": "boolean"}
_TYPE_NAMES = {**_TYPES, "s": "string", "j": "json"}


class ColumnRoutes:
    """Handlers; a key with the right to query or to manage columns may read them."""

    def __init__(self, keys: KeyCache, names: DatasetNames, calls: IndexerCalls) -> None:
        self._keys = keys
        self._names = names
        self._calls = calls

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/columns/{dataset}", self.list_columns)
        app.router.add_get("/1/columns/{dataset}/{id}", self.get_column)

    async def list_columns(self, request: web.Request) -> web.Response:
        """A page of columns by name, or with `?key_name=` that one as an object."""
        dataset = await self._dataset(request)
        wanted = request.query.get("key_name")
        if wanted is not None:
            return await self._one(ColumnsAsked(dataset, name=wanted))
        asked = page_asked(request, limits.COLUMNS_PAGE_MAX)
        after = None if asked.after is None else await self._resolve(dataset, asked.after)
        page = await self._calls.columns(ColumnsAsked(dataset, after, asked.size))
        headers: dict[str, str] = {}
        if page.more and page.columns:
            headers = next_headers(request, asked.size, page.columns[-1].name)
        described = [describe(dataset, column) for column in page.columns]
        return web.json_response(described, headers=headers)

    async def get_column(self, request: web.Request) -> web.Response:
        """The column of an id."""
        dataset = await self._dataset(request)
        return await self._one(ColumnsAsked(dataset, id=request.match_info["id"]))

    async def _one(self, asked: ColumnsAsked) -> web.Response:
        page = await self._calls.columns(asked)
        if not page.columns:
            raise NotFound("Column not found")
        return web.json_response(describe(asked.dataset, page.columns[0]))

    async def _resolve(self, dataset: str, cursor: Cursor) -> str:
        """The name that a cursor means."""
        if cursor.sha256 is None:
            return cursor.name
        found = await self._calls.columns(
            ColumnsAsked(dataset, after=cursor.name, sha256=cursor.sha256)
        )
        if not found.columns:
            raise NotFound("the column that page[next] names is gone: begin with the first page")
        return found.columns[0].name

    async def _dataset(self, request: web.Request) -> str:
        key = await authorize(self._keys, request, None)
        if not key.access.columns:
            await authorize(self._keys, request, "queries")
        return await self._names.id_of(key, request)


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


def shown_types(types: list[str]) -> list[str]:
    """The names of a field's types; text that is JSON is told apart from other text."""
    return [_TYPE_NAMES[one] for one in types]


def shown_type(types: list[str]) -> str:
    """One of the vendor's four types; mixed: float if all are numbers, else string."""
    if len(types) == 1:
        return _TYPES.get(types[0], "string")
    return "float" if set(types) <= {"i", "f"} else "string"


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
