"""What a verification found: counts, and every problem with its remedy."""

from collections.abc import Callable
from dataclasses import dataclass, field

from common import limits
from snapshot.documents.manifest import SegmentEntry

# (done, of how many as far as is known, what is being checked); called in threads
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be, and what to do. A warning is no failure.

    partition: None for what concerns all of them.
    """

    partition: int | None
    what: str
    remedy: str
    warning: bool = False


@dataclass(slots=True)
class VerifyReport:
    """What was checked and what was found. broken: (partition, segment) that cannot be used.

    unread: segments of which only the size was looked at.
    undecided, dropped: rerouted batches that wait for a decision, or count elsewhere.
    log_records, log_bytes: read from the log. pending_events: of the batches (pending_batches)
    that no published manifest covers; those that repeat another one are left out, as in answers
    (pending_repeats). problems: at most PROBLEMS_MAX of them; unlisted: how many more there are.
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
    problems: list[Problem] = field(default_factory=list)
    broken: list[tuple[int, SegmentEntry]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong; warnings do not count."""
        return not self.failures

    def add(self, partition: int | None, what: str, remedy: str, *, warning: bool = False) -> None:
        """Note a problem."""
        self.failures += not warning
        if len(self.problems) < limits.PROBLEMS_MAX:
            self.problems.append(Problem(partition, what, remedy, warning))
        else:
            self.unlisted += 1


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Progress that nobody watches."""
