"""The result of a verification: counts, and every problem with its remedy."""

from collections.abc import Callable
from dataclasses import dataclass, field

from common import limits
from snapshot.documents.manifest import SegmentEntry

UPGRADE = "upgrade this program"
# Arguments: done, total as far as it is known, what is being checked. Called in threads.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and what to do.

    partition: None: it concerns all partitions.
    warning: it does not count as a failure.
    """

    partition: int | None
    what: str
    remedy: str
    warning: bool = False


@dataclass(slots=True)
class VerifyReport:
    """What was checked and what was found.

    gaps: number of ranges of offsets that were lost.
    quarantined: records that could not be read when their cut was made.
    undecided: rerouted batches whose decision is pending.
    dropped: rerouted batches that count elsewhere.
    expired: segments that retention has expired.
    repaired: objects that were put again.
    unread: segments of which only the size was checked.
    log_records, log_bytes: what was read from the log.
    pending_records: records that no published manifest covers.
    pending_batches, pending_events: of these records, without repeated batches.
    pending_repeats: batches that repeat another one; answers leave them out.
    failures: number of problems that are no warnings.
    unlisted: number of problems beyond PROBLEMS_MAX, which are not in `problems`.
    unnamed, unnamed_bytes: objects that no document names.
    unnamed_young: those of them that a document may be about to name.
    broken: (partition, segment) of segments that cannot be used.
    """

    partitions: int = 0
    manifests: int = 0
    segments: int = 0
    rows: int = 0
    bytes: int = 0
    batches: int = 0
    gaps: int = 0
    quarantined: int = 0
    undecided: int = 0
    dropped: int = 0
    expired: int = 0
    repaired: int = 0
    unread: int = 0
    log_records: int = 0
    log_bytes: int = 0
    pending_records: int = 0
    pending_batches: int = 0
    pending_events: int = 0
    pending_repeats: int = 0
    failures: int = 0
    unlisted: int = 0
    unnamed: int = 0
    unnamed_bytes: int = 0
    unnamed_young: int = 0
    problems: list[Problem] = field(default_factory=list)
    broken: list[tuple[int, SegmentEntry]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong; warnings do not count."""
        return not self.failures

    def add(self, partition: int | None, what: str, remedy: str, *, warning: bool = False) -> None:
        """Add a problem."""
        self.failures += not warning
        if len(self.problems) < limits.PROBLEMS_MAX:
            self.problems.append(Problem(partition, what, remedy, warning))
        else:
            self.unlisted += 1


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Ignore the progress."""
