"""Rebuilds damaged or missing segments from the log, if it still has the cut's records (I4).

The manifest's list of batch ids names the records that counted, so the rows are the same; a file
with another hash is not used.
"""

import asyncio
import tempfile
from pathlib import Path

from common.errors import DamagedObject, ObjectMissing
from common.log import Log
from common.model.record import RecordError, decode
from common.objects import ObjectStore
from indexer.seal.segment_files import seal
from indexer.shred import Accepted, Shredder
from indexer.state.live_rows import CutRows
from segment.columns.segment import SegmentFile
from segment.parquet.selected import SelectedEncoders
from snapshot.cache import SegmentCache
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Manifest, SegmentEntry, unpack_batches
from snapshot.threads import to_store_thread

_READ_BYTES = 4 * 1024 * 1024


class SegmentRebuilder:
    """Rebuilds segments; `indexer.repair.object_repair` decides when."""

    def __init__(
        self,
        log: Log,
        objects: ObjectStore,
        cache: SegmentCache,
        shredder: Shredder,
        encoders: SelectedEncoders,
        folder: Path,
    ) -> None:
        self._log = log
        self._objects = objects
        self._cache = cache
        self._shredder = shredder
        self._encoders = encoders
        self._folder = folder

    async def rebuild(self, partition: int, entry: SegmentEntry) -> bool:
        """Rebuild the segment and put its object. False: the bytes are not those published.

        Raises OffsetGone when the log no longer holds the records, DamagedObject, ObjectMissing.
        """
        chain = Chain(self._objects, partition, None)
        manifest = await to_store_thread(_manifest_of, chain, entry)
        accepted = {offset for _, offset in unpack_batches(manifest.batches)}
        inputs: list[Accepted] = []
        offset = entry.first_offset
        while offset < entry.end_offset:
            messages = await self._log.read(partition, offset, _READ_BYTES, 0)
            if not messages:
                raise DamagedObject(f"the log ends before offset {entry.end_offset}")
            for message in messages:
                if message.offset >= entry.end_offset:
                    break
                if message.offset not in accepted:
                    continue
                try:
                    record = decode(message)
                    if record.dataset == entry.dataset:
                        appended_ns = max(message.append_ns, entry.append_min_ns)
                        inputs.append(Accepted(message.offset, appended_ns, record))
                except RecordError:
                    continue  # it was unreadable when the segment was made, too
            offset = messages[-1].offset + 1
        return await asyncio.to_thread(self._seal, manifest, entry, inputs)

    def _seal(self, manifest: Manifest, entry: SegmentEntry, inputs: list[Accepted]) -> bool:
        block = self._shredder.shred_values(inputs).block
        cut = CutRows(entry.dataset, (block,), entry.append_min_ns, entry.append_max_ns)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            files = seal(
                cut,
                epoch=manifest.epoch,
                partition=manifest.partition,
                folder=Path(scratch),
                encoders=self._encoders.now,
            )
            return any(self._accept(file, entry) for file in files)

    def _accept(self, file: SegmentFile, entry: SegmentEntry) -> bool:
        if file.object_hash != entry.object:
            return False
        self._objects.replace(entry.location.key, file.path)
        self._cache.adopt(entry.object, file.path)
        return True


def _manifest_of(chain: Chain, entry: SegmentEntry) -> Manifest:
    """The manifest of the cut that made the segment. Raises ObjectMissing, DamagedObject."""
    for key in chain.manifest_keys():
        if (
            key
            < f"manifests/{chain.partition:05d}/{entry.epoch_number:08d}-{entry.end_offset:020d}"
        ):
            continue
        manifest = chain.manifest(key)
        if any(segment.object == entry.object for segment in manifest.segments):
            return manifest
        break
    raise ObjectMissing(f"no manifest names segment {entry.object}")
