"""`/1/queries` and `/1/query_results`: store a specification, run it, fetch its result."""

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import BellwetherError, NotFound, TooManyRequests, without_frames
from common.logs import log_event
from common.metadata import ApiKey, StoredQuery
from common.process.auth import KeyCache
from common.process.fair.requester import Requester
from common.process.fair.slots import SlotRequest
from common.process.telemetry import Telemetry
from common.process.web import has_hung_up
from query.api.peer_results import PeerResults
from query.api.result_store import ResultStore, StoredResult
from query.faults import SpecError
from query.http.access import authorize, dataset_of, name_of
from query.http.dataset_names import DatasetNames
from query.http.problems import QueryEnded, json_body, public_base
from query.http.requests import DatasetRequest, DatasetRequestReader
from query.plan.planner import QueryRequest, build_request
from query.plan.read_spec import read_spec
from query.results.runner import Answer, CoverageRequirement, QueryRunner
from query.results.series import EncodedRows
from query.results.span_relations import SpanRelations
from query.results.unknown_fields import UnknownFieldNotes

_logger = logging.getLogger(__name__)
_COMPLETE_HEADERS = {"Cache-Control": "private, max-age=86400"}


@dataclass(frozen=True, slots=True)
class QueryParts:
    """The parts that the query routes use."""

    keys: KeyCache
    names: DatasetNames
    requests: DatasetRequestReader
    runner: QueryRunner
    results: ResultStore
    peers: PeerResults
    unknown_fields: UnknownFieldNotes
    relations: SpanRelations
    clock: Clock
    telemetry: Telemetry


