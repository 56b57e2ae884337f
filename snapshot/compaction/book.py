"""The partition's compaction documents, read once each and applied in order (I2, I4, I13).

Readers begin at the newest base (`snapshot.compaction.base_store`), and read these documents before
retention's: whatever a compaction leaves out was announced as deleted before it was published.
"""

import logging
import threading
from collections.abc import Callable, Sequence, Set

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.compaction.base_store import BaseStore
from snapshot.compaction.compacted import Compacted, Output
from snapshot.compaction.documents import (
    Compaction,
    CompactionDocument,
    compaction_key,
    compaction_prefix,
    compactions_format,
)
from snapshot.compaction.replay import Condensed, Replay, Superseded
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT, encode_checksummed
from snapshot.documents.locations import SegmentLocation, delete_segment, pack_key
from snapshot.documents.manifest import BASES_FORMAT, COMPACTED_FORMAT, SegmentEntry
from snapshot.retention.packs import PackedSegments, unused_packs

# Who runs while a deletion is announced deletes. After a start only the last announced ones are
# repeated, for a request per object that was ever deleted costs too much.
_DELETED_AGAIN = limits.COMPACTIONS_DELETED_AT_ONCE
_NOTHING = Superseded(0, (), ())
logger = logging.getLogger(__name__)


