"""Requests damaged records from the other indexers: one may have read them whole (I2)."""

import asyncio
import logging

import aiohttp
import msgspec

from common import limits
from common.error_text import describe_error
from common.errors import Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import Member, list_members
from common.process.web import INTERNAL_TOKEN_HEADER
from indexer.damage.publish_gate import RecordsRequest, RecordsResponse

PATH = "/internal/records"
_TIMEOUT = aiohttp.ClientTimeout(
    total=limits.DAMAGE_ASK_TIMEOUT_S, sock_connect=limits.CONNECT_TIMEOUT_S
)
logger = logging.getLogger(__name__)


class OtherIndexers:
    """Requests records from all others: any that holds or held the partition may have them."""

    def __init__(self, locks: Locks, instance: str, token: str) -> None:
        self._locks = locks
        self._instance = instance
        self._headers = {INTERNAL_TOKEN_HEADER: token}

    async def ask(self, question: RecordsRequest) -> RecordsResponse:
        """See `Peers`."""
        try:
            members = await asyncio.to_thread(list_members, self._locks, "indexer")
        except Unavailable as error:
            log_event(logger, logging.WARNING, "other indexers are not known", why=str(error))
            return RecordsResponse()
        others = [member for member in members if member.instance != self._instance]
        if not others:
            return RecordsResponse()
        body = msgspec.json.encode(question)
        async with aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT) as http:
            found = await asyncio.gather(*(_ask(http, member, body) for member in others))
        return RecordsResponse(
            tuple(sorted({offset for one in found for offset in one.read})),
            tuple(sorted({offset for one in found for offset in one.appended})),
        )


async def _ask(http: aiohttp.ClientSession, member: Member, body: bytes) -> RecordsResponse:
    try:
        async with http.post(f"{member.url}{PATH}", data=body) as answer:
            answer.raise_for_status()
            return msgspec.json.decode(await answer.read(), type=RecordsResponse)
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
        log_event(
            logger,
            logging.WARNING,
            "an indexer does not say what it has read",
            indexer=member.instance,
            why=describe_error(error),
        )
        return RecordsResponse()
