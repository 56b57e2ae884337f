"""The damaged records of one partition, in the order of its log (I2, I7).

A damaged record cannot be read from this copy of the log. The two indexers of a partition may
differ in such records until one of them publishes. The entries that a manifest carries, and those
that a replacement record removes, are the same for all indexers that follow one chain of manifests.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass

import msgspec

from common.model.record import Damage, LogRecord, RecordDamaged, RecordError
from common.model.reroute import EpochOffset
from indexer.shred import Accepted
from snapshot.damage.damage import (
    LOG,
    UNKNOWN_NS,
    compact,
    damaged_by_content,
    damaged_by_log,
    is_log_damage,
    is_missing,
    without,
)
from snapshot.damage.settlements import SettledOffsets, settled_entries, unsettled
from snapshot.documents.manifest import Damaged


class ExcludedRecord(RecordDamaged):
    """A record that does not count, even if it is whole here. damage: its damage, if not whole."""

    def __init__(self, damage: Damage | None) -> None:
        reason = "another indexer could not read it and its cut came first"
        super().__init__(reason if damage is None else damage.reason)


@dataclass(frozen=True, slots=True)
class DamageView:
    """The damaged records, for readers; immutable.

    missing: records that no operator has settled.
    given_up: records that an operator has settled, that is, counted as lost.
    """

    missing: tuple[Damaged, ...] = ()
    given_up: tuple[Damaged, ...] = ()


NO_DAMAGE = DamageView()


class Quarantine:
    """Damaged records whose events do not count, in order. carried: entries of the manifest."""

    def __init__(self, carried: Iterable[Damaged], epoch_number: int) -> None:
        self._epoch_number = epoch_number
        self._given_up: tuple[SettledOffsets, ...] = ()
        self._view: DamageView | None = None
        self._recoverable: list[int] = []
        self._entries = tuple(compact(carried))
        self._unbounded = any(entry.append_max_ns == UNKNOWN_NS for entry in self._entries)

    @property
    def entries(self) -> tuple[Damaged, ...]:
        """All damaged records, in order; an immutable value."""
        return self._entries

    @property
    def view(self) -> DamageView:
        """The present view for readers."""
        if not self._entries:
            return NO_DAMAGE
        if self._view is None:
            missing = unsettled(self._entries, self._given_up)
            given_up = settled_entries(self._entries, missing) if self._given_up else []
            self._view = DamageView(tuple(missing), tuple(given_up))
        return self._view

    def give_up(self, given_up: tuple[SettledOffsets, ...]) -> None:
        """Set the offsets that operators have settled. They no longer count as missing."""
        self._given_up, self._view = given_up, None

    @property
    def has_unbounded(self) -> bool:
        """Whether some append times lack an upper bound, which a later record gives."""
        return self._unbounded

    def take_recoverable(self) -> tuple[int, ...]:
        """Take the damaged records of the cut that ends now that another log copy may have."""
        found, self._recoverable = tuple(self._recoverable), []
        return found

    def bound_append_times(self, append_ns: int) -> None:
        """Bound append times by that of a later record: earlier records were appended before it.

        If a clock went back in between, the bound is the log's time before that.
        """
        self._unbounded = False
        self._view = None
        self._entries = tuple(
            msgspec.structs.replace(entry, append_max_ns=max(append_ns, entry.append_min_ns))
            if entry.append_max_ns == UNKNOWN_NS
            else entry
            for entry in self._entries
        )

    def add_damaged(
        self, message: LogRecord, error: RecordError, watermark_ns: int, known: Container[str]
    ) -> Damaged:
        """Add a record that cannot be read. known: see `damaged_by_log`."""
        entry = damaged_by_log(self._epoch_number, message, error, watermark_ns, known)
        if is_log_damage(entry) and not isinstance(error, ExcludedRecord):
            self._recoverable.append(message.offset)
        self._add((entry,))
        self._unbounded = self._unbounded or entry.append_max_ns == UNKNOWN_NS
        return entry

    def add_lost(self, first: int, end: int, reason: str, watermark_ns: int) -> None:
        """Add offsets that cannot be read at all; reading continues after them."""
        self._add(
            (
                Damaged(
                    epoch_number=self._epoch_number,
                    first=first,
                    end=end,
                    cause=LOG,
                    reason=reason,
                    append_min_ns=watermark_ns,
                ),
            )
        )
        self._unbounded = True

    def confirm_datasets(self, datasets: Container[str]) -> None:
        """Accept the dataset that a damaged record names as credible if it is one of these."""
        if all(entry.credible for entry in self._entries):
            return
        self._view = None
        self._entries = tuple(
            entry
            if entry.credible or entry.dataset not in datasets
            else msgspec.structs.replace(entry, credible=True)
            for entry in self._entries
        )

    def add_unreadable(self, entries: Iterable[Damaged]) -> None:
        """Add records that are stored as they were written, but whose events cannot be read."""
        self._add(entries)

    def _add(self, entries: Iterable[Damaged]) -> None:
        self._view = None
        self._entries = tuple(compact([*self._entries, *entries]))

    def is_missing(self, place: EpochOffset) -> bool:
        """Whether exactly this record is damaged and its events do not count."""
        return is_missing(self._entries, place)

    def settle(self, place: EpochOffset) -> None:
        """Remove the record: its events count again, or it is known to have no events."""
        left = without(self._entries, place.epoch, place.offset, place.offset + 1)
        self._entries, self._view = tuple(left), None


def unreadable_entry(epoch_number: int, accepted: Accepted, reason: str) -> Damaged:
    """A whole record whose lines cannot be read."""
    place = EpochOffset(epoch_number, accepted.offset)
    return damaged_by_content(place, accepted.append_ns, accepted.record, reason)
