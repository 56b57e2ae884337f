"""Makes one output: read, put together, put into the store, read back, proved (I2, I4).

A failure or a crash at any step leaves the published documents as they were, and at most an object
that no document names.
"""

import logging
import tempfile
from collections.abc import Iterable, Set
from functools import partial
from pathlib import Path

from common.errors import BellwetherError, DamagedObject, ObjectMissing
from common.logs import log_event
from common.objects import ObjectStore
from segment.columns.segment_write import EncodedSegment
from segment.parquet.encoders import Encoders
from snapshot.cache import SegmentCache, file_sha256
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.choose import Choice, Part
from snapshot.compaction.compacted import Input
from snapshot.compaction.documents import Compaction
from snapshot.compaction.merge import Source, merge
from snapshot.compaction.proof import unproved_inputs
from snapshot.documents.locations import segment_key
from snapshot.documents.manifest import SegmentEntry
from snapshot.unnamed.before_naming import put_if_gone

logger = logging.getLogger(__name__)


class NotProved(BellwetherError):
    """An output does not hold its inputs as their manifests name them; it is not published."""


class OutputMaker:
    """Makes outputs of one partition. Methods block; one thread at a time.

    folder: scratch folder.
    """

    def __init__(
        self, objects: ObjectStore, cache: SegmentCache, book: CompactionBook, folder: Path
    ) -> None:
        self._objects = objects
        self._cache = cache
        self._book = book
        self._folder = folder

    def make(self, choice: Choice, gone: Set[str], encoders: Encoders) -> Compaction:
        """The output of these parts, durable and proved, and not in any document yet.

        gone: hashes of segments whose deletion retention has announced: they are left out.
        Raises DamagedObject, ObjectMissing, ObjectsUnavailable, NotProved, TooLarge, OSError.
        """
        hashes = [part.entry.object for part in choice.parts]
        self._cache.lease(hashes)
        try:
            inputs, encoded = self._merge(choice, gone, encoders)
        finally:
            self._cache.release(hashes)
        output = _entry_of(encoded, inputs)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            self._put(encoded, Path(name))
            self._prove(output, inputs, Path(name))
        replaces = [part.entry.object for part in choice.parts if part.output is not None]
        return Compaction(inputs=inputs, output=output, replaces=replaces)

    def _merge(
        self, choice: Choice, gone: Set[str], encoders: Encoders
    ) -> tuple[list[SegmentEntry], EncodedSegment]:
        sources: list[Source] = []
        inputs: list[SegmentEntry] = []
        for part in choice.parts:
            held = self._inputs_of(part)
            kept = [entry for entry in held if entry.object not in gone]
            if not kept:
                continue
            names = None
            if len(kept) < len(held):
                names = tuple(Input(e.object, e.first_offset, e.end_offset) for e in kept)
            sources.append(Source(self._cache.ensure(part.entry.location), names))
            inputs += kept
        if not inputs:
            raise ObjectMissing("all segments that were to be put together are deleted")
        return inputs, merge(sources, inputs, encoders)

    def _inputs_of(self, part: Part) -> list[SegmentEntry]:
        if part.output is None:
            return [part.entry]
        return self._book.inputs_of(part.output)

    def _put(self, encoded: EncodedSegment, folder: Path) -> None:
        """Put the object. One that is there was left by a crash or put by the twin: it is replaced
        by the same bytes, so that it is not among objects that nothing has named for long.
        """
        file = folder / "output.parquet"
        file.write_bytes(encoded.data)
        key = segment_key(encoded.object_hash)
        if not self._objects.put_if_absent(key, file):
            self._objects.replace(key, file)

    def _prove(self, output: SegmentEntry, inputs: list[SegmentEntry], folder: Path) -> None:
        """Read the object back from the store, and cut it back into its inputs."""
        file = folder / "back.parquet"
        output.location.fetch(self._objects, file)
        if file_sha256(file) != output.object:
            raise DamagedObject(f"{output.location} was put and reads back damaged")
        unproved = unproved_inputs(file, inputs, output.rows)
        if unproved:
            first = unproved[0]
            log_event(
                logger,
                logging.ERROR,
                "an output does not hold its inputs; it is not published",
                output=output.object,
                segment=first.entry.object,
                why=first.why,
                segments=len(unproved),
            )
            raise NotProved(f"segment {first.entry.object}: {first.why}")
        self._cache.adopt(output.object, file)


def look_again(objects: ObjectStore, cache: SegmentCache, made: Iterable[Compaction]) -> None:
    """Put again what is gone, now that a document names these outputs: an object that nothing named
    for long, as a crash leaves it, may have been removed meanwhile. Blocks.
    """
    for one in made:
        location = one.output.location
        put_if_gone(objects, location.key, partial(cache.local, location))


def _entry_of(encoded: EncodedSegment, inputs: list[SegmentEntry]) -> SegmentEntry:
    info, first = encoded.info, inputs[0]
    return SegmentEntry(
        team=first.team,
        env=first.env,
        dataset=info.dataset,
        epoch_number=first.epoch_number,
        rows=info.rows,
        time_min_ns=info.time_min_ns,
        time_max_ns=info.time_max_ns,
        append_min_ns=info.append_min_ns,
        append_max_ns=info.append_max_ns,
        first_offset=inputs[0].first_offset,
        end_offset=inputs[-1].end_offset,
        object=encoded.object_hash,
        size_bytes=len(encoded.data),
        digest=info.digest,
        far=info.far,
    )
