"""A checkpoint every n manifests: the compacted chain up to it, which resumes faster."""

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from common.clock import Clock
from common.errors import BellwetherError
from common.logs import log_event
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Dropped, Manifest, SegmentEntry
from snapshot.publish import publish_checkpoint
from snapshot.threads import to_store_thread

logger = logging.getLogger(__name__)


class Checkpoints:
    """Counts the manifests of one partition since its newest checkpoint."""

    def __init__(
        self, chain: Chain, clock: Clock, since: int, dropped: Iterable[Dropped], every: int
    ) -> None:
        """since: manifests since the newest checkpoint. every: manifests between two checkpoints.

        dropped: batches that were dropped up to the newest manifest.
        """
        self._chain = chain
        self._clock = clock
        self._since = since
        self._every = every
        self._dropped = set(dropped)

    async def published(
        self, manifest: Manifest, segments: Callable[[], Sequence[SegmentEntry]]
    ) -> None:
        """Count a published manifest; a checkpoint follows if it is due.

        segments: all segments that are served up to it.
        """
        self._since += 1
        self._dropped.update(manifest.conditionals_dropped)
        if self._since < self._every:
            return
        served = segments()
        self._dropped = set(dropped_in(sorted(self._dropped), served))
        try:
            await to_store_thread(
                publish_checkpoint,
                self._chain,
                manifest,
                served,
                sorted(self._dropped),
                self._clock,
            )
        except BellwetherError as error:
            log_event(logger, logging.WARNING, "checkpoint not published", why=str(error))
            return  # retried after the next cut
        self._since = 0


def dropped_in(dropped: Sequence[Dropped], segments: Iterable[SegmentEntry]) -> list[Dropped]:
    """The batches that lie within the segments. dropped: sorted."""
    found: set[Dropped] = set()
    for entry in segments:
        first = bisect_left(dropped, Dropped(entry.epoch_number, entry.first_offset))
        end = bisect_left(dropped, Dropped(entry.epoch_number, entry.end_offset))
        found.update(dropped[first:end])
    return sorted(found)
