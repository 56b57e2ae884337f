"""The internal routes about columns and datasets.

Concurrent and queued computations are bounded (I11) and take fair turns between environments and
keys (I14). One that nobody waits for any more ends, or leaves the queue.
"""

import asyncio
import threading
from collections.abc import Callable

import msgspec
from aiohttp import web

from common import limits
from common.errors import BadRequest, BellwetherError, Unavailable, Unprocessable
from common.process.error_body import busy_response
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots, SlotRequest
from common.process.versions import decode_request
from common.process.web import has_hung_up
from indexer.serve.column_listing import ColumnListing
from indexer.serve.routes import with_json_errors
from query.cancellation import cancellable
from query.wire.columns import ColumnsRequest, DatasetsRequest, IndexedColumn

_TURNS = FairLimits(
    limits.COLUMN_LISTINGS_MAX,
    limits.COLUMN_LISTINGS_WAITING_MAX,
    kept_free=1,
    key_kept_free=limits.KEY_KEPT_FREE,
)


class ListingTurns:
    """Runs listings in fair turns, each in a thread."""

    def __init__(self) -> None:
        self._slots = FairSlots(_TURNS, "lists of columns on this indexer")

    async def answer(
        self, request: web.Request, dataset: str, compute: Callable[[], bytes], media: str
    ) -> web.StreamResponse:
        """The response with what is computed; a refusal if too many wait."""
        try:
            place = self._slots.hold(*_requester(request, dataset))
        except BellwetherError as error:
            return busy_response(error)
        try:
            while not await place.wait(limits.HANG_UP_CHECK_S):
                _refuse_if_abandoned(request)
        except BellwetherError as error:  # pushed out of the queue, or nobody waits
            place.leave()
            return busy_response(error)
        except BaseException:
            place.leave()
            raise
        body = await _in_thread(request, place, compute)
        return web.Response(body=body, content_type=media)


class ColumnEndpoints:
    """Handlers over the partitions of this indexer."""

    def __init__(self, listing: ColumnListing, turns: ListingTurns) -> None:
        self._listing = listing
        self._turns = turns

    def add_routes(self, app: web.Application) -> None:
        """Add the routes. They are POST because a name may be longer than a URL."""
        app.router.add_post("/internal/columns", with_json_errors(self.columns))
        app.router.add_get("/internal/columns", with_json_errors(self.all_columns))
        app.router.add_post("/internal/datasets", with_json_errors(self.datasets))

    async def columns(self, request: web.Request) -> web.StreamResponse:
        """A page of a dataset's columns in the partitions held, or a single column."""
        asked = decode_request(await request.read(), ColumnsRequest)
        return await self._answer(request, asked.dataset, lambda: self._listing.page(asked))

    async def all_columns(self, request: web.Request) -> web.StreamResponse:
        """All columns of a dataset, for query roles of version 1, which know no pages.

        Raises Unprocessable where they are too many: a part of them would look like all.
        """
        dataset = request.query.get("dataset", "")
        if not dataset:
            raise BadRequest("name the dataset: ?dataset=<id>")
        return await self._answer(request, dataset, lambda: self._all(dataset))

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
        some = asked.datasets[0] if asked.datasets else ""
        return await self._answer(
            request, some, lambda: self._listing.datasets(asked.datasets, asked.thorough)
        )

    async def _answer(
        self, request: web.Request, dataset: str, compute: Callable[[], object]
    ) -> web.StreamResponse:
        return await self._turns.answer(
            request, dataset, lambda: msgspec.json.encode(compute()), "application/json"
        )


async def _in_thread(request: web.Request, place: SlotRequest, work: Callable[[], bytes]) -> bytes:
    """The work's result. Nobody waits for it: it ends early. It keeps its slot until it ends."""
    cancelled = threading.Event()

    def run() -> bytes:
        with cancellable(cancelled):
            return work()

    running = asyncio.create_task(asyncio.to_thread(run))

    def ended(done: asyncio.Task[bytes]) -> None:
        place.leave()
        if not done.cancelled():
            done.exception()  # retrieved: nobody may wait for it any more

    running.add_done_callback(ended)
    try:
        while not running.done():
            await asyncio.wait({running}, timeout=limits.HANG_UP_CHECK_S)
            _refuse_if_abandoned(request)
        return running.result()
    finally:
        cancelled.set()


def _refuse_if_abandoned(request: web.Request) -> None:
    if has_hung_up(request):
        raise Unavailable("the caller has hung up")


def _requester(request: web.Request, dataset: str) -> Requester:
    """Whose turn it is; a dataset stands for its environment if an older query role tells none."""
    return Requester(request.query.get("env") or dataset, request.query.get("key", ""))
