"""Puts damaged or missing segment objects again, with the bytes that they had (I4).

The sources, in this order: a whole copy in a cache of this machine, one in the cache of the
partition's other indexer (its twin), an output's inputs while they are there, and the log, from
which the same file is built again. An
object is named by its hash, so the bytes are checked before they are put, and read back after.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Container, Sequence
from pathlib import Path

from common import limits
from common.clock import Clock
from common.errors import BellwetherError, DamagedObject
from common.logs import log_event
from common.metrics import mended_objects_total
from common.objects import ObjectStore
from indexer.upkeep.repair.rebuild import SegmentRebuilder, pack_of
from indexer.upkeep.repair.twin_segments import TwinSegments
from snapshot.documents.chain import Chain
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import SegmentEntry
from snapshot.mending import reupload_segment, segment_is_whole
from snapshot.threads import to_store_thread

_AGAIN_NS = 60 * 10**9  # pause before the repair of an object is tried again
logger = logging.getLogger(__name__)


class ObjectRepair:
    """Repairs one object at a time, in the order of requests. Used from one event loop.

    unrepaired: (partition, object) -> why it could not be repaired.
    """

    def __init__(
        self,
        rebuilder: SegmentRebuilder,
        objects: ObjectStore,
        twins: TwinSegments,
        expired: Callable[[int], Container[str]],
        folders: Callable[[], Sequence[Path]],
        scratch: Path,
        clock: Clock,
    ) -> None:
        self.unrepaired: dict[tuple[int, str], str] = {}
        self._rebuilder = rebuilder
        self._objects = objects
        self._twins = twins
        self._expired = expired
        self._folders = folders
        self._scratch = scratch
        self._clock = clock
        self._waiting: asyncio.Queue[tuple[int, SegmentEntry]] = asyncio.Queue(
            limits.REPAIRS_WAITING_MAX
        )
        self._asked_ns: dict[str, int] = {}
        self._failed: dict[tuple[int, str], SegmentEntry] = {}  # the entries of `unrepaired`

    def ask(self, partition: int, entry: SegmentEntry) -> bool:
        """Queue an object for repair. Never waits. False: the queue is full; try again later."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._asked_ns.get(entry.object, -_AGAIN_NS) < _AGAIN_NS:
            return True
        if self._waiting.full():
            return False
        self._asked_ns[entry.object] = now_ns
        while len(self._asked_ns) > 4 * limits.REPAIRS_WAITING_MAX:
            del self._asked_ns[next(iter(self._asked_ns))]
        self._waiting.put_nowait((partition, entry))
        return True

    async def run(self) -> None:
        """Repair queued objects until cancelled."""
        while True:
            partition, entry = await self._waiting.get()
            await self.try_repair(partition, entry)

    def failed(self) -> list[tuple[int, SegmentEntry]]:
        """(partition, object) of those that could not be repaired."""
        return [(partition, entry) for (partition, _), entry in self._failed.items()]

    def forget(self, partition: int, entry: SegmentEntry) -> None:
        """The object need not be repaired any more."""
        self.unrepaired.pop((partition, entry.object), None)
        self._failed.pop((partition, entry.object), None)

    async def try_repair(self, partition: int, entry: SegmentEntry) -> None:
        """Repair the object, or record why that is impossible."""
        key = (partition, entry.object)
        try:
            source = await self.repair(partition, entry)
        except (BellwetherError, OSError) as error:
            self.unrepaired[key], self._failed[key] = str(error), entry
            while len(self.unrepaired) > limits.REPAIRS_WAITING_MAX:
                oldest = next(iter(self.unrepaired))
                del self.unrepaired[oldest], self._failed[oldest]
            log_event(
                logger,
                logging.ERROR,
                "segment cannot be mended: where no whole copy is, it stays unserved",
                object=entry.object,
                partition=partition,
                why=str(error),
            )
            return
        self.forget(partition, entry)
        self._asked_ns.pop(entry.object, None)
        if source:
            mended_objects_total.labels(source).inc()
            log_event(logger, logging.WARNING, "segment mended", object=entry.object, source=source)

    async def repair(self, partition: int, entry: SegmentEntry) -> str:
        """Put the object again. Returns the source; "" if it was whole, or is meanwhile.

        Raises DamagedObject, ObjectMissing, OffsetGone, Unavailable if there is no source.
        """
        if entry.object in self._expired(partition) or await self._is_whole(entry):
            return ""
        try:
            source = await self._put(partition, entry)
        except BellwetherError:
            # the partition's other indexer finds the same damage, and has mended it meanwhile
            if await self._is_whole(entry):
                return ""
            raise
        if not await self._is_whole(entry):
            raise DamagedObject(
                f"{entry.location} was put again and is still not whole: look at the disk"
            )
        return source

    async def _put(self, partition: int, entry: SegmentEntry) -> str:
        folders = await asyncio.to_thread(self._folders)
        chain = Chain(self._objects, partition, None)
        members = await to_store_thread(pack_of, chain, entry)
        if await self._reupload(entry, folders, members):
            return "cache"
        with self._scratch_folder() as name:
            folder = Path(name)
            if not (entry.pack and await self._twins.fetch_pack(partition, entry.pack, folder)):
                await self._twins.fetch(partition, entry.location, folder)
            if await self._reupload(entry, [folder], members):
                return "twin"
        if await self._rebuilder.rebuild_output(partition, entry):
            return "inputs"
        if not await self._rebuilder.rebuild(partition, entry):
            raise DamagedObject("the log gave other bytes than were published")
        return "log"

    async def _reupload(
        self, entry: SegmentEntry, folders: Sequence[Path], members: Sequence[SegmentLocation]
    ) -> bool:
        return await to_store_thread(
            reupload_segment, self._objects, entry.location, folders, members, self._scratch
        )

    async def _is_whole(self, entry: SegmentEntry) -> bool:
        return await to_store_thread(self._read_back, entry)

    def _read_back(self, entry: SegmentEntry) -> bool:
        return segment_is_whole(self._objects, entry.location, self._scratch)

    def _scratch_folder(self) -> "tempfile.TemporaryDirectory[str]":
        self._scratch.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=self._scratch)

    def describe(self, partition: int) -> dict[str, str]:
        """The objects of a partition that could not be repaired, and why."""
        return {name: why for (number, name), why in self.unrepaired.items() if number == partition}
