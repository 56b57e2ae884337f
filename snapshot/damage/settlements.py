"""Numbered documents of the damaged records that an operator counted as lost (I7, I13).

They are put only if absent and never revoked; every reader applies all of them. They change what
answers report as missing, never a row, so it does not matter when or in which order a reader
applies them.
"""

import logging
from collections.abc import Sequence

import msgspec

from common.errors import BellwetherError, DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.damage.damage import without
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT, encode_checksummed
from snapshot.documents.manifest import Damaged

_ATTEMPTS = 5  # several operators at once; each finds the next number taken
logger = logging.getLogger(__name__)


class SettledOffsets(msgspec.Struct, frozen=True, kw_only=True):
    """Offsets from `first` up to, not including, `end` of an epoch.

    dataset, events, reason: as in `Damaged`.
    """

    epoch_number: int
    first: int
    end: int
    dataset: str = ""
    events: int | None = None
    reason: str = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of an operator: these damaged records are lost.

    given_up: their offsets.
    settled_ns: unix ns.
    skip: the log cannot return these offsets at all; indexing goes on after them.
    """

    partition: int
    number: int
    given_up: list[SettledOffsets]
    settled_ns: int
    skip: bool = False
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{settlement_prefix(self.partition)}{self.number:08d}.json"


class NotSettled(BellwetherError):
    """Documents of other operators took the number in every attempt; try again."""


def settlement_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's settlements."""
    return f"damage/{partition:05d}/"


class SettlementBook:
    """A partition's settlements, read once each. Methods block; one thread at a time.

    Every method may raise ObjectsUnavailable.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._newest_key = ""
        self._number = 0
        self._settled: list[SettledOffsets] = []
        self._skips: list[SettledOffsets] = []

    @property
    def settled(self) -> tuple[SettledOffsets, ...]:
        """All settled offsets, in the order of the documents."""
        return tuple(self._settled)

    @property
    def skips(self) -> tuple[SettledOffsets, ...]:
        """Offsets that indexing skips because the log cannot return them."""
        return tuple(self._skips)

    def refresh(self) -> bool:
        """Read new documents; returns whether there were any."""
        prefix, found = settlement_prefix(self._chain.partition), False
        for info in self._chain.objects.list(prefix, self._newest_key):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                log_event(logger, logging.WARNING, "not a settlement; ignored", key=info.key)
                continue
            self._newest_key, self._number = info.key, int(name)
            try:
                document = self._chain.load(info.key, Settlement)
            except (DamagedObject, ObjectMissing) as error:  # what it settled counts as missing
                log_event(logger, logging.ERROR, "settlement skipped", key=info.key, why=str(error))
                continue
            found = True
            self._chain.save_copy(info.key, document)
            self._settled += document.given_up
            if document.skip:
                self._skips += document.given_up
        return found

    def settle(
        self, offsets: Sequence[SettledOffsets], now_ns: int, *, skip: bool = False
    ) -> Settlement:
        """Publish a settlement of these offsets. Raises NotSettled."""
        for _ in range(_ATTEMPTS):
            self.refresh()
            document = Settlement(
                partition=self._chain.partition,
                number=self._number + 1,
                given_up=list(offsets),
                settled_ns=now_ns,
                skip=skip,
            )
            if self._chain.objects.put_if_absent(document.key, encode_checksummed(document)):
                self._chain.save_copy(document.key, document)
                self.refresh()
                return document
        raise NotSettled("others settle damaged records at this moment: do it again")


def unsettled(entries: Sequence[Damaged], settled: Sequence[SettledOffsets]) -> list[Damaged]:
    """The damaged records that are not settled."""
    left = list(entries)
    for one in settled:
        left = without(left, one.epoch_number, one.first, one.end)
    return left


def settled_entries(entries: Sequence[Damaged], missing: Sequence[Damaged]) -> list[Damaged]:
    """The damaged records that are settled: those that are not `missing`."""
    left = list(entries)
    for one in missing:
        left = without(left, one.epoch_number, one.first, one.end)
    return left