class QueryRoutes:
    """Handlers; every one needs a key with the right to query."""

    def __init__(self, parts: QueryParts) -> None:
        self._parts = parts
        self._counter = 0

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_post("/1/queries/{dataset}", self.create_query)
        app.router.add_get("/1/queries/{dataset}/{id}", self.get_query)
        app.router.add_post("/1/query_results/{dataset}", self.create_result)
        app.router.add_get("/1/query_results/{dataset}/{id}", self.get_result)

    async def create_query(self, request: web.Request) -> web.Response:
        """Store a specification; it is echoed unchanged with its id."""
        key = await authorize(self._parts.keys, request, "queries")
        dataset = await self._parts.names.find(key, request)
        spec = await json_body(request)
        read_spec(spec)
        assert isinstance(spec, dict)
        stored = await self._store(key, dataset.id, spec)
        return _json({"id": stored.id, **_echo(spec)})

    async def get_query(self, request: web.Request) -> web.Response:
        """A stored specification."""
        key = await authorize(self._parts.keys, request, "queries")
        dataset = await self._parts.names.find(key, request)
        stored = await self._find(key, dataset.id, request.match_info["id"])
        return _json({"id": stored.id, **msgspec.json.decode(stored.spec_json)})

    async def create_result(self, request: web.Request) -> web.Response:
        """Run a stored query, or one given inline as `query`; with `wait_s` answer at once."""
        begun = await self._parts.requests.with_dataset_in_path(request)
        query_id, spec = await self._stored_or_inline(begun.key, begun.dataset, begun.body)
        query = self._query_request(begun, spec)
        coverage, wait_s = begun.coverage_required(), _wait_s(begun.body)
        result = self._start(begun.key, query, coverage, query_id, spec)
        await self._wait(request, result, wait_s)
        if has_hung_up(request):  # nobody has learnt the id of the result, so nobody can want it
            self._parts.results.drop(result)
        if result.error is not None:
            raise without_frames(result.error)
        return self._response(request, result, status=201)

    async def _wait(self, request: web.Request, result: StoredResult, wait_s: float) -> None:
        """Wait for an inline answer, or until the caller hangs up."""
        task, clock = result.task, asyncio.get_running_loop().time
        until_s = clock() + wait_s
        while task is not None and not task.done() and (left_s := until_s - clock()) > 0:
            await asyncio.wait({task}, timeout=min(left_s, limits.HANG_UP_CHECK_S))
            self._parts.results.polled(result)
            if has_hung_up(request):
                return

    async def get_result(self, request: web.Request) -> web.Response:
        """A result; member `complete` is false while its query runs."""
        key = await authorize(self._parts.keys, request, "queries")
        found, wanted = self._parts.results.find, request.match_info["id"]
        result = found(wanted, key.environment.id, dataset_of(key, request))
        if result is None:  # the path has an alias of the dataset, or the result is not here
            dataset = await self._parts.names.id_of(key, request)
            result = found(wanted, key.environment.id, dataset)
        if result is None:
            found_by_peer = await self._parts.peers.find(request)
            if found_by_peer is None:
                raise NotFound("Query result not found")
            return found_by_peer
        if isinstance(result.error, TooManyRequests):  # the query was refused, not this request
            raise QueryEnded(f"the query was ended, run it again: {result.error}")
        if result.error is not None:
            raise without_frames(result.error)  # else each poll adds its own
        return self._response(request, result, status=200)

    async def _stored_or_inline(
        self, key: ApiKey, dataset: str, body: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        query_id, inline = body.get("query_id"), body.get("query")
        if inline is not None and query_id is None:
            read_spec(inline)
            return "", inline
        if not isinstance(query_id, str) or inline is not None:
            raise SpecError("query_id", "missing", "give query_id, or the query itself as `query`")
        stored = await self._find(key, dataset, query_id)
        return stored.id, msgspec.json.decode(stored.spec_json)

    def _query_request(self, begun: DatasetRequest, spec: dict[str, Any]) -> QueryRequest:
        body, limit = begun.body, begun.body.get("limit")
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
            raise SpecError("limit", "incorrect_type", "must be a whole number")
        if limit is not None and not 1 <= limit <= limits.QUERY_LIMIT_NO_SERIES_MAX:
            most = limits.QUERY_LIMIT_NO_SERIES_MAX
            raise SpecError("limit", "invalid", f"must be between 1 and {most}")
        return build_request(
            read_spec(spec),
            begun.dataset,
            self._parts.clock.now_ns(),
            disable_series=_flag(body, "disable_series", False),
            with_total=not _flag(body, "disable_total_by_aggregate", True),
            with_other=not _flag(body, "disable_other_by_aggregate", True),
            limit=limit,
            env=begun.key.environment.id,
            key=begun.key.id,
        )

    def _start(
        self,
        key: ApiKey,
        query: QueryRequest,
        coverage: CoverageRequirement,
        query_id: str,
        spec: dict[str, Any],
    ) -> StoredResult:
        """Run the query, or queue it. Raises TooManyRequests or Unavailable if it cannot wait."""
        parts = self._parts
        place = parts.runner.admit(query)
        self._counter += 1
        now_ns = parts.clock.now_ns()
        seed = f"{key.environment.id}/{query.dataset}/{now_ns}/{self._counter}/{id(self)}"
        result = StoredResult(
            id=hashlib.sha256(seed.encode()).hexdigest()[:16],
            env_id=key.environment.id,
            key_id=key.id,
            dataset=query.dataset,
            query=msgspec.json.encode({"id": query_id, **spec} if query_id else spec),
            created_ns=now_ns,
            polled_ns=parts.clock.monotonic_ns(),
        )
        result.task = asyncio.create_task(self._run(result, query, coverage, place))
        result.task.add_done_callback(lambda _: place.leave())  # also if the task never began
        parts.results.add(result)
        return result

    async def _run(
        self,
        result: StoredResult,
        query: QueryRequest,
        coverage: CoverageRequirement,
        place: SlotRequest,
    ) -> None:
        parts = self._parts
        started_ns = parts.clock.monotonic_ns()
        answer: Answer | None = None
        try:
            answer = await parts.runner.run(query, coverage, place)
            requester = Requester(query.env, query.key)
            await parts.relations.refuse(query.dataset, answer.types, requester)
            missing = await parts.unknown_fields.missing(query.dataset, answer.types, requester)
            result.body = msgspec.json.encode(_document(query, answer, missing))
        except BellwetherError as error:
            result.error = without_frames(error)  # it is kept for a day
        except Exception as error:  # noqa: BLE001 - the outermost frame of this task
            log_event(
                _logger,
                logging.ERROR,
                "query failed",
                error=describe_error(error),
                result=result.id,
            )
            result.error = BellwetherError("the query failed; the log of the query role says why")
        finally:
            result.task = None
            parts.telemetry.emit(
                "query",
                duration_ms=(parts.clock.monotonic_ns() - started_ns) / 1e6,
                status=200 if result.error is None else result.error.status,
                complete=answer is not None and bool(answer.coverage["complete"]),
                groups=0 if answer is None else len(answer.data["results"]),
                series_rows=0 if answer is None else answer.data["series"].count,
                result_bytes=len(result.body or b""),
                state_bytes=0 if answer is None else answer.coverage["state_bytes"],
                calculations=len(query.spec.calculations),
                filters=len(query.spec.filters),
                breakdowns=len(query.spec.breakdowns),
                range_s=(query.end_ns - query.start_ns) // 10**9,
            )
        parts.results.trim(result)

    def _response(self, request: web.Request, result: StoredResult, *, status: int) -> web.Response:
        path = f"/1/query_results/{quote(name_of(request), safe='')}/{result.id}"
        url = f"{public_base(request)}{path}"
        head: dict[str, Any] = {
            "query": msgspec.Raw(result.query),
            "id": result.id,
            "complete": result.body is not None,
            "links": {},  # links to pages and images, which do not exist yet
        }
        headers = {"Location": url} if status == 201 else {}
        encoded = msgspec.json.encode(head)
        if result.body is not None:
            headers |= _COMPLETE_HEADERS
            encoded = encoded[:-1] + b"," + result.body[1:]
        return web.Response(
            body=encoded, status=status, headers=headers, content_type="application/json"
        )

    async def _store(self, key: ApiKey, dataset: str, spec: dict[str, Any]) -> StoredQuery:
        encoded = msgspec.json.encode(_echo(spec))
        seed = f"{key.environment.id}/{dataset}/".encode() + encoded
        stored = StoredQuery(
            id=hashlib.sha256(seed).hexdigest()[:11],
            env_id=key.environment.id,
            dataset_id=dataset,
            spec_json=encoded,
            created_ns=self._parts.clock.now_ns(),
        )
        await self._parts.names.ask(key, lambda metadata: metadata.put_query(stored))
        return stored

    async def _find(self, key: ApiKey, dataset: str, query_id: str) -> StoredQuery:
        stored = await self._parts.names.ask(key, lambda metadata: metadata.get_query(query_id))
        if stored is None or stored.env_id != key.environment.id or stored.dataset_id != dataset:
            raise NotFound("Query not found")
        return stored


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def _echo(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification as posted; like the vendor, without the combination AND and the id."""
    kept = {name: value for name, value in spec.items() if name != "id"}
    if kept.get("filter_combination") == "AND":
        del kept["filter_combination"]
    return kept


def _document(query: QueryRequest, answer: Answer, missing: list[str]) -> dict[str, Any]:
    """Members of an answer besides the vendor's `query`, `id`, `complete` and `links`."""
    document: dict[str, Any] = {
        "data": {
            name: member.json if isinstance(member, EncodedRows) else member
            for name, member in answer.data.items()
        },
        "coverage": answer.coverage,
        "notes": [*answer.notes, *missing],
        "range": {  # unix seconds, half open, as it was resolved
            "start_time": query.start_ns // 10**9,
            "end_time": -(-query.end_ns // 10**9),
            "granularity": query.step_ns // 10**9,
        },
    }
    if answer.groups is not None:
        document["groups"] = answer.groups
    return document


def _flag(body: dict[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise SpecError(name, "incorrect_type", "must be true or false")
    return value


def _wait_s(body: dict[str, Any]) -> float:
    value = body.get("wait_s", 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError("wait_s", "incorrect_type", "must be a number of seconds")
    return float(min(max(value, 0), limits.QUERY_WAIT_S_MAX))
