"""Segments that questions need and that are not on this disk come in fair turns (I14).

A question over a year of data that nobody asked for lately may need thousands. Each lease waits for
a few at once, so that fetches of others come in between; one that nobody waits for any more is not
begun.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots
from snapshot.bootstrap.fetch_segments import Failure, SegmentFetcher
from snapshot.documents.locations import SegmentLocation

_WAITING_MAX = 1_000_000  # of all leases, whose number is limited, with `parallel` at once each


class FairFetches:
    """The turns of one fetcher. Use it from one event loop."""

    def __init__(self, fetcher: SegmentFetcher) -> None:
        self._fetcher = fetcher
        parallel = fetcher.parallel
        kept_free, for_keys = int(parallel > 1), int(parallel > 2)
        self.slots = FairSlots(FairLimits(parallel, _WAITING_MAX, kept_free, for_keys), "fetches")

    async def fetch(
        self, locations: Sequence[SegmentLocation], requester: Requester
    ) -> dict[str, Path | Failure]:
        """The verified files by the segments' hashes, or the errors. Lease them first."""
        found: dict[str, Path | Failure] = {}
        left = iter(dict.fromkeys(locations))

        async def work() -> None:
            for location in left:
                found[location.object_hash] = await self._fetch(location, requester)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(locations), self._fetcher.parallel)):
                group.create_task(work())
        return found

    async def _fetch(self, location: SegmentLocation, requester: Requester) -> Path | Failure:
        place = self.slots.hold(*requester)
        try:
            while not await place.wait():
                pass
            fetching = asyncio.wrap_future(self._fetcher.submit(location))
        except BaseException:
            place.leave()
            raise
        fetching.add_done_callback(lambda _: place.leave())  # a fetch that runs keeps its turn
        return await asyncio.shield(fetching)
