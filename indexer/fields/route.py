"""`POST /internal/field_facts`: what is known of the values of a dataset's fields (MessagePack).

In the same turns as lists of columns, which cost as much.
"""

import msgspec
from aiohttp import web

from common.process.versions import decode_request
from indexer.fields.listing import FieldFactsListing
from indexer.serve.column_routes import ListingTurns
from indexer.serve.routes import with_json_errors
from query.wire.field_facts import FieldFactsRequest


class FieldFactsEndpoint:
    """The handler over the partitions of this indexer."""

    def __init__(self, listing: FieldFactsListing, turns: ListingTurns) -> None:
        self._listing = listing
        self._turns = turns

    def add_routes(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_post("/internal/field_facts", with_json_errors(self.facts))

    async def facts(self, request: web.Request) -> web.StreamResponse:
        """A page of fields, or the values of one, in the partitions asked for that are held."""
        wanted = decode_request(await request.read(), FieldFactsRequest)

        def compute() -> bytes:
            of = self._listing.page if wanted.name is None else self._listing.values
            return msgspec.msgpack.encode(of(wanted))

        return await self._turns.answer(request, wanted.dataset, compute, "application/msgpack")
