"""Lists of columns: every environment gets its turn, and one that nobody waits for ends."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import aiohttp
import msgspec
from aiohttp import web

from common import limits
from indexer.serve.column_listing import ColumnListing
from indexer.serve.column_routes import ColumnEndpoints, ListingTurns
from query.cancellation import WorkCancelled, check_cancelled
from query.wire.columns import ColumnPage, ColumnsRequest
from tests.waiting import PATIENCE_S, eventually


class Slow:
    """Lists of the datasets in `held` take until `release`, unless they are cancelled."""

    def __init__(self, *held: str) -> None:
        self.held = held
        self.release = threading.Event()
        self.began = Counter[str]()
        self.cancelled = threading.Event()

    def page(self, asked: ColumnsRequest) -> ColumnPage:
        self.began[asked.dataset] += 1
        while asked.dataset in self.held and not self.release.wait(0.01):
            try:
                check_cancelled()
            except WorkCancelled:
                self.cancelled.set()
                raise
        return ColumnPage([])


class Asking:
    def __init__(self, http: aiohttp.ClientSession, url: str, routes: ColumnEndpoints) -> None:
        self._http, self._url, self.slots = http, url, routes._turns._slots

    def ask(self, dataset: str, **requester: str) -> "asyncio.Task[int]":
        return asyncio.create_task(self._ask(dataset, requester))

    async def _ask(self, dataset: str, requester: dict[str, str]) -> int:
        body = msgspec.json.encode(ColumnsRequest(dataset))
        async with self._http.post(self._url, data=body, params=requester) as answer:
            await answer.read()
            return answer.status


@asynccontextmanager
async def indexer(listing: Slow) -> AsyncIterator[Asking]:
    routes, app = ColumnEndpoints(cast(ColumnListing, listing), ListingTurns()), web.Application()
    routes.add_routes(app)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/internal/columns"
        try:
            yield Asking(http, url, routes)
        finally:
            listing.release.set()
    await runner.cleanup()


async def test_lists_of_one_environment_and_key_leave_turns_and_room_to_others() -> None:
    listing = Slow("heavy")
    async with indexer(listing) as asking:
        room = limits.COLUMN_LISTINGS_WAITING_MAX
        attack = [asking.ask("heavy", env="shop", key="a") for _ in range(2 * room)]
        await asyncio.wait(attack, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(PATIENCE_S):
            assert await asking.ask("small", env="bank", key="b") == 200
            assert await asking.ask("small", env="shop", key="of another") == 200
            assert await asking.ask("small") == 200  # of an older query role
        assert listing.began["heavy"] == 1
        listing.release.set()
        statuses = Counter(await asyncio.gather(*attack))
        assert statuses == {200: room + 1, 429: room - 1}


async def test_a_list_that_nobody_waits_for_ends_and_leaves_its_turn() -> None:
    listing = Slow("heavy")
    async with indexer(listing) as asking:
        begun = asking.ask("heavy", env="shop", key="a")
        await eventually(lambda: asking.slots.running == 1)
        waiting = asking.ask("heavy", env="shop", key="a")
        await eventually(lambda: asking.slots.waiting == 1)
        waiting.cancel()
        await eventually(lambda: asking.slots.waiting == 0)
        begun.cancel()
        assert await asyncio.to_thread(listing.cancelled.wait, PATIENCE_S)
        await eventually(lambda: asking.slots.running == 0)
