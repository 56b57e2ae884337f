"""The internal routes about columns and datasets; concurrent computations are bounded."""

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web

from common import limits
from common.errors import BadRequest, TooManyRequests, Unprocessable
from common.process.versions import decode_request
from indexer.serve.column_listing import ColumnListing
from indexer.serve.routes import with_json_errors
from query.wire.columns import ColumnsRequest, DatasetsRequest, IndexedColumn

_INSIDE_MAX = limits.COLUMN_LISTINGS_MAX + limits.COLUMN_LISTINGS_WAITING_MAX


class ColumnEndpoints:
    """Handlers over the partitions of this indexer."""

    def __init__(self, listing: ColumnListing) -> None:
        self._listing = listing
        self._slots = asyncio.Semaphore(limits.COLUMN_LISTINGS_MAX)
        self._inside = 0

    def add_routes(self, app: web.Application) -> None:
        """Add the routes. They are POST because a name may be longer than a URL."""
        app.router.add_post("/internal/columns", with_json_errors(self.columns))
        app.router.add_get("/internal/columns", with_json_errors(self.all_columns))
        app.router.add_post("/internal/datasets", with_json_errors(self.datasets))

    async def columns(self, request: web.Request) -> web.StreamResponse:
        """A page of a dataset's columns in the partitions held, or a single column."""
        asked = decode_request(await request.read(), ColumnsRequest)
        return await self._answer(lambda: self._listing.page(asked))

    async def all_columns(self, request: web.Request) -> web.StreamResponse:
        """All columns of a dataset, for query roles of version 1, which know no pages.

        Raises Unprocessable where they are too many: a part of them would look like all.
        """
        dataset = request.query.get("dataset", "")
        if not dataset:
            raise BadRequest("name the dataset: ?dataset=<id>")
        return await self._answer(lambda: self._all(dataset))

    def _all(self, dataset: str) -> list[IndexedColumn]:
        page = self._listing.page(ColumnsRequest(dataset))
        if page.more:
            raise Unprocessable(
                f"the dataset has more than {len(page.columns)} columns, which this program sends "
                "in pages: upgrade the query role that asked"
            )
        return page.columns

    async def datasets(self, request: web.Request) -> web.StreamResponse:
        """Summaries of several datasets in one response."""
        asked = decode_request(await request.read(), DatasetsRequest)
        return await self._answer(lambda: self._listing.datasets(asked.datasets, asked.thorough))

    async def _answer(self, compute: Callable[[], object]) -> web.StreamResponse:
        if self._inside >= _INSIDE_MAX:
            raise TooManyRequests("too many lists of columns are asked for; try again later")
        self._inside += 1
        try:
            async with self._slots:
                body = await asyncio.to_thread(lambda: msgspec.json.encode(compute()))
        finally:
            self._inside -= 1
        return web.Response(body=body, content_type="application/json")
