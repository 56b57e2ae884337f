"""An operator's confirmation: up to which append times a partition's events may expire now (I13).

If only this machine's clock shows that events are old, retention waits for such a document. It is
numbered, put only if absent, and read by every indexer. It confirms no more than the operator was
shown, and a later restoration revokes it.
"""

import logging

import msgspec

from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT, encode_checksummed
from snapshot.retention.cutoffs import Cutoffs

logger = logging.getLogger(__name__)


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """One confirmation.

    after: number of the newest retention document that was known; a restoration after it revokes
    the confirmation.
    cutoffs: by dataset, append times before which events may expire (unix ns).
    time_ns: the current time as the operator confirms it (unix ns).
    """

    partition: int
    number: int
    after: int
    cutoffs: dict[str, int]
    time_ns: int
    writer: str
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{confirmations_prefix(self.partition)}{self.number:08d}.json"


def confirmations_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's confirmations."""
    return f"retention-confirmations/{partition:05d}/"


class ConfirmationBook:
    """The confirmations of one partition, read once each. Methods block; one thread at a time."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._newest_key = ""
        self._number = 0
        self._confirmations: list[Confirmation] = []

    def refresh(self) -> None:
        """Read new confirmations. One that cannot be read confirms nothing."""
        prefix = confirmations_prefix(self._chain.partition)
        for info in self._chain.objects.list(prefix, self._newest_key):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                continue
            try:
                self._confirmations.append(self._chain.load(info.key, Confirmation))
            except (DamagedObject, ObjectMissing) as error:
                log_event(
                    logger, logging.ERROR, "confirmation skipped", key=info.key, why=str(error)
                )
            self._newest_key, self._number = info.key, int(name)

    def cutoffs(self, last_restore: int) -> Cutoffs:
        """The cut-offs that are confirmed and not revoked by this restoration."""
        found = Cutoffs()
        for confirmation in self._in_force(last_restore):
            found = found.joined(Cutoffs(0, confirmation.cutoffs))
        return found

    def time_ns(self, last_restore: int) -> int:
        """The latest time that is confirmed and not revoked by this restoration; 0: none."""
        times = (confirmation.time_ns for confirmation in self._in_force(last_restore))
        return max(times, default=0)

    def _in_force(self, last_restore: int) -> list[Confirmation]:
        return [one for one in self._confirmations if one.after >= last_restore]

    def publish(
        self, after: int, cutoffs: dict[str, int], time_ns: int, writer: str
    ) -> Confirmation | None:
        """Publish a confirmation; None if another operator did at this moment."""
        self.refresh()
        confirmation = Confirmation(
            partition=self._chain.partition,
            number=self._number + 1,
            after=after,
            cutoffs=cutoffs,
            time_ns=time_ns,
            writer=writer,
        )
        if not self._chain.objects.put_if_absent(
            confirmation.key, encode_checksummed(confirmation)
        ):
            return None
        self.refresh()
        return confirmation
