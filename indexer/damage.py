"""One partition's damaged records as its operator meets them: counted, reported, settled (I7, I13).

Looks for new settlements while something is damaged, so that an operator's word is in answers
within seconds. Decides nothing about rows.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from common import limits
from common.errors import BellwetherError
from common.logs import say
from common.metrics import damaged_records, given_up_records
from indexer.fold import Fold
from indexer.quarantine import DamageView, unreadable_entry
from indexer.reports import report_set_aside
from indexer.shred import Accepted
from snapshot.chain import Chain
from snapshot.damage import records
from snapshot.manifest import Damaged, SetAsideEntry
from snapshot.settlements import SettlementBook
from snapshot.threads import to_store_thread

_LOOK_S = 2.0
logger = logging.getLogger(__name__)


class DamageLedger:
    """Of one partition, for as long as the process holds it."""

    def __init__(self, chain: Chain) -> None:
        self.total = 0  # records that this process could not read
        self.newest: list[SetAsideEntry] = []  # the last of them
        self.book = SettlementBook(chain)
        self.in_cut: list[SetAsideEntry] = []  # of the cut that is growing, found while shredding
        self._partition = chain.partition

    async def begin(self, fold: Fold) -> None:
        """The partition is resumed. Raises ObjectsUnavailable."""
        await to_store_thread(self.book.refresh)
        fold.quarantine.give_up(self.book.given_up)
        self.in_cut = []
        self.show(fold.quarantine.view)

    def set_aside(self, entry: Damaged) -> None:
        """The fold could not read a record."""
        self._report(SetAsideEntry(entry.first, entry.reason))

    def unreadable(
        self,
        fold: Fold,
        epoch_number: int,
        batch: Sequence[Accepted],
        found: Iterable[SetAsideEntry],
    ) -> None:
        """Records of the batch are well stored, but their events cannot be read."""
        by_offset = {one.offset: one for one in batch}
        for entry in found:
            fold.quarantine.unreadable(
                (unreadable_entry(epoch_number, by_offset[entry.offset], entry.reason),)
            )
            self.in_cut.append(entry)
            self._report(entry)

    def take_in_cut(self) -> tuple[SetAsideEntry, ...]:
        """What was found while shredding the cut that ends now."""
        found, self.in_cut = tuple(self.in_cut), []
        return found

    def _report(self, entry: SetAsideEntry) -> None:
        self.total += 1
        report_set_aside(self._partition, entry)
        self.newest = [*self.newest, entry][-limits.SET_ASIDE_SHOWN_MAX :]

    def show(self, view: DamageView) -> None:
        """Set the metrics."""
        label = str(self._partition)
        damaged_records.labels(label).set(records(view.missing))
        given_up_records.labels(label).set(records(view.given_up))


class Damageable(Protocol):
    """The partition, as the look for settlements sees it."""

    @property
    def number(self) -> int:
        """The partition's number."""

    @property
    def damage(self) -> DamageLedger:
        """Its damaged records."""

    @property
    def needs_word(self) -> bool:
        """Whether something is damaged that an operator may settle."""

    async def settled(self) -> None:
        """The book has new settlements: apply them."""


async def watch_settlements(partition: Damageable) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_S)
        if not partition.needs_word:
            continue
        try:
            if await to_store_thread(partition.damage.book.refresh):
                await partition.settled()
        except (BellwetherError, OSError) as error:
            say(
                logger,
                logging.WARNING,
                "settlements cannot be read now",
                partition=partition.number,
                why=str(error),
            )
