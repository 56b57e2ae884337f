"""The partition's compaction documents, read once each and applied in order (I2, I4, I13).

Readers read these documents before retention's: whatever a compaction leaves out was announced as
deleted before it was published.
"""

import logging
import threading
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.compaction.compacted import Compacted, CompactionConflict, Output
from snapshot.compaction.documents import (
    Compaction,
    CompactionDocument,
    compaction_key,
    compaction_prefix,
    compactions_format,
)
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.locations import delete_segment, pack_key
from snapshot.documents.manifest import SegmentEntry
from snapshot.retention.packs import PackedSegments, unused_packs

# Who runs while a deletion is announced deletes. After a start only the last announced ones are
# repeated, for a request per object that was ever deleted costs too much.
_DELETED_AGAIN = limits.COMPACTIONS_DELETED_AT_ONCE
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Superseded:
    """Objects that a document makes superfluous. published_ns: of the document, unix ns."""

    number: int
    published_ns: int
    objects: tuple[SegmentEntry, ...]


class CompactionBook:
    """Methods block; they may be called from several threads.

    compacted: the outputs that are read.
    unreadable: key of a document that cannot be read: nothing is compacted or deleted then.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._newest_key = ""
        self._number = 0
        self._made = 0  # number of the newest document that names outputs
        self._superseded: dict[int, Superseded] = {}  # by document, until they are deleted
        self._announced: list[int] = []  # documents whose objects may be deleted, in that order
        self._removed: set[int] | None = (
            None  # those whose objects need no deletion by this process
        )
        self._partly: dict[int, int] = {}  # by document, how many of its objects are deleted
        self._dead: set[str] | None = None  # outputs that need none
        self._packs: dict[str, set[str]] = {}  # by pack, the outputs in it
        self._held: CompactionDocument | None = None  # the last one that was read again
        self._turn = threading.RLock()
        self.compacted = Compacted()
        self.unreadable = ""

    @property
    def number(self) -> int:
        """Number of the newest document; 0: there is none."""
        return self._number

    def refresh(self) -> Compacted:
        """Read new documents. Raises ObjectsUnavailable, DocumentTooNew."""
        with self._turn:
            self._refresh()
        return self.compacted

    def _refresh(self) -> None:
        prefix = compaction_prefix(self._chain.partition)
        for info in self._chain.objects.list(prefix, self._newest_key):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                log_event(
                    logger, logging.WARNING, "not a compaction document; ignored", key=info.key
                )
                continue
            document = self._read(info.key)  # one that cannot be read now is read the next time
            self._newest_key, self._number = info.key, int(name)
            if document is not None:
                self._apply(document)
            self.compacted = replace(self.compacted, newest=self._number)

    def _read(self, key: str) -> CompactionDocument | None:
        try:
            return self._chain.load(key, CompactionDocument)
        except (DamagedObject, ObjectMissing) as error:
            self.unreadable = key
            log_event(logger, logging.ERROR, "compaction skipped", key=key, why=str(error))
            return None

    def _apply(self, document: CompactionDocument) -> None:
        objects: list[SegmentEntry] = []
        if document.compactions:
            self._made = document.number
        for one in document.compactions:
            superseded = self.compacted.superseded_by(one)
            try:
                self.compacted = self.compacted.with_compaction(
                    one, document.number, self._dead or ()
                )
            except CompactionConflict as error:
                log_event(
                    logger, logging.ERROR, "compaction ignored", key=document.key, why=str(error)
                )
                continue
            objects += superseded
            if one.output.pack:
                self._packs.setdefault(one.output.pack, set()).add(one.output.object)
        if objects:
            number, published_ns = document.number, document.published_ns
            self._superseded[number] = Superseded(number, published_ns, tuple(objects))
        if document.deletes:
            self._announced += document.deletes
            known = [self._superseded[one] for one in document.deletes if one in self._superseded]
            names = [entry.object for one in known for entry in one.objects]
            self.compacted = self.compacted.with_deleted(document.deletes, names)
            if self._removed is None:
                newest = _DELETED_AGAIN + len(document.deletes)
                self._forget(self._announced[-newest:-_DELETED_AGAIN])

    def _forget(self, numbers: Sequence[int]) -> None:
        """Forget the objects of documents that need no deletion: there are ever more of them."""
        for number in numbers:
            self._superseded.pop(number, None)

    def inputs_of(self, output: Output) -> list[SegmentEntry]:
        """The segments whose rows an output holds, from its document.

        Raises DamagedObject, ObjectMissing, ObjectsUnavailable.
        """
        document = self._document_of(output)
        for one in document.compactions:
            if one.output.object == output.entry.object:
                return one.inputs
        raise DamagedObject(f"{document.key} does not name output {output.entry.object}")

    def pack_of(self, output: Output) -> list[SegmentEntry]:
        """All outputs of the pack in which this one lies, whether they are read or not; only itself
        if it is an object of its own. Raises as `inputs_of`.
        """
        if not output.entry.pack:
            return [output.entry]
        made = [one.output for one in self._document_of(output).compactions]
        return [entry for entry in made if entry.pack == output.entry.pack]

    def _document_of(self, output: Output) -> CompactionDocument:
        return self._document(output.document)

    def _document(self, number: int) -> CompactionDocument:
        key, held = compaction_key(self._chain.partition, number), self._held
        if held is None or held.key != key:  # outputs of one document come together
            held = self._held = self._chain.load(key, CompactionDocument)
        return held

    # --- publishing -------------------------------------------------------------------------------
    def publish(
        self, compactions: Sequence[Compaction], after: int, now_ns: int, writer: str
    ) -> Compacted | None:
        """Publish outputs whose objects are durable; returns what is read from now on.

        after: number of the newest document from which they were chosen. One that only deletes may
        have come since: it changes nothing of what is read.
        None: there are newer outputs, or a document cannot be read; they have to be chosen again.
        """
        with self._turn:
            self.refresh()
            if self._made > after or not self._publish(list(compactions), [], now_ns, writer):
                return None
            return self.compacted

    def _publish(
        self, compactions: list[Compaction], deletes: list[int], now_ns: int, writer: str
    ) -> CompactionDocument | None:
        if self.unreadable:
            return None
        document = CompactionDocument(
            partition=self._chain.partition,
            number=self._number + 1,
            compactions=compactions,
            published_ns=now_ns,
            deletes=deletes,
            writer=writer,
            format=compactions_format(compactions),
        )
        if not self._chain.objects.put_if_absent(document.key, encode_checksummed(document)):
            return None
        self._chain.save_copy(document.key, document)
        self.refresh()
        return document

    # --- deleting ---------------------------------------------------------------------------------
    def waiting(self) -> list[int]:
        """Numbers of the documents whose superseded objects are not announced as deleted."""
        # copied in one step, as another thread may read a document meanwhile
        numbers, deleted = list(self._superseded), self.compacted.deleted
        return [number for number in numbers if number not in deleted]

    def outputs_for(self, number: int) -> list[Output]:
        """The outputs that are read for the rows of a document's inputs: its own, or later ones
        that have replaced them. Raises DamagedObject, ObjectMissing, ObjectsUnavailable.
        """
        found: list[Output] = []
        for one in self._document(number).compactions:
            names = {entry.object for entry in one.inputs}
            for output in self.compacted.of(one.output.dataset):
                if not names.isdisjoint(held.object for held in output.inputs):
                    found.append(output)
        return found

    def delete_due(
        self,
        now_ns: int,
        grace_ns: int,
        ran_ns: Callable[[int], int],
        may_delete: Callable[[int], bool],
        expired: Set[str],
        writer: str,
    ) -> int:
        """Delete superseded objects whose grace time is over; returns their number.

        It must be over by the clock and by the time that this process has run since it read the
        document (`ran_ns` of its number). may_delete: whether the outputs of a document were just
        read back whole. The deletion is announced in a document first. A pack goes when the last of
        its segments is deleted. At most `OBJECTS_DELETED_AT_ONCE` objects are deleted; the next
        call goes on. expired: hashes of segments whose deletion retention has announced.
        """
        with self._turn:
            if self.unreadable:
                return 0
            if self._removed is None:  # after a start: a crash may have left some of the newest
                self._removed = set(self._announced[:-_DELETED_AGAIN])
            # first what a failure has left, so that a crash never leaves more than is repeated
            most = limits.OBJECTS_DELETED_AT_ONCE
            deleted = self._delete_announced(expired, most)
            if deleted >= most:
                return deleted
            self._announce_due(now_ns, grace_ns, ran_ns, may_delete, writer)
            return deleted + self._delete_announced(expired, most - deleted)

    def _announce_due(
        self,
        now_ns: int,
        grace_ns: int,
        ran_ns: Callable[[int], int],
        may_delete: Callable[[int], bool],
        writer: str,
    ) -> None:
        due = [
            number
            for number in self.waiting()
            if ran_ns(number) >= grace_ns
            and self._superseded[number].published_ns + grace_ns <= now_ns
        ][: limits.COMPACTIONS_DELETED_AT_ONCE]
        due = [number for number in due if may_delete(number)]
        before = self._number
        self.refresh()
        if due and self._number == before:
            self._publish([], due, now_ns, writer)

    def _delete_announced(self, expired: Set[str], at_most: int) -> int:
        """Delete objects of announced documents, one document after the other; their number."""
        removed, deleted = self._removed or set(), 0
        ended: list[int] = []
        for number in [number for number in self._announced if number not in removed]:
            objects = self._superseded[number].objects if number in self._superseded else ()
            begin = self._partly.get(number, 0)
            some = objects[begin : begin + at_most - deleted]
            self._delete_entries(some, expired)
            deleted += len(some)
            if begin + len(some) < len(objects):
                self._partly[number] = begin + len(some)
                break
            self._partly.pop(number, None)
            ended.append(number)
        self._removed = removed.union(ended)
        self._forget(ended)
        return deleted

    def _delete_entries(self, entries: Sequence[SegmentEntry], expired: Set[str]) -> None:
        packed: dict[str, SegmentEntry] = {}
        for entry in entries:
            if entry.pack in self._packs:
                self._delete_unused_pack(entry.pack)
            elif entry.pack:
                packed[entry.pack] = entry
            else:
                delete_segment(self._chain.objects, entry.object)
        for pack in unused_packs(
            self._chain,
            [
                PackedSegments(
                    pack=one.pack,
                    epoch_number=one.epoch_number,
                    end_offset=one.end_offset,
                    segments=[],
                )
                for one in packed.values()
            ],
            lambda name: name in self.compacted.gone or name in expired,
        ):
            self._chain.objects.delete(pack_key(pack))

    def _delete_unused_pack(self, pack: str) -> None:
        """Delete a pack of outputs if none of them is needed any more."""
        gone, dead, members = self.compacted.gone, self._dead or (), self._packs.get(pack)
        if members and all(name in gone or name in dead for name in members):
            self._chain.objects.delete(pack_key(pack))
            del self._packs[pack]

    def delete_outputs(self, gone: Set[str]) -> int:
        """Delete outputs of whose inputs none can be shown again; returns their number, which is
        `OBJECTS_DELETED_AT_ONCE` at most: the next call goes on.

        gone: hashes of segments whose deletion retention has announced.
        """
        with self._turn:
            return self._delete_outputs(gone)

    def _delete_outputs(self, gone: Set[str]) -> int:
        if self.unreadable:
            return 0
        dead = [o for o in self.compacted.all() if all(i.object in gone for i in o.inputs)]
        if self._dead is None:  # after a start, as above
            dead_long = sorted(dead, key=lambda output: output.document)[:-_DELETED_AGAIN]
            self._dead = {output.entry.object for output in dead_long}
        due = [output.entry for output in dead if output.entry.object not in self._dead]
        later = {entry.object for entry in due[limits.OBJECTS_DELETED_AT_ONCE :]}
        due = due[: limits.OBJECTS_DELETED_AT_ONCE]
        self._dead.update(entry.object for entry in due)
        for entry in due:
            if not entry.pack:
                delete_segment(self._chain.objects, entry.object)
        for pack in {entry.pack for entry in due}:
            self._delete_unused_pack(pack)
        if dead:
            names = {output.entry.object for output in dead}
            self.compacted = self.compacted.without_outputs(names - later)
        return len(due)
