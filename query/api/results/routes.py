"""`/1/query_results`: run a query, wait for its result, fetch it."""

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from common import limits
from common.errors import NotAllowed, NotFound, TooManyRequests, Unavailable, without_frames
from common.metadata import ApiKey
from common.process.auth import KeyCache
from common.process.web import has_hung_up
from query.api.results.asked import read_asked, read_request, wait_in_body, wait_in_url
from query.api.results.document import encode_result
from query.api.results.forms import ResultForms, form_in_body, form_in_url, rows_of
from query.api.results.graph import draw
from query.api.results.ids import parse_id
from query.api.results.memory import ResultStore, StoredResult
from query.api.results.peers import FORWARDED_HEADER, PeerResults
from query.api.results.restrictions import Restrictions
from query.api.results.runs import ResultRuns
from query.api.results.shared import SharedResults
from query.api.stored_queries import StoredQueries
from query.http.access import authorize, name_or_all, requester_of
from query.http.dataset_names import DatasetNames
from query.http.environment import EnvironmentDatasets
from query.http.problems import QueryEnded, public_base
from query.http.requests import DatasetRequestReader

_COMPLETE_HEADERS = {"Cache-Control": "private, max-age=86400"}


class ResultNotFound(NotFound):
    """No query role has a result of this id for the caller."""

    detail = (
        "no result of this dataset has this id: it is older than results are kept, or its query "
        "role ended before it had the answer; run the query again"
    )

    def __init__(self) -> None:
        super().__init__("Query result not found")


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
    shared: SharedResults
    restrictions: Restrictions
    forms: ResultForms


