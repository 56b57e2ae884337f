"""Calls of shepherds for the status: the partitions that they avoid, and why."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec

from common.error_text import describe_error
from common.logs import log_event
from common.process.members import Member

_TIMEOUT = aiohttp.ClientTimeout(total=5)
_logger = logging.getLogger(__name__)


async def placements(
    http: aiohttp.ClientSession, headers: dict[str, str], members: Sequence[Member]
) -> list[dict[str, Any]]:
    """The placement document of each shepherd, or the error that it answered with."""
    results = await asyncio.gather(
        *(_placement(http, headers, member) for member in members), return_exceptions=True
    )
    found: list[dict[str, Any]] = []
    for member, result in zip(members, results, strict=True):
        if isinstance(result, aiohttp.ClientError | TimeoutError | OSError | ValueError):
            log_event(_logger, logging.WARNING, "shepherd silent", shepherd=member.instance)
            found.append({"shepherd": member.instance, "error": describe_error(result)})
        elif isinstance(result, BaseException):
            raise result
        else:
            found.append({"shepherd": member.instance, "placement": result})
    return found


async def _placement(
    http: aiohttp.ClientSession, headers: dict[str, str], member: Member
) -> object:
    url = f"{member.url}/internal/placement"
    async with http.get(url, headers=headers, timeout=_TIMEOUT) as response:
        response.raise_for_status()
        return msgspec.json.decode(await response.read())
