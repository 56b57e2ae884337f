"""Forwards requests other than ingest to a query role; streams its response (design, section 5).

A client without a key takes no memory and no slot: the key is checked before the body is read, the
body is read before a slot is taken, and slots are shared between environments and keys (I14). The
few paths that are open to anyone have slots of their own, shared between addresses. A client that
disconnects cancels its request at the query role; a client that stops reading is disconnected.
After a connection error before the request was sent, the next query role is tried; without another
one the response is 503.
"""

import asyncio
import random
from collections.abc import Iterable

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    TCPConnector,
    web,
)
from aiohttp import ClientTimeout as Timeout
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from common import limits
from common.errors import NotFound, TooLarge, Unavailable
from common.locks import Locks
from common.metadata import ApiKey
from common.process.auth import KeyCache
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from common.process.http.body_reader import read_from_aiohttp
from common.process.members import Member, list_members
from common.process.sessions import COOKIE, Sessions
from common.process.trace_context import TRACEPARENT, current_trace_id, traceparent_of
from common.process.web import INTERNAL_TOKEN_HEADER
from shepherd.http.key_header import authenticate, key_text

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade", "host", "content-length", "expect"}
)
_HEADERS_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
# What anyone may read: it says nothing about what is stored.
_OPEN = frozenset({"/ui", "/docs", "/docs/", "/bw/1/openapi.json"})
_PAGE = "/ui/"
_SESSION = "/ui/session"
_NOT_PUBLIC = ("/internal/", "/metrics", "/healthz", "/readyz")
_TIMEOUT = Timeout(total=None, sock_connect=2.0, sock_read=300.0)


class QueryProxy:
    """Forwards requests to query roles. Use it from one event loop; `close` it at the end."""

    def __init__(
        self,
        locks: Locks,
        keys: KeyCache,
        sessions: Sessions,
        rng: random.Random,
        requests_max: int,
    ) -> None:
        self._locks = locks
        self._keys = keys
        self._sessions = sessions
        self._random = rng
        self._slots = _fair_slots(requests_max)
        self._bodies = _fair_slots(limits.PROXIED_BODIES_MAX)
        self._open = _fair_slots(limits.PROXIED_OPEN_MAX)
        self._members: list[Member] = []
        self._http: ClientSession | None = None

    async def refresh(self) -> None:
        """List the query roles that are alive; keep the last list if the locks do not respond."""
        try:
            self._members = await asyncio.to_thread(list_members, self._locks, "query")
        except Unavailable:
            return

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """The query role's response, streamed.

        Raises UnknownKey, MetadataUnavailable, NotFound, BadRequest, TooManyRequests
        (the caller's own share of slots is used up), Unavailable.
        """
        if _is_open(request) and not key_text(request.headers):
            async with self._open.hold("", request.remote or ""):
                body = await self._read(request)
                try:
                    return await self._answer(request, body)
                except Unavailable as error:
                    if "text/html" not in request.headers.get("Accept", ""):
                        raise
                    return _come_again(error)
        key = await self._key(request)
        if request.path.startswith(_NOT_PUBLIC):
            raise NotFound("not found")
        try:
            body = await self._body(request, key)
        except TooLarge as error:
            return _too_large_response(request, error)
        async with self._slots.hold(key.environment.id, key.id):
            return await self._answer(request, body)

    async def _answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        async with await self._request(request, body) as upstream:
            return await _stream(request, upstream)

    async def _body(self, request: web.Request, key: ApiKey) -> bytes:
        """The whole body: it is small, and may have to be sent again to another role."""
        if not request.can_read_body:
            return b""
        if (request.content_length or 0) > limits.MANAGEMENT_BODY_BYTES_MAX:
            raise _too_large()
        async with self._bodies.hold(key.environment.id, key.id):
            return await self._read(request)

    async def _read(self, request: web.Request) -> bytes:
        return await read_from_aiohttp(request, _SmallBody()) if request.can_read_body else b""

    async def _key(self, request: web.Request) -> ApiKey:
        """The key of the request or, of the page, the one whose session it belongs to."""
        if key_text(request.headers) or COOKIE not in request.headers.get("Cookie", ""):
            return await authenticate(request.headers, self._keys)
        return await self._keys.authenticate_hash(await self._sessions.key_hash(request.headers))

    async def _request(self, request: web.Request, body: bytes) -> ClientResponse:
        """The first query role that takes the request."""
        if self._http is None:
            self._http = ClientSession(
                connector=TCPConnector(limit=0),  # the slots are the limit: no queue here
                timeout=_TIMEOUT,
                auto_decompress=False,
            )
        if not self._members:
            await self.refresh()
        members = self._random.sample(self._members, len(self._members))
        for member in members:
            try:
                return await self._http.request(
                    request.method,
                    URL(member.url + _path(request), encoded=True),
                    headers=_forward_headers(request),
                    data=body or None,
                    allow_redirects=False,
                    skip_auto_headers=_HEADERS_NOT_ADDED,
                )
            except ClientConnectorError:
                continue  # the request was not sent: the next role may take it
            except (ClientError, TimeoutError) as error:
                raise Unavailable("the query role did not answer; try again", 1) from error
        self._members = []
        raise Unavailable("no query role is running; try again in a moment", 2)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()