class ResultRoutes:
    """Handlers; every one needs a key with the right to query."""

    def __init__(self, parts: ResultParts) -> None:
        self._parts = parts

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_post("/1/query_results/{dataset}", self.create_result)
        app.router.add_get("/1/query_results/{dataset}/{id}", self.get_result)
        app.router.add_delete("/1/query_results/{dataset}/{id}", self.end_result)
        app.router.add_get("/1/query_results/{dataset}/{id}/graph.svg", self.get_graph)

    async def create_result(self, request: web.Request) -> web.Response:
        """Run a stored query, or one given inline as `query`; with `wait_s` answer at once."""
        begun = await self._parts.requests.with_dataset_in_path(request)
        asked = await read_asked(begun, self._parts.stored)
        query = await read_request(begun, asked, self._parts.datasets)
        self._parts.restrictions.check(query, begun.now_ns)
        coverage, wait_s = begun.coverage_required(), wait_in_body(begun.body)
        result = self._parts.runs.start(begun.key, query, coverage, asked)
        result.dataset_ns = begun.dataset_ns
        await self._wait(request, result, wait_s)
        if has_hung_up(request):  # nobody has learnt the id of the result, so nobody can want it
            self._parts.results.drop(result)
        if result.error is not None:
            raise without_frames(result.error)
        form = form_in_body(begun.body)
        return await self._response(request, result, begun.key, form, status=201)

    async def get_result(self, request: web.Request) -> web.Response:
        """A result; member `complete` is false while its query runs. With `?wait_s=` the answer
        comes when it has ended, or after that time; `?series_form=` says how its series are read.
        """
        form = form_in_url(request)
        found = await self._find(request)
        if isinstance(found, web.Response):
            return found
        return await self._response(request, *found, form, status=200)

    async def end_result(self, request: web.Request) -> web.Response:
        """End a query that still runs, which the same key has asked; an answer that there is stays.
        Raises NotAllowed for another key.
        """
        key = await authorize(self._parts.keys, request, "queries")
        dataset = await self._parts.names.known_or_all(key, request)
        wanted = request.match_info["id"]
        result = self._parts.results.find(wanted, key.environment.id, dataset.id)
        if result is None:
            elsewhere = await self._elsewhere(request, key, dataset.id, 0)
            if isinstance(elsewhere, web.Response):
                return elsewhere
            result = elsewhere  # finished long ago
        if result.key_id != key.id:
            raise NotAllowed("only the key that asked ends a query")
        self._parts.results.end(result)
        return web.Response(status=204)

    async def get_graph(self, request: web.Request) -> web.Response:
        """The graph of a finished result, as an image."""
        found = await self._find(request)
        if isinstance(found, web.Response):
            return found
        result, _ = found
        if result.body is None:
            raise Unavailable("the query still runs: its graph can be drawn once it has ended", 1)
        image = await asyncio.to_thread(lambda: draw(result.query, rows_of(result)))
        return web.Response(
            body=image,
            content_type="image/svg+xml",
            headers={**_COMPLETE_HEADERS, "Content-Security-Policy": "default-src 'none'"},
        )

    async def _find(self, request: web.Request) -> tuple[StoredResult, ApiKey] | web.Response:
        """The result that the path names, once it has ended or the caller has waited for it, with
        the caller's key; or the response of the role that has it. Raises the error of a query that
        failed.
        """
        key = await authorize(self._parts.keys, request, "queries")
        wait_s = wait_in_url(request)
        dataset = await self._parts.names.known_or_all(key, request)
        wanted = request.match_info["id"]
        result = self._parts.results.find(wanted, key.environment.id, dataset.id)
        if result is None:
            elsewhere = await self._elsewhere(request, key, dataset.id, wait_s)
            if isinstance(elsewhere, web.Response):
                return elsewhere
            result = elsewhere
        if dataset.created_ns and result.dataset_ns not in (0, dataset.created_ns):
            raise ResultNotFound  # of a dataset of this name that was deleted
        await self._wait(request, result, wait_s)
        if isinstance(result.error, TooManyRequests):  # the query was refused, not this request
            raise QueryEnded(f"the query was ended, run it again: {result.error}")
        if result.error is not None:
            raise without_frames(result.error)  # else each poll adds its own
        return result, key

    async def _elsewhere(
        self, request: web.Request, key: ApiKey, dataset: str, wait_s: float
    ) -> StoredResult | web.Response:
        """A result that another role has, or had: it runs it, or the object store has it."""
        parts, wanted = self._parts, parse_id(request.match_info["id"])
        if FORWARDED_HEADER in request.headers:
            raise ResultNotFound  # the role that asks looks into the store itself
        peer = await parts.peers.find(request, wanted, wait_s)
        if peer.response is not None:
            return peer.response
        if wanted is not None:
            found = await parts.shared.find(wanted, dataset, requester_of(key))
            if found is not None:
                parts.results.add(found)
                return found
        if peer.silent:
            raise Unavailable("the query role that has the result does not answer; try again", 2)
        raise ResultNotFound

    async def _wait(self, request: web.Request, result: StoredResult, wait_s: float) -> None:
        """Wait for the answer, at most so long, or until the caller hangs up."""
        task, clock = result.task, asyncio.get_running_loop().time
        until_s = clock() + wait_s
        while task is not None and not task.done() and (left_s := until_s - clock()) > 0:
            await asyncio.wait({task}, timeout=min(left_s, limits.HANG_UP_CHECK_S))
            self._parts.results.polled(result)
            if has_hung_up(request):
                return

    async def _response(
        self, request: web.Request, result: StoredResult, key: ApiKey, form: str, *, status: int
    ) -> web.Response:
        body = await self._parts.forms.body(result, form, requester_of(key))
        url = _url(request, result)
        links = {"query_url": url, "graph_image_url": f"{url}/graph.svg"}
        headers = {"Location": url} if status == 201 else {}
        if body is not None:
            headers |= _COMPLETE_HEADERS
        return web.Response(
            body=encode_result(result.query, result.id, links, body),
            status=status,
            headers=headers,
            content_type="application/json",
        )


def _url(request: web.Request, result: StoredResult) -> str:
    """Where the result is fetched, as the client reaches this API."""
    path = f"/1/query_results/{quote(name_or_all(request), safe='')}/{result.id}"
    return f"{public_base(request)}{path}"
