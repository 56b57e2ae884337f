"""Checks all segment objects that are served here, to find damage before a query does (I4).

Each partition is checked soon after it is resumed, then once a day: first the presence and size of
every object, then the bytes, the newest first, at a bounded rate. Damaged objects are repaired.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

from common.clock import Clock
from common.errors import ObjectsUnavailable
from common.logs import log_event
from common.objects import ObjectStore
from common.tasks import run_every
from indexer.config import IndexerConfig
from indexer.seal.partition_reader import PartitionReader
from indexer.upkeep.repair.object_repair import ObjectRepair
from snapshot.documents.manifest import SegmentEntry
from snapshot.mending import damaged_in_pack, segment_is_whole
from snapshot.threads import to_store_thread

_ROUND_S = 1.0
_AGAIN_NS = 60 * 10**9  # pause after the store failed during a walk
_FAILED_AGAIN_NS = 600 * 10**9  # after which what could not be repaired is tried again
_HOUR_NS = 3_600 * 10**9
logger = logging.getLogger(__name__)


class ObjectWalk:
    """Checks one object at a time until it is cancelled.

    expired: hashes of objects of a partition that retention is about to delete.
    """

    def __init__(
        self,
        partitions: Mapping[int, PartitionReader],
        objects: ObjectStore,
        repair: ObjectRepair,
        expired: Callable[[int], Container[str]],
        config: IndexerConfig,
        scratch: Path,
        clock: Clock,
    ) -> None:
        self._partitions = partitions
        self._objects = objects
        self._repair = repair
        self._expired = expired
        self._config = config
        self._scratch = scratch
        self._clock = clock
        self._walked_ns: dict[int, int] = {}
        self._tried_ns = clock.monotonic_ns()

    async def run(self) -> None:
        """Walk all partitions again and again until cancelled."""
        await run_every(_ROUND_S, self._walk_due)

    async def _walk_due(self) -> None:
        if self._clock.monotonic_ns() - self._tried_ns >= _FAILED_AGAIN_NS:
            await self.try_again()
            self._tried_ns = self._clock.monotonic_ns()
        for number in list(self._partitions):
            if self._is_due(number):
                try:
                    await self.walk(number)
                except (ObjectsUnavailable, OSError) as error:
                    log_event(logger, logging.INFO, "objects not looked at", why=str(error))
                    self._again_soon(number)

    async def try_again(self) -> None:
        """Try what could not be repaired: a copy may be there now, or another indexer has put it
        again. What is served no more is no damage.
        """
        for number, entry in self._repair.failed():
            if self._still_served(number, entry):
                await self._repair.try_repair(number, entry)
            else:
                self._repair.forget(number, entry)

    def _is_due(self, number: int) -> bool:
        partition = self._partitions.get(number)
        if partition is None or partition.view is None or not self._config.look_hours:
            return False
        walked_ns = self._walked_ns.get(number)
        since_ns = self._config.look_hours * _HOUR_NS
        return walked_ns is None or self._clock.monotonic_ns() - walked_ns >= since_ns

    def _again_soon(self, number: int) -> None:
        since_ns = self._config.look_hours * _HOUR_NS
        self._walked_ns[number] = self._clock.monotonic_ns() - since_ns + _AGAIN_NS

    async def walk(self, number: int) -> None:
        """Check the objects of one partition. Raises ObjectsUnavailable, OSError."""
        begun_ns = self._clock.monotonic_ns()
        whole = []
        for entries in await asyncio.to_thread(self._by_object, number):  # there may be a million
            last = max(entries, key=lambda entry: entry.pack_offset)
            if await to_store_thread(last.location.has_room, self._objects):
                whole.append(entries)
            else:
                await self._repair_all(number, entries)
        for entries in whole if self._config.look_mb_per_s else ():
            served = [entry for entry in entries if self._still_served(number, entry)]
            if served:
                await self._repair_all(number, await to_store_thread(self._damaged, served))
                size = sum(entry.size_bytes for entry in served)
                await asyncio.sleep(size / (self._config.look_mb_per_s * 1e6))
        self._walked_ns[number] = begun_ns

    async def _repair_all(self, number: int, entries: Sequence[SegmentEntry]) -> None:
        for entry in entries:
            if self._still_served(number, entry):
                await self._repair.try_repair(number, entry)

    def _damaged(self, entries: Sequence[SegmentEntry]) -> list[SegmentEntry]:
        """Those of the segments of one object that are not whole. Reads the object once."""
        places = [entry.location for entry in entries]
        if places[0].pack:
            found = set(damaged_in_pack(self._objects, places, self._scratch))
            return [entry for entry in entries if entry.location in found]
        is_whole = segment_is_whole(self._objects, places[0], self._scratch)
        return [] if is_whole else list(entries)

    def _by_object(self, number: int) -> list[list[SegmentEntry]]:
        """The segments by the object that holds them, the newest first."""
        partition = self._partitions.get(number)
        if partition is None or partition.view is None:
            return []
        found: dict[str, list[SegmentEntry]] = {}
        for entry in sorted(partition.view.stored(), key=lambda entry: -entry.append_max_ns):
            found.setdefault(entry.location.key, []).append(entry)
        return list(found.values())

    def _still_served(self, number: int, entry: SegmentEntry) -> bool:
        partition = self._partitions.get(number)
        if partition is None or partition.view is None or entry.object in self._expired(number):
            return False
        return entry.object not in partition.view.compacted.gone
