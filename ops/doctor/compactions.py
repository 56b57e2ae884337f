"""Whether the compaction documents of each partition can be read; needs no running role."""

from collections.abc import Sequence

from common.objects import ObjectStore
from common.process.alarms.declared import ALARMS
from ops.doctor.machine import Finding, Verdict
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.compaction.book import CompactionBook
from snapshot.documents.chain import Chain

_CHECK = "compaction"


def check_compactions(objects: ObjectStore, partitions: Sequence[int]) -> list[Finding]:
    """Findings about what an operator should do. Blocks.

    Raises ObjectsUnavailable, DocumentTooNew.
    """
    found: list[Finding] = []
    for partition in partitions:
        book = CompactionBook(Chain(ReadOnlyStore(objects), partition, None))
        book.refresh()
        if book.unreadable:
            alarm = ALARMS["compaction_unreadable"]
            text = f"cannot be read: {book.unreadable}"
            found.append(Finding(_CHECK, Verdict.FAIL, text, alarm.remedy))
    return found or [Finding(_CHECK, Verdict.GOOD, "its documents can be read")]
