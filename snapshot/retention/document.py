"""A numbered document of a partition: what it expires, restores and deletes (I4, I13)."""

from typing import ClassVar

import msgspec

from common import limits
from snapshot.documents.checksummed import DOCUMENT_FORMAT
from snapshot.documents.manifest import Dropped, SegmentEntry
from snapshot.retention.packs import PackedSegments

RESTORE_FORMAT = 2  # a program that knows only 1 would go on hiding what was restored
PACKS_FORMAT = 3  # a program that knows only 2 would not find what lies in packs


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """What a document expires of one dataset because of its age.

    time_min_ns, time_max_ns, append_min_ns, append_max_ns: inclusive, unix ns.
    epoch_number, end_offset: the exclusive end of its last segment.
    due_ns: when the last of it was to expire, by the retention in force at that time.
    """

    dataset: str
    segments: int
    rows: int
    size_bytes: int
    time_min_ns: int
    time_max_ns: int
    append_min_ns: int
    append_max_ns: int
    epoch_number: int
    end_offset: int
    due_ns: int


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """One decision about a partition.

    append_before_ns, datasets: append times up to which events have expired, by default and by
    dataset, for programs that hide by them; a document that restores sets them back.
    objects: hashes that expire with this document; they may be deleted after the grace time.
    expired: what expired because of its age, by dataset. Documents of older programs, which have no
    `writer`, lack it.
    deletes: numbers of documents whose objects are deleted from now on.
    restores: segments that are served again.
    dropped: batches within restored segments that count elsewhere.
    packs: which of `objects` lie in packs.
    """

    newest_format: ClassVar[int] = PACKS_FORMAT
    partition: int
    number: int
    append_before_ns: int
    objects: list[str]
    published_ns: int
    datasets: dict[str, int] = {}
    expired: list[Expired] = []
    deletes: list[int] = []
    restores: list[SegmentEntry] = []
    dropped: list[Dropped] = []
    writer: str = ""
    packs: list[PackedSegments] = []
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{retention_prefix(self.partition)}{self.number:08d}.json"

    def is_early(self, now_ns: int) -> bool:
        """Whether its events were to be retained beyond this time: a clock was wrong.

        Of a document of an older program this is known only if it was written in the future.
        """
        late_ns = now_ns + limits.CLOCK_SKEW_NS
        if self.writer:
            return any(one.due_ns > late_ns for one in self.expired)
        by_age = bool(self.objects) and (self.append_before_ns > 0 or bool(self.datasets))
        return by_age and self.published_ns > late_ns

    def is_over(self, now_ns: int, grace_ns: int) -> bool:
        """Whether the grace time is over by the clock.

        If the document was written in the future, only the retention of its events counts.
        """
        if self.published_ns > now_ns + limits.CLOCK_SKEW_NS:
            return not self.is_early(now_ns)
        return self.published_ns + grace_ns <= now_ns and not self.is_early(now_ns)


def retention_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's retention documents."""
    return f"retention/{partition:05d}/"
