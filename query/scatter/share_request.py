"""One request for a share, and its answer, which is read within the room for states (I11)."""

import asyncio
import logging
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple, NoReturn

import aiohttp

from common import limits
from common.error_text import describe_error
from common.errors import TooManyRequests, Unprocessable
from common.logs import log_event
from common.process.error_body import read_error_body
from common.process.fair.requester import Requester
from common.process.members import Member
from query.plan.plan import Plan, ShareRequest
from query.scatter.state_room import QuestionStates
from query.share.compute.answer import ShareAnswer, decode_answer
from query.share.compute.too_heavy import too_many_bytes
from query.share.states.version_1 import plan_with_tagged_groups
from query.wire.keys import encode_body

_logger = logging.getLogger(__name__)


class ShareFailed(Exception):
    """This indexer did not answer; another one may. why: one word, a label of the metric."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


class OlderIndexer(Exception):
    """An indexer that does not know the version of the plan has taken a partition over."""

    def __init__(self, member: Member, version: int) -> None:
        super().__init__(f"{member.instance} knows plans up to version {version}")
        self.version = version


class VersionedPlan(NamedTuple):
    """A plan of a question, and the version of its requests and states (`Understands.plan`).

    states: those that the question holds. keys: the encoded tables that come with the plan.
    """

    plan: Plan
    version: int
    states: QuestionStates
    keys: bytes


async def post_share(
    http: aiohttp.ClientSession,
    headers: Mapping[str, str],
    asked: VersionedPlan,
    partitions: tuple[int, ...],
    member: Member,
) -> ShareAnswer:
    """The member's share of these partitions.

    Raises ShareFailed where another indexer may answer, OlderIndexer, Unprocessable,
    TooManyRequests, Unavailable.
    """
    plan = plan_with_tagged_groups(asked.plan) if asked.version == 1 else asked.plan
    body = encode_body(ShareRequest(plan, partitions, version=asked.version), asked.keys)
    timeout = aiohttp.ClientTimeout(
        total=(asked.plan.timeout_ms + asked.plan.wait_ms) / 1000 + 5,
        sock_connect=limits.CONNECT_TIMEOUT_S,
    )
    try:
        async with http.post(
            f"{member.url}/internal/share",
            params=Requester(plan.env, plan.key)._asdict() if asked.keys else None,
            data=body if len(body) <= limits.LARGE_BODY_BYTES else BytesIO(body),
            headers=headers,
            timeout=timeout,
        ) as response:
            data = await _read_bounded(response, asked.states)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = describe_error(error)
        log_event(_logger, logging.WARNING, "no share", indexer=member.instance, error=why)
        raise ShareFailed("gone", why) from error
    if status != 200:
        _raise_refusal(status, bytes(data), member)
    try:
        if len(data) <= limits.SHARE_INLINE_BYTES_MAX:
            answer = decode_answer(data)
        else:
            answer = await asyncio.to_thread(decode_answer, data)
    except ValueError as error:
        log_event(_logger, logging.ERROR, "bad share", indexer=member.instance, error=str(error))
        raise ShareFailed("damaged", str(error)) from error
    if answer.report.version < asked.version:  # it is another one than the claims say
        raise OlderIndexer(member, answer.report.version)
    if answer.report.version > asked.version:
        raise ShareFailed("damaged", "the answer is of a newer version than its request")
    return answer


async def _read_bounded(response: aiohttp.ClientResponse, states: QuestionStates) -> bytearray:
    """The body, within the room for states. Raises as `QuestionStates.reserve`, ShareFailed."""
    size = response.content_length
    if size is None:
        raise ShareFailed("damaged", "the answer does not say how long it is")
    if size > limits.SHARE_BYTES_MAX:
        raise too_many_bytes(limits.SHARE_BYTES_MAX)
    data, at = states.reserve(size), 0
    async for chunk in response.content.iter_any():  # its end is an error unless all has come
        data[at : at + len(chunk)] = chunk
        at += len(chunk)
    return data


def _raise_refusal(status: int, data: bytes, member: Member) -> NoReturn:
    log_event(_logger, logging.WARNING, "share refused", indexer=member.instance, status=status)
    error = read_error_body(status, data, f"indexer {member.instance} answered {status}")
    if status == Unprocessable.status:
        raise Unprocessable(str(error))
    if status == TooManyRequests.status:
        raise error
    raise ShareFailed("refused", str(error))
