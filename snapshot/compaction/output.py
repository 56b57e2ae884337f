"""Makes outputs: read, put together, put into the store, read back, proved (I2, I4).

A failure or a crash at any step leaves the published documents as they were, and at most an object
that no document names.
"""

import hashlib
import logging
import tempfile
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.objects import ObjectStore
from segment.columns.segment_write import EncodedSegment, encode_segment
from segment.parquet.encoders import Encoders
from segment.summary.compute import summarize_rows
from snapshot.cache import SegmentCache, file_sha256
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.choose import Choice, Part
from snapshot.compaction.compacted import Input
from snapshot.compaction.documents import Compaction
from snapshot.compaction.merge import Source, merged_rows
from snapshot.compaction.proof import unproved_inputs
from snapshot.documents.locations import SegmentLocation, summary_key
from snapshot.documents.manifest import SegmentEntry
from snapshot.summaries import SUMMARY_ROWS_MIN
from snapshot.unnamed.before_naming import put_if_gone

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Merged:
    """An output that is not in the store yet.

    choice: what it was made from. compaction: it, without the pack in which it will lie.
    summary: the bytes of its summary; empty: it gets none, or later.
    """

    choice: Choice
    compaction: Compaction
    data: bytes
    summary: bytes = b""


@dataclass(frozen=True, slots=True)
class Stored:
    """made: outputs that are durable and proved. unproved: those that are not, and why."""

    made: list[Compaction]
    unproved: list[tuple[Merged, str]]


class OutputMaker:
    """Makes outputs of one partition. Methods block; one thread at a time.

    folder: scratch folder.
    summarizes: whether summaries are put beside outputs that are too large for a pack. Their rows
    are in memory anyway, and to read them again takes as long as all else about a summary.
    """

    def __init__(
        self,
        objects: ObjectStore,
        cache: SegmentCache,
        book: CompactionBook,
        folder: Path,
        *,
        summarizes: bool = False,
    ) -> None:
        self._objects = objects
        self._cache = cache
        self._book = book
        self._folder = folder
        self._summarizes = summarizes

    def merge(self, choice: Choice, gone: Set[str], encoders: Encoders) -> Merged:
        """The output of these parts, not in the store yet.

        gone: hashes of segments whose deletion retention has announced: they are left out.
        Raises DamagedObject, ObjectMissing, ObjectsUnavailable, OutputTooLarge, OSError.
        """
        hashes = [part.entry.object for part in choice.parts]
        self._cache.lease(hashes)
        try:
            inputs, encoded, summary = self._merge(choice, gone, encoders)
        finally:
            self._cache.release(hashes)
        output = _entry_of(encoded, inputs)
        replaces = [part.entry.object for part in choice.parts if part.output is not None]
        compaction = Compaction(inputs=inputs, output=output, replaces=replaces)
        return Merged(choice, compaction, encoded.data, summary)

    def _merge(
        self, choice: Choice, gone: Set[str], encoders: Encoders
    ) -> tuple[list[SegmentEntry], EncodedSegment, bytes]:
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
            sources.append(Source(self._file_of(part.entry.location), names))
            inputs += kept
        if len(sources) < min(2, len(choice.parts)):
            raise ObjectMissing("of what was to be put together, all or all but one is deleted")
        block, origin = merged_rows(sources, inputs, encoders)
        encoded, summary = encode_segment(block, origin, encoders), b""
        alone = len(encoded.data) > limits.PACKED_SEGMENT_BYTES_MAX
        if self._summarizes and alone and block.rows >= SUMMARY_ROWS_MIN:
            summary = summarize_rows(block, encoded.object_hash, encoders)
        return inputs, encoded, summary

    def _file_of(self, location: SegmentLocation) -> Path | bytes:
        """A segment in a pack on this disk is not written to a file of its own, which would cost
        more than all else.
        """
        packed = self._cache.packed(location)
        return self._cache.ensure(location) if packed is None else packed

    def _inputs_of(self, part: Part) -> list[SegmentEntry]:
        if part.output is None:
            return [part.entry]
        return self._book.inputs_of(part.output)

    def store(self, merged: Sequence[Merged]) -> Stored:
        """Put outputs, read them back, and prove them. Small ones share one object, a pack.

        Of a pack with an output that is not proved nothing is used. Raises DamagedObject,
        ObjectMissing, ObjectsUnavailable, OSError: no output is named by a document.
        """
        small = [one for one in merged if len(one.data) <= limits.PACKED_SEGMENT_BYTES_MAX]
        objects = [[one] for one in merged if len(one.data) > limits.PACKED_SEGMENT_BYTES_MAX]
        objects += [small] if small else []
        made: list[Compaction] = []
        unproved: list[tuple[Merged, str]] = []
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            for together in objects:
                found, wrong = self._store(together, Path(name))
                made += found
                unproved += wrong
        return Stored(made, unproved)

    def _store(
        self, together: Sequence[Merged], folder: Path
    ) -> tuple[list[Compaction], list[tuple[Merged, str]]]:
        """The same for one object."""
        compactions = _placed(together)
        location = compactions[0].output.location
        file = folder / "output"
        with file.open("wb") as whole:
            whole.writelines(one.data for one in together)
        self._put(location.key, file)
        location.fetch_object(self._objects, file)
        if file_sha256(file) != location.object_name:
            raise DamagedObject(f"{location.key} was put and reads back damaged")
        unproved: list[tuple[Merged, str]] = []
        with file.open("rb") as whole:
            for one, compaction in zip(together, compactions, strict=True):
                output = compaction.output
                whole.seek(output.pack_offset)
                why = _unproved(whole.read(output.size_bytes), compaction)
                if why:
                    unproved.append((one, why))
        if unproved:
            return [], unproved
        for one in together:
            if one.summary:
                name = one.compaction.output.object
                self._objects.put_if_absent(summary_key(name), one.summary)
        self._cache.adopt(location.object_name, file, is_pack=bool(location.pack))
        return compactions, []

    def _put(self, key: str, file: Path) -> None:
        """Put the object. One that is there was left by a crash or put by the twin: it is replaced
        by the same bytes, so that it is not among objects that nothing has named for long.
        """
        if not self._objects.put_if_absent(key, file):
            self._objects.replace(key, file)


def _placed(together: Sequence[Merged]) -> list[Compaction]:
    """The compactions, with the places of their outputs in the object that they share."""
    if len(together) == 1:  # a pack of one would only be harder to find
        return [together[0].compaction]
    digest = hashlib.sha256()
    for one in together:
        digest.update(one.data)
    pack, at, placed = digest.hexdigest(), 0, []
    for one in together:
        output = msgspec.structs.replace(one.compaction.output, pack=pack, pack_offset=at)
        placed.append(msgspec.structs.replace(one.compaction, output=output))
        at += len(one.data)
    return placed


def _unproved(data: bytes, compaction: Compaction) -> str:
    """Why an output that was read back does not hold its inputs; empty: it does."""
    output = compaction.output
    if hashlib.sha256(data).hexdigest() != output.object:
        raise DamagedObject(f"{output.location} was put and reads back damaged")
    unproved = unproved_inputs(data, compaction.inputs, output.rows)
    if not unproved:
        return ""
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
    return f"segment {first.entry.object}: {first.why}"


def look_again(objects: ObjectStore, cache: SegmentCache, made: Iterable[Compaction]) -> None:
    """Put again what is gone, now that a document names these outputs: an object that nothing named
    for long, as a crash leaves it, may have been removed meanwhile. Blocks.
    """
    for key, location in {one.output.location.key: one.output.location for one in made}.items():
        put_if_gone(objects, key, partial(cache.local_object, location))


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
