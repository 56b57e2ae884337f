"""Retention: which segments are no longer served, and when their objects are deleted (I4, I5, I13).

Numbered documents per partition, put only if absent, name what expires, what is restored and what
is deleted from now on. Every reader applies them in order. An object is hidden because a document
names it, never because of a time, so all readers of the documents hide the same objects. A later
document can restore what an earlier one expired, until a document names it as deleted.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT, encode_checksummed
from snapshot.documents.locations import delete_segment, pack_key
from snapshot.documents.manifest import Dropped, SegmentEntry, chain_order
from snapshot.retention.cutoffs import Cutoffs
from snapshot.retention.document import (
    PACKS_FORMAT,
    RESTORE_FORMAT,
    Expired,
    Retention,
    retention_prefix,
)
from snapshot.retention.packs import packed_segments, unused_packs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToExpire:
    """The segments that are to expire now, and the cut-offs by which they do."""

    segments: Sequence[SegmentEntry]
    expired: Sequence[Expired]
    cutoffs: Cutoffs


class RetentionBook:
    """The partition's retention documents, read once each. Methods block; one thread at a time."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._newest_key = ""
        self._number = 0
        self._cutoffs = Cutoffs()
        self._expired_by: dict[str, int] = {}  # hash -> number of the document that expired it
        self._expired_objects: frozenset[str] = frozenset()
        self._documents: dict[int, Retention] = {}  # those that expired objects
        self._deleting: set[int] = set()
        self._announced: list[list[int]] = []  # the same, by announcement in their order
        self._deleted_objects: frozenset[str] = frozenset()
        self._deleted: set[int] | None = None  # documents that need no deletion by this process
        self._partly: dict[int, int] = {}  # by document, how many of its objects are deleted
        self._restored: dict[str, SegmentEntry] = {}
        self._dropped: set[Dropped] = set()
        self.last_restore = 0  # number of the newest document that restored something
        self.unreadable: str = ""  # key of a document that cannot be read: nothing is deleted

    @property
    def expired_objects(self) -> frozenset[str]:
        """Hashes of the objects that are no longer served."""
        return self._expired_objects

    @property
    def deleted_objects(self) -> frozenset[str]:
        """Hashes of expired objects whose deletion was announced: nothing restores them."""
        return self._deleted_objects

    @property
    def cutoffs(self) -> Cutoffs:
        """The append times up to which events have expired."""
        return self._cutoffs

    @property
    def number(self) -> int:
        """Number of the newest document."""
        return self._number

    @property
    def dropped(self) -> frozenset[Dropped]:
        """Batches within restored segments that are not served."""
        return frozenset(self._dropped)

    @property
    def restored(self) -> Mapping[str, SegmentEntry]:
        """Segments that were restored, by hash; the list of a checkpoint may lack them."""
        return self._restored

    def retained(self, segments: Iterable[SegmentEntry]) -> list[SegmentEntry]:
        """These segments and the restored ones, without expired ones; in the chain's order."""
        known = {entry.object: entry for entry in segments} | self._restored
        found = [entry for name, entry in known.items() if name not in self._expired_by]
        return sorted(found, key=chain_order)

    def refresh(self) -> Cutoffs:
        """Read new documents; returns the append times up to which events have expired."""
        prefix = retention_prefix(self._chain.partition)
        for info in self._chain.objects.list(prefix, self._newest_key):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                text = "not a retention document; ignored"
                log_event(logger, logging.WARNING, text, key=info.key)
                continue
            document = self._read(info.key)  # one that cannot be read now is read the next time
            self._newest_key, self._number = info.key, int(name)
            if document is not None:
                self._apply(document)
        if self._expired_objects != self._expired_by.keys():
            self._expired_objects = frozenset(self._expired_by)
        return self._cutoffs

    def _read(self, key: str) -> Retention | None:
        try:
            return self._chain.load(key, Retention)
        except (DamagedObject, ObjectMissing) as error:
            self.unreadable = key
            log_event(logger, logging.ERROR, "retention skipped", key=key, why=str(error))
            return None

    def _apply(self, document: Retention) -> None:
        decided = Cutoffs(document.append_before_ns, document.datasets)
        if document.restores:
            self._cutoffs = decided
            self.last_restore = document.number
            for entry in document.restores:
                self._expired_by.pop(entry.object, None)
                self._restored[entry.object] = entry
            self._dropped.update(document.dropped)
        else:
            self._cutoffs = self._cutoffs.joined(decided)
        for name in document.objects:
            self._expired_by[name] = document.number
            self._restored.pop(name, None)
        if document.deletes:
            self._deleting.update(document.deletes)
            self._announced.append(document.deletes)
            known = [self._documents[one] for one in document.deletes if one in self._documents]
            self._deleted_objects = self._deleted_objects.union(*map(self._objects_of, known))
        if document.objects:
            self._documents[document.number] = document

    # --- expiring ---------------------------------------------------------------------------------
    def expire(self, wanted: ToExpire, now_ns: int, writer: str) -> Retention | None:
        """Publish that these segments are no longer served.

        None if all of them have expired already, or if the twin has published at this moment.
        """
        self.refresh()
        fresh = sorted({segment.object for segment in wanted.segments} - self._expired_by.keys())
        if not fresh:
            return None
        joined = self._cutoffs.joined(wanted.cutoffs)
        packs = packed_segments(wanted.segments, fresh)
        return self._publish(
            Retention(
                partition=self._chain.partition,
                number=self._number + 1,
                append_before_ns=joined.default_ns,
                datasets=dict(joined.datasets),
                objects=fresh,
                published_ns=now_ns,
                expired=list(wanted.expired),
                writer=writer,
                packs=packs,
                format=PACKS_FORMAT if packs else DOCUMENT_FORMAT,
            )
        )

    def _publish(self, document: Retention) -> Retention | None:
        if not self._chain.objects.put_if_absent(document.key, encode_checksummed(document)):
            return None
        self._chain.save_copy(document.key, document)
        self.refresh()
        return document

    def early_documents(self, now_ns: int) -> list[Retention]:
        """Documents that expired events too early, if any of their objects is still expired."""
        return [
            document
            for document in self._documents.values()
            if document.is_early(now_ns) and self._objects_of(document)
        ]

    def _objects_of(self, document: Retention) -> list[str]:
        """Hashes of the objects that are still expired because of this document."""
        return [name for name in document.objects if self._expired_by.get(name) == document.number]

    # --- deleting ---------------------------------------------------------------------------------
    def undeleted(self) -> list[int]:
        """Numbers of the documents whose deletion was not announced."""
        return [number for number in self._documents if number not in self._deleting]

    def recoverable(self, now_ns: int) -> dict[str, Retention]:
        """Hashes that can still be restored, each with the document that expired it.

        Older programs announced no deletion. Of their documents only those that are too early
        count, and before restoring the caller has to check that the objects exist.
        """
        return {
            name: document
            for number, document in self._documents.items()
            if number not in self._deleting
            if document.writer or document.is_early(now_ns)
            for name in self._objects_of(document)
        }

    def delete_due(
        self,
        now_ns: int,
        grace_ns: int,
        ran_ns: Callable[[int], int],
        writer: str,
        superseded: Set[str] = frozenset(),
    ) -> int:
        """Delete objects whose grace time is over; returns the number of their segments, when the
        last of a document's are deleted.

        It must be over both by the clock and by the time that this process has run since it read
        the document (`ran_ns` of its number), and the document must not be too early by now. The
        deletion is announced in a document first; from then on nothing of it can be restored. A
        pack goes when the last of its segments is deleted.
        Nothing is deleted while a document cannot be read, because it may be a restoration.
        At most `OBJECTS_DELETED_AT_ONCE` objects are deleted; the next call goes on.

        superseded: hashes of segments of which an output holds the rows and that are deleted too.
        """
        if self.unreadable:
            return 0
        if self._deleted is None:  # after a start
            long_ago = self._announced[: -limits.RETENTION_DELETIONS_REPEATED]
            self._deleted = {number for numbers in long_ago for number in numbers}
        # first what a failure has left, so that a crash never leaves more than is repeated
        done, room = self._deleted, limits.OBJECTS_DELETED_AT_ONCE
        deleted, room = self._delete_announced(done, room, superseded)
        due = [
            number
            for number in self.undeleted()
            if ran_ns(number) >= grace_ns and self._documents[number].is_over(now_ns, grace_ns)
        ]
        if due and room > 0 and self._announce(due, now_ns, writer):
            deleted += self._delete_announced(done, room, superseded)[0]
        return deleted

    def _delete_announced(self, done: set[int], room: int, superseded: Set[str]) -> tuple[int, int]:
        """Delete objects of announced documents; (segments of finished ones, room left)."""
        deleted, left = 0, self._deleting - done
        for number in [number for number in self._documents if number in left]:
            document, begin = self._documents[number], self._partly.get(number, 0)
            end = begin + room
            room -= self._delete_objects(document, slice(begin, end), superseded)
            if room <= 0:
                self._partly[number] = end
                break
            done.add(number)
            self._partly.pop(number, None)
            deleted += len(self._objects_of(document))
        return deleted, room

    def _delete_objects(self, document: Retention, some: slice, superseded: Set[str]) -> int:
        """Delete some of what a document expired, own objects first; returns how many it had."""
        packed = {document.objects[at] for one in document.packs for at in one.segments}
        own = [name for name in document.objects if name not in packed]
        for name in own[some]:
            if self._expired_by.get(name) == document.number:
                delete_segment(self._chain.objects, name)
        begin, end = (max(0, at - len(own)) for at in (some.start, some.stop))
        packs, gone = document.packs[begin:end], self._deleted_objects
        for pack in unused_packs(self._chain, packs, lambda n: n in superseded or n in gone):
            self._chain.objects.delete(pack_key(pack))
        return len(own[some]) + len(packs)

    def _announce(self, numbers: Sequence[int], now_ns: int, writer: str) -> bool:
        """Announce that these documents' objects are deleted; False: others decided meanwhile."""
        before = self._number
        self.refresh()
        if self._number != before:
            return False
        document = Retention(
            partition=self._chain.partition,
            number=self._number + 1,
            append_before_ns=self._cutoffs.default_ns,
            datasets=dict(self._cutoffs.datasets),
            objects=[],
            published_ns=now_ns,
            deletes=list(numbers),
            writer=writer,
        )
        return self._publish(document) is not None

    # --- restoring --------------------------------------------------------------------------------
    def restore(
        self, entries: Sequence[SegmentEntry], dropped: Sequence[Dropped], now_ns: int, writer: str
    ) -> list[SegmentEntry] | None:
        """Serve these segments again; returns those that could be restored.

        dropped: batches within them that count elsewhere.
        None: other processes decided meanwhile.
        """
        self.refresh()
        possible = self.recoverable(now_ns)
        if not (back := [entry for entry in entries if entry.object in possible]):
            return []
        low = min(entry.append_max_ns for entry in back)
        datasets = {name: min(low, at) for name, at in self._cutoffs.datasets.items()}
        document = Retention(
            partition=self._chain.partition,
            number=self._number + 1,
            append_before_ns=min(low, self._cutoffs.default_ns),
            datasets=datasets,
            objects=[],
            published_ns=now_ns,
            restores=back,
            dropped=list(dropped),
            writer=writer,
            format=PACKS_FORMAT if any(entry.pack for entry in back) else RESTORE_FORMAT,
        )
        return None if self._publish(document) is None else back
