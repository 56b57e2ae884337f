"""`/1/query_results`: run a query, wait for its result, fetch it."""

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from common import limits
from common.errors import NotFound, TooManyRequests, without_frames
from common.process.auth import KeyCache
from common.process.web import has_hung_up
from query.api.results.asked import read_asked, read_request, wait_in_body, wait_in_url
from query.api.results.document import encode_result
from query.api.results.memory import ResultStore, StoredResult
from query.api.results.peers import PeerResults
from query.api.results.runs import ResultRuns
from query.api.stored_queries import StoredQueries
from query.http.access import authorize, dataset_or_all, name_or_all
from query.http.dataset_names import DatasetNames
from query.http.environment import EnvironmentDatasets
from query.http.problems import QueryEnded, public_base
from query.http.requests import DatasetRequestReader

_COMPLETE_HEADERS = {"Cache-Control": "private, max-age=86400"}


@dataclass(frozen=True, slots=True)
class ResultParts:
    """The parts that the routes use."""

    keys: KeyCache
    names: DatasetNames
    datasets: EnvironmentDatasets
    requests: DatasetRequestReader
    stored: StoredQueries
    runs: ResultRuns
    results: ResultStore
    peers: PeerResults


class ResultRoutes:
    """Handlers; every one needs a key with the right to query."""

    def __init__(self, parts: ResultParts) -> None:
        self._parts = parts

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_post("/1/query_results/{dataset}", self.create_result)
        app.router.add_get("/1/query_results/{dataset}/{id}", self.get_result)

    async def create_result(self, request: web.Request) -> web.Response:
        """Run a stored query, or one given inline as `query`; with `wait_s` answer at once."""
        begun = await self._parts.requests.with_dataset_in_path(request)
        asked = await read_asked(begun, self._parts.stored)
        query = await read_request(begun, asked, self._parts.datasets)
        coverage, wait_s = begun.coverage_required(), wait_in_body(begun.body)
        result = self._parts.runs.start(begun.key, query, coverage, asked)
        await self._wait(request, result, wait_s)
        if has_hung_up(request):  # nobody has learnt the id of the result, so nobody can want it
            self._parts.results.drop(result)
        if result.error is not None:
            raise without_frames(result.error)
        return self._response(request, result, status=201)

    async def get_result(self, request: web.Request) -> web.Response:
        """A result; member `complete` is false while its query runs. With `?wait_s=` the answer
        comes when it has ended, or after that time.
        """
        key = await authorize(self._parts.keys, request, "queries")
        wait_s = wait_in_url(request)
        found, wanted = self._parts.results.find, request.match_info["id"]
        result = found(wanted, key.environment.id, dataset_or_all(key, request))
        if result is None:  # the path has an alias of the dataset, or the result is not here
            dataset = await self._parts.names.id_or_all(key, request)
            result = found(wanted, key.environment.id, dataset)
        if result is None:
            found_by_peer = await self._parts.peers.find(request)
            if found_by_peer is None:
                raise NotFound("Query result not found")
            return found_by_peer
        await self._wait(request, result, wait_s)
        if isinstance(result.error, TooManyRequests):  # the query was refused, not this request
            raise QueryEnded(f"the query was ended, run it again: {result.error}")
        if result.error is not None:
            raise without_frames(result.error)  # else each poll adds its own
        return self._response(request, result, status=200)

    async def _wait(self, request: web.Request, result: StoredResult, wait_s: float) -> None:
        """Wait for the answer, at most so long, or until the caller hangs up."""
        task, clock = result.task, asyncio.get_running_loop().time
        until_s = clock() + wait_s
        while task is not None and not task.done() and (left_s := until_s - clock()) > 0:
            await asyncio.wait({task}, timeout=min(left_s, limits.HANG_UP_CHECK_S))
            self._parts.results.polled(result)
            if has_hung_up(request):
                return

    def _response(self, request: web.Request, result: StoredResult, *, status: int) -> web.Response:
        path = f"/1/query_results/{quote(name_or_all(request), safe='')}/{result.id}"
        url = f"{public_base(request)}{path}"
        headers = {"Location": url} if status == 201 else {}
        if result.body is not None:
            headers |= _COMPLETE_HEADERS
        return web.Response(
            body=encode_result(result.query, result.id, {}, result.body),
            status=status,
            headers=headers,
            content_type="application/json",
        )
