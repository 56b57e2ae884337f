"""Retention: what is no longer served, when its objects go, and what the log may drop (I4, I5).

A numbered document per partition, put only if absent, says what is given up; every reader applies
the newest one. Objects are deleted only after the document is published and the grace period has
passed. The log drops only what the newest manifest covers.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from common.errors import DamagedObject, ObjectMissing
from common.logs import say
from snapshot.chain import Chain
from snapshot.checked import DOCUMENT_FORMAT, encode_checked
from snapshot.cutoffs import Cutoffs
from snapshot.manifest import SegmentEntry, segment_key

logger = logging.getLogger(__name__)


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """What a partition has given up.

    append_before_ns: segments whose last append time is before it are not served; datasets: the
    same for datasets with a time of their own. objects: hashes given up by this document; they
    may be deleted `grace` after `published_ns`.
    """

    partition: int
    number: int
    append_before_ns: int
    objects: list[str]
    published_ns: int
    datasets: dict[str, int] = {}
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{retention_prefix(self.partition)}{self.number:08d}.json"


def retention_prefix(partition: int) -> str:
    """Where a partition's retention documents are."""
    return f"retention/{partition:05d}/"


class RetentionBook:
    """The partition's retention documents, read once each. Methods block; one thread at a time."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._newest_key = ""
        self._number = 0
        self._cutoffs = Cutoffs()
        self._given_up: set[str] = set()
        self._undeleted: list[Retention] = []

    @property
    def given_up(self) -> frozenset[str]:
        """Hashes of the objects that may be deleted."""
        return frozenset(self._given_up)

    def refresh(self) -> Cutoffs:
        """Read new documents; returns the times before which segments are not served."""
        prefix = retention_prefix(self._chain.partition)
        for info in self._chain.objects.list(prefix, self._newest_key):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                say(logger, logging.WARNING, "not a retention document; ignored", key=info.key)
                continue
            document = self._read(info.key)  # one that cannot be read now is read the next time
            self._newest_key, self._number = info.key, int(name)
            if document is None:
                continue
            decided = Cutoffs(document.append_before_ns, document.datasets)
            self._cutoffs = self._cutoffs.joined(decided)
            self._given_up.update(document.objects)
            self._undeleted.append(document)
        return self._cutoffs

    def _read(self, key: str) -> Retention | None:
        try:
            return self._chain.load(key, Retention)
        except (DamagedObject, ObjectMissing) as error:
            say(logger, logging.ERROR, "retention skipped", key=key, why=str(error))
            return None

    def give_up(
        self, segments: Sequence[SegmentEntry], cutoffs: Cutoffs, now_ns: int
    ) -> Retention | None:
        """Publish that these segments, which are hidden already, may be deleted.

        None if all of them are given up, or if the twin has published at this moment.
        """
        self.refresh()
        fresh = sorted({segment.object for segment in segments} - self._given_up)
        if not fresh:
            return None
        joined = self._cutoffs.joined(cutoffs)
        document = Retention(
            partition=self._chain.partition,
            number=self._number + 1,
            append_before_ns=joined.default_ns,
            datasets=dict(joined.datasets),
            objects=fresh,
            published_ns=now_ns,
        )
        if not self._chain.objects.put_if_absent(document.key, encode_checked(document)):
            return None
        self._chain.keep(document.key, document)
        self.refresh()
        return document

    def delete_due(self, now_ns: int, grace_ns: int) -> int:
        """Delete objects whose grace period is over; returns how many."""
        due = [d for d in self._undeleted if d.published_ns + grace_ns <= now_ns]
        deleted = 0
        for document in due:
            for object_hash in document.objects:
                self._chain.objects.delete(segment_key(object_hash))
                deleted += 1
            self._undeleted.remove(document)
        return deleted


@dataclass(frozen=True, slots=True)
class Covered:
    """The end of one published cut: everything before `next_offset` is in the object store."""

    next_offset: int
    last_append_ns: int


def droppable_offset(covered: Sequence[Covered], log_start: int, keep_after_ns: int) -> int:
    """The log may drop what is before this: covered, and older than `keep_after_ns`.

    covered: ends of published cuts of the present epoch, oldest first.
    """
    offset = log_start
    for end in covered:
        if end.last_append_ns >= keep_after_ns:
            break
        offset = max(offset, end.next_offset)
    return offset
