"""Results of other query roles: a result is in the memory of the role that ran the query.

A client that polls through a load balancer or several shepherds may reach any role, so a role that
does not have a result requests it from each of its peers once.
"""

import asyncio
import logging

import aiohttp
from aiohttp import web
from yarl import URL

from common import limits
from common.error_text import describe_error
from common.errors import Unavailable
from common.logs import log_event
from common.process.auth import KEY_HEADER
from common.process.members import Member
from query.scatter.replicas import Replicas

FORWARDED_HEADER = "X-Bellwether-Asked"  # set by a query role, so that its peer calls no others
_PASSED_HEADERS = (KEY_HEADER, "X-Hny-Team", "Host", "X-Forwarded-Host", "X-Forwarded-Proto")
_TIMEOUT = aiohttp.ClientTimeout(total=5.0, sock_connect=limits.CONNECT_TIMEOUT_S)
_logger = logging.getLogger(__name__)


class PeerResults:
    """Requests results from the other query roles."""

    def __init__(self, replicas: Replicas, http: aiohttp.ClientSession, instance: str) -> None:
        self._replicas = replicas
        self._http = http
        self._instance = instance

    async def find(self, request: web.Request) -> web.Response | None:
        """The answer of a peer to the same request; None if no peer has the result."""
        if FORWARDED_HEADER in request.headers:
            return None
        try:
            members = await self._replicas.query_roles()
        except Unavailable as error:
            log_event(_logger, logging.WARNING, "other query roles are not known", why=str(error))
            return None
        others = [member for member in members if member.instance != self._instance]
        found = await asyncio.gather(*(self._ask(member, request) for member in others))
        return next((answer for answer in found if answer is not None), None)

    async def _ask(self, member: Member, request: web.Request) -> web.Response | None:
        headers = {
            name: request.headers[name] for name in _PASSED_HEADERS if name in request.headers
        }
        url = URL(member.url + request.rel_url.raw_path_qs, encoded=True)
        try:
            async with self._http.get(
                url, headers={**headers, FORWARDED_HEADER: "1"}, timeout=_TIMEOUT
            ) as answer:
                if answer.status == 404:
                    return None
                kept = {n: answer.headers[n] for n in ("Cache-Control",) if n in answer.headers}
                return web.Response(
                    body=await answer.read(),
                    status=answer.status,
                    content_type=answer.content_type,
                    headers=kept,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log_event(
                _logger,
                logging.WARNING,
                "query role silent",
                role=member.instance,
                why=describe_error(error),
            )
            return None
