"""Bases in the store: read, written, and what they cover deleted (I2, I4, I13).

A base is named by its document only when its parts were read back whole. Documents are deleted only
up to the base before the newest one, so if either of these is damaged the other one serves. A
reader that misses a document begins again at a base, so no deletion depends on who reads when.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.compaction.bases import (
    BasePart,
    CompactionBase,
    EncodedPart,
    KeptDocument,
    PartRef,
    base_prefix,
    encode_part,
    part_key,
    part_of_bytes,
    part_prefix,
    part_ranges,
    read_part,
    whole_document,
)
from snapshot.compaction.documents import CompactionDocument, compaction_key, compaction_prefix
from snapshot.compaction.part_copies import PartCopies
from snapshot.compaction.replay import Condensed, Replay
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import decode_stored, encode_checksummed
from snapshot.documents.prefetch import prefetch_documents

KEPT_BASES = 2
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reading:
    """The part that was read last, and the names of all that were read whole."""

    name: str = ""
    part: BasePart | None = None
    whole: set[str] = field(default_factory=set)


class BaseStore:
    """The bases of one partition. Methods block, and raise ObjectsUnavailable and DocumentTooNew.

    known: those that were found, newest first.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._copies = PartCopies(chain.copies_folder(part_prefix(chain.partition)))
        self._reading = _Reading()
        self._cleaned = 0  # the newest base when there was nothing to delete
        self._unreadable: list[str] = []  # keys of bases
        self.known: tuple[CompactionBase, ...] = ()

    @property
    def number(self) -> int:
        """Up to which document the newest known base goes; 0: none is known."""
        return self.known[0].number if self.known else 0

    @property
    def parts(self) -> int:
        """Number of its parts."""
        return len(self.known[0].parts) if self.known else 0

    def find(self) -> bool:
        """List the bases; returns whether the newest one is new."""
        before = self.number
        keys = [info.key for info in self._chain.objects.list(base_prefix(self._chain.partition))]
        by_key = {base.key: base for base in self.known}
        found: list[CompactionBase] = []
        unreadable: list[str] = []
        for key in sorted(keys, reverse=True):
            try:
                found.append(by_key.get(key) or self._chain.load(key, CompactionBase))
            except (DamagedObject, ObjectMissing) as error:
                _warn("base skipped", key, error)
                unreadable.append(key)
        self.known, self._unreadable = tuple(found), unreadable
        return self.number > before

    def load(self) -> Replay:
        """What the newest base says whose parts can be read; without any, an empty one."""
        self.find()
        self._forget_copies()
        for base in self.known:
            try:
                return self.state_of(base)
            except (DamagedObject, ObjectMissing) as error:
                _warn("base skipped", base.key, error)
        return Replay()

    def state_of(self, base: CompactionBase) -> Replay:
        """What a base says. Raises DamagedObject, ObjectMissing."""
        return Replay.from_base(base.number, self._documents(base))

    def _documents(self, base: CompactionBase) -> Iterator[KeptDocument]:
        """Those in all parts. Raises DamagedObject, ObjectMissing."""
        refs = {ref.object: ref for ref in base.parts}
        is_kept = base in self.known[:KEPT_BASES]  # else another process may be deleting its parts

        def read(name: str) -> BasePart:
            return self._part(refs[name], put_missing=is_kept)

        for _, part in prefetch_documents(read, refs):
            if not isinstance(part, BasePart):
                raise part
            yield from part.documents

    def _part(self, ref: PartRef, *, put_missing: bool) -> BasePart:
        """A part, whole, from the store or the copy on this disk. Raises as `read_part`.

        put_missing: put it again from the copy also if it is missing, not only if it is damaged.
        """
        key = part_key(self._chain.partition, ref.object)
        try:
            data = self._chain.objects.get(key)
            part = part_of_bytes(data, ref, key)
        except (DamagedObject, ObjectMissing) as error:
            copy = self._copies.read(ref.object)
            if copy is None:
                raise
            part = part_of_bytes(copy, ref, key)
            if put_missing or isinstance(error, DamagedObject):
                self._chain.objects.replace(key, copy)
                text = "repaired from the local copy"
                log_event(logger, logging.WARNING, text, key=key, why=str(error))
            return part
        self._copies.save(ref.object, data)
        return part

    def _forget_copies(self) -> None:
        self._copies.keep({ref.object for base in self.known for ref in base.parts})

    def sources(self, number: int) -> Iterator[KeptDocument]:
        """What is known of one document: of a base what it keeps, of the document itself all.

        Raises ObjectMissing, DamagedObject if nothing more is known of it.
        """
        tried: set[str] = set()
        yield from self._kept(number, tried)
        key = compaction_key(self._chain.partition, number)
        try:
            yield whole_document(self._document(key, number))
        except (DamagedObject, ObjectMissing):
            self.find()  # another process may have written a base, and deleted the document
            yield from self._kept(number, tried)
            raise
        raise DamagedObject(f"{key} does not have what was looked for")

    def _document(self, key: str, number: int) -> CompactionDocument:
        if number > self.number:
            return self._chain.load(key, CompactionDocument)
        # it may be deleted on purpose: it is not put again from a copy
        return decode_stored(self._chain.objects.get(key), CompactionDocument, key)

    def _kept(self, number: int, tried: set[str]) -> Iterator[KeptDocument]:
        for base in self.known:
            ref = base.part_of(number) if base.number >= number else None
            if ref is None or ref.object in tried:
                continue
            tried.add(ref.object)
            reading = self._reading
            try:
                if reading.name != ref.object or reading.part is None:
                    reading.part = self._part(ref, put_missing=False)
                    reading.name = ref.object
                    reading.whole.add(ref.object)
            except (DamagedObject, ObjectMissing) as error:
                _warn("part of a base skipped", base.key, error)
                continue
            yield from (one for one in reading.part.documents if one.number == number)

    # --- writing ----------------------------------------------------------------------------------
    def write(self, condensed: Condensed, may_write: Callable[[], bool]) -> bool:
        """Write the base of the newest document of this state; returns whether it is there.

        may_write: asked again right before the base is named, as its parts take a while.
        Raises DamagedObject, ObjectMissing if what it needs cannot be read.
        """
        partition = self._chain.partition
        number = condensed.compacted.newest
        self._reading = _Reading()
        read, refs = condensed.read_of(), []
        for numbers in part_ranges(condensed.sizes(), limits.BASE_PART_BYTES_MAX):
            documents = [self._needed(condensed, one, read.get(one, {})) for one in numbers]
            encoded = encode_part(partition, documents)
            if encoded.ref.object not in self._reading.whole:
                self._put(encoded)
            refs.append(encoded.ref)
        self._reading = _Reading()
        base = CompactionBase(partition=partition, number=number, parts=refs)
        if not may_write():
            return False
        if self._chain.objects.put_if_absent(base.key, encode_checksummed(base)):
            self._chain.save_copy(base.key, base)
        self.find()
        self._forget_copies()
        return self.number >= number

    def _needed(self, condensed: Condensed, number: int, read: dict[str, str]) -> KeptDocument:
        packs = set(read.values()) - {""}
        for source in self.sources(number):
            kept = condensed.needed_of(source, read)
            has_packs = packs.issubset(one.pack for one in kept.packs)
            if len(kept.outputs) == len(read) and has_packs:
                return kept
        raise ObjectMissing(f"outputs of document {number} of partition {self._chain.partition}")

    def _put(self, part: EncodedPart) -> None:
        """Put a part and read it back. One that is there was left by a crash or put by the twin:
        it is replaced by the same bytes, so that it does not count as unnamed for long.
        """
        objects, key = self._chain.objects, part_key(self._chain.partition, part.ref.object)
        if not objects.put_if_absent(key, part.data):
            objects.replace(key, part.data)
        read_part(objects, self._chain.partition, part.ref)
        self._copies.save(part.ref.object, part.data)

    # --- deleting ---------------------------------------------------------------------------------
    def delete_covered(self, may_delete: Callable[[int], bool]) -> int:
        """Delete documents up to the base before the newest one, and bases before that one, with
        the parts that only they name; returns the number of documents. Parts of a base that cannot
        be read are found as objects that nothing names.

        may_delete: whether the grace time after the base of this number is over, and programs that
        know no bases stop. Both bases are read whole first.
        """
        objects, partition = self._chain.objects, self._chain.partition
        if self.number == self._cleaned or not may_delete(self.number):
            return 0
        self.find()
        known = self.known  # as they are now: another thread may write one meanwhile
        newest = known[0].number if known else 0
        kept, older = known[:KEPT_BASES], known[KEPT_BASES:]
        if not may_delete(newest):  # one that was just found
            return 0
        if len(kept) < KEPT_BASES:
            self._cleaned = newest
            return 0
        last = compaction_key(partition, kept[-1].number)
        listed = (info.key for info in objects.list(compaction_prefix(partition)))
        covered = [key for key in takewhile(lambda key: key <= last, listed) if _is_document(key)]
        covered = covered[: limits.OBJECTS_DELETED_AT_ONCE]
        damaged = [key for key in self._unreadable if key < kept[-1].key]
        if not covered and not older and not damaged:
            self._cleaned = newest
            return 0
        if not all(self._is_whole(base) for base in kept):
            return 0
        for key in covered:
            objects.delete(key)
        named = {ref.object for base in kept for ref in base.parts}
        for base in reversed(older):
            for ref in base.parts:
                if ref.object not in named:
                    objects.delete(part_key(partition, ref.object))
            objects.delete(base.key)  # last, so that after a crash its parts are still known
        for key in damaged:
            objects.delete(key)
        self.known = tuple(base for base in self.known if base.number >= kept[-1].number)
        return len(covered)

    def _is_whole(self, base: CompactionBase) -> bool:
        try:
            for _ in self._documents(self._chain.load(base.key, CompactionBase)):
                pass
        except (DamagedObject, ObjectMissing) as error:
            _warn("documents are kept, because their base is not whole", base.key, error)
            return False
        return True


def _is_document(key: str) -> bool:
    """What else lies there, such as a copy that somebody made, is left."""
    return key.rpartition("/")[2].removesuffix(".json").isdigit()


def _warn(text: str, key: str, error: Exception) -> None:
    log_event(logger, logging.ERROR, text, key=key, why=str(error))