class CompactionBook:
    """Methods block; they may be called from several threads.

    unreadable: key of a document that cannot be read: nothing is compacted or deleted then.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._state = Replay()
        self._begun = False
        self._bases = BaseStore(chain)
        self._removed: set[int] | None = (
            None  # documents whose objects need no deletion by this process
        )
        self._partly: dict[int, int] = {}  # by document, how many of its objects are deleted
        # Outputs that need none. None after a start, which deletes all that have no rows again: no
        # document says which are deleted, and a base leaves those out.
        self._dead: set[str] | None = None
        self._turn = threading.RLock()
        self.unreadable = ""

    @property
    def compacted(self) -> Compacted:
        """The outputs that are read."""
        return self._state.compacted

    @property
    def number(self) -> int:
        """Number of the newest document; 0: there is none."""
        return self._state.number

    @property
    def base_number(self) -> int:
        """Up to which document the newest known base goes; 0: none is known."""
        return self._bases.number

    @property
    def base_parts(self) -> int:
        """Number of that base's parts."""
        return self._bases.parts

    @property
    def manifests_format(self) -> int:
        """The least format of manifests: earlier programs do not know what is in the store."""
        if self._bases.number:
            return BASES_FORMAT
        return COMPACTED_FORMAT if self.number else DOCUMENT_FORMAT

    def refresh(self) -> Compacted:
        """Read new documents. Raises ObjectsUnavailable, DocumentTooNew."""
        with self._turn:
            self._refresh()
        return self.compacted

    def _refresh(self) -> None:
        if not self._begun:
            self._begin_at_base()
        try:
            self._read_new(skipping=False)
        except ObjectMissing:  # it was deleted because a base covers it
            self._begin_at_base()
            self._read_new(skipping=True)
        if self.number - self._bases.number >= limits.BASE_AFTER_DOCUMENTS and self._bases.find():
            self._note_base()

    def _begin_at_base(self) -> None:
        self._state = self._bases.load()
        self._begun, self.unreadable = True, ""

    def _note_base(self) -> None:
        """Forget what a base leaves out; begin there if a document that it covers is damaged."""
        if self.unreadable:
            self._begin_at_base()
            self._read_new(skipping=True)
            return
        self._state.forget_gone()
        if self._removed is not None:
            self._state.announced = self._unremoved()
            self._removed = set()

    def _read_new(self, *, skipping: bool) -> None:
        """Apply new documents, in the order of their numbers. One that a listing lacks, because it
        was put meanwhile, is asked for by its key.

        skipping: go on after one that is missing; else raises ObjectMissing.
        """
        state, prefix = self._state, compaction_prefix(self._chain.partition)
        after = compaction_key(self._chain.partition, state.number) if state.number else ""
        for info in self._chain.objects.list(prefix, after):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                text = "not a compaction document; ignored"
                log_event(logger, logging.WARNING, text, key=info.key)
                continue
            while state.number < int(name):
                self._read_next(state, int(name), skipping)

    def _read_next(self, state: Replay, listed: int, skipping: bool) -> None:
        """Apply the next document. listed: the next one that was listed."""
        number = state.number + 1
        key = compaction_key(self._chain.partition, number)
        try:
            document = self._chain.load(key, CompactionDocument)
        except (DamagedObject, ObjectMissing) as error:
            missing = isinstance(error, ObjectMissing)
            if missing and not skipping:
                raise
            self.unreadable = key
            log_event(logger, logging.ERROR, "compaction skipped", key=key, why=str(error))
            state.pass_over(max(number, listed - 1) if missing else number)
            return
        state.apply(document)
        if document.deletes and self._removed is None:
            newest = _DELETED_AGAIN + len(document.deletes)
            self._forget(state.announced[-newest:-_DELETED_AGAIN])

    def _forget(self, numbers: Sequence[int]) -> None:
        """Forget the objects of documents that need no deletion: there are ever more of them."""
        for number in numbers:
            self._state.superseded.pop(number, None)

    def inputs_of(self, output: Output) -> list[SegmentEntry]:
        """The segments whose rows an output holds, from its document or a base.

        Raises DamagedObject, ObjectMissing, ObjectsUnavailable.
        """
        for document in self._bases.sources(output.document):
            for one in document.outputs:
                if one.output.object == output.entry.object:
                    return one.inputs
        raise ObjectMissing(f"document {output.document}, which names {output.entry.location}")

    def pack_of(self, output: Output) -> list[SegmentLocation]:
        """All outputs of the pack in which this one lies, whether they are read or not; only itself
        if it is an object of its own. Raises as `inputs_of`.
        """
        if not output.entry.pack:
            return [output.entry.location]
        for document in self._bases.sources(output.document):
            for one in document.packs:
                if one.pack == output.entry.pack:
                    return one.locations()
        raise ObjectMissing(f"document {output.document}, which names {output.entry.location}")

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
            if self._state.made > after or not self._publish(list(compactions), [], now_ns, writer):
                return None
            return self.compacted

    def _publish(
        self, compactions: list[Compaction], deletes: list[int], now_ns: int, writer: str
    ) -> CompactionDocument | None:
        if self.unreadable:
            return None
        document = CompactionDocument(
            partition=self._chain.partition,
            number=self.number + 1,
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

    # --- bases ------------------------------------------------------------------------------------
    def base_due(self) -> bool:
        """Whether a base should be written. It leaves out what is announced as deleted, so this
        process must have deleted that.
        """
        return self.number - self._bases.number >= limits.BASE_AFTER_DOCUMENTS and not (
            self.unreadable or self._removed is None or self._dead is None or self._unremoved()
        )

    def write_base(self, may_write: Callable[[], bool]) -> bool:
        """Write the base of the newest document; returns whether it is there.

        may_write: asked right before the base is named.
        Raises DamagedObject, ObjectMissing if what it needs cannot be read, ObjectsUnavailable.
        """
        with self._turn:
            if not self.base_due():
                return False
            if self._bases.find():  # the partition's other indexer has written one
                self._note_base()
                return False
            condensed = self._state.condensed()
        written = self._bases.write(condensed, may_write)  # documents may be applied meanwhile
        with self._turn:
            if written:
                self._note_base()
        return written

    def delete_covered(self, may_delete: Callable[[int], bool]) -> int:
        """Delete documents that readers of the two newest bases do not need; returns how many.

        may_delete: see `BaseStore.delete_covered`.
        """
        return 0 if self.unreadable else self._bases.delete_covered(may_delete)

    # --- deleting ---------------------------------------------------------------------------------
    def waiting(self) -> list[int]:
        """Numbers of the documents whose superseded objects are not announced as deleted."""
        return list(self._state.waiting())

    def outputs_for(self, number: int) -> list[Output]:
        """The outputs that are read for the rows of what a waiting document supersedes."""
        one = self._state.waiting().get(number)
        if one is None:
            return []
        return [
            output
            for dataset in sorted({entry.dataset for entry in one.objects})
            for output in self.compacted.of(dataset)
            if one.is_read_in(output)
        ]

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
                self._removed = set(self._state.announced[:-_DELETED_AGAIN])
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
            for number, one in self._state.waiting().items()
            if ran_ns(number) >= grace_ns and one.published_ns + grace_ns <= now_ns
        ][: limits.COMPACTIONS_DELETED_AT_ONCE]
        due = [number for number in due if may_delete(number)]
        before = self.number
        self.refresh()
        if due and self.number == before:
            self._publish([], due, now_ns, writer)

    def _unremoved(self) -> list[int]:
        removed = self._removed or set()
        return [number for number in self._state.announced if number not in removed]

    def _delete_announced(self, expired: Set[str], at_most: int) -> int:
        """Delete objects of announced documents, one document after the other; their number."""
        deleted, ended = 0, list[int]()
        for number in self._unremoved():
            one = self._state.superseded.get(number, _NOTHING)
            begin = self._partly.get(number, 0)
            end = begin + at_most - deleted
            outputs_at = len(one.inputs)
            self._delete_inputs(one.inputs[begin:end], expired)
            self._delete_objects(one.outputs[max(0, begin - outputs_at) : max(0, end - outputs_at)])
            total = len(one.objects)
            deleted += min(end, total) - begin
            if end < total:
                self._partly[number] = end
                break
            self._partly.pop(number, None)
            ended.append(number)
        self._removed = (self._removed or set()).union(ended)
        self._forget(ended)
        return deleted

    def _delete_inputs(self, entries: Sequence[SegmentEntry], expired: Set[str]) -> None:
        packed = {entry.pack: entry for entry in entries if entry.pack}
        for entry in entries:
            if not entry.pack:
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

    def _delete_objects(self, outputs: Sequence[SegmentEntry]) -> None:
        """Delete superseded outputs, and their packs if none of a pack is needed any more."""
        for entry in outputs:
            if not entry.pack:
                delete_segment(self._chain.objects, entry.object)
        self._delete_packs(outputs, self._state.condensed())

    def _delete_packs(self, outputs: Sequence[SegmentEntry], needed: Condensed) -> None:
        """Delete the packs in which these outputs lie, if none of a pack is needed any more."""
        for pack in sorted({entry.pack for entry in outputs} - {""} - needed.packs()):
            self._chain.objects.delete(pack_key(pack))

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
        done = self._dead or set()
        due = [output.entry for output in dead if output.entry.object not in done]
        later = {entry.object for entry in due[limits.OBJECTS_DELETED_AT_ONCE :]}
        due = due[: limits.OBJECTS_DELETED_AT_ONCE]
        left = self.compacted
        if dead:
            left = left.without_outputs({output.entry.object for output in dead} - later)
        for entry in due:
            if not entry.pack:
                delete_segment(self._chain.objects, entry.object)
        self._delete_packs(due, Condensed(left, self._state.waiting()))
        self._dead = done.union(entry.object for entry in due)  # now that they are deleted
        self._state.compacted = left
        return len(due)
