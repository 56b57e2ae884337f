"""Results of other query roles: until a result is finished it is in the memory of the role that
runs its query, which its id names.

A client that polls through a load balancer or several shepherds may reach any role.
"""

import asyncio
import logging
from typing import NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

from common import limits
from common.error_text import describe_error
from common.errors import Unavailable
from common.logs import log_event
from common.process.auth import KEY_HEADER
from common.process.members import Member
from common.process.sessions import SESSION_HEADERS
from query.api.results.ids import ResultId, role_digits
from query.scatter.replicas import Replicas

FORWARDED_HEADER = "X-Bellwether-Asked"  # set by a query role, so that its peer calls no others
_PASSED_HEADERS = (
    *(KEY_HEADER, "X-Hny-Team", *SESSION_HEADERS),
    *("Host", "X-Forwarded-Host", "X-Forwarded-Proto"),
)
# The caller is known here: an earlier program does not know sessions, and keys are looked up at
# other times there. The client would take such an answer for one about its own key.
_UNKNOWN_CALLER = (401, 403)
_TIMEOUT_S = 5.0
_logger = logging.getLogger(__name__)


class PeerAnswer(NamedTuple):
    """What the role of a result says. silent: it was not heard, so that it may have the result."""

    response: web.Response | None
    silent: bool = False


class PeerResults:
    """Requests results from the other query roles."""

    def __init__(self, replicas: Replicas, http: aiohttp.ClientSession, instance: str) -> None:
        self._replicas = replicas
        self._http = http
        self._instance = instance

    async def find(
        self, request: web.Request, wanted: ResultId | None, wait_s: float
    ) -> PeerAnswer:
        """The answer of the role that an id names to the same request.

        wanted: None: the id names none, as programs made them before ids did: all are asked.
        wait_s: how long that role may wait for the result.
        """
        if FORWARDED_HEADER in request.headers:
            return PeerAnswer(None)
        try:
            members = await self._replicas.query_roles()
        except Unavailable as error:
            log_event(_logger, logging.WARNING, "other query roles are not known", why=str(error))
            return PeerAnswer(None, silent=True)
        others = [
            member
            for member in members
            if member.instance != self._instance
            and (wanted is None or role_digits(member.instance) == wanted.role)
        ]
        found = await asyncio.gather(*(self._ask(member, request, wait_s) for member in others))
        response = next((answer.response for answer in found if answer.response is not None), None)
        return PeerAnswer(response, any(answer.silent for answer in found))

    async def _ask(self, member: Member, request: web.Request, wait_s: float) -> PeerAnswer:
        headers = {
            name: request.headers[name] for name in _PASSED_HEADERS if name in request.headers
        }
        url = URL(member.url + request.rel_url.raw_path_qs, encoded=True)
        timeout = aiohttp.ClientTimeout(
            total=wait_s + _TIMEOUT_S, sock_connect=limits.CONNECT_TIMEOUT_S
        )
        try:
            async with self._http.request(
                request.method, url, headers={**headers, FORWARDED_HEADER: "1"}, timeout=timeout
            ) as answer:
                if answer.status == 404:
                    return PeerAnswer(None)
                if answer.status in _UNKNOWN_CALLER:
                    return PeerAnswer(None, silent=True)
                kept = {n: answer.headers[n] for n in ("Cache-Control",) if n in answer.headers}
                if answer.status == 204:
                    return PeerAnswer(web.Response(status=204))
                response = web.Response(
                    body=await answer.read(),
                    status=answer.status,
                    content_type=answer.content_type,
                    headers=kept,
                )
                return PeerAnswer(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log_event(
                _logger,
                logging.WARNING,
                "query role silent",
                role=member.instance,
                why=describe_error(error),
            )
            return PeerAnswer(None, silent=True)
