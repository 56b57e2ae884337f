"""`POST /internal/content`: a partition's content up to a position, for a rehearsal to compare."""

import asyncio
from collections.abc import Mapping

import msgspec
from aiohttp import web

from common.clock import Clock
from common.errors import BellwetherError, Conflict, TooManyRequests, Unavailable
from common.process.versions import decode_request
from common.process.web import error_response
from indexer.partition.partition import Partition
from indexer.upkeep.rehearsal.content import ContentRequest, content_of
from snapshot.cache import SegmentCache

_RETRY_S = 5


class ContentEndpoint:
    """The handler over the partitions of this indexer; answers one request at a time."""

    def __init__(
        self, partitions: Mapping[int, Partition], cache: SegmentCache, clock: Clock
    ) -> None:
        self._partitions = partitions
        self._cache = cache
        self._clock = clock
        self._busy = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        try:
            wanted = decode_request(await request.read(), ContentRequest)
            if self._busy:
                raise TooManyRequests("another rehearsal is being answered", _RETRY_S)
            self._busy = True
            try:
                body = await self._answer(wanted)
            finally:
                self._busy = False
        except BellwetherError as error:
            return error_response(error)
        except OSError as error:
            return error_response(Unavailable(str(error), _RETRY_S))
        return web.Response(body=body, content_type="application/json")

    async def _answer(self, wanted: ContentRequest) -> bytes:
        partition = self._partitions.get(wanted.partition)
        if partition is None:
            raise Conflict(f"partition {wanted.partition} is not held here")
        deadline_ns = self._clock.monotonic_ns() + wanted.wait_ms * 10**6
        await partition.wait_until(lambda: _has_reached(partition, wanted.end), deadline_ns)
        view = partition.view
        if view is None or view.live.end_offset < wanted.end:
            raise Unavailable(f"offset {wanted.end} is not reached", _RETRY_S)
        if (view.epoch.log, view.epoch.number) != (wanted.log, wanted.epoch_number):
            raise Conflict(f"epoch {view.epoch.number} of log {view.epoch.log} is indexed here")
        number = partition.retention.applied  # the book may have been read further than the view
        found = await asyncio.to_thread(content_of, view, wanted, number, self._cache)
        return msgspec.json.encode(found)


def _has_reached(partition: Partition, end: int) -> bool:
    return partition.view is not None and partition.view.live.end_offset >= end
