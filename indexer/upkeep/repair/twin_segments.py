"""Whole segment files, fetched by one indexer of a partition from the other, its twin (I4)."""

import asyncio
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from common import limits
from common.errors import Unavailable
from common.locks import Locks
from common.logs import log_event
from common.process.members import Member, list_claims
from common.process.web import INTERNAL_TOKEN_HEADER
from snapshot.cache import SegmentCache, cached_pack, cached_path, file_sha256
from snapshot.documents.locations import SegmentLocation

_HASH = re.compile(r"[0-9a-f]{64}")
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=2, sock_read=10)
_BLOCK_BYTES = 1024 * 1024
logger = logging.getLogger(__name__)


class SegmentEndpoint:
    """`GET /internal/segment/{hash}`: the file, if it is whole in the cache here.

    A segment of a pack is asked for with `pack`, `offset` and `size` as well, the pack itself with
    `pack` alone, which is its own hash.
    """

    def __init__(self, cache: SegmentCache) -> None:
        self._cache = cache

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to one request."""
        name = request.match_info["hash"]
        if not _HASH.fullmatch(name):
            return web.json_response({"error": "not a segment's name"}, status=400)
        try:
            location = _location(name, request.query)
        except ValueError:
            return web.json_response({"error": "not a segment's place"}, status=400)
        self._cache.lease([name])
        try:
            path = await asyncio.to_thread(self._whole, location)
            if path is None:
                return web.json_response({"error": "not held here"}, status=404)
            response = web.FileResponse(path)
            await response.prepare(request)
            return response
        finally:
            self._cache.release([name])

    def _whole(self, location: SegmentLocation) -> Path | None:
        if location.pack != location.object_hash:
            return self._cache.local(location)
        path = self._cache.object_path(location)
        return path if _has_hash(path, location.pack) else None


def _location(name: str, query: Mapping[str, str]) -> SegmentLocation:
    pack = query.get("pack", "")
    if pack and not _HASH.fullmatch(pack):
        raise ValueError("not a pack's name")
    offset, size = int(query.get("offset", 0)), int(query.get("size", 0))
    if min(offset, size) < 0 or max(offset, size) > limits.OBJECT_BYTES_MAX:
        raise ValueError("not a range")
    return SegmentLocation(name, size, pack, offset)


class TwinSegments:
    """Fetches from the other indexers of a partition."""

    def __init__(self, locks: Locks, instance: str, token: str) -> None:
        self._locks = locks
        self._instance = instance
        self._headers = {INTERNAL_TOKEN_HEADER: token}

    async def fetch(self, partition: int, location: SegmentLocation, folder: Path) -> bool:
        """Fetch the segment into `folder`, at its path in a cache. False: no twin has it whole."""
        where = {"pack": location.pack, "offset": location.pack_offset, "size": location.size_bytes}
        query = urlencode(where) if location.pack else ""
        target = cached_path(folder, location.object_hash)
        return await self._from_any(partition, location.object_hash, query, target)

    async def fetch_pack(self, partition: int, pack: str, folder: Path) -> bool:
        """Fetch a whole pack likewise."""
        query = urlencode({"pack": pack})
        return await self._from_any(partition, pack, query, cached_pack(folder, pack))

    async def _from_any(self, partition: int, name: str, query: str, target: Path) -> bool:
        for member in await asyncio.to_thread(self._holders, partition):
            try:
                if await self._fetch(member, name, query, target):
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

    async def _fetch(self, member: Member, name: str, query: str, target: Path) -> bool:
        url = f"{member.url}/internal/segment/{name}?{query}"
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                return False
            await self._copy(answer, limits.OBJECT_BYTES_MAX, target)
        return await asyncio.to_thread(_has_hash, target, name)

    async def _copy(self, answer: aiohttp.ClientResponse, size_max: int, target: Path) -> None:
        size = 0
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            async for block in answer.content.iter_chunked(_BLOCK_BYTES):
                size += len(block)
                if size > size_max:
                    break
                await asyncio.to_thread(file.write, block)


def _has_hash(path: Path, object_hash: str) -> bool:
    try:
        return file_sha256(path) == object_hash
    except OSError:
        return False
