"""What retention would do, has done and waits for, read only from the documents (I13).

Works without any running role: for the command, for `doctor`, and for an operator whose indexers
are stopped. Other reasons why an indexer waits (its own clock, other clocks that disagree) are
reported by the indexer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.objects import ObjectStore
from ops.doctor.machine import Finding, Verdict
from snapshot.bootstrap.bootstrap import read_history
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.compaction.book import CompactionBook
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Dropped, Manifest, SegmentEntry
from snapshot.documents.prefetch import prefetch_documents
from snapshot.retention.ages import appended_ns
from snapshot.retention.confirmations import Confirmation, ConfirmationBook
from snapshot.retention.cutoffs import wanted_cutoffs
from snapshot.retention.retention import RetentionBook

_ATTEMPTS = 8  # indexers may publish at the same moment
_DAY_NS = 24 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class RetentionPeriods:
    """How long events are retained.

    default_days: of datasets that are not in `own_days`; 0: for ever.
    own_days: by dataset id.
    grace_s: see the setting `indexer.retention_grace_s`.
    """

    default_days: float
    own_days: Mapping[str, int]
    grace_s: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """What would expire of one dataset of a partition by this machine's clock.

    append_min_ns, append_max_ns: of what would expire (unix ns).
    cutoff_ns: everything appended before it would expire (unix ns).
    step_ns: how far the cut-off moves, counted from the oldest segment.
    confirmed: an operator has confirmed it.
    """

    partition: int
    dataset: str
    segments: int
    rows: int
    size_bytes: int
    append_min_ns: int
    append_max_ns: int
    cutoff_ns: int
    step_ns: int
    confirmed: bool

    @property
    def waits(self) -> bool:
        """Whether it needs a second clock or a confirmation; smaller steps need neither."""
        return self.step_ns > limits.CLOCK_STEP_NS and not self.confirmed


@dataclass(frozen=True, slots=True)
class Recoverable:
    """What has expired of one dataset and can be restored.

    early_segments, early_rows: those that expired before their time, without rows of documents that
    do not have the number.
    until_ns: from then on it may be deleted (unix ns).
    """

    partition: int
    dataset: str
    segments: int
    rows: int
    size_bytes: int
    append_min_ns: int
    append_max_ns: int
    early_segments: int
    early_rows: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class PartitionRetention:
    """The state of retention of one partition.

    early_rows: what expired before its time, including what can no longer be restored.
    early_documents: the number of documents that did so.
    unreadable: key of a document that cannot be read; "": none.
    """

    partition: int
    expiring: tuple[Expiring, ...]
    recoverable: tuple[Recoverable, ...]
    early_rows: int
    early_documents: int
    unreadable: str


def read_retention(
    objects: ObjectStore,
    partition: int,
    periods: RetentionPeriods,
    now_ns: int,
    *,
    deeply: bool = True,
) -> PartitionRetention:
    """Read one partition's documents; changes nothing. Blocks.

    deeply: also list what can be restored, for which every manifest is read.
    Raises ObjectsUnavailable.
    """
    chain = Chain(ReadOnlyStore(objects), partition, None)
    book, confirmations = RetentionBook(chain), ConfirmationBook(chain)
    history = read_history(chain, 0)
    book.refresh()
    retained = book.retained(history.segments)
    confirmations.refresh()
    confirmed = confirmations.cutoffs(book.last_restore)
    early = book.early_documents(now_ns)
    listed = deeply and bool(book.recoverable(now_ns))
    return PartitionRetention(
        partition,
        tuple(_expiring(partition, retained, periods, now_ns, confirmed.datasets)),
        tuple(_recoverable(chain, book, periods, now_ns)) if listed else (),
        sum(one.rows for document in early for one in document.expired),
        len(early),
        book.unreadable,
    )


def _expiring(
    partition: int,
    entries: Sequence[SegmentEntry],
    periods: RetentionPeriods,
    now_ns: int,
    confirmed: Mapping[str, int],
) -> list[Expiring]:
    cutoffs = wanted_cutoffs(now_ns, periods.default_days, periods.own_days)
    ages = appended_ns(entries, now_ns)
    old: dict[str, list[SegmentEntry]] = {}
    for entry in entries:
        if ages[entry.object] < cutoffs.of(entry.dataset):
            old.setdefault(entry.dataset, []).append(entry)
    return [
        Expiring(
            partition,
            name,
            len(some),
            sum(e.rows for e in some),
            sum(e.size_bytes for e in some),
            min(e.append_min_ns for e in some),
            max(e.append_max_ns for e in some),
            cutoffs.of(name),
            cutoffs.of(name) - min(ages[e.object] for e in some),
            max(ages[e.object] for e in some) < confirmed.get(name, 0),
        )
        for name, some in sorted(old.items())
    ]


def _recoverable(
    chain: Chain, book: RetentionBook, periods: RetentionPeriods, now_ns: int
) -> list[Recoverable]:
    possible = book.recoverable(now_ns)
    entries, _, deleted_before = _read_chain(chain, book)
    found: dict[str, list[SegmentEntry]] = {}
    for name in possible:
        entry = entries.get(name)
        if entry is not None and not _is_deleted(entry, deleted_before):
            found.setdefault(entry.dataset, []).append(entry)
    recoverable = []
    for dataset, some in sorted(found.items()):
        early = [e for e in some if _is_early(e, periods, now_ns)]
        published = [possible[e.object].published_ns for e in some]
        recoverable.append(
            Recoverable(
                chain.partition,
                dataset,
                len(some),
                sum(e.rows for e in some),
                sum(e.size_bytes for e in some),
                min(e.append_min_ns for e in some),
                max(e.append_max_ns for e in some),
                len(early),
                sum(e.rows for e in early),
                min(published) + periods.grace_s * 10**9,
            )
        )
    return recoverable


def _is_early(entry: SegmentEntry, periods: RetentionPeriods, now_ns: int) -> bool:
    days = periods.own_days.get(entry.dataset, periods.default_days)
    return days <= 0 or entry.append_max_ns + int(days * _DAY_NS) > now_ns


def _is_deleted(entry: SegmentEntry, deleted_before: Mapping[str, tuple[int, int]]) -> bool:
    return (entry.epoch_number, entry.end_offset) <= deleted_before.get(entry.dataset, (0, 0))


def _read_chain(
    chain: Chain, book: RetentionBook
) -> tuple[dict[str, SegmentEntry], set[Dropped], dict[str, tuple[int, int]]]:
    """Every segment by hash, every dropped batch, and the position before which each deleted
    dataset's rows are not served.
    """
    entries = dict(book.restored)
    dropped: set[Dropped] = set(book.dropped)
    deleted_before: dict[str, tuple[int, int]] = {}
    for _, manifest in prefetch_documents(chain.manifest, chain.manifest_keys()):
        if not isinstance(manifest, Manifest):
            continue  # verify reports it
        entries.update((entry.object, entry) for entry in manifest.segments)
        dropped.update(manifest.conditionals_dropped)
        deleted_before = {one.dataset: (one.epoch_number, one.offset) for one in manifest.gone}
    return entries, dropped, deleted_before


def confirm(
    objects: ObjectStore, found: PartitionRetention, now_ns: int, writer: str
) -> Confirmation | None:
    """Confirm that what was shown may expire. None: there is nothing to confirm. Blocks.

    Raises ObjectsUnavailable.
    """
    if not found.expiring:
        return None
    chain = Chain(objects, found.partition, None)
    book, confirmations = RetentionBook(chain), ConfirmationBook(chain)
    cutoffs = {one.dataset: one.cutoff_ns for one in found.expiring}
    for _ in range(_ATTEMPTS):
        book.refresh()
        confirmation = confirmations.publish(book.number, cutoffs, now_ns, writer)
        if confirmation is not None:
            return confirmation
    raise DamagedObject("others publish confirmations at the same moment; try again")


def restore(
    objects: ObjectStore,
    partition: int,
    periods: RetentionPeriods,
    now_ns: int,
    writer: str,
    *,
    datasets: frozenset[str] = frozenset(),
    everything: bool = False,
) -> tuple[int, int, list[str]]:
    """Restore what expired too early; returns segments, rows, and objects that were deleted.

    datasets: only of these; empty: of all.
    everything: restore all that still exists, also what did not expire too early.
    Blocks. Raises ObjectsUnavailable.
    """
    chain = Chain(objects, partition, None)
    for _ in range(_ATTEMPTS):
        compacted = CompactionBook(chain).refresh()
        book = RetentionBook(chain)
        book.refresh()
        possible = book.recoverable(now_ns)
        if not possible:
            return 0, 0, []
        entries, dropped, deleted_before = _read_chain(chain, book)
        wanted: list[SegmentEntry] = []
        missing: list[SegmentEntry] = []
        for name in possible:
            entry = entries.get(name)
            if entry is None or _is_deleted(entry, deleted_before):
                continue
            if datasets and entry.dataset not in datasets:
                continue
            if not everything and not _is_early(entry, periods, now_ns):
                continue
            there = objects.head(compacted.location_of(entry).key) is not None
            (wanted if there else missing).append(entry)
        if not wanted:
            return 0, 0, [entry.object for entry in missing]
        within = [one for one in sorted(dropped) if _lies_in(one, wanted)]
        back = book.restore(wanted, within, now_ns, writer)
        if back is not None:
            rows = sum(entry.rows for entry in back)
            return len(back), rows, [entry.object for entry in missing]
    raise DamagedObject("indexers publish documents at the same moment; try again")


def _lies_in(one: Dropped, entries: Sequence[SegmentEntry]) -> bool:
    return any(
        e.epoch_number == one.epoch_number and e.first_offset <= one.offset < e.end_offset
        for e in entries
    )


def check_retention(
    objects: ObjectStore, partitions: Sequence[int], periods: RetentionPeriods, now_ns: int
) -> list[Finding]:
    """Findings about what an operator should do. Blocks. Raises ObjectsUnavailable."""
    waiting_rows = early_rows = early = 0
    unreadable = ""
    for partition in partitions:
        try:
            found = read_retention(objects, partition, periods, now_ns, deeply=False)
        except (DamagedObject, ObjectMissing) as error:
            unreadable = str(error)
            continue
        waiting_rows += sum(one.rows for one in found.expiring if one.waits)
        early_rows += found.early_rows
        early += found.early_documents
        unreadable = unreadable or found.unreadable
    findings = []
    if early:
        text = f"{early_rows:,} events expired before their time, in {early} steps"
        remedy = "a clock was wrong: `bellwether retention`, then `bellwether retention restore`"
        findings.append(Finding("retention", Verdict.FAIL, text, remedy))
    if waiting_rows:
        text = f"{waiting_rows:,} events would expire by this clock, in a step of more than 2 days"
        remedy = "if clock and retention are right: `bellwether retention confirm`"
        findings.append(Finding("retention", Verdict.WARN, text, remedy))
    if unreadable:
        remedy = "restore it from a backup: until then nothing is deleted"
        findings.append(Finding("retention", Verdict.FAIL, f"cannot be read: {unreadable}", remedy))
    if not findings:
        findings.append(Finding("retention", Verdict.GOOD, "nothing waits, nothing went too early"))
    return findings
