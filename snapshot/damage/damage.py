"""Damaged records: what is known to be missing of a partition, until it is settled (I7, I13).

Every manifest carries the list of damaged records that are in force at its end, as it carries gaps,
so an indexer that resumes from it knows what its segments lack. What an operator has settled is in
separate numbered documents that every reader applies (`snapshot.damage.settlements`), so a
settlement changes no row and no digest (I3). The reasons are in docs/adr/0019-damaged-records.md.
"""

from collections.abc import Container, Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from common import limits
from common.model.record import LogRecord, Record, RecordDamaged, RecordError
from common.model.reroute import EpochOffset
from snapshot.documents.manifest import Damaged, DatasetTombstone, Manifest

LOG: Final = "log"  # this copy of the record is damaged: another copy may be whole
CONTENT: Final = "content"  # it is stored as it was written, and no reader can read it
UNKNOWN_NS: Final = 2**63 - 1  # no later record has bounded its append time yet


def is_log_damage(entry: Damaged) -> bool:
    """Whether another copy of the log, or an indexer that has the rows, may repair it."""
    return entry.cause == LOG


def damaged_by_log(
    epoch_number: int,
    message: LogRecord,
    error: RecordError,
    watermark_ns: int,
    known: Container[str],
) -> Damaged:
    """The entry of a record that cannot be decoded, with this error.

    watermark_ns: the log's time before the record (unix ns).
    known: ids of the partition's datasets.
    """
    headers = {} if message.damage is None else dict(message.damage.headers)
    dataset = _text(headers, "dataset")
    events = _text(headers, "n")
    return Damaged(
        epoch_number=epoch_number,
        first=message.offset,
        end=message.offset + 1,
        cause=LOG if isinstance(error, RecordDamaged) else CONTENT,
        reason=str(error),
        team=_text(headers, "team"),
        env=_text(headers, "env"),
        dataset=dataset,
        events=int(events) if dataset and events.isdigit() else None,
        append_min_ns=watermark_ns,
        append_max_ns=message.append_ns or UNKNOWN_NS,
        credible=not dataset or dataset in known,
    )


def damaged_by_content(place: EpochOffset, append_ns: int, record: Record, reason: str) -> Damaged:
    """The entry of an events record whose checksums are right and whose lines cannot be read."""
    return Damaged(
        epoch_number=place.epoch,
        first=place.offset,
        end=place.offset + 1,
        cause=CONTENT,
        reason=reason,
        team=record.team,
        env=record.env,
        dataset=record.dataset,
        events=record.n,
        append_min_ns=append_ns,
        append_max_ns=append_ns,
    )


def _text(headers: dict[str, bytes], name: str) -> str:
    return headers.get(name, b"").decode("utf-8", "replace")


def covers(entry: Damaged, place: EpochOffset) -> bool:
    """Whether the position is one of the entry's."""
    return entry.epoch_number == place.epoch and entry.first <= place.offset < entry.end


def is_missing(entries: Iterable[Damaged], place: EpochOffset) -> bool:
    """Whether exactly this record is damaged by the log, so that its events count nowhere."""
    return any(entry.exact and is_log_damage(entry) and covers(entry, place) for entry in entries)


def may_be_of_any_dataset(entry: Damaged) -> bool:
    """Whether it may have been of any dataset of the partition."""
    return not entry.dataset or not entry.credible


def concerns(entry: Damaged, dataset: str, cutoff_ns: int, gone: DatasetTombstone | None) -> bool:
    """Whether an answer about the dataset may lack rows of the entry.

    Its events may have any date, so the time range of a query never rules it out. Rows that
    retention or the deletion of the dataset would hide now are not missing.
    cutoff_ns: rows appended before it are not served (unix ns).
    gone: the dataset's tombstone, if it was deleted.
    """
    if entry.append_max_ns < cutoff_ns or not (
        may_be_of_any_dataset(entry) or entry.dataset == dataset
    ):
        return False
    if gone is None:
        return True
    return (entry.epoch_number, entry.end) > (gone.epoch_number, gone.offset)


