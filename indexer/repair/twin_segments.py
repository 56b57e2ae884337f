"""Whole segment files, fetched by one indexer of a partition from the other, its twin (I4)."""

import asyncio
import logging
import re
from pathlib import Path

import aiohttp
from aiohttp import web

from common import limits
from common.errors import Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import Member, list_claims
from common.process.web import INTERNAL_TOKEN_HEADER
from snapshot.cache import SegmentCache, cached_path, file_sha256
from snapshot.documents.manifest import SegmentEntry

_HASH = re.compile(r"[0-9a-f]{64}")
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=2, sock_read=10)
_BLOCK_BYTES = 1024 * 1024
logger = logging.getLogger(__name__)


class SegmentEndpoint:
    """`GET /internal/segment/{hash}`: the file, if it is whole in the cache here."""

    def __init__(self, cache: SegmentCache) -> None:
        self._cache = cache

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to one request."""
        name = request.match_info["hash"]
        if not _HASH.fullmatch(name):
            return web.json_response({"error": "not a segment's name"}, status=400)
        self._cache.lease([name])
        try:
            path = self._cache.path(name)
            if not await asyncio.to_thread(_has_hash, path, name):
                return web.json_response({"error": "not held here"}, status=404)
            response = web.FileResponse(path)
            await response.prepare(request)
            return response
        finally:
            self._cache.release([name])


class TwinSegments:
    """Fetches from the other indexers of a partition."""

    def __init__(self, locks: Locks, instance: str, token: str) -> None:
        self._locks = locks
        self._instance = instance
        self._headers = {INTERNAL_TOKEN_HEADER: token}

    async def fetch(self, partition: int, entry: SegmentEntry, folder: Path) -> bool:
        """Fetch the file into `folder`, at its path in a cache. False: no twin has it whole."""
        target = cached_path(folder, entry.object)
        for member in await asyncio.to_thread(self._holders, partition):
            try:
                if await self._fetch(member, entry, target):
                    return True
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                kind = type(error).__name__
                log_event(
                    logger, logging.INFO, "twin gave no segment", twin=member.instance, kind=kind
                )
        return False

    def _holders(self, partition: int) -> list[Member]:
        try:
            claims = list_claims(self._locks)
        except Unavailable:
            return []
        found = [one.member for one in claims if one.partition == partition]
        others = [member for member in found if member.instance != self._instance]
        return others[: limits.TWINS_ASKED_MAX]

    async def _fetch(self, member: Member, entry: SegmentEntry, target: Path) -> bool:
        url = f"{member.url}/internal/segment/{entry.object}"
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                return False
            size = await self._copy(answer, entry.size_bytes, target)
        return size == entry.size_bytes and await asyncio.to_thread(_has_hash, target, entry.object)

    async def _copy(self, answer: aiohttp.ClientResponse, size_max: int, target: Path) -> int:
        size = 0
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            async for block in answer.content.iter_chunked(_BLOCK_BYTES):
                size += len(block)
                if size > size_max:
                    break
                await asyncio.to_thread(file.write, block)
        return size


def _has_hash(path: Path, object_hash: str) -> bool:
    try:
        return file_sha256(path) == object_hash
    except OSError:
        return False
