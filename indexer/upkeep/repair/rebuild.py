"""Rebuilds damaged or missing segments from the log, if it still has the cut's records (I4).

The manifest's list of batch ids names the records that counted, so the rows are the same; a file
with another hash is not used.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.errors import DamagedObject, ObjectMissing
from common.log import Log
from common.model.record import RecordError, decode
from common.objects import ObjectStore
from indexer.seal.segment_files import encode
from indexer.shred import Accepted, Shredder
from indexer.state.live_rows import CutRows
from segment.parquet.selected import SelectedEncoders
from snapshot.cache import SegmentCache
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.compacted import Output
from snapshot.compaction.merge import Source, merge
from snapshot.documents.chain import Chain
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import Manifest, SegmentEntry, unpack_batches
from snapshot.mending import damaged_in_pack, put_pack_again
from snapshot.threads import to_store_thread

_READ_BYTES = 4 * 1024 * 1024


class SegmentRebuilder:
    """Rebuilds segments; `indexer.upkeep.repair.object_repair` decides when."""

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
        """Rebuild the segment and put it. False: the bytes are not those published.

        If it lies in a pack, all of the pack's damaged segments are rebuilt, as the log is read
        once. Raises OffsetGone when the log no longer holds the records, DamagedObject,
        ObjectMissing.
        """
        chain = Chain(self._objects, partition, None)
        manifest = await to_store_thread(manifest_of, chain, entry)
        wanted = [entry]
        if entry.pack:
            pack = [one for one in manifest.segments if one.pack == entry.pack]
            places = [one.location for one in pack]
            damaged = await to_store_thread(damaged_in_pack, self._objects, places, self._folder)
            names = {one.object_hash for one in damaged}
            wanted = [one for one in pack if one.object in names]
            if not wanted:
                return True
        inputs = await self._read(partition, manifest, wanted)
        if not entry.pack:
            return await asyncio.to_thread(self._put, manifest, entry, inputs[entry.dataset])
        return await asyncio.to_thread(self._put_in_pack, manifest, entry, wanted, places, inputs)

    async def _read(
        self, partition: int, manifest: Manifest, wanted: Sequence[SegmentEntry]
    ) -> dict[str, list[Accepted]]:
        """The records of these segments, by dataset."""
        accepted = {offset for _, offset in unpack_batches(manifest.batches)}
        since_ns = {entry.dataset: entry.append_min_ns for entry in wanted}
        inputs: dict[str, list[Accepted]] = {dataset: [] for dataset in since_ns}
        offset = min(entry.first_offset for entry in wanted)
        end = max(entry.end_offset for entry in wanted)
        while offset < end:
            messages = await self._log.read(partition, offset, _READ_BYTES, 0)
            if not messages:
                raise DamagedObject(f"the log ends before offset {end}")
            for message in messages:
                if message.offset >= end:
                    break
                if message.offset not in accepted:
                    continue
                try:
                    record = decode(message)
                    if record.dataset in since_ns:
                        appended_ns = max(message.append_ns, since_ns[record.dataset])
                        accepted_record = Accepted(message.offset, appended_ns, record)
                        inputs[record.dataset].append(accepted_record)
                except RecordError:
                    continue  # it was unreadable when the segment was made, too
            offset = messages[-1].offset + 1
        return inputs

    async def rebuild_output(self, partition: int, entry: SegmentEntry) -> bool:
        """Put together an output again and put its object. False: it is no output.

        Raises DamagedObject, ObjectMissing when its inputs are not there any more.
        """
        return await to_store_thread(self._rebuild_output, partition, entry)

    def _rebuild_output(self, partition: int, entry: SegmentEntry) -> bool:
        book = CompactionBook(Chain(self._objects, partition, None))
        outputs = book.refresh().of(entry.dataset)
        found = [output for output in outputs if output.entry.object == entry.object]
        if not found:
            return False
        data = self._merged(book, found[0])
        if not entry.pack:
            self._objects.replace(entry.location.key, data)
            return True
        members = book.pack_of(found[0])
        mended = put_pack_again(
            self._objects,
            members,
            lambda one: data if one.object_hash == entry.object else None,
            self._folder,
        )
        return entry.object in mended

    def _merged(self, book: CompactionBook, output: Output) -> bytes:
        inputs = book.inputs_of(output)
        hashes = [one.object for one in inputs]
        self._cache.lease(hashes)
        try:
            sources = [Source(self._cache.ensure(one.location)) for one in inputs]
            encoded = merge(sources, inputs, self._encoders.now)
        finally:
            self._cache.release(hashes)
        if encoded.object_hash != output.entry.object:
            raise DamagedObject("its inputs gave other bytes than were published")
        return encoded.data

    def _encode(
        self, manifest: Manifest, entry: SegmentEntry, inputs: list[Accepted]
    ) -> dict[str, bytes]:
        """The segments of the entry's dataset in this cut, by their hashes."""
        block = self._shredder.shred_values(inputs).block
        cut = CutRows(entry.dataset, (block,), entry.append_min_ns, entry.append_max_ns)
        encoded = encode(
            cut,
            epoch=manifest.epoch,
            partition=manifest.partition,
            encoders=self._encoders.now,
        )
        return {one.object_hash: one.data for one in encoded}

    def _put(self, manifest: Manifest, entry: SegmentEntry, inputs: list[Accepted]) -> bool:
        data = self._encode(manifest, entry, inputs).get(entry.object)
        if data is None:
            return False
        self._objects.replace(entry.location.key, data)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            file = Path(scratch) / entry.object
            file.write_bytes(data)
            self._cache.adopt(entry.object, file)
        return True

    def _put_in_pack(
        self,
        manifest: Manifest,
        entry: SegmentEntry,
        wanted: Sequence[SegmentEntry],
        places: Sequence[SegmentLocation],
        inputs: dict[str, list[Accepted]],
    ) -> bool:
        made: dict[str, bytes] = {}
        for one in {one.dataset: one for one in wanted}.values():
            made |= self._encode(manifest, one, inputs[one.dataset])
        mended = put_pack_again(
            self._objects, places, lambda one: made.get(one.object_hash), self._folder
        )
        return entry.object in mended


def pack_of(chain: Chain, entry: SegmentEntry) -> list[SegmentLocation]:
    """All segments of the pack in which the segment, or the output, lies; only itself if no
    document tells. Blocks.

    Raises ObjectsUnavailable, DocumentTooNew.
    """
    if not entry.pack:
        return [entry.location]
    book = CompactionBook(chain)
    outputs = book.refresh().of(entry.dataset)
    try:
        for output in outputs:
            if output.entry.object == entry.object:
                return book.pack_of(output)
        segments = manifest_of(chain, entry).segments
    except (DamagedObject, ObjectMissing):
        return [entry.location]
    return [one.location for one in segments if one.pack == entry.pack]


def manifest_of(chain: Chain, entry: SegmentEntry) -> Manifest:
    """The manifest of the cut that made the segment. Raises ObjectMissing, DamagedObject."""
    manifest = chain.manifest_of(entry.epoch_number, entry.end_offset)
    if any(segment.object == entry.object for segment in manifest.segments):
        return manifest
    raise ObjectMissing(f"no manifest names segment {entry.object}")