def records(entries: Iterable[Damaged]) -> int:
    """The maximum number of records in the entries."""
    return sum(entry.end - entry.first for entry in entries)


def events(entries: Iterable[Damaged]) -> int | None:
    """The number of their events by their headers; None: it is not known of all of them."""
    total = 0
    for entry in entries:
        if entry.events is None or not entry.credible:
            return None
        total += entry.events
    return total


def without(entries: Iterable[Damaged], epoch_number: int, first: int, end: int) -> list[Damaged]:
    """The entries without these offsets of the epoch.

    The number of events in the rest of an entry that is cut is not known.
    """
    left: list[Damaged] = []
    for entry in entries:
        if entry.epoch_number != epoch_number or entry.end <= first or end <= entry.first:
            left.append(entry)
            continue
        if entry.first < first:
            left.append(msgspec.structs.replace(entry, end=first, events=None))
        if end < entry.end:
            left.append(msgspec.structs.replace(entry, first=end, events=None))
    return left


def compact(entries: Iterable[Damaged]) -> list[Damaged]:
    """The entries in order, adjacent ones of one kind joined, at most DAMAGE_LISTED_MAX of them.

    Beyond the limit the entries with the fewest offsets between them are joined, including the
    offsets between them: the list may include too much, never too little.
    """
    found: list[Damaged] = []
    for entry in sorted(entries, key=lambda one: (one.epoch_number, one.first)):
        if found and _continues(found[-1], entry):
            found[-1] = _joined(found[-1], entry, found[-1].reason)
        else:
            found.append(entry)
    while len(found) > limits.DAMAGE_LISTED_MAX:
        gaps = [
            (b.first - a.end if a.epoch_number == b.epoch_number else 2**63, at)
            for at, (a, b) in enumerate(pairwise(found))
        ]
        distance, at = min(gaps)
        if distance == 2**63:
            break  # one entry for each epoch: there are few epochs
        found[at : at + 2] = [_joined(found[at], found[at + 1], _MANY, exact=False)]
    return found


_MANY = f"more than {limits.DAMAGE_LISTED_MAX} damaged places: listed as one"


def _continues(one: Damaged, other: Damaged) -> bool:
    return (
        one.epoch_number == other.epoch_number
        and one.end == other.first
        and one.cause == other.cause
        and one.reason == other.reason
        and one.dataset == other.dataset
        and one.exact == other.exact
        and one.credible == other.credible
    )


def _joined(one: Damaged, other: Damaged, reason: str, *, exact: bool | None = None) -> Damaged:
    known = one.events is not None and other.events is not None
    same = one.dataset == other.dataset
    return Damaged(
        epoch_number=one.epoch_number,
        first=one.first,
        end=max(one.end, other.end),
        cause=one.cause if one.cause == other.cause else LOG,
        reason=reason,
        team=one.team if same else "",
        env=one.env if same else "",
        dataset=one.dataset if same else "",
        events=(one.events or 0) + (other.events or 0) if known and exact is None else None,
        append_min_ns=min(one.append_min_ns, other.append_min_ns),
        append_max_ns=max(one.append_max_ns, other.append_max_ns),
        exact=one.exact if exact is None else exact,
        credible=one.credible and other.credible,
    )


def carried_damage(newest_first: Iterable[Manifest]) -> list[Damaged]:
    """The entries in force at the end of the first manifest.

    Manifests that were written before the list existed name only the records of their own cut. So
    manifests are read back to one that has the list, or to the first.
    """
    found: list[Damaged] = []
    for manifest in newest_first:
        if manifest.damaged is not None:
            return compact([*manifest.damaged, *found])
        found += _quarantined(manifest)
    return compact(found)


def _quarantined(manifest: Manifest) -> Sequence[Damaged]:
    """The quarantined records of a manifest that was written before the list existed."""
    latest_ns = max(manifest.watermark_ns, manifest.created_ns)
    return [
        Damaged(
            epoch_number=manifest.epoch_number,
            first=entry.offset,
            end=entry.offset + 1,
            cause=LOG,
            reason=entry.reason,
            append_max_ns=latest_ns,
        )
        for entry in manifest.set_aside
    ]
