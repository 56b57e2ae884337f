"""One address: what is not ingest goes to a query role and streams back (design, section 5).

A client that hangs up cancels its request at the query role. Connection errors before anything
was sent move on to the next query role; without one the answer is 503.
"""

import asyncio
import random
from collections.abc import Iterable

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, web
from aiohttp import ClientTimeout as Timeout
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from common import limits
from common.errors import BadRequest, NotFound, TooLarge, Unavailable
from common.locks import Locks
from common.members import Member, list_members
from common.web import INTERNAL_TOKEN_HEADER

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade", "host", "content-length", "expect"}
)
_OURS_TO_ADD_NOTHING = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_NOT_PUBLIC = ("/internal/", "/metrics", "/healthz", "/readyz")
_TIMEOUT = Timeout(total=None, sock_connect=2.0, sock_read=300.0)


class QueryProxy:
    """Hands requests to query roles. Use it from one event loop; `close` it at the end."""

    def __init__(self, locks: Locks, rng: random.Random, requests_max: int) -> None:
        self._locks = locks
        self._random = rng
        self._requests_max = requests_max
        self._requests = 0
        self._members: list[Member] = []
        self._http: ClientSession | None = None

    async def refresh(self) -> None:
        """Look again which query roles are alive; if that cannot be told, keep the last ones."""
        try:
            self._members = await asyncio.to_thread(list_members, self._locks, "query")
        except Unavailable:
            return

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """The query role's answer, streamed. Raises Unavailable, TooLarge, NotFound."""
        if request.path.startswith(_NOT_PUBLIC):
            raise NotFound("not found")
        if self._requests >= self._requests_max:
            raise Unavailable("too many requests are being answered; try again")
        self._requests += 1
        try:
            body = await _read(request)
            upstream = await self._ask(request, body)
            async with upstream:
                return await _stream(request, upstream)
        finally:
            self._requests -= 1

    async def _ask(self, request: web.Request, body: bytes) -> ClientResponse:
        """The first query role that takes the request."""
        if self._http is None:
            self._http = ClientSession(timeout=_TIMEOUT, auto_decompress=False)
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
                    skip_auto_headers=_OURS_TO_ADD_NOTHING,
                )
            except ClientConnectorError:
                continue  # nothing was sent: the next one may take it
            except (ClientError, TimeoutError) as error:
                raise Unavailable("the query role did not answer; try again", 1) from error
        self._members = []
        raise Unavailable("no query role is running; try again in a moment", 2)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()


def _path(request: web.Request) -> str:
    """Path and query as they came, without a scheme and host that a client may have sent."""
    raw = request.raw_path
    return raw if raw.startswith("/") else request.rel_url.raw_path_qs


async def _read(request: web.Request) -> bytes:
    """The whole body: small enough to be sent again to another role."""
    body = bytearray()
    try:
        async with asyncio.timeout(limits.BODY_READ_TIMEOUT_S):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limits.MANAGEMENT_BODY_BYTES_MAX:
                    raise TooLarge(
                        f"request body is larger than {limits.MANAGEMENT_BODY_BYTES_MAX} bytes"
                    )
    except TimeoutError as error:
        raise BadRequest("Request body did not arrive in time.") from error
    return bytes(body)


def _forward_headers(request: web.Request) -> CIMultiDict[str]:
    headers = _without_hop_by_hop(request.headers, (INTERNAL_TOKEN_HEADER,))
    headers["X-Forwarded-Host"] = request.headers.get("Host", "")
    headers["X-Forwarded-Proto"] = request.scheme
    return headers


def _without_hop_by_hop(
    headers: CIMultiDictProxy[str], also: Iterable[str] = ()
) -> CIMultiDict[str]:
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    drop = _HOP_BY_HOP | named | {name.lower() for name in also}
    return CIMultiDict((name, text) for name, text in headers.items() if name.lower() not in drop)


async def _stream(request: web.Request, upstream: ClientResponse) -> web.StreamResponse:
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
            await response.write(piece)
    except (ClientError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()  # a cut answer must not look like a whole one
        return response
    await response.write_eof()
    return response