def _is_open(request: web.Request) -> bool:
    """Whether the request needs no key: of the page itself, and to log in."""
    if request.method in ("GET", "HEAD"):
        if request.path == "/":  # leads a browser to the page
            return "text/html" in request.headers.get("Accept", "")
        return request.path in _OPEN or (
            request.path.startswith(_PAGE) and request.path != _SESSION
        )
    return request.path == _SESSION and request.method in ("POST", "DELETE")


def _path(request: web.Request) -> str:
    """Path and query of the request, without scheme and host, and without a slash at the path's
    end: `/1/datasets/` is `/1/datasets`.
    """
    raw = request.raw_path
    path, mark, query = (raw if raw.startswith("/") else request.rel_url.raw_path_qs).partition("?")
    return ((path.rstrip("/") or "/") if path[:1] == "/" else path) + mark + query


def _fair_slots(requests_max: int) -> FairSlots:
    """Slots whose shares shrink with the free slots, since a request may hold its slot for long."""
    return FairSlots(
        FairLimits(
            requests_max,
            waiting_max=0,
            env_per_free=limits.PROXIED_ENV_PER_FREE,
            key_per_free=limits.PROXIED_KEY_PER_FREE,
        ),
        "requests",
    )


def _too_large() -> TooLarge:
    return TooLarge(f"request body is larger than {limits.MANAGEMENT_BODY_BYTES_MAX} bytes")


def _too_large_response(request: web.Request, error: TooLarge) -> web.Response:
    """The vendor's error document for a body that is too large. Other error documents come from
    the query role, which this request never reaches.
    """
    document = {
        "status": error.status,
        "type": f"{request.scheme}://{request.host}/problems/payload-too-large",
        "title": "Request body is too large.",
        "error": str(error),
        "detail": str(error),
    }
    return web.json_response(document, status=error.status)


def _come_again(error: Unavailable) -> web.Response:
    """What a browser shows while no query role is there: it loads the page again by itself."""
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Bellwether</title>"
        "<p>Bellwether's page is not there yet: no query role answers. "
        "This is loaded again by itself."
    )
    wait = str(error.retry_after_s or 1)
    headers = {"Refresh": wait, "Retry-After": wait, "Cache-Control": "no-store"}
    return web.Response(status=error.status, text=text, content_type="text/html", headers=headers)


class _SmallBody:
    """An intake that counts a body's bytes and refuses a large body."""

    def __init__(self) -> None:
        self.bytes_max = limits.MANAGEMENT_BODY_BYTES_MAX
        self._size = 0

    def add(self, size: int) -> None:
        """Raises TooLarge."""
        self._size += size
        if self._size > self.bytes_max:
            raise _too_large()


def _forward_headers(request: web.Request) -> CIMultiDict[str]:
    headers = _without_hop_by_hop(request.headers, (INTERNAL_TOKEN_HEADER,))
    headers["X-Forwarded-Host"] = request.headers.get("Host", "")
    headers["X-Forwarded-Proto"] = request.scheme
    headers[TRACEPARENT] = traceparent_of(current_trace_id())
    return headers


def _without_hop_by_hop(
    headers: CIMultiDictProxy[str], also: Iterable[str] = ()
) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    drop = _HOP_BY_HOP | named | {name.lower() for name in also}
    return CIMultiDict((name, text) for name, text in headers.items() if name.lower() not in drop)


async def _stream(request: web.Request, upstream: ClientResponse) -> web.StreamResponse:
    """Stream the response at the client's speed. A client that stops reading is disconnected."""
    response = web.StreamResponse(
        status=upstream.status,
        reason=upstream.reason,
        headers=_without_hop_by_hop(upstream.headers),
    )
    if upstream.headers.get("Content-Length", "").isdigit():
        response.content_length = int(upstream.headers["Content-Length"])
    await response.prepare(request)
    try:
        async for piece in upstream.content.iter_any():
            async with asyncio.timeout(limits.ANSWER_WRITE_TIMEOUT_S):
                await response.write(piece)
    except (ClientError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()  # a truncated response must not look complete
        return response
    await response.write_eof()
    return response
