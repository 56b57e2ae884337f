"""The roster: which programs read this store, and which versions of documents it may have.

Who runs now is in the locks, which forget a member that is away. The roster remembers it: numbered
documents, each with all of it, put only if absent, so that indexers that write one at the same
moment do not lose what the other saw. docs/adr/0041-two-versions.md says what it is for.
"""

import logging
from collections.abc import Mapping

import msgspec

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.objects import ObjectStore
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed

PREFIX = "members/"
EPOCHS = "epochs/"
logger = logging.getLogger(__name__)


class Place(msgspec.Struct, frozen=True):
    """What was last seen of the member with one role, zone and slot.

    documents: the newest version of documents that it knew.
    seen_ns: about when it was seen last, unix ns.
    """

    documents: int
    seen_ns: int


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """One state of the roster.

    number: from 0; 0 is not stored: nothing is known.
    places: members by `role/zone/slot`.
    opened: the newest version of documents that may be in the store; it never goes back.
    """

    number: int = 0
    places: dict[str, Place] = {}
    opened: int = 1
    writer: str = ""
    created_ns: int = 0
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{PREFIX}{self.number:08d}.json"

    def lacking(self, documents: int) -> list[str]:
        """Places whose member did not know documents of this version, in order."""
        return sorted(name for name, place in self.places.items() if place.documents < documents)


def with_seen(roster: Roster, seen: Mapping[str, int], now_ns: int) -> Roster:
    """The roster after these members were seen, by place what they know.

    Times are refreshed rarely, and a place that nobody has seen for long is forgotten; unchanged
    (the same object) where there is nothing to write.
    """
    places = dict(roster.places)
    for name, documents in seen.items():
        known = places.get(name)
        fresh = known is not None and now_ns - known.seen_ns < limits.MEMBER_SEEN_NS
        if known is None or known.documents != documents or not fresh:
            places[name] = Place(documents, now_ns)
    kept = {
        name: place
        for name, place in places.items()
        if name in seen or now_ns - place.seen_ns < limits.MEMBER_FORGOTTEN_NS
    }
    return roster if kept == roster.places else msgspec.structs.replace(roster, places=kept)


class RosterBook:
    """The roster in one object store. Methods block and raise ObjectsUnavailable."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def is_new_store(self) -> bool:
        """Whether no indexer has ever begun to write here."""
        return next(iter(self._objects.list(EPOCHS)), None) is None

    def read(self) -> Roster:
        """The newest state that can be read, with the number of the newest there is, so that the
        next one can be written after it. Raises DocumentTooNew.
        """
        newest = 0
        for key in reversed([info.key for info in self._objects.list(PREFIX)]):
            name = key.removeprefix(PREFIX).removesuffix(".json")
            newest = max(newest, int(name) if name.isdigit() else 0)
            try:
                found = decode_checksummed(self._objects.get(key), Roster, key)
            except (DamagedObject, ObjectMissing) as error:
                log_event(logger, logging.ERROR, "roster skipped", key=key, why=str(error))
                continue
            return msgspec.structs.replace(found, number=max(newest, found.number))
        return Roster(number=newest)

    def write(self, roster: Roster, writer: str, now_ns: int) -> Roster | None:
        """Store it after the one that it was made from; None if another indexer wrote meanwhile."""
        number = roster.number + 1
        written = msgspec.structs.replace(
            roster, number=number, writer=writer, created_ns=now_ns, format=DOCUMENT_FORMAT
        )
        if not self._objects.put_if_absent(written.key, encode_checksummed(written)):
            return None
        if number > limits.ROSTERS_KEPT:
            self._objects.delete(Roster(number=number - limits.ROSTERS_KEPT).key)
        return written
